#include "kerberos/name.h"

#include "base/memory.h"
#include "wire/der.h"
#include <string.h>

enum wire_result krb_realm_read(struct reader *reader, struct slice *realm)
{
    return der_read(reader, DER_GENERAL_STRING, realm);
}

void krb_realm_write(struct writer *writer, struct slice realm)
{
    der_write(writer, DER_GENERAL_STRING, realm);
}

static enum wire_result parts_read(struct slice strings, struct krb_name *name)
{
    struct reader reader = reader_of(strings);
    name->n_parts = 0;
    while (reader_left(&reader) > 0) {
        require(name->n_parts < KRB_NAME_PARTS, WIRE_BAD);
        require(der_read(&reader, DER_GENERAL_STRING, &name->part[name->n_parts]) == WIRE_OK, WIRE_BAD);
        name->n_parts++;
    }
    return name->n_parts > 0 ? WIRE_OK : WIRE_BAD;
}

enum wire_result krb_name_read(struct reader *reader, struct krb_name *name)
{
    struct slice body, content;
    int64_t type;
    try(der_read(reader, DER_SEQUENCE, &body));
    struct reader fields = reader_of(body);
    require(der_read(&fields, DER_CONTEXT(0), &content) == WIRE_OK, WIRE_BAD);
    struct reader field = reader_of(content);
    require(der_read_integer(&field, DER_INTEGER, &type) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    require(type >= INT32_MIN && type <= INT32_MAX, WIRE_BAD);
    name->type = (int32_t)type;
    require(der_read(&fields, DER_CONTEXT(1), &content) == WIRE_OK && reader_end(&fields) == WIRE_OK, WIRE_BAD);
    field = reader_of(content);
    require(der_read(&field, DER_SEQUENCE, &body) == WIRE_OK && reader_end(&field) == WIRE_OK, WIRE_BAD);
    return parts_read(body, name);
}

void krb_name_write(struct writer *writer, const struct krb_name *name)
{
    struct der_mark whole = der_begin(writer, DER_SEQUENCE);
    struct der_mark field = der_begin(writer, DER_CONTEXT(0));
    der_write_integer(writer, DER_INTEGER, name->type);
    der_end(writer, field);
    field = der_begin(writer, DER_CONTEXT(1));
    struct der_mark strings = der_begin(writer, DER_SEQUENCE);
    for (unsigned i = 0; i < name->n_parts; i++)
        der_write(writer, DER_GENERAL_STRING, name->part[i]);
    der_end(writer, strings);
    der_end(writer, field);
    der_end(writer, whole);
}

bool krb_name_equal(const struct krb_name *a, const struct krb_name *b)
{
    require(a->n_parts == b->n_parts && slice_equal(a->realm, b->realm), false);
    for (unsigned i = 0; i < a->n_parts; i++)
        require(slice_equal(a->part[i], b->part[i]), false);
    return true;
}

bool krb_name_is_anonymous(const struct krb_name *name)
{
    return slice_equal(name->realm, slice_of_text(KRB5_ANONYMOUS_REALMSTR)) ||
           (name->n_parts == 2 && slice_equal(name->part[0], slice_of_text(KRB5_WELLKNOWN_NAMESTR)) &&
            slice_equal(name->part[1], slice_of_text(KRB5_ANONYMOUS_PRINCSTR)));
}

/* Each byte of a part becomes at most two of the text. */
static size_t text_room(const struct krb_name *name)
{
    size_t len = 2 * name->realm.len + 2;
    for (unsigned i = 0; i < name->n_parts; i++)
        len += 2 * name->part[i].len + 1;
    return len;
}

/* What stands behind the backslash of a byte that needs one. */
static const char after[UINT8_MAX + 1] = {
    ['/'] = '/', ['@'] = '@', ['\\'] = '\\', ['\n'] = 'n', ['\t'] = 't', ['\b'] = 'b'};

static char *escaped(char *at, struct slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        char escape = after[part.data[i]];
        if (escape != 0) {
            *at++ = '\\';
            *at++ = escape;
        } else
            *at++ = (char)part.data[i];
    }
    return at;
}

static bool has_nul(struct slice part)
{
    return part.len > 0 && memchr(part.data, 0, part.len) != NULL;
}

bool krb_name_has_text(const struct krb_name *name)
{
    for (unsigned i = 0; i < name->n_parts; i++)
        require(!has_nul(name->part[i]), false);
    return !has_nul(name->realm);
}

char *krb_name_text(const struct krb_name *name)
{
    require(krb_name_has_text(name), NULL);
    char *text = mem_zalloc(text_room(name));
    require(text != NULL, NULL);
    char *at = text;
    for (unsigned i = 0; i < name->n_parts; i++) {
        if (i > 0)
            *at++ = '/';
        at = escaped(at, name->part[i]);
    }
    *at++ = '@';
    (void)escaped(at, name->realm);
    return text;
}

/* Where `text` goes on behind the part, or NULL. */
static const char *part_skip(const char *text, struct slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        uint8_t byte = part.data[i];
        if (after[byte] != 0)
            require(*text++ == '\\' && *text++ == after[byte], NULL);
        else
            require(byte != 0 && (uint8_t)*text++ == byte, NULL);
    }
    return text;
}

bool krb_name_is(const struct krb_name *name, const char *text)
{
    for (unsigned i = 0; i < name->n_parts; i++) {
        require(i == 0 || *text++ == '/', false);
        text = part_skip(text, name->part[i]);
        require(text != NULL, false);
    }
    require(*text++ == '@', false);
    text = part_skip(text, name->realm);
    return text != NULL && *text == 0;
}

bool krb_name_of(krb5_const_principal principal, struct krb_name *name)
{
    require(principal->length >= 1 && principal->length <= KRB_NAME_PARTS, false);
    name->type = principal->type;
    name->n_parts = (unsigned)principal->length;
    for (unsigned i = 0; i < name->n_parts; i++)
        name->part[i] = slice_of(principal->data[i].data, principal->data[i].length);
    name->realm = slice_of(principal->realm.data, principal->realm.length);
    return true;
}
