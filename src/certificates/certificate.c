#include "certificates/context.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include "core/exiting.h"
#include <openssl/x509v3.h>

SECURITY_STATUS x509_parse(struct slice der, X509 **x509)
{
    OPENSSL_QUIET;
    const unsigned char *at = der.data;
    require(der.data != NULL && der.len > 0 && der.len <= CERTIFICATE_MAX,
            cause_set(CRYPT_E_ASN1_BADTAG, "no certificate, or one of more than 1 MiB"));
    X509 *parsed = d2i_X509(NULL, &at, (long)der.len);
    if (parsed == NULL || at != der.data + der.len) {
        X509_free(parsed);
        return cause_set(CRYPT_E_ASN1_BADTAG, "these bytes are not one X.509 certificate in DER");
    }
    *x509 = parsed;
    return SEC_E_OK;
}

static SECURITY_STATUS crl_parse(struct slice der, X509_CRL **crl)
{
    OPENSSL_QUIET;
    const unsigned char *at = der.data;
    require(der.data != NULL && der.len > 0 && der.len <= CRL_MAX,
            cause_set(CRYPT_E_ASN1_BADTAG, "no revocation list, or one of more than 64 MiB"));
    X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (parsed == NULL || at != der.data + der.len) {
        X509_CRL_free(parsed);
        return cause_set(CRYPT_E_ASN1_BADTAG, "these bytes are not one X.509 revocation list in DER");
    }
    *crl = parsed;
    return SEC_E_OK;
}

static void certificate_destroy(void *object)
{
    struct certificate *certificate = object;
    certificate_properties_release(certificate);
    X509_free(certificate->x509);
    arena_release(&certificate->arena);
    pthread_mutex_destroy(&certificate->lock);
}

SECURITY_STATUS certificate_new(X509 *x509, DWORD encoding, struct certificate **certificate)
{
    OPENSSL_QUIET;
    try(exiting_check());
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    require(len > 0, cause_set(CRYPT_E_ASN1_BADTAG, "the certificate cannot be encoded"));
    struct certificate *made = live_alloc(LIVE_CERTIFICATE, sizeof *made, certificate_destroy);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_init(&made->lock, NULL);
    X509_up_ref(x509);
    made->x509 = x509;
    /* What OpenSSL works out at the first question is there before threads share it. */
    (void)X509_check_purpose(x509, -1, 0);
    made->context.dwCertEncodingType = encoding & X509_ASN_ENCODING ? encoding : X509_ASN_ENCODING;
    made->context.pbCertEncoded = arena_copy(&made->arena, owner, (size_t)len);
    made->context.cbCertEncoded = (DWORD)len;
    made->context.pCertInfo = &made->info;
    SECURITY_STATUS status =
        made->context.pbCertEncoded == NULL ? SEC_E_INSUFFICIENT_MEMORY : info_of_x509(&made->arena, x509, &made->info);
    if (status != SEC_E_OK) {
        (void)live_user_drop(made, LIVE_CERTIFICATE);
        return status;
    }
    *certificate = made;
    return SEC_E_OK;
}

static void crl_destroy(void *object)
{
    struct crl *crl = object;
    X509_CRL_free(crl->crl);
    arena_release(&crl->arena);
}

SECURITY_STATUS crl_new(X509_CRL *list, DWORD encoding, struct crl **crl)
{
    OPENSSL_QUIET;
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(list, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    require(len > 0, cause_set(CRYPT_E_ASN1_BADTAG, "the revocation list cannot be encoded"));
    struct crl *made = live_alloc(LIVE_CRL, sizeof *made, crl_destroy);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    X509_CRL_up_ref(list);
    made->crl = list;
    made->context.dwCertEncodingType = encoding & X509_ASN_ENCODING ? encoding : X509_ASN_ENCODING;
    made->context.pbCrlEncoded = arena_copy(&made->arena, owner, (size_t)len);
    made->context.cbCrlEncoded = (DWORD)len;
    made->context.pCrlInfo = &made->info;
    SECURITY_STATUS status =
        made->context.pbCrlEncoded == NULL ? SEC_E_INSUFFICIENT_MEMORY : info_of_crl(&made->arena, list, &made->info);
    if (status != SEC_E_OK) {
        (void)live_user_drop(made, LIVE_CRL);
        return status;
    }
    *crl = made;
    return SEC_E_OK;
}

SECURITY_STATUS certificate_create(DWORD encoding, struct slice der, PCCERT_CONTEXT *context)
{
    AUTO_OPENSSL(x509) X509 *x509 = NULL;
    struct certificate *certificate;
    require((encoding & 0xFFFF) == X509_ASN_ENCODING && (encoding & ~0x10001U) == 0,
            cause_set(E_INVALIDARG, "the encoding of a certificate is X509_ASN_ENCODING, not 0x%x", encoding));
    try(x509_parse(der, &x509));
    try(certificate_new(x509, encoding, &certificate));
    *context = &certificate->context;
    return SEC_E_OK;
}

SECURITY_STATUS crl_create(DWORD encoding, struct slice der, PCCRL_CONTEXT *context)
{
    AUTO_OPENSSL(crl) X509_CRL *list = NULL;
    struct crl *crl;
    require((encoding & 0xFFFF) == X509_ASN_ENCODING && (encoding & ~0x10001U) == 0,
            cause_set(E_INVALIDARG, "the encoding of a revocation list is X509_ASN_ENCODING, not 0x%x", encoding));
    try(crl_parse(der, &list));
    try(crl_new(list, encoding, &crl));
    *context = &crl->context;
    return SEC_E_OK;
}

/* The seam. */

SECURITY_STATUS certificate_take(PCCERT_CONTEXT context, struct certificate **certificate)
{
    require(context != NULL, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate context is missing"));
    if (live_hold(context, LIVE_CERTIFICATE)) {
        *certificate = (struct certificate *)(uintptr_t)context;
        return SEC_E_OK;
    }
    /* Not ours: laid together by the caller. */
    AUTO_OPENSSL(x509) X509 *x509 = NULL;
    struct certificate *made;
    SECURITY_STATUS status = x509_parse(slice_of(context->pbCertEncoded, context->cbCertEncoded), &x509);
    require(status == SEC_E_OK, SEC_E_UNKNOWN_CREDENTIALS);
    status = certificate_new(x509, X509_ASN_ENCODING, &made);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_UNKNOWN_CREDENTIALS);
    (void)live_hold(made, LIVE_CERTIFICATE);
    (void)live_user_drop(made, LIVE_CERTIFICATE);
    *certificate = made;
    return SEC_E_OK;
}

struct certificate *certificate_retain(struct certificate *certificate)
{
    (void)live_hold(certificate, LIVE_CERTIFICATE);
    return certificate;
}

void certificate_put(struct certificate *certificate)
{
    live_unhold(certificate);
}

X509 *certificate_x509(const struct certificate *certificate)
{
    return certificate->x509;
}

EVP_PKEY *certificate_key(struct certificate *certificate)
{
    EVP_PKEY *pkey = NULL;
    return certificate_key_get(certificate, &pkey) == SEC_E_OK ? pkey : NULL;
}

PCCERT_CONTEXT certificate_context(struct certificate *certificate)
{
    live_hand_out(certificate);
    return &certificate->context;
}

SECURITY_STATUS certificate_context_make(X509 *x509, STACK_OF(X509) * chain, EVP_PKEY *key, PCCERT_CONTEXT *context)
{
    struct store *store = store_new();
    require(store != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct certificate *certificate = NULL;
    SECURITY_STATUS status = store_add(store, x509, NULL, CERT_STORE_ADD_ALWAYS, &certificate);
    for (int i = 0; status == SEC_E_OK && i < sk_X509_num(chain); i++)
        if (X509_cmp(sk_X509_value(chain, i), x509) != 0)
            status = store_add(store, sk_X509_value(chain, i), NULL, CERT_STORE_ADD_USE_EXISTING, NULL);
    if (status == SEC_E_OK && key != NULL)
        status = certificate_key_set(certificate, key);
    if (status == SEC_E_OK)
        *context = certificate_context(certificate);
    else
        certificate_put(certificate);
    (void)live_user_drop(store, LIVE_STORE); /* the context holds it */
    return status;
}
