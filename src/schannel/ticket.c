#include "schannel/ticket.h"

#include "base/fork.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/slice.h"
#include "core/cause.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <schannel.h>
#include <string.h>

#define NAME_LEN 16
#define KEY_LEN 32

struct ticket_key {
    uint8_t name[NAME_LEN]; /* stands at the beginning of each ticket, for everybody to read */
    uint8_t encryption[KEY_LEN], authentication[KEY_LEN];
};

struct ticket_keys {
    unsigned n_keys;
    struct ticket_key key[TICKET_KEYS_MAX];
};

/* One for the keys of all, so that a child of fork finds it free. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(lock, FORK_RANK_CONFIG)

static atomic_int keys_index = -1;

static void keys_free(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *unused)
{
    struct ticket_keys *keys = pointer;
    (void)parent, (void)data, (void)index, (void)number, (void)unused;
    if (keys == NULL)
        return;
    secret_block_free(keys, sizeof *keys);
}

/* HKDF-Expand with SHA-256 for one block (RFC 5869 2.3): the material is random, so nothing has to be extracted from it first (3.3). `info` ends with
 * the block's number. */
static bool expand(const uint8_t *material, size_t len, struct slice info, uint8_t key[KEY_LEN])
{
    unsigned int made = 0;
    return HMAC(EVP_sha256(), material, (int)len, info.data, info.len, key, &made) != NULL && made == KEY_LEN;
}

static bool key_make(const uint8_t name[NAME_LEN], const uint8_t *material, size_t len, struct ticket_key *key)
{
    static const char encryption[] = "OpenSSPI session tickets, encryption\x01",
                      authentication[] = "OpenSSPI session tickets, authentication\x01";
    memcpy(key->name, name, NAME_LEN);
    return expand(material, len, slice_of(encryption, sizeof encryption - 1), key->encryption) &&
           expand(material, len, slice_of(authentication, sizeof authentication - 1), key->authentication);
}

/* Which key the next ticket is made with (`name` NULL), or the one of this name; *current: the first of them. */
static bool key_find(struct ticket_keys *keys, const uint8_t *name, struct ticket_key *found, bool *current)
{
    bool is_there = false;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < keys->n_keys && !is_there; i++) {
        is_there = name == NULL || memcmp(keys->key[i].name, name, NAME_LEN) == 0;
        if (is_there) {
            *current = i == 0;
            *found = keys->key[i];
        }
    }
    pthread_mutex_unlock(&lock);
    return is_there;
}

static bool key_use(struct ticket_key *key, const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->authentication, KEY_LEN),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->encryption, iv, encrypt) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb: -1 is an error, 0 a ticket of nobody's, 1 and 2 are a key, the second one with the wish for a fresh ticket:
 * where the key is a former one, and in TLS 1.3 always, where a ticket serves once (RFC 8446 C.4). */
static int ticket_key_choose(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                             int encrypt)
{
    struct ticket_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index);
    struct ticket_key key = {0};
    bool current = false;
    if (keys == NULL)
        return -1;
    if (!key_find(keys, encrypt == 1 ? NULL : name, &key, &current))
        return 0;
    if (encrypt == 1)
        memcpy(name, key.name, NAME_LEN);
    bool used = (encrypt != 1 || random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()))) &&
                key_use(&key, iv, cipher, mac, encrypt);
    secret_wipe(&key, sizeof key);
    if (!used)
        return -1;
    return encrypt == 1 || (current && SSL_version(ssl) != TLS1_3_VERSION) ? 1 : 2;
}

bool ticket_keys_prepare(SSL_CTX *ctx)
{
    uint8_t name[NAME_LEN], material[TICKET_MATERIAL_MIN];
    require(openssl_index(&keys_index, CRYPTO_EX_INDEX_SSL_CTX, keys_free) >= 0, false);
    struct ticket_keys *keys = secret_block_alloc(sizeof *keys);
    require(keys != NULL, false);
    keys->n_keys = 1;
    bool made = random_bytes(name, sizeof name) && random_bytes(material, sizeof material) &&
                key_make(name, material, sizeof material, &keys->key[0]) &&
                SSL_CTX_set_ex_data(ctx, keys_index, keys) == 1;
    secret_wipe(material, sizeof material);
    if (!made) {
        keys_free(NULL, keys, NULL, 0, 0, NULL);
        return false;
    }
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key_choose) == 1;
}

static SECURITY_STATUS key_read(const SecPkgCred_SessionTicketKey *from, struct ticket_keys *keys)
{
    require(from->TicketInfoVersion == SESSION_TICKET_INFO_VERSION,
            cause_set(SEC_E_INVALID_TOKEN, "a session ticket key of version %u", (unsigned)from->TicketInfoVersion));
    require(from->KeyingMaterialSize >= TICKET_MATERIAL_MIN && from->KeyingMaterialSize <= sizeof from->KeyingMaterial,
            cause_set(SEC_E_INVALID_TOKEN, "a session ticket key made of %u bytes; %d to %zu are taken",
                      (unsigned)from->KeyingMaterialSize, TICKET_MATERIAL_MIN, sizeof from->KeyingMaterial));
    for (unsigned i = 0; i < keys->n_keys; i++)
        require(memcmp(keys->key[i].name, from->KeyId, NAME_LEN) != 0,
                cause_set(SEC_E_INVALID_TOKEN, "two session ticket keys of one KeyId"));
    require(key_make(from->KeyId, from->KeyingMaterial, from->KeyingMaterialSize, &keys->key[keys->n_keys]),
            cause_set(SEC_E_INTERNAL_ERROR, "a session ticket key cannot be derived"));
    keys->n_keys++;
    return SEC_E_OK;
}

static SECURITY_STATUS keys_read(const SecPkgCred_SessionTicketKeys *from, struct ticket_keys *keys)
{
    require(from->cSessionTicketKeys > 0 && from->cSessionTicketKeys <= TICKET_KEYS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "%u session ticket keys; 1 to %d are taken",
                      (unsigned)from->cSessionTicketKeys, TICKET_KEYS_MAX));
    require(from->pSessionTicketKeys != NULL, cause_set(SEC_E_INVALID_TOKEN, "session ticket keys that point nowhere"));
    for (DWORD i = 0; i < from->cSessionTicketKeys; i++)
        try(key_read(&from->pSessionTicketKeys[i], keys));
    return SEC_E_OK;
}

SECURITY_STATUS ticket_keys_set(SSL_CTX *ctx, const void *value, size_t len)
{
    SecPkgCred_SessionTicketKeys given;
    struct ticket_keys *keys = keys_index >= 0 ? SSL_CTX_get_ex_data(ctx, keys_index) : NULL;
    require(keys != NULL && (SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "only a server's credential that lets sessions be resumed has keys "
                                                  "for session tickets"));
    require(value != NULL && len == sizeof given,
            cause_set(SEC_E_INVALID_TOKEN, "SecPkgCred_SessionTicketKeys has %zu bytes, %zu were given", sizeof given,
                      len));
    memcpy(&given, value, sizeof given);
    struct ticket_keys *fresh = secret_block_alloc(sizeof *fresh);
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = keys_read(&given, fresh);
    if (status == SEC_E_OK) {
        pthread_mutex_lock(&lock);
        *keys = *fresh;
        pthread_mutex_unlock(&lock);
    }
    secret_block_free(fresh, sizeof *fresh);
    return status;
}
