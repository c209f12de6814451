#include "certificates/keys.h"

#include "base/fork.h"
#include "certificates/files.h"
#include "certificates/kept_key.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/engine.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

/* Hands the password over, or nothing: OpenSSL's own would ask the terminal. */
static int password_give(char *room, int size, int writing, void *password)
{
    (void)writing;
    if (password == NULL)
        return -1;
    size_t len = strlen(password);
    if (len > (size_t)size)
        return -1;
    for (size_t i = 0; i < len; i++) /* without its NUL */
        room[i] = ((const char *)password)[i];
    return (int)len;
}

static bool is_encrypted(struct slice bytes)
{
    return memmem(bytes.data, bytes.len, "ENCRYPTED", 9) != NULL;
}

static SECURITY_STATUS key_parse(struct slice bytes, const char *password, EVP_PKEY **pkey)
{
    OPENSSL_QUIET;
    require(bytes.data != NULL && bytes.len > 0 && bytes.len <= CERTIFICATE_FILE_MAX,
            cause_set(CRYPT_E_BAD_ENCODE, "there is no private key"));
    bool pem = memmem(bytes.data, bytes.len, "-----BEGIN ", 11) != NULL;
    AUTO_OPENSSL(bio) BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    require(bio != NULL, SEC_E_INSUFFICIENT_MEMORY);
    char *word = (char *)(uintptr_t)password;
    EVP_PKEY *found = pem ? PEM_read_bio_PrivateKey(bio, NULL, password_give, word) : d2i_PrivateKey_bio(bio, NULL);
    if (found == NULL && !pem) {
        (void)BIO_reset(bio);
        found = d2i_PKCS8PrivateKey_bio(bio, NULL, password_give, word);
        require(found != NULL, password != NULL
                                   ? cause_set(ERROR_INVALID_PASSWORD, "no private key, or another password")
                                   : cause_set(CRYPT_E_BAD_ENCODE, "there is no private key in it"));
    }
    require(found != NULL, is_encrypted(bytes)
                               ? cause_set(ERROR_INVALID_PASSWORD, "the private key's password is wrong or missing")
                               : cause_set(CRYPT_E_BAD_ENCODE, "there is no private key in it"));
    *pkey = found;
    return SEC_E_OK;
}

#ifndef OPENSSL_NO_ENGINE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static pthread_mutex_t engine_lock = PTHREAD_MUTEX_INITIALIZER;
static ENGINE *pkcs11_engine; /* kept once it is there: engines do not bear being unloaded */

FORK_GUARD(engine_lock, FORK_RANK_CONFIG)

static ENGINE *engine_get(void)
{
    pthread_mutex_lock(&engine_lock);
    if (pkcs11_engine == NULL) {
        ENGINE *engine = ENGINE_by_id("pkcs11");
        if (engine != NULL) /* else it writes to standard error; one that does not know the command may go on */
            (void)ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1);
        if (engine != NULL && ENGINE_init(engine) == 1)
            pkcs11_engine = engine;
        else
            ENGINE_free(engine);
    }
    ENGINE *engine = pkcs11_engine;
    pthread_mutex_unlock(&engine_lock);
    return engine;
}

static EVP_PKEY *engine_open(const char *uri, UI_METHOD *method, const char *password)
{
    ENGINE *engine = engine_get();
    return engine == NULL ? NULL : ENGINE_load_private_key(engine, uri, method, (void *)(uintptr_t)password);
}

#pragma GCC diagnostic pop
#else
static EVP_PKEY *engine_open(const char *uri, UI_METHOD *method, const char *password)
{
    (void)uri;
    (void)method;
    (void)password;
    return NULL;
}
#endif

/* RFC 7512. A provider that knows the scheme comes first (OSSL_STORE), then the engine of that name. */
static EVP_PKEY *uri_open(const char *uri, const char *password)
{
    EVP_PKEY *found = NULL;
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(password_give, 0);
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, method, (void *)(uintptr_t)password, NULL, NULL);
    if (store != NULL)
        (void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (store != NULL && found == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL && OSSL_STORE_error(store))
            break;
        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            found = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (found == NULL)
        found = engine_open(uri, method, password);
    UI_destroy_method(method);
    return found;
}

/* A file may hold, in place of a key, a line that names a kept one; its end becomes that of a text. NULL: it does not. */
static const char *place_in(uint8_t *data, size_t len)
{
    const size_t prefix = strlen(KEPT_KEY_PREFIX);
    if (len < prefix || memcmp(data, KEPT_KEY_PREFIX, prefix) != 0)
        return NULL;
    while (data[len - 1] == '\n' || data[len - 1] == '\r')
        len--;
    data[len] = '\0'; /* file_read leaves room for it */
    return (const char *)data;
}

SECURITY_STATUS key_open(const char *place, const char *password, EVP_PKEY **pkey)
{
    OPENSSL_QUIET;
    if (kept_key_is_place(place))
        return kept_key_open(place, pkey);
    if (strncmp(place, "pkcs11:", 7) == 0) {
        *pkey = uri_open(place, password);
        return *pkey != NULL ? SEC_E_OK
                             : cause_set(NTE_BAD_KEYSET, "no provider and no engine of OpenSSL gives this PKCS#11 key: "
                                                         "is one configured, the token there, its PIN right?");
    }
    uint8_t *data = NULL;
    size_t len = 0;
    SECURITY_STATUS status = file_read(place, true, &data, &len);
    require(status != ERROR_FILE_NOT_FOUND, NTE_BAD_KEYSET);
    try(status);
    const char *elsewhere = place_in(data, len);
    status = elsewhere != NULL ? kept_key_open(elsewhere, pkey) : key_parse(slice_of(data, len), password, pkey);
    file_wipe(data, len);
    return status;
}
