/*
 * Lists of directives: what is taken and written again is taken again, with the same values; no list is read past its end.
 */
#include "digest/directives.h"
#include "fuzz/world.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    while (rest.len > 0) {
        AUTO_DIRECTIVES struct directives one = {0};
        AUTO_DIRECTIVES struct directives two = {0};
        AUTO_WRITER struct writer again = writer_growing(256);
        size_t before = rest.len;
        uint32_t number = 0;
        if (directives_parse(&rest, size % 2 != 0, &one) != WIRE_OK)
            return 0;
        MUST(rest.len < before);
        if (!directive_there(&one, DIRECTIVE_NONCE))
            continue;
        directive_write_quoted(&again, "nonce", one.value[DIRECTIVE_NONCE]);
        struct slice text = writer_slice_of(&again);
        MUST(directives_parse(&text, false, &two) == WIRE_OK && text.len == 0);
        MUST(slice_equal(one.value[DIRECTIVE_NONCE], two.value[DIRECTIVE_NONCE]));
        (void)!directive_number(one.value[DIRECTIVE_NONCE], UINT32_MAX, &number);
        struct slice list = one.value[DIRECTIVE_NONCE], word;
        while (directive_word_next(&list, &word))
            MUST(word.len > 0);
    }
    return 0;
}
