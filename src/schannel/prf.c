#include "schannel/prf.h"

#include "base/writer.h"
#include <openssl/evp.h>
#include <openssl/kdf.h>

#define PRF_LABEL_MAX 32

static bool seed_write(struct writer *seed, const SSL *ssl, const char *label, enum prf_order order)
{
    uint8_t client[SSL3_RANDOM_SIZE], server[SSL3_RANDOM_SIZE];
    bool client_first = order == PRF_CLIENT_FIRST;
    (void)SSL_get_client_random(ssl, client, sizeof client);
    (void)SSL_get_server_random(ssl, server, sizeof server);
    writer_slice(seed, slice_of_text(label));
    writer_bytes(seed, client_first ? client : server, SSL3_RANDOM_SIZE);
    writer_bytes(seed, client_first ? server : client, SSL3_RANDOM_SIZE);
    return writer_finish(seed) == WIRE_OK;
}

/* TLS 1.2's is with SHA-256 for suites that name no other hash (RFC 5246 5); of those of before libssl tells the hash of before. */
static const EVP_MD *prf_hash(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    const EVP_MD *hash = cipher != NULL ? SSL_CIPHER_get_handshake_digest(cipher) : NULL;
    bool is_1_2 = SSL_version(ssl) == TLS1_2_VERSION || SSL_version(ssl) == DTLS1_2_VERSION;
    return is_1_2 && hash != NULL && EVP_MD_get_type(hash) == NID_md5_sha1 ? EVP_sha256() : hash;
}

bool prf_derive(const SSL *ssl, struct slice secret, const char *label, enum prf_order order, struct slice_mut to)
{
    uint8_t room[PRF_LABEL_MAX + 2 * SSL3_RANDOM_SIZE];
    struct writer seed = writer_fixed(room, sizeof room);
    const EVP_MD *hash = prf_hash(ssl);
    size_t len = to.len;
    require(hash != NULL && seed_write(&seed, ssl, label, order), false);
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_id(EVP_PKEY_TLS1_PRF, NULL);
    bool done = kdf != NULL && EVP_PKEY_derive_init(kdf) > 0 && EVP_PKEY_CTX_set_tls1_prf_md(kdf, hash) > 0 &&
                EVP_PKEY_CTX_set1_tls1_prf_secret(kdf, secret.data, (int)secret.len) > 0 &&
                EVP_PKEY_CTX_add1_tls1_prf_seed(kdf, seed.data, (int)seed.len) > 0 &&
                EVP_PKEY_derive(kdf, to.data, &len) > 0 && len == to.len;
    EVP_PKEY_CTX_free(kdf);
    return done;
}
