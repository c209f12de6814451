/*
 * OpenSSL's objects released by attribute.
 */
#ifndef OPENSSPI_CERTIFICATES_OPENSSL_H
#define OPENSSPI_CERTIFICATES_OPENSSL_H

#include "base/result.h"
#include "crypto/openssl.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define OPENSSL_AUTO(type, name, free_function)            \
    static inline void openssl_##name##_free(type **place) \
    {                                                      \
        free_function(*place);                             \
    }

static inline void openssl_stack_of_x509_free(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}
static inline void openssl_stack_of_crl_free(STACK_OF(X509_CRL) * stack)
{
    sk_X509_CRL_pop_free(stack, X509_CRL_free);
}
static inline void openssl_memory_free(unsigned char *block)
{
    OPENSSL_free(block);
}

OPENSSL_AUTO(X509, x509, X509_free)
OPENSSL_AUTO(X509_CRL, crl, X509_CRL_free)
OPENSSL_AUTO(ASN1_INTEGER, number, ASN1_INTEGER_free)
OPENSSL_AUTO(X509_NAME, name, X509_NAME_free)
OPENSSL_AUTO(EVP_PKEY, pkey, EVP_PKEY_free)
OPENSSL_AUTO(EVP_PKEY_CTX, pkey_ctx, EVP_PKEY_CTX_free)
OPENSSL_AUTO(BIO, bio, BIO_free_all)
OPENSSL_AUTO(STACK_OF(X509), x509s, openssl_stack_of_x509_free)
OPENSSL_AUTO(STACK_OF(X509_CRL), crls, openssl_stack_of_crl_free)
OPENSSL_AUTO(unsigned char, block, openssl_memory_free)

#define AUTO_OPENSSL(name) __attribute__((cleanup(openssl_##name##_free), unused)) /* some only free with their scope */

#endif
