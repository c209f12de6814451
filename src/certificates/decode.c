#include "certificates/decode.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/internal.h"
#include "certificates/names.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/x509v3.h>
#include <string.h>

/* Alternative names. */

/* UTF-8 as UTF-16 with a NUL behind, and its units without that one. What would end the text must not make another name of it: see names.h. */
static SECURITY_STATUS wide_put(struct arena *arena, const unsigned char *utf8, size_t len, LPWSTR *to, size_t *n_units)
{
    AUTO_WRITER struct writer text = writer_growing(len + 1), units = writer_growing(2 * len + 2);
    name_safe_write(&text, utf8, len);
    writer_u8(&text, 0);
    require(writer_finish(&text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(utf16le_write(&units, (const char *)text.data) == WIRE_OK,
            cause_set(CRYPT_E_ASN1_BADTAG, "a name holds text that cannot be read"));
    writer_u16le(&units, 0);
    require(writer_finish(&units) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    *to = arena_copy(arena, units.data, units.len);
    *n_units = units.len / sizeof(WCHAR) - 1;
    return *to != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS ia5_put(struct arena *arena, const ASN1_STRING *ia5, LPWSTR *to)
{
    const unsigned char *text = ASN1_STRING_get0_data(ia5);
    size_t len = (size_t)ASN1_STRING_length(ia5), n_units;
    for (size_t i = 0; i < len; i++)
        require(text[i] < 0x80, cause_set(CRYPT_E_INVALID_IA5_STRING, "an IA5String has bytes above 127"));
    return wide_put(arena, text, len, to, &n_units);
}

static SECURITY_STATUS other_put(struct arena *arena, const OTHERNAME *name, PCERT_OTHER_NAME *to)
{
    unsigned char *der = NULL;
    int len = i2d_ASN1_TYPE(name->value, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    CERT_OTHER_NAME *other = arena_alloc(arena, sizeof *other);
    require(len > 0 && other != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(oid_put(arena, name->type_id, &other->pszObjId));
    require(blob_put(arena, der, len, &other->Value.cbData, &other->Value.pbData), SEC_E_INSUFFICIENT_MEMORY);
    *to = other;
    return SEC_E_OK;
}

static SECURITY_STATUS alternative_put(struct arena *arena, const GENERAL_NAME *name, CERT_ALT_NAME_ENTRY *to)
{
    to->dwAltNameChoice = (DWORD)name->type + 1; /* OpenSSL counts RFC 5280's choices from 0, CryptoAPI from 1 */
    switch (name->type) {
    case GEN_OTHERNAME:
        return other_put(arena, name->d.otherName, &to->pOtherName);
    case GEN_EMAIL:
        return ia5_put(arena, name->d.rfc822Name, &to->pwszRfc822Name);
    case GEN_DNS:
        return ia5_put(arena, name->d.dNSName, &to->pwszDNSName);
    case GEN_URI:
        return ia5_put(arena, name->d.uniformResourceIdentifier, &to->pwszURL);
    case GEN_DIRNAME:
        return name_put(arena, name->d.directoryName, &to->DirectoryName) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    case GEN_IPADD:
        return blob_put(arena, ASN1_STRING_get0_data(name->d.iPAddress), ASN1_STRING_length(name->d.iPAddress),
                        &to->IPAddress.cbData, &to->IPAddress.pbData)
                   ? SEC_E_OK
                   : SEC_E_INSUFFICIENT_MEMORY;
    case GEN_RID:
        return oid_put(arena, name->d.registeredID, &to->pszRegisteredID);
    default: /* X.400 and EDI: CryptoAPI has no form for them */
        return SEC_E_OK;
    }
}

static SECURITY_STATUS alternatives_put(struct arena *arena, const void *object, void *root)
{
    const GENERAL_NAMES *names = object;
    CERT_ALT_NAME_INFO *info = root;
    int n_names = sk_GENERAL_NAME_num(names);
    info->rgAltEntry = arena_array(arena, (size_t)n_names, sizeof *info->rgAltEntry);
    require(info->rgAltEntry != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < n_names; i++)
        try(alternative_put(arena, sk_GENERAL_NAME_value(names, i), &info->rgAltEntry[i]));
    info->cAltEntry = (DWORD)n_names;
    return SEC_E_OK;
}

/* Names. */

static DWORD value_type_of(const ASN1_STRING *value)
{
    switch (ASN1_STRING_type(value)) {
    case V_ASN1_NUMERICSTRING:
        return CERT_RDN_NUMERIC_STRING;
    case V_ASN1_PRINTABLESTRING:
        return CERT_RDN_PRINTABLE_STRING;
    case V_ASN1_T61STRING:
        return CERT_RDN_TELETEX_STRING;
    case V_ASN1_IA5STRING:
        return CERT_RDN_IA5_STRING;
    case V_ASN1_BMPSTRING:
        return CERT_RDN_BMP_STRING;
    case V_ASN1_UTF8STRING:
        return CERT_RDN_UTF8_STRING;
    default:
        return CERT_RDN_ENCODED_BLOB;
    }
}

/* The NUL behind does not count. */
static SECURITY_STATUS units_put(struct arena *arena, ASN1_STRING *value, CERT_RDN_VALUE_BLOB *to)
{
    unsigned char *utf8 = NULL;
    LPWSTR units;
    size_t n_units;
    int len = ASN1_STRING_to_UTF8(&utf8, value);
    AUTO_OPENSSL(block) unsigned char *owner = utf8;
    require(len >= 0, cause_set(CRYPT_E_ASN1_BADTAG, "a value of a name is not text of its type"));
    try(wide_put(arena, utf8, (size_t)len, &units, &n_units));
    to->pbData = (BYTE *)units;
    to->cbData = (DWORD)(n_units * sizeof(WCHAR));
    return SEC_E_OK;
}

/* Its whole encoding, for what is no string of a known type: a BIT STRING, a SEQUENCE. OpenSSL reads no other ones in names. */
static SECURITY_STATUS encoding_put(struct arena *arena, ASN1_STRING *value, CERT_RDN_VALUE_BLOB *to)
{
    const unsigned char *data = ASN1_STRING_get0_data(value);
    bool whole = ASN1_STRING_type(value) == V_ASN1_SEQUENCE || ASN1_STRING_type(value) == V_ASN1_OTHER;
    unsigned char *der = NULL;
    int len = whole ? ASN1_STRING_length(value) : i2d_ASN1_PRINTABLE(value, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    return len >= 0 && blob_put(arena, whole ? data : der, len, &to->cbData, &to->pbData) ? SEC_E_OK
                                                                                          : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS attribute_put(struct arena *arena, const X509_NAME_ENTRY *entry, bool wide, CERT_RDN_ATTR *to)
{
    ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    to->dwValueType = value_type_of(value);
    try(oid_put(arena, X509_NAME_ENTRY_get_object(entry), &to->pszObjId));
    switch (to->dwValueType) {
    case CERT_RDN_ENCODED_BLOB:
        return encoding_put(arena, value, &to->Value);
    case CERT_RDN_BMP_STRING:
    case CERT_RDN_UTF8_STRING:
        return units_put(arena, value, &to->Value);
    default:
        if (wide)
            return units_put(arena, value, &to->Value);
        break;
    }
    return blob_put(arena, ASN1_STRING_get0_data(value), ASN1_STRING_length(value), &to->Value.cbData,
                    &to->Value.pbData)
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

/* OpenSSL numbers the sets of a name from 0, one after the other. */
static SECURITY_STATUS rdns_put(struct arena *arena, const X509_NAME *name, bool wide, CERT_NAME_INFO *info)
{
    int n_entries = X509_NAME_entry_count(name);
    int n_sets = n_entries == 0 ? 0 : X509_NAME_ENTRY_set(X509_NAME_get_entry(name, n_entries - 1)) + 1;
    CERT_RDN_ATTR *attributes = arena_array(arena, (size_t)n_entries, sizeof *attributes);
    info->rgRDN = arena_array(arena, (size_t)n_sets, sizeof *info->rgRDN);
    require(attributes != NULL && info->rgRDN != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < n_entries; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        CERT_RDN *set = &info->rgRDN[X509_NAME_ENTRY_set(entry)];
        try(attribute_put(arena, entry, wide, &attributes[i]));
        if (set->cRDNAttr++ == 0)
            set->rgRDNAttr = &attributes[i];
    }
    info->cRDN = (DWORD)n_sets;
    return SEC_E_OK;
}

static SECURITY_STATUS plain_name_put(struct arena *arena, const void *object, void *root)
{
    return rdns_put(arena, object, false, root);
}

static SECURITY_STATUS wide_name_put(struct arena *arena, const void *object, void *root)
{
    return rdns_put(arena, object, true, root);
}

/* Single fields. */

static SECURITY_STATUS purposes_put(struct arena *arena, const void *object, void *root)
{
    const EXTENDED_KEY_USAGE *purposes = object;
    CERT_ENHKEY_USAGE *usage = root;
    int n_purposes = sk_ASN1_OBJECT_num(purposes);
    usage->rgpszUsageIdentifier = arena_array(arena, (size_t)n_purposes, sizeof *usage->rgpszUsageIdentifier);
    require(usage->rgpszUsageIdentifier != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < n_purposes; i++)
        try(oid_put(arena, sk_ASN1_OBJECT_value(purposes, i), &usage->rgpszUsageIdentifier[i]));
    usage->cUsageIdentifier = (DWORD)n_purposes;
    return SEC_E_OK;
}

static SECURITY_STATUS constraints_put(struct arena *arena, const void *object, void *root)
{
    const BASIC_CONSTRAINTS *constraints = object;
    CERT_BASIC_CONSTRAINTS2_INFO *info = root;
    int64_t path_len = 0;
    (void)arena;
    info->fCA = constraints->ca != 0;
    info->fPathLenConstraint = constraints->pathlen != NULL;
    require(constraints->pathlen == NULL || (ASN1_INTEGER_get_int64(&path_len, constraints->pathlen) == 1 &&
                                             path_len >= 0 && path_len <= UINT32_MAX),
            cause_set(CRYPT_E_ASN1_BADTAG, "the length of a path is no number of 32 bits"));
    info->dwPathLenConstraint = (DWORD)path_len;
    return SEC_E_OK;
}

static SECURITY_STATUS bit_string_put(struct arena *arena, const void *object, void *root)
{
    return bits_put(arena, object, root) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS octets_put(struct arena *arena, const void *object, void *root)
{
    CRYPT_DATA_BLOB *blob = root;
    return blob_put(arena, ASN1_STRING_get0_data(object), ASN1_STRING_length(object), &blob->cbData, &blob->pbData)
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

/* What there is. X509_NAME of CryptoAPI is a number, and of OpenSSL a type: here it is the type. */

#define NUMBER_OF_NAME 7

static const struct structure {
    uintptr_t number;
    const char *oids[4]; /* of extensions that are one */
    ASN1_ITEM_EXP *item;
    size_t len;
    SECURITY_STATUS (*put)(struct arena *arena, const void *object, void *root);
} structures[] = {
    {NUMBER_OF_NAME, {NULL}, ASN1_ITEM_ref(X509_NAME), sizeof(CERT_NAME_INFO), plain_name_put},
    {(uintptr_t)X509_UNICODE_NAME, {NULL}, ASN1_ITEM_ref(X509_NAME), sizeof(CERT_NAME_INFO), wide_name_put},
    {(uintptr_t)X509_ALTERNATE_NAME,
     {szOID_SUBJECT_ALT_NAME, szOID_ISSUER_ALT_NAME, szOID_SUBJECT_ALT_NAME2, szOID_ISSUER_ALT_NAME2},
     ASN1_ITEM_ref(GENERAL_NAMES),
     sizeof(CERT_ALT_NAME_INFO),
     alternatives_put},
    {(uintptr_t)X509_ENHANCED_KEY_USAGE,
     {szOID_ENHANCED_KEY_USAGE},
     ASN1_ITEM_ref(EXTENDED_KEY_USAGE),
     sizeof(CERT_ENHKEY_USAGE),
     purposes_put},
    {(uintptr_t)X509_BASIC_CONSTRAINTS2,
     {szOID_BASIC_CONSTRAINTS2},
     ASN1_ITEM_ref(BASIC_CONSTRAINTS),
     sizeof(CERT_BASIC_CONSTRAINTS2_INFO),
     constraints_put},
    {(uintptr_t)X509_KEY_USAGE,
     {szOID_KEY_USAGE},
     ASN1_ITEM_ref(ASN1_BIT_STRING),
     sizeof(CRYPT_BIT_BLOB),
     bit_string_put},
    {(uintptr_t)X509_BITS, {NULL}, ASN1_ITEM_ref(ASN1_BIT_STRING), sizeof(CRYPT_BIT_BLOB), bit_string_put},
    {(uintptr_t)X509_OCTET_STRING,
     {szOID_SUBJECT_KEY_IDENTIFIER},
     ASN1_ITEM_ref(ASN1_OCTET_STRING),
     sizeof(CRYPT_DATA_BLOB),
     octets_put},
};

struct decoded {
    const struct structure *structure;
    ASN1_VALUE *object;
    size_t len;
};

static bool is_type(const struct structure *structure, LPCSTR type)
{
    if ((uintptr_t)type < 0x10000) /* as on Windows, where nothing lies there */
        return structure->number == (uintptr_t)type;
    for (size_t i = 0; i < COUNT_OF(structure->oids) && structure->oids[i] != NULL; i++)
        if (strcmp(structure->oids[i], type) == 0)
            return true;
    return false;
}

static const struct structure *structure_of(LPCSTR type)
{
    for (size_t i = 0; i < COUNT_OF(structures); i++)
        if (is_type(&structures[i], type))
            return &structures[i];
    return NULL;
}

/* Lays it out in the arena. */
static SECURITY_STATUS decoded_lay(const struct decoded *decoded, struct arena *arena)
{
    void *root = arena_alloc(arena, decoded->structure->len);
    require(root != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return decoded->structure->put(arena, decoded->object, root);
}

/* How long it is shows when it is laid out once. */
static SECURITY_STATUS decoded_measure(struct decoded *decoded)
{
    struct arena arena = {0};
    SECURITY_STATUS status = decoded_lay(decoded, &arena);
    decoded->len = arena.taken;
    arena_release(&arena);
    return status;
}

SECURITY_STATUS decoded_read(LPCSTR type, struct slice der, struct decoded **decoded)
{
    OPENSSL_QUIET;
    const struct structure *structure = structure_of(type);
    const unsigned char *at = der.data;
    require(structure != NULL, cause_set(ERROR_FILE_NOT_FOUND, "structures of this type are not decoded here"));
    require(der.len > 0 && der.len <= CERTIFICATE_MAX, cause_set(CRYPT_E_ASN1_BADTAG, "there is nothing, or too much"));
    struct decoded *made = mem_zalloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    made->structure = structure;
    made->object = ASN1_item_d2i(NULL, &at, (long)der.len, ASN1_ITEM_ptr(structure->item));
    SECURITY_STATUS status =
        made->object != NULL && at == der.data + der.len
            ? decoded_measure(made)
            : cause_set(CRYPT_E_ASN1_BADTAG, "these bytes are not one structure of this type in DER");
    if (status != SEC_E_OK) {
        decoded_free(made);
        return status;
    }
    *decoded = made;
    return SEC_E_OK;
}

size_t decoded_len(const struct decoded *decoded)
{
    return decoded->len;
}

SECURITY_STATUS decoded_put(const struct decoded *decoded, void *room)
{
    OPENSSL_QUIET;
    struct arena arena = {.room = room, .n_room = decoded->len};
    return decoded_lay(decoded, &arena);
}

void decoded_free(struct decoded *decoded)
{
    if (decoded == NULL)
        return;
    ASN1_item_free(decoded->object, ASN1_ITEM_ptr(decoded->structure->item));
    mem_free(decoded);
}
