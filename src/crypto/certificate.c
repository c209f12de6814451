#include "crypto/certificate.h"

#include "crypto/openssl.h"
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* OpenSSL knows the hash of RSA-PSS from the algorithm's parameters, of the others from its name. */
static const EVP_MD *hash_choose(X509 *certificate)
{
    int hash = NID_undef;
    if (X509_get_signature_info(certificate, &hash, NULL, NULL, NULL) != 1 || hash == NID_undef)
        return NULL;
    return hash == NID_md5 || hash == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(hash);
}

enum certificate_result certificate_x509_end_point_hash(X509 *certificate, uint8_t hash[CERTIFICATE_HASH_MAX],
                                                        size_t *hash_len)
{
    OPENSSL_QUIET;
    unsigned int len = 0;
    require(openssl_alive(), CERTIFICATE_FAILED);
    const EVP_MD *chosen = hash_choose(certificate);
    enum certificate_result result = CERTIFICATE_OK;
    if (chosen == NULL)
        result = CERTIFICATE_UNDEFINED;
    else if (EVP_MD_get_size(chosen) > CERTIFICATE_HASH_MAX || X509_digest(certificate, chosen, hash, &len) != 1)
        result = CERTIFICATE_FAILED;
    else
        *hash_len = len;
    return result;
}

enum certificate_result certificate_end_point_hash(struct slice der, uint8_t hash[CERTIFICATE_HASH_MAX],
                                                   size_t *hash_len)
{
    OPENSSL_QUIET;
    const unsigned char *at = der.data;
    require(der.data != NULL && der.len > 0 && der.len <= LONG_MAX, CERTIFICATE_BAD);
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    enum certificate_result result = CERTIFICATE_BAD;
    if (certificate != NULL && at == der.data + der.len)
        result = certificate_x509_end_point_hash(certificate, hash, hash_len);
    X509_free(certificate);
    return result;
}

/* A certificate needs no pass phrase, and nobody is to be asked at a terminal. */
static int no_password(char *room, int size, int writing, void *data)
{
    (void)room, (void)size, (void)writing, (void)data;
    return -1;
}

bool certificate_pem_read(struct slice pem, struct writer *der)
{
    OPENSSL_QUIET;
    unsigned char *bytes = NULL;
    int len = -1;
    require(pem.data != NULL && pem.len > 0 && pem.len <= INT_MAX, false);
    BIO *text = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *certificate = text != NULL ? PEM_read_bio_X509(text, NULL, no_password, NULL) : NULL;
    if (certificate != NULL)
        len = i2d_X509(certificate, &bytes);
    if (len > 0)
        writer_bytes(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    X509_free(certificate);
    BIO_free(text);
    return len > 0 && writer_finish(der) == WIRE_OK;
}
