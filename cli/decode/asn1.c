#include "decode/asn1.h"

#include "wire/der.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *dotted, *name;
} known_oids[] = {
    {"1.3.6.1.5.5.2", "SPNEGO"},
    {"1.2.840.113554.1.2.2", "Kerberos"},
    {"1.2.840.48018.1.2.2", "Kerberos, Microsoft's old identifier"},
    {"1.2.840.113554.1.2.2.3", "Kerberos user-to-user"},
    {"1.3.6.1.4.1.311.2.2.10", "NTLM"},
    {"1.3.6.1.4.1.311.2.2.30", "NegoExtender"},
    {"1.3.6.1.5.2.5", "IAKERB"},
};

void asn1_oid(struct slice oid, char text[ASN1_OID_MAX])
{
    struct reader reader = reader_of(oid);
    uint64_t arc = 0;
    uint8_t byte;
    int at = 0;
    bool first = true;
    text[0] = '\0';
    while (reader_u8(&reader, &byte) == WIRE_OK && at < 100) {
        arc = (arc << 7 | (byte & 0x7f)) & UINT64_C(0x00ffffffffffffff); /* a longer arc is cut: nobody has one */
        if ((byte & 0x80) != 0)
            continue;
        if (first) {
            unsigned top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            at += snprintf(text + at, ASN1_OID_MAX - (size_t)at, "%u.%" PRIu64, top, arc - UINT64_C(40) * top);
        } else {
            at += snprintf(text + at, ASN1_OID_MAX - (size_t)at, ".%" PRIu64, arc);
        }
        first = false;
        arc = 0;
    }
    for (size_t i = 0; i < sizeof(known_oids) / sizeof(known_oids[0]); i++)
        if (strcmp(text, known_oids[i].dotted) == 0)
            snprintf(text + at, ASN1_OID_MAX - (size_t)at, " (%s)", known_oids[i].name);
}

/* KerberosTime (RFC 4120 5.2.3): YYYYMMDDHHMMSSZ */
static void put_time(struct tree *tree, const char *name, struct slice text)
{
    struct tm broken = {0};
    int value[6] = {0};
    static const unsigned width[6] = {4, 2, 2, 2, 2, 2};
    size_t at = 0;
    bool good = text.len == 15 && text.data[14] == 'Z';
    for (unsigned i = 0; good && i < 6; i++)
        for (unsigned j = 0; good && j < width[i]; j++, at++) {
            good = text.data[at] >= '0' && text.data[at] <= '9';
            value[i] = value[i] * 10 + (text.data[at] - '0');
        }
    if (!good) {
        tree_text(tree, name, text);
        tree_wrong(tree, "%s is no time of Kerberos", name);
        return;
    }
    broken.tm_year = value[0] - 1900;
    broken.tm_mon = value[1] - 1;
    broken.tm_mday = value[2];
    broken.tm_hour = value[3];
    broken.tm_min = value[4];
    broken.tm_sec = value[5];
    tree_unix_time(tree, name, timegm(&broken));
}

static void put_word(struct tree *tree, const struct asn1_field *field, int64_t value)
{
    const char *word =
        value >= INT32_MIN && value <= UINT32_MAX ? tree_word_of((uint32_t)value, field->words, field->n_words) : NULL;
    if (word != NULL)
        tree_put(tree, field->name, "%" PRId64 " (%s)", value, word);
    else
        tree_put(tree, field->name, "%" PRId64, value);
}

/* PrincipalName (RFC 4120 5.2.2) as people write it. */
static bool put_name(struct tree *tree, const struct asn1_field *field, struct slice value)
{
    struct reader reader = reader_of(value), names;
    struct slice content, part, list, inner;
    char text[512] = "";
    size_t at = 0;
    int64_t type = 0;
    if (der_read(&reader, DER_SEQUENCE, &content) != WIRE_OK)
        return false;
    reader = reader_of(content);
    if (der_read(&reader, DER_CONTEXT(0), &inner) == WIRE_OK) {
        struct reader number = reader_of(inner);
        if (der_read_integer(&number, DER_INTEGER, &type) != WIRE_OK)
            return false;
    }
    if (der_read(&reader, DER_CONTEXT(1), &inner) != WIRE_OK)
        return false;
    names = reader_of(inner);
    if (der_read(&names, DER_SEQUENCE, &list) != WIRE_OK)
        return false;
    for (names = reader_of(list); der_read(&names, DER_GENERAL_STRING, &part) == WIRE_OK;) {
        if (at > 0 && at + 1 < sizeof(text))
            text[at++] = '/';
        size_t len = part.len < sizeof(text) - at ? part.len : sizeof(text) - at;
        memcpy(text + at, part.data, len);
        at += len;
    }
    tree_text(tree, field->name, slice_of(text, at));
    return true;
}

static bool put_oids(struct tree *tree, const struct asn1_field *field, struct slice value)
{
    struct reader reader = reader_of(value);
    struct slice list, oid;
    char text[ASN1_OID_MAX];
    if (der_read(&reader, DER_SEQUENCE, &list) != WIRE_OK)
        return false;
    tree_open(tree, field->name, "%s", "");
    for (reader = reader_of(list); der_read(&reader, DER_OID, &oid) == WIRE_OK;) {
        asn1_oid(oid, text);
        tree_put(tree, "mechanism", "%s", text);
    }
    if (reader_left(&reader) > 0)
        tree_wrong(tree, "something else than an identifier stands in the list");
    tree_close(tree);
    return true;
}

static bool put_integers(struct tree *tree, const struct asn1_field *field, struct slice value)
{
    struct reader reader = reader_of(value);
    struct slice list;
    int64_t number;
    if (der_read(&reader, DER_SEQUENCE, &list) != WIRE_OK)
        return false;
    for (reader = reader_of(list); der_read_integer(&reader, DER_INTEGER, &number) == WIRE_OK;)
        put_word(tree, field, number);
    return reader_left(&reader) == 0;
}

/* The content of a structure's SEQUENCE, as it stands in others, too. */
static void fields_show(struct tree *tree, const struct asn1_type *type, struct slice content, unsigned nesting);

static bool put_list(struct tree *tree, const struct asn1_field *field, struct slice value, unsigned nesting)
{
    struct reader reader = reader_of(value);
    struct slice list, element;
    uint8_t tag;
    if (der_read(&reader, DER_SEQUENCE, &list) != WIRE_OK)
        return false;
    for (reader = reader_of(list); der_read_any(&reader, &tag, &element) == WIRE_OK;) {
        /* Tickets in lists stand under their application tag. */
        struct reader inner = reader_of(element);
        if (tag != DER_SEQUENCE && der_read(&inner, DER_SEQUENCE, &element) != WIRE_OK)
            return false;
        tree_open(tree, field->name, "%s", "");
        fields_show(tree, field->of, element, nesting);
        tree_close(tree);
    }
    return reader_left(&reader) == 0;
}

static bool put_bits(struct tree *tree, const struct asn1_field *field, struct slice value)
{
    struct reader reader = reader_of(value);
    struct slice bits;
    uint32_t flags;
    uint8_t unused;
    if (der_read(&reader, DER_BIT_STRING, &bits) != WIRE_OK)
        return false;
    reader = reader_of(bits);
    if (reader_u8(&reader, &unused) != WIRE_OK || unused > 7)
        return false;
    uint8_t padded[4] = {0};
    struct slice rest = reader_rest(&reader);
    memcpy(padded, rest.data, rest.len < 4 ? rest.len : 4);
    reader = reader_of(slice_of(padded, 4));
    if (reader_u32be(&reader, &flags) != WIRE_OK)
        return false;
    tree_flags(tree, field->name, flags, field->words, field->n_words);
    return true;
}

static bool put_octets(struct tree *tree, const struct asn1_field *field, struct slice value, unsigned nesting)
{
    struct reader reader = reader_of(value);
    struct slice octets;
    if (der_read(&reader, DER_OCTET_STRING, &octets) != WIRE_OK)
        return false;
    if (field->kind == ASN1_UTF16) {
        tree_utf16(tree, field->name, octets);
        return true;
    }
    if (field->kind == ASN1_TOKEN && nesting < DECODE_NESTING_MAX && decode_kind(octets)[0] != '\0') {
        tree_open(tree, field->name, "%zu bytes", octets.len);
        decode_token(tree, octets, nesting + 1);
        tree_close(tree);
        return true;
    }
    tree_bytes(tree, field->name, octets);
    return true;
}

static bool put_simple(struct tree *tree, const struct asn1_field *field, struct slice value)
{
    struct reader reader = reader_of(value);
    struct slice content;
    char text[ASN1_OID_MAX];
    int64_t number;
    uint8_t tag;
    switch (field->kind) {
    case ASN1_INTEGER:
        if (der_read_integer(&reader, DER_INTEGER, &number) != WIRE_OK)
            return false;
        tree_put(tree, field->name, "%" PRId64, number);
        return true;
    case ASN1_WORD:
        if (der_read_integer(&reader, der_peek(&reader, DER_ENUMERATED) ? DER_ENUMERATED : DER_INTEGER, &number) !=
            WIRE_OK)
            return false;
        put_word(tree, field, number);
        return true;
    case ASN1_TEXT:
        if (der_read_any(&reader, &tag, &content) != WIRE_OK)
            return false;
        tree_text(tree, field->name, content);
        return true;
    case ASN1_TIME:
        if (der_read(&reader, DER_GENERALIZED_TIME, &content) != WIRE_OK)
            return false;
        put_time(tree, field->name, content);
        return true;
    default:
        if (der_read(&reader, DER_OID, &content) != WIRE_OK)
            return false;
        asn1_oid(content, text);
        tree_put(tree, field->name, "%s", text);
        return true;
    }
}

static bool put_field(struct tree *tree, const struct asn1_field *field, struct slice value, unsigned nesting)
{
    struct reader reader = reader_of(value);
    struct slice content;
    uint8_t tag;
    switch (field->kind) {
    case ASN1_BYTES:
    case ASN1_TOKEN:
    case ASN1_UTF16:
        return put_octets(tree, field, value, nesting);
    case ASN1_BITS:
        return put_bits(tree, field, value);
    case ASN1_NAME:
        return put_name(tree, field, value);
    case ASN1_OIDS:
        return put_oids(tree, field, value);
    case ASN1_INTEGERS:
        return put_integers(tree, field, value);
    case ASN1_LIST:
        return put_list(tree, field, value, nesting);
    case ASN1_TICKET:
        if (der_read_any(&reader, &tag, &value) != WIRE_OK)
            return false;
        reader = reader_of(value);
        /* fall through */
    case ASN1_STRUCTURE:
        if (der_read(&reader, DER_SEQUENCE, &content) != WIRE_OK)
            return false;
        tree_open(tree, field->name, "%s", "");
        fields_show(tree, field->of, content, nesting);
        tree_close(tree);
        return true;
    default:
        return put_simple(tree, field, value);
    }
}

static void fields_show(struct tree *tree, const struct asn1_type *type, struct slice content, unsigned nesting)
{
    struct reader reader = reader_of(content);
    struct slice value;
    uint8_t tag;
    while (der_read_any(&reader, &tag, &value) == WIRE_OK) {
        const struct asn1_field *field = NULL;
        for (size_t i = 0; i < type->n_fields; i++)
            if (tag == DER_CONTEXT(type->fields[i].number))
                field = &type->fields[i];
        if (field == NULL)
            tree_put(tree, "unknown field", "tag 0x%02x, %zu bytes", tag, value.len);
        else if (!put_field(tree, field, value, nesting))
            tree_wrong(tree, "%s of %s is not what it must be", field->name, type->name);
    }
    if (reader_left(&reader) > 0)
        tree_wrong(tree, "%s is cut off, or no DER: %zu bytes left", type->name, reader_left(&reader));
}

void asn1_structure(struct tree *tree, const struct asn1_type *type, struct slice bytes, unsigned nesting)
{
    struct reader reader = reader_of(bytes);
    struct slice content;
    if (der_read(&reader, DER_SEQUENCE, &content) != WIRE_OK) {
        tree_wrong(tree, "%s is cut off, or no DER", type->name);
        return;
    }
    fields_show(tree, type, content, nesting);
    if (reader_left(&reader) > 0)
        tree_wrong(tree, "%zu bytes follow %s", reader_left(&reader), type->name);
}
