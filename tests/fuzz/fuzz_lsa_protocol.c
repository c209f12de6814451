/*
 * Frames between a process and the LSA daemon: what is read points into the input, and what was read can be written so that it reads the same.
 */
#include "fuzz/world.h"
#include "lsa/protocol.h"

#include <string.h>

static void fields_check(struct slice body, enum lsa_operation operation, bool reply)
{
    struct lsa_message message, again;
    if (lsa_body_read(body, operation, reply, &message) != WIRE_OK)
        return;
    AUTO_WRITER struct writer writer = writer_growing(body.len + LSA_HEAD_LEN + 1);
    lsa_head_write(&writer, operation, reply, 7);
    for (unsigned field = 1; field < LSA_FIELDS; field++) {
        struct slice bytes = message.field[field];
        world_inside(body, bytes);
        lsa_bytes_write(&writer, (enum lsa_field)field, bytes);
    }
    MUST(lsa_body_end(&writer) == WIRE_OK);
    struct reader reader = reader_of(writer_slice_of(&writer));
    struct lsa_head head;
    MUST(lsa_head_read(&reader, &head) == WIRE_OK && head.operation == (uint8_t)operation && head.reply == reply &&
         head.sequence == 7 && head.body_len == reader_left(&reader));
    MUST(lsa_body_read(reader_rest(&reader), operation, reply, &again) == WIRE_OK);
    for (unsigned field = 1; field < LSA_FIELDS; field++)
        MUST((message.field[field].data == NULL) == (again.field[field].data == NULL) &&
             slice_equal(message.field[field], again.field[field]));
    const char *cause = lsa_text(&message, LSA_CAUSE);
    MUST(cause == NULL || strlen(cause) + 1 == message.field[LSA_CAUSE].len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of(slice_of(data, size));
    struct lsa_head head;
    if (lsa_head_read(&reader, &head) != WIRE_OK)
        return 0;
    MUST(head.body_len <= LSA_BODY_MAX);
    fields_check(reader_rest(&reader), (enum lsa_operation)head.operation, head.reply);
    return 0;
}
