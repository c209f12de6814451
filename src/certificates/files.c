#include "certificates/files.h"

#include "base/memory.h"
#include "base/secret.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "core/cause.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_wipe(uint8_t *data, size_t len)
{
    if (data != NULL)
        secret_wipe(data, len);
    mem_free(data);
}

bool file_error_answers(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM || error == ELOOP ||
           error == ENAMETOOLONG || error == ENXIO || error == ENODEV;
}

/* `failed`: see file_read_one. */
static SECURITY_STATUS bytes_read(int fd, const char *path, uint8_t *bytes, size_t size, bool *failed)
{
    ssize_t n = 1;
    for (size_t got = 0; got < size && n > 0;) {
        n = read(fd, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            got += (size_t)n;
    }
    *failed = n <= 0; /* half of a list of roots or revocations is no list */
    require(n != 0, cause_set(CRYPT_E_FILE_ERROR, "%s: the file shrank while it was read; try again", path));
    require(n > 0, cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be read: %s", path, strerror(errno)));
    return SEC_E_OK;
}

static SECURITY_STATUS descriptor_read(int fd, const char *path, bool secret, uint8_t **data, size_t *len, bool *failed)
{
    struct stat status;
    *failed = fstat(fd, &status) != 0;
    require(!*failed, cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be examined: %s", path, strerror(errno)));
    require(S_ISREG(status.st_mode) && (uint64_t)status.st_size <= CERTIFICATE_FILE_MAX,
            cause_set(CRYPT_E_FILE_ERROR, "%s: not a regular file of at most 64 MiB", path));
    require(!secret || (status.st_mode & S_IRWXO) == 0,
            cause_set(CRYPT_E_FILE_ERROR, "%s: everybody may read this private key (chmod o-rwx)", path));
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = mem_zalloc(size + 1);
    require(bytes != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS answer = bytes_read(fd, path, bytes, size, failed);
    if (answer != SEC_E_OK) {
        file_wipe(bytes, size);
        return answer;
    }
    *data = bytes;
    *len = size;
    return SEC_E_OK;
}

static SECURITY_STATUS path_read(const char *path, bool secret, uint8_t **data, size_t *len, bool *failed)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int error = errno;
        *failed = !file_error_answers(error);
        return cause_set(error == ENOENT || error == ENOTDIR ? ERROR_FILE_NOT_FOUND : CRYPT_E_FILE_ERROR,
                         "%s: cannot be opened: %s", path, strerror(error));
    }
    SECURITY_STATUS status = descriptor_read(fd, path, secret, data, len, failed);
    close(fd);
    return status;
}

SECURITY_STATUS file_read(const char *path, bool secret, uint8_t **data, size_t *len)
{
    bool failed;
    return path_read(path, secret, data, len, &failed);
}

SECURITY_STATUS file_read_one(const char *path, uint8_t **data, size_t *len, bool *failed)
{
    return path_read(path, false, data, len, failed);
}

/* What OpenSSL has read and no context can be made of is damaged, as what it cannot read. */
static SECURITY_STATUS put_status(SECURITY_STATUS status)
{
    return status == CRYPT_E_ASN1_BADTAG ? CRYPT_E_BAD_ENCODE : status;
}

static SECURITY_STATUS certificate_put_into(struct store *store, X509 *x509, struct contents *contents)
{
    AUTO_CERTIFICATE struct certificate *there = NULL;
    bool first = contents->n_certificates++ == 0;
    if (contents->certificates != NULL) {
        try(store_room((size_t)sk_X509_num(contents->certificates)));
        require(sk_X509_push(contents->certificates, x509) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(x509);
    }
    if (store == NULL)
        return SEC_E_OK;
    try(put_status(store_add(store, x509, NULL, CERT_STORE_ADD_USE_EXISTING, first ? &there : NULL)));
    if (first && X509_cmp(there->x509, x509) == 0)
        contents->first = there; /* the store holds it */
    return SEC_E_OK;
}

static SECURITY_STATUS crl_put_into(struct store *store, X509_CRL *crl, struct contents *contents)
{
    contents->n_crls++;
    if (contents->lists != NULL) {
        try(store_room((size_t)sk_X509_CRL_num(contents->lists)));
        require(sk_X509_CRL_push(contents->lists, crl) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_CRL_up_ref(crl);
    }
    return store == NULL ? SEC_E_OK : put_status(store_add_crl(store, crl, CERT_STORE_ADD_ALWAYS, NULL));
}

static SECURITY_STATUS pkcs7_unpack(PKCS7 *pkcs7, struct store *store, struct contents *contents)
{
    require(PKCS7_type_is_signed(pkcs7) && pkcs7->d.sign != NULL, CRYPT_E_BAD_ENCODE);
    STACK_OF(X509) *certificates = pkcs7->d.sign->cert;
    STACK_OF(X509_CRL) *crls = pkcs7->d.sign->crl;
    contents->pkcs7 = true;
    for (int i = 0; i < sk_X509_num(certificates); i++)
        try(certificate_put_into(store, sk_X509_value(certificates, i), contents));
    for (int i = 0; i < sk_X509_CRL_num(crls); i++)
        try(crl_put_into(store, sk_X509_CRL_value(crls, i), contents));
    return SEC_E_OK;
}

static SECURITY_STATUS pkcs7_read(struct slice der, struct store *store, struct contents *contents)
{
    const unsigned char *at = der.data;
    PKCS7 *pkcs7 = d2i_PKCS7(NULL, &at, (long)der.len);
    SECURITY_STATUS status = CRYPT_E_BAD_ENCODE;
    if (pkcs7 != NULL && at == der.data + der.len)
        status = pkcs7_unpack(pkcs7, store, contents);
    PKCS7_free(pkcs7);
    return status;
}

static SECURITY_STATUS x509_read(struct slice der, bool trusted, struct store *store, struct contents *contents)
{
    const unsigned char *at = der.data;
    AUTO_OPENSSL(x509)
    X509 *x509 = trusted ? d2i_X509_AUX(NULL, &at, (long)der.len) : d2i_X509(NULL, &at, (long)der.len);
    require(x509 != NULL && at == der.data + der.len, CRYPT_E_BAD_ENCODE);
    return certificate_put_into(store, x509, contents);
}

static SECURITY_STATUS crl_read(struct slice der, struct store *store, struct contents *contents)
{
    const unsigned char *at = der.data;
    AUTO_OPENSSL(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    require(crl != NULL && at == der.data + der.len, CRYPT_E_BAD_ENCODE);
    return crl_put_into(store, crl, contents);
}

static SECURITY_STATUS block_read(const char *label, struct slice der, struct store *store, struct contents *contents)
{
    if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0)
        return x509_read(der, false, store, contents);
    if (strcmp(label, PEM_STRING_X509_TRUSTED) == 0)
        return x509_read(der, true, store, contents);
    if (strcmp(label, PEM_STRING_X509_CRL) == 0)
        return crl_read(der, store, contents);
    if (strcmp(label, PEM_STRING_PKCS7) == 0 || strcmp(label, PEM_STRING_CMS) == 0)
        return pkcs7_read(der, store, contents);
    size_t len = strlen(label);
    if (len >= 11 && strcmp(label + len - 11, "PRIVATE KEY") == 0)
        contents->n_keys++;
    return SEC_E_OK; /* keys, parameters and requests are passed over */
}

static SECURITY_STATUS pem_read(const char *name, struct slice bytes, struct store *store, struct contents *contents)
{
    AUTO_OPENSSL(bio) BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    require(bio != NULL, SEC_E_INSUFFICIENT_MEMORY);
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    SECURITY_STATUS status = SEC_E_OK;
    contents->pem = true;
    while (status == SEC_E_OK && PEM_read_bio(bio, &label, &header, &data, &len) == 1) {
        status = block_read(label, slice_of(data, (size_t)len), store, contents);
        if (status == CRYPT_E_BAD_ENCODE)
            status = cause_set(status, "%s: a block %s is damaged", name, label);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_cleanse(data, (size_t)len);
        OPENSSL_free(data);
    }
    try(status);
    require(ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE,
            cause_set(CRYPT_E_BAD_ENCODE, "%s: a block is damaged or has no end", name));
    return SEC_E_OK;
}

static bool has_begin_line(struct slice bytes)
{
    return bytes.len > 0 && memmem(bytes.data, bytes.len, "-----BEGIN ", 11) != NULL;
}

static SECURITY_STATUS bytes_unpack(const char *name, struct slice bytes, struct store *store,
                                    struct contents *contents)
{
    OPENSSL_QUIET;
    require(bytes.len <= CERTIFICATE_FILE_MAX, cause_set(CRYPT_E_FILE_ERROR, "%s: more than 64 MiB", name));
    if (has_begin_line(bytes))
        return pem_read(name, bytes, store, contents);
    SECURITY_STATUS status = x509_read(bytes, false, store, contents);
    if (status == CRYPT_E_BAD_ENCODE)
        status = crl_read(bytes, store, contents);
    if (status == CRYPT_E_BAD_ENCODE)
        status = pkcs7_read(bytes, store, contents);
    return status == CRYPT_E_BAD_ENCODE
               ? cause_set(status, "%s: neither a certificate, a revocation list nor PKCS #7, in PEM or DER", name)
               : status;
}

SECURITY_STATUS contents_read(const char *name, struct slice bytes, struct store *store, struct contents *contents)
{
    *contents = (struct contents){0};
    return bytes_unpack(name, bytes, store, contents);
}

SECURITY_STATUS contents_collect(const char *name, struct slice bytes, STACK_OF(X509) * certificates,
                                 STACK_OF(X509_CRL) * lists)
{
    struct contents contents = {.certificates = certificates, .lists = lists};
    return bytes_unpack(name, bytes, NULL, &contents);
}

SECURITY_STATUS store_open_file(const char *path, HCERTSTORE *handle)
{
    uint8_t *data = NULL;
    size_t len = 0;
    struct contents contents;
    try(file_read(path, false, &data, &len));
    struct store *store = store_new();
    SECURITY_STATUS status =
        store == NULL ? SEC_E_INSUFFICIENT_MEMORY : contents_read(path, slice_of(data, len), store, &contents);
    if (status == SEC_E_OK && contents.n_certificates + contents.n_crls == 0)
        status = cause_set(CRYPT_E_BAD_ENCODE, "%s: holds no certificate and no revocation list", path);
    file_wipe(data, len); /* there may be a key in it */
    if (status == SEC_E_OK)
        *handle = store;
    else if (store != NULL)
        (void)live_user_drop(store, LIVE_STORE);
    return status;
}

SECURITY_STATUS store_open_pkcs7(struct slice der, HCERTSTORE *handle)
{
    OPENSSL_QUIET;
    struct contents contents = {0};
    require(der.data != NULL && der.len <= CERTIFICATE_FILE_MAX, cause_set(E_INVALIDARG, "no PKCS #7 was given"));
    struct store *store = store_new();
    require(store != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = pkcs7_read(der, store, &contents);
    if (status == SEC_E_OK) {
        *handle = store;
        return status;
    }
    (void)live_user_drop(store, LIVE_STORE);
    return status == CRYPT_E_BAD_ENCODE ? cause_set(status, "these bytes are not a PKCS #7 SignedData in DER") : status;
}
