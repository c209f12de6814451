/*
 * DER: whatever is accepted is written again byte for byte, whatever is cut short is SHORT and never BAD, nothing reads past the end.
 */
#include "fuzz/world.h"
#include "wire/der.h"

#include <string.h>

#define DEPTH_MAX 16 /* of the walk; the decoder itself does not recurse */

static void check_integer(struct slice element, uint8_t tag)
{
    struct reader reader = reader_of(element);
    uint8_t room[16];
    struct writer writer = writer_fixed(room, sizeof(room));
    int64_t value;

    if (der_read_integer(&reader, tag, &value) != WIRE_OK) {
        MUST(reader_left(&reader) == element.len);
        return;
    }
    der_write_integer(&writer, tag, value);
    MUST(writer_finish(&writer) == WIRE_OK && slice_equal(writer_slice_of(&writer), element));
}

/* Writes the elements again; constructed ones through der_begin and der_end when their content is DER throughout. */
static bool rewrite(struct slice input, struct writer *writer, unsigned depth)
{
    struct reader reader = reader_of(input);

    while (reader_left(&reader) != 0) {
        struct slice rest = reader_rest(&reader), content, element;
        size_t total = 0;
        uint8_t tag;
        enum wire_result result = der_read_any(&reader, &tag, &content);

        if (result != WIRE_OK) {
            MUST(reader_left(&reader) == rest.len);
            MUST(result == WIRE_SHORT || der_total_len(rest, &total) == WIRE_BAD);
            return false;
        }
        MUST(der_total_len(rest, &total) == WIRE_OK && total == rest.len - reader_left(&reader));
        element = slice_of(rest.data, total);
        MUST(content.data + content.len == element.data + element.len);
        check_integer(element, tag);
        if ((tag & 0x20) != 0 && depth < DEPTH_MAX) {
            struct der_mark mark = der_begin(writer, tag);
            size_t before_len = writer->len;

            if (!rewrite(content, writer, depth + 1)) {
                /* Not DER inside: what was written of it is replaced by the bytes as they are. */
                writer->len = before_len;
                writer_slice(writer, content);
            }
            der_end(writer, mark);
        } else {
            der_write(writer, tag, content);
        }
    }
    return true;
}

static void check_cuts(struct slice input)
{
    struct reader reader = reader_of(input);
    struct slice content;
    size_t total;
    uint8_t tag;

    if (der_read_any(&reader, &tag, &content) != WIRE_OK)
        return;
    total = input.len - reader_left(&reader);
    for (size_t cut = 0; cut < total; cut += cut < 16 ? 1 : 61) {
        reader = reader_of(slice_of(input.data, cut));
        MUST(der_read(&reader, tag, &content) == WIRE_SHORT);
    }
}

static void check_frame(struct slice input)
{
    AUTO_WRITER struct writer writer = writer_growing(0);
    struct slice mech, inner;

    if (gss_frame_read(input, &mech, &inner) != WIRE_OK)
        return;
    gss_frame_begin(&writer, mech, inner.len);
    writer_slice(&writer, inner);
    MUST(writer_finish(&writer) == WIRE_OK && slice_equal(writer_slice_of(&writer), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    AUTO_WRITER struct writer writer = writer_growing(0);

    if (rewrite(input, &writer, 0)) {
        MUST(writer_finish(&writer) == WIRE_OK);
        MUST(slice_equal(writer_slice_of(&writer), input));
    }
    check_cuts(input);
    check_frame(input);
    return 0;
}
