#include "certificates/object.h"

#include "base/secret.h"
#include "certificates/armour.h"
#include "certificates/context.h"
#include "certificates/files.h"
#include "certificates/store.h"
#include "core/cause.h"

void object_found_release(struct object_found *found)
{
    if (found->store != NULL)
        (void)live_user_drop(found->store, LIVE_STORE);
    if (found->single != NULL && !live_user_drop(found->single, LIVE_CERTIFICATE))
        (void)live_user_drop(found->single, LIVE_CRL);
    *found = (struct object_found){0};
}

static SECURITY_STATUS no_match(void)
{
    return cause_set(CRYPT_E_NO_MATCH, "nothing in it is of what was expected");
}

/* A certificate: a context of its own and a store that has it. */
static SECURITY_STATUS certificate_open(struct slice der, struct object_found *found)
{
    PCCERT_CONTEXT context;
    try(certificate_create(X509_ASN_ENCODING, der, &context));
    found->single = context;
    try(store_open_memory(&found->store));
    return store_certificate_add(found->store, context, CERT_STORE_ADD_ALWAYS, NULL);
}

static SECURITY_STATUS crl_open(struct slice der, struct object_found *found)
{
    PCCRL_CONTEXT context;
    try(crl_create(X509_ASN_ENCODING, der, &context));
    found->single = context;
    try(store_open_memory(&found->store));
    return store_crl_add(found->store, context, CERT_STORE_ADD_ALWAYS, NULL);
}

static SECURITY_STATUS pkcs7_open(struct slice der, struct object_found *found)
{
    return store_open_pkcs7(der, &found->store);
}

static SECURITY_STATUS pfx_open(struct slice der, struct object_found *found)
{
    (void)found;
    return pfx_is(der) ? SEC_E_OK : CRYPT_E_BAD_ENCODE;
}

static const struct {
    DWORD content, encoding;
    SECURITY_STATUS (*open)(struct slice der, struct object_found *found);
} kinds[] = {
    {CERT_QUERY_CONTENT_CERT, X509_ASN_ENCODING, certificate_open},
    {CERT_QUERY_CONTENT_CRL, X509_ASN_ENCODING, crl_open},
    {CERT_QUERY_CONTENT_PKCS7_SIGNED, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, pkcs7_open},
    {CERT_QUERY_CONTENT_PFX, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, pfx_open},
};

static SECURITY_STATUS der_query(struct slice der, DWORD contents, struct object_found *found)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if ((contents & 1U << kinds[i].content) == 0)
            continue;
        SECURITY_STATUS status = kinds[i].open(der, found);
        if (status == SEC_E_OK) {
            found->content = kinds[i].content;
            found->encoding = kinds[i].encoding;
            return status;
        }
        object_found_release(found);
        require(status != SEC_E_INSUFFICIENT_MEMORY, status);
    }
    return CRYPT_E_NO_MATCH;
}

/* What the text of a PEM file holds goes into the store in place of its first object, which is the single one. Damage after the first does not take
 * it away. */
static SECURITY_STATUS whole_read(struct slice text, struct object_found *found)
{
    struct contents all;
    struct store *whole = store_new();
    require(whole != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = contents_read("the object", text, whole, &all);
    HCERTSTORE spare = whole;
    /* The single one is of the first BEGIN line, whatever its label; those below pass over labels that they do not know. */
    if (status != SEC_E_INSUFFICIENT_MEMORY && all.n_certificates + all.n_crls > 0) {
        SECURITY_STATUS first = found->content == CERT_QUERY_CONTENT_CERT
                                    ? store_certificate_add(whole, found->single, CERT_STORE_ADD_USE_EXISTING, NULL)
                                    : store_crl_add(whole, found->single, CERT_STORE_ADD_USE_EXISTING, NULL);
        if (first == SEC_E_INSUFFICIENT_MEMORY)
            status = first;
    }
    if (status != SEC_E_INSUFFICIENT_MEMORY && all.n_certificates + all.n_crls > 0) {
        spare = found->store;
        found->store = whole;
    }
    (void)live_user_drop(spare, LIVE_STORE);
    return status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_OK;
}

/* Base64 with or without its lines. */
static SECURITY_STATUS base64_query(struct slice text, DWORD contents, struct object_found *found)
{
    AUTO_SECRET struct secret made = {0}; /* a PFX file has keys */
    struct armour_read how;
    require(secret_alloc(&made, text.len / 4 * 3 + 3), SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(made.data, made.len);
    if (armour_read(text, CRYPT_STRING_BASE64_ANY, &writer, &how) != SEC_E_OK || writer_finish(&writer) != WIRE_OK)
        return CRYPT_E_NO_MATCH;
    try(der_query(writer_slice_of(&writer), contents, found));
    if (found->single == NULL || how.form != CRYPT_STRING_BASE64HEADER)
        return SEC_E_OK;
    SECURITY_STATUS status = whole_read(text, found);
    if (status != SEC_E_OK)
        object_found_release(found);
    return status;
}

SECURITY_STATUS object_query(struct slice bytes, DWORD contents, DWORD formats, struct object_found *found)
{
    struct object_found made = {0};
    SECURITY_STATUS status = CRYPT_E_NO_MATCH;
    require(bytes.data != NULL && bytes.len <= CERTIFICATE_FILE_MAX, no_match());
    DWORD format = CERT_QUERY_FORMAT_BINARY;
    if ((formats & CERT_QUERY_FORMAT_FLAG_BINARY) != 0)
        status = der_query(bytes, contents, &made);
    if (status == CRYPT_E_NO_MATCH && (formats & CERT_QUERY_FORMAT_FLAG_BASE64_ENCODED) != 0) {
        format = CERT_QUERY_FORMAT_BASE64_ENCODED;
        status = base64_query(bytes, contents, &made);
    }
    require(status != CRYPT_E_NO_MATCH, no_match());
    try(status);
    cause_drop(); /* of what was tried before */
    *found = made;
    found->format = format;
    return SEC_E_OK;
}

SECURITY_STATUS object_query_file(const char *path, DWORD contents, DWORD formats, struct object_found *found)
{
    uint8_t *data = NULL;
    size_t len = 0;
    try(file_read(path, false, &data, &len));
    SECURITY_STATUS status = object_query(slice_of(data, len), contents, formats, found);
    file_wipe(data, len);
    return status;
}
