#include "accounts/account_fields.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/reader.h"

#include <string.h>

bool line_next(struct slice *text, struct slice *line)
{
    require(text->len > 0, false);
    const uint8_t *end = memchr(text->data, '\n', text->len);
    size_t line_len = end == NULL ? text->len : (size_t)(end - text->data);
    size_t taken = end == NULL ? line_len : line_len + 1;
    *line = slice_of(text->data, line_len);
    *text = slice_of(text->data + taken, text->len - taken);
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    return true;
}

enum wire_result line_split(struct slice line, char separator, struct line_fields *fields)
{
    fields->n_fields = 0;
    for (;;) {
        require(fields->n_fields < LINE_FIELDS_MAX, WIRE_BAD);
        const uint8_t *end = line.len == 0 ? NULL : memchr(line.data, separator, line.len);
        size_t len = end == NULL ? line.len : (size_t)(end - line.data);
        fields->field[fields->n_fields++] = slice_of(line.data, len);
        if (end == NULL)
            return WIRE_OK;
        line = slice_of(line.data + len + 1, line.len - len - 1);
    }
}

bool field_is(struct slice field, const char *text)
{
    return slice_equal(field, slice_of_text(text));
}

bool field_has_control(struct slice field, char but)
{
    for (size_t i = 0; i < field.len; i++) {
        uint8_t byte = field.data[i];
        if ((byte < 0x20 || byte == 0x7f) && byte != (uint8_t)but)
            return true;
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (byte == 0xc2 && i + 1 < field.len && field.data[i + 1] < 0xa0)
            return true;
    }
    return false;
}

enum wire_result field_text(struct slice field, char **text)
{
    char *copy = mem_dup(field.len == 0 ? "" : (const char *)field.data, field.len);
    require(copy != NULL, WIRE_BAD);
    *text = copy;
    return WIRE_OK;
}

enum wire_result field_number(struct slice field, int64_t max, int64_t *number)
{
    int64_t value = 0;
    require(field.len > 0, WIRE_BAD);
    for (size_t i = 0; i < field.len; i++) {
        require(field.data[i] >= '0' && field.data[i] <= '9', WIRE_BAD);
        require(!__builtin_mul_overflow(value, 10, &value) &&
                    !__builtin_add_overflow(value, field.data[i] - '0', &value) && value <= max,
                WIRE_BAD);
    }
    *number = value;
    return WIRE_OK;
}

enum wire_result field_optional(struct slice field, int64_t max, int64_t none, int64_t *number)
{
    if (field.len > 0)
        return field_number(field, max, number);
    *number = none;
    return WIRE_OK;
}

enum wire_result field_hash(struct slice field, struct key16 *hash)
{
    return hex_read(field, hash->bytes, sizeof(hash->bytes));
}

enum wire_result field_hex32(struct slice field, uint32_t *value)
{
    uint8_t bytes[4];
    try(hex_read(field, bytes, sizeof(bytes)));
    struct reader reader = reader_of(slice_of(bytes, sizeof(bytes)));
    return reader_u32be(&reader, value);
}

enum wire_result field_sid(struct slice field, struct sid *sid)
{
    char text[SID_TEXT_MAX];
    require(field.len > 0 && field.len < sizeof(text), WIRE_BAD);
    memcpy(text, field.data, field.len);
    text[field.len] = '\0';
    require(strlen(text) == field.len, WIRE_BAD);
    return sid_from_text(text, sid);
}
