#include "lsa/kept_text.h"

#include "base/memory.h"
#include "base/result.h"
#include <string.h>

struct kept {
    struct kept *next;
    size_t len;
    char text[];
};

const char *kept_bytes(struct kept **texts, struct slice bytes)
{
    for (const struct kept *kept = *texts; kept != NULL; kept = kept->next)
        if (slice_equal(slice_of(kept->text, kept->len), bytes))
            return kept->text;
    struct kept *fresh = mem_zalloc(sizeof *fresh + bytes.len + 1);
    require(fresh != NULL, NULL);
    memcpy(fresh->text, bytes.data, bytes.len);
    fresh->len = bytes.len;
    fresh->next = *texts;
    *texts = fresh;
    return fresh->text;
}

const char *kept_text(struct kept **texts, const char *text)
{
    return kept_bytes(texts, slice_of_text(text));
}

void kept_free(struct kept *texts)
{
    while (texts != NULL) {
        struct kept *next = texts->next;
        mem_free(texts);
        texts = next;
    }
}
