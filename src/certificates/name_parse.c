#include "base/memory.h"
#include "base/utf16.h"
#include "base/writer.h"
#include "certificates/internal.h"
#include "certificates/names.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <string.h>
#include <strings.h>

/* CertStrToName: the text of a name, read from left to right. */

#define KEY_LEN_MAX 128

enum value_kind { VALUE_DIRECTORY, VALUE_PRINTABLE, VALUE_IA5 };

/* The keys of Microsoft's tables (CertStrToName, CertNameToStr). Of several for one attribute the first is written, all are read. */
static const struct {
    const char *key, *oid;
    enum value_kind kind;
} keys[] = {
    {"CN", "2.5.4.3", VALUE_DIRECTORY},
    {"SN", "2.5.4.4", VALUE_DIRECTORY},
    {"SERIALNUMBER", "2.5.4.5", VALUE_PRINTABLE},
    {"C", "2.5.4.6", VALUE_PRINTABLE},
    {"L", "2.5.4.7", VALUE_DIRECTORY},
    {"S", "2.5.4.8", VALUE_DIRECTORY},
    {"ST", "2.5.4.8", VALUE_DIRECTORY},
    {"STREET", "2.5.4.9", VALUE_DIRECTORY},
    {"O", "2.5.4.10", VALUE_DIRECTORY},
    {"OU", "2.5.4.11", VALUE_DIRECTORY},
    {"T", "2.5.4.12", VALUE_DIRECTORY},
    {"Title", "2.5.4.12", VALUE_DIRECTORY},
    {"Description", "2.5.4.13", VALUE_DIRECTORY},
    {"PostalCode", "2.5.4.17", VALUE_DIRECTORY},
    {"Phone", "2.5.4.20", VALUE_PRINTABLE},
    {"G", "2.5.4.42", VALUE_DIRECTORY},
    {"GivenName", "2.5.4.42", VALUE_DIRECTORY},
    {"I", "2.5.4.43", VALUE_DIRECTORY},
    {"Initials", "2.5.4.43", VALUE_DIRECTORY},
    {"dnQualifier", "2.5.4.46", VALUE_PRINTABLE},
    {"DC", "0.9.2342.19200300.100.1.25", VALUE_IA5},
    {"E", "1.2.840.113549.1.9.1", VALUE_IA5},
    {"Email", "1.2.840.113549.1.9.1", VALUE_IA5},
};

const char *name_key(const char *oid)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcmp(keys[i].oid, oid) == 0)
            return keys[i].key;
    return NULL;
}

struct parse {
    const char *at, *begin;
    DWORD form;
    const char *wrong; /* where it went wrong */
};

static SECURITY_STATUS wrong_at(struct parse *parse, const char *where, SECURITY_STATUS code)
{
    parse->wrong = where;
    return cause_set(code, "the name cannot be read from its byte %zu on", (size_t)(where - parse->begin));
}

static bool is_separator(const struct parse *parse, char c)
{
    if ((parse->form & CERT_NAME_STR_CRLF_FLAG) != 0)
        return c == '\r' || c == '\n';
    if ((parse->form & CERT_NAME_STR_SEMICOLON_FLAG) != 0)
        return c == ';';
    return c == ',' || (c == ';' && (parse->form & CERT_NAME_STR_COMMA_FLAG) == 0);
}

static bool is_plus(const struct parse *parse, char c)
{
    return c == '+' && (parse->form & CERT_NAME_STR_NO_PLUS_FLAG) == 0;
}

static bool is_end(const struct parse *parse, char c)
{
    return c == '\0' || is_separator(parse, c) || is_plus(parse, c);
}

static void space_skip(struct parse *parse)
{
    while (*parse->at != '\0' && strchr(" \t\r\n", *parse->at) != NULL && !is_separator(parse, *parse->at))
        parse->at++;
}

static SECURITY_STATUS key_read(struct parse *parse, ASN1_OBJECT **object, enum value_kind *kind)
{
    const char *begin = parse->at, *equals = begin + strcspn(begin, "=");
    char key[KEY_LEN_MAX + 1];
    size_t len = (size_t)(equals - begin);
    while (len > 0 && strchr(" \t\r\n", begin[len - 1]) != NULL)
        len--;
    require(*equals == '=' && len > 0 && len <= KEY_LEN_MAX, wrong_at(parse, begin, CRYPT_E_INVALID_X500_STRING));
    memcpy(key, begin, len);
    key[len] = '\0';
    const char *oid = strncasecmp(key, "OID.", 4) == 0 ? key + 4 : key;
    *kind = VALUE_DIRECTORY;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcasecmp(keys[i].key, key) == 0 || strcmp(keys[i].oid, oid) == 0) {
            oid = keys[i].oid;
            *kind = keys[i].kind;
        }
    *object = oid[0] >= '0' && oid[0] <= '9' ? OBJ_txt2obj(oid, 1) : NULL;
    require(*object != NULL, wrong_at(parse, begin, CRYPT_E_INVALID_X500_STRING));
    parse->at = equals + 1;
    return SEC_E_OK;
}

/* A quote in it is doubled. */
static SECURITY_STATUS quoted_read(struct parse *parse, struct writer *value)
{
    const char *begin = parse->at++;
    for (;; parse->at++) {
        require(*parse->at != '\0', wrong_at(parse, begin, CRYPT_E_INVALID_X500_STRING));
        if (*parse->at == '"' && *++parse->at != '"')
            break;
        writer_u8(value, (uint8_t)*parse->at);
    }
    space_skip(parse);
    require(is_end(parse, *parse->at), wrong_at(parse, parse->at, CRYPT_E_INVALID_X500_STRING));
    return SEC_E_OK;
}

static SECURITY_STATUS plain_read(struct parse *parse, struct writer *value)
{
    const char *begin = parse->at;
    while (!is_end(parse, *parse->at)) {
        require(*parse->at != '"' || (parse->form & CERT_NAME_STR_NO_QUOTING_FLAG) != 0,
                wrong_at(parse, parse->at, CRYPT_E_INVALID_X500_STRING));
        parse->at++;
    }
    const char *end = parse->at;
    while (end > begin && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    require(end > begin, wrong_at(parse, begin, CRYPT_E_INVALID_X500_STRING));
    writer_bytes(value, begin, (size_t)(end - begin));
    return SEC_E_OK;
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        require(letter || (c != '\0' && strchr(" '()+,-./:=?", c) != NULL), false);
    }
    return true;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        require(text.data[i] < 0x80, false);
    return true;
}

/* Two bytes for each character: only of those that two bytes hold. */
static bool ucs2_make(const char *utf8, struct writer *ucs2)
{
    AUTO_FREE uint16_t *units = NULL;
    size_t n_units = 0;
    require(utf16_from_text(utf8, &units, &n_units) == WIRE_OK, false);
    for (size_t i = 0; i < n_units; i++) {
        require((units[i] & 0xF800) != 0xD800, false);
        writer_u16be(ucs2, units[i]);
    }
    return true;
}

/* PrintableString where it will do; else, as on Windows, BMPString, or UTF8String where that was asked for, or the text needs it. */
static SECURITY_STATUS type_choose(struct parse *parse, const char *where, struct writer *value, enum value_kind kind,
                                   int *type)
{
    const DWORD forced = CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG, not_forced = CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG;
    bool force = (parse->form & forced) != 0 && (parse->form & not_forced) == 0;
    bool utf8 = force || (parse->form & CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG) != 0;
    struct slice text = writer_slice_of(value);
    AUTO_WRITER struct writer ucs2 = writer_growing(2 * text.len + 1);
    switch (kind) {
    case VALUE_PRINTABLE:
        require(is_printable(text), wrong_at(parse, where, CRYPT_E_INVALID_PRINTABLE_STRING));
        *type = V_ASN1_PRINTABLESTRING;
        return SEC_E_OK;
    case VALUE_IA5:
        require(is_ascii(text), wrong_at(parse, where, CRYPT_E_INVALID_IA5_STRING));
        *type = V_ASN1_IA5STRING;
        return SEC_E_OK;
    default:
        *type = is_printable(text) && !force ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
        writer_u8(value, 0);
        value->len = text.len;
        require(writer_finish(value) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        if (*type == V_ASN1_PRINTABLESTRING || utf8 || !ucs2_make((const char *)value->data, &ucs2))
            return SEC_E_OK;
        *type = V_ASN1_BMPSTRING;
        value->len = 0;
        writer_slice(value, writer_slice_of(&ucs2));
        return writer_finish(&ucs2) == WIRE_OK && writer_finish(value) == WIRE_OK ? SEC_E_OK
                                                                                  : SEC_E_INSUFFICIENT_MEMORY;
    }
}

static SECURITY_STATUS value_read(struct parse *parse, enum value_kind kind, struct writer *value, int *type)
{
    space_skip(parse);
    const char *begin = parse->at;
    /* An OCTET STRING, which no directory attribute is and OpenSSL puts into no name. */
    require(*begin != '#', wrong_at(parse, begin, CRYPT_E_INVALID_X500_STRING));
    if (*begin == '"' && (parse->form & CERT_NAME_STR_NO_QUOTING_FLAG) == 0)
        try(quoted_read(parse, value));
    else
        try(plain_read(parse, value));
    require(writer_finish(value) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return type_choose(parse, begin, value, kind, type);
}

static SECURITY_STATUS pair_read(struct parse *parse, X509_NAME *name, bool joined)
{
    AUTO_WRITER struct writer value = writer_growing(64);
    enum value_kind kind;
    ASN1_OBJECT *object = NULL;
    int type;
    space_skip(parse);
    try(key_read(parse, &object, &kind));
    SECURITY_STATUS status = value_read(parse, kind, &value, &type);
    /* The bytes are given with their type, so that OpenSSL takes them as they are. */
    if (status == SEC_E_OK &&
        X509_NAME_add_entry_by_OBJ(name, object, type, value.len > 0 ? value.data : (uint8_t[]){0}, (int)value.len, -1,
                                   joined ? -1 : 0) != 1)
        status = wrong_at(parse, parse->begin, CRYPT_E_INVALID_X500_STRING);
    ASN1_OBJECT_free(object);
    return status;
}

static SECURITY_STATUS pairs_read(struct parse *parse, X509_NAME *name)
{
    bool joined = false;
    space_skip(parse);
    if (*parse->at == '\0') /* the empty name */
        return SEC_E_OK;
    for (;;) {
        try(pair_read(parse, name, joined));
        if (*parse->at == '\0')
            return SEC_E_OK;
        joined = is_plus(parse, *parse->at);
        parse->at++;
        while (!joined && (parse->form & CERT_NAME_STR_CRLF_FLAG) != 0 && is_separator(parse, *parse->at))
            parse->at++; /* CR and LF are one end of line */
    }
}

/* The relative names from the last to the first; those within one stay together. */
static bool reverse_into(const X509_NAME *name, X509_NAME *reversed)
{
    int end = X509_NAME_entry_count(name);
    while (end > 0) {
        int begin = end - 1;
        while (begin > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, begin - 1)) ==
                                X509_NAME_ENTRY_set(X509_NAME_get_entry(name, begin)))
            begin--;
        for (int i = begin; i < end; i++)
            require(X509_NAME_add_entry(reversed, X509_NAME_get_entry(name, i), -1, i > begin ? -1 : 0) == 1, false);
        end = begin;
    }
    return true;
}

SECURITY_STATUS name_parse(const char *text, DWORD form, struct writer *der, size_t *wrong)
{
    OPENSSL_QUIET;
    struct parse parse = {.at = text, .begin = text, .form = form};
    AUTO_OPENSSL(name) X509_NAME *name = X509_NAME_new(), *reversed = X509_NAME_new();
    DWORD kind = form & 0xFFFF;
    require(kind == 0 || kind == CERT_OID_NAME_STR || kind == CERT_X500_NAME_STR,
            cause_set(E_INVALIDARG, "names are not read from form %u", kind));
    require(name != NULL && reversed != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = pairs_read(&parse, name);
    if (parse.wrong != NULL)
        *wrong = (size_t)(parse.wrong - text);
    try(status);
    bool turned = (form & CERT_NAME_STR_REVERSE_FLAG) != 0;
    require(!turned || reverse_into(name, reversed), SEC_E_INSUFFICIENT_MEMORY);
    unsigned char *bytes = NULL;
    int len = i2d_X509_NAME(turned ? reversed : name, &bytes);
    AUTO_OPENSSL(block) unsigned char *owner = bytes;
    require(len > 0, SEC_E_INSUFFICIENT_MEMORY);
    writer_bytes(der, owner, (size_t)len);
    return writer_finish(der) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
