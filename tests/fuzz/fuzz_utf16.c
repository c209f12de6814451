/*
 * UTF-16 from the wire and UTF-8 from anywhere: whatever is accepted comes back the same, and folding agrees with itself.
 */
#include "base/memory.h"
#include "base/utf16.h"
#include "fuzz/world.h"

#include <string.h>

static void check_folding(const char *text)
{
    AUTO_FREE char *upper = text_upper(text);
    AUTO_FREE char *again = NULL;

    MUST(upper != NULL && utf8_valid(slice_of_text(upper)));
    again = text_upper(upper);
    MUST(again != NULL && strcmp(upper, again) == 0);
    MUST(text_equal_fold(text, upper) && text_equal_fold(upper, text) && text_equal_fold(text, text));
}

/* Bytes taken as UTF-16: decoding and encoding again gives the same bytes, and so does folding on either side. */
static void check_utf16(struct slice input)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *upper = NULL;
    AUTO_FREE uint8_t *folded = NULL;
    AUTO_WRITER struct writer writer = writer_growing(0);
    AUTO_WRITER struct writer upper_writer = writer_growing(0);

    if (utf16le_to_text(input, &text) != WIRE_OK)
        return;
    MUST(utf8_valid(slice_of_text(text)));
    MUST(utf16le_len(text) == input.len);
    MUST(utf16le_write(&writer, text) == WIRE_OK);
    MUST(slice_equal(writer_slice_of(&writer), input));
    check_folding(text);
    upper = text_upper(text);
    folded = mem_dup(input.data, input.len);
    MUST(upper != NULL && folded != NULL);
    utf16le_upper(folded, input.len);
    MUST(utf16le_write(&upper_writer, upper) == WIRE_OK);
    MUST(slice_equal(writer_slice_of(&upper_writer), slice_of(folded, input.len)));
}

/* Bytes taken as UTF-8. */
static void check_utf8(struct slice input)
{
    AUTO_FREE char *text = mem_dup(input.data, input.len);
    AUTO_FREE char *back = NULL;
    AUTO_FREE uint16_t *units = NULL;
    bool valid = utf8_valid(input);
    size_t n_units;

    MUST(text != NULL);
    if (strlen(text) != input.len) {
        MUST(!valid);
        return;
    }
    MUST((utf16_from_text(text, &units, &n_units) == WIRE_OK) == valid);
    if (!valid) {
        MUST(text_upper(text) == NULL && !text_equal_fold(text, text));
        return;
    }
    MUST(utf16_units(units) == n_units && utf16le_len(text) == 2 * n_units);
    MUST(utf16_to_text(units, n_units, &back) == WIRE_OK);
    MUST(strcmp(back, text) == 0);
    check_folding(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_utf16(slice_of(data, size));
    check_utf8(slice_of(data, size));
    return 0;
}
