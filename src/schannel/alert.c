#include "core/cause.h"
#include "crypto/random.h"
#include "schannel/connection.h"
#include "schannel/prf.h"
#include "schannel/record.h"
#include <string.h>

/* libssl sends alerts for its own reasons only. A TLS 1.3 server's are made its own: it begins a ticket, and an extension of the ticket refuses. All
 * others are written here, under the keys in use where records are encrypted. */

#define ALERT_LEN 2
#define TAG_LEN 16
#define SALT_LEN 4 /* RFC 5288 3 */
#define HEADER_LEN RECORD_HEADER_LEN
#define EXTENSION_NEVER_SENT 0xff4fu /* of those for private use (RFC 8446 11) */

void connection_keys_updated(struct connection *connection)
{
    connection->ends.n_written = 0;
    secret_wipe(&connection->ends.keys, sizeof connection->ends.keys); /* the new ones libssl keeps to itself */
}

/* RFC 5246 6.3: the key block of a suite without MAC keys is both keys, then both salts. */
static bool keys_of_1_2(const struct connection *connection, size_t key_len, size_t iv_len, struct bio_keys *keys)
{
    SSL *ssl = connection->ssl;
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH], block[2 * (BIO_KEY_LEN_MAX + BIO_NONCE_LEN)];
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    size_t side = connection->initiator ? 0 : 1;
    bool done = prf_derive(ssl, slice_of(master, master_len), "key expansion", PRF_SERVER_FIRST,
                           (struct slice_mut){block, 2 * (key_len + iv_len)});
    if (done) {
        memcpy(keys->key, block + side * key_len, key_len);
        memcpy(keys->iv, block + 2 * key_len + side * iv_len, iv_len);
    }
    secret_wipe(master, sizeof master);
    secret_wipe(block, sizeof block);
    return done;
}

/* The record number, in the last eight bytes, over the nonce. */
static void number_mix(uint8_t nonce[BIO_NONCE_LEN], uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        nonce[BIO_NONCE_LEN - 1 - i] ^= (uint8_t)(number >> (8 * i));
}

static bool aead(const EVP_CIPHER *cipher, const struct bio_keys *keys, struct slice more, struct slice text,
                 uint8_t *to)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len;
    bool done = ctx != NULL && EVP_EncryptInit_ex(ctx, cipher, NULL, keys->key, keys->iv) == 1 &&
                EVP_EncryptUpdate(ctx, NULL, &len, more.data, (int)more.len) == 1 &&
                EVP_EncryptUpdate(ctx, to, &len, text.data, (int)text.len) == 1 &&
                EVP_EncryptFinal_ex(ctx, to + text.len, &len) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, to + text.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return done;
}

/* RFC 8446 5.2 and 5.3. */
static bool seal_1_3(struct connection *connection, const EVP_CIPHER *cipher, const uint8_t alert[ALERT_LEN])
{
    struct bio_keys keys = connection->ends.keys;
    const uint8_t text[ALERT_LEN + 1] = {alert[0], alert[1], SSL3_RT_ALERT};
    uint8_t record[HEADER_LEN + sizeof text + TAG_LEN] = {SSL3_RT_APPLICATION_DATA, 3, 3, 0, sizeof text + TAG_LEN};
    number_mix(keys.iv, connection->ends.n_written);
    bool done = aead(cipher, &keys, slice_of(record, HEADER_LEN), slice_of(text, sizeof text), record + HEADER_LEN);
    secret_wipe(&keys, sizeof keys);
    if (done)
        writer_bytes(&connection->pending, record, sizeof record);
    return done;
}

/* RFC 5246 6.2.3.3, RFC 5288 3, RFC 7905 2. GCM's explicit nonce only has to be new; 64 random bits are. */
static bool seal_1_2(struct connection *connection, const EVP_CIPHER *cipher, const uint8_t alert[ALERT_LEN])
{
    struct bio_keys keys = {0};
    size_t explicit_len = connection->suite.header_more;
    uint8_t more[13], record[HEADER_LEN + 8 + ALERT_LEN + TAG_LEN] = {SSL3_RT_ALERT, 3, 3, 0, 0};
    struct writer writer = writer_fixed(more, sizeof more);
    writer_u64be(&writer, connection->ends.n_written);
    writer_bytes(&writer, record, 3);
    writer_u16be(&writer, ALERT_LEN);
    record[4] = (uint8_t)(explicit_len + ALERT_LEN + TAG_LEN);
    size_t iv_len = explicit_len > 0 ? SALT_LEN : BIO_NONCE_LEN;
    bool done = writer_finish(&writer) == WIRE_OK &&
                keys_of_1_2(connection, (size_t)EVP_CIPHER_get_key_length(cipher), iv_len, &keys);
    if (done && explicit_len > 0) {
        done = random_bytes(keys.iv + SALT_LEN, explicit_len);
        memcpy(record + HEADER_LEN, keys.iv + SALT_LEN, explicit_len);
    } else
        number_mix(keys.iv, connection->ends.n_written);
    done = done && aead(cipher, &keys, slice_of(more, sizeof more), slice_of(alert, ALERT_LEN),
                        record + HEADER_LEN + explicit_len);
    secret_wipe(&keys, sizeof keys);
    if (done)
        writer_bytes(&connection->pending, record, HEADER_LEN + explicit_len + ALERT_LEN + TAG_LEN);
    return done;
}

/* What the extension of a ticket says: nothing, or that the connection ends with the caller's alert. */
static int ticket_extend(SSL *ssl, unsigned int type, unsigned int context, const unsigned char **bytes, size_t *len,
                         X509 *x509, size_t index, int *alert, void *unused)
{
    const struct connection *connection = connection_of(ssl);
    (void)type, (void)context, (void)bytes, (void)len, (void)x509, (void)index, (void)unused;
    if (connection == NULL || !connection->alert_due)
        return 0;
    *alert = connection->alert_number;
    return -1;
}

bool connection_alerts_prepare(SSL_CTX *ctx, bool server)
{
#ifdef SSL_OP_ENABLE_KTLS
    if (!server) /* the BIO wants to know the keys (bio.c) */
        (void)SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
#endif
    return !server ||
           SSL_CTX_add_custom_ext(ctx, EXTENSION_NEVER_SENT, SSL_EXT_TLS1_3_ONLY | SSL_EXT_TLS1_3_NEW_SESSION_TICKET,
                                  ticket_extend, NULL, NULL, NULL, NULL) == 1;
}

static SECURITY_STATUS alert_by_ticket(struct connection *connection)
{
    connection_errors_forget();
    connection->alert_sent = -1;
    connection->alert_due = true;
    if (SSL_new_session_ticket(connection->ssl) == 1)
        (void)SSL_do_handshake(connection->ssl);
    connection->alert_due = false;
    connection->state = CONNECTION_FAILED; /* for libssl it has, whether or not the alert went out */
    connection_errors_forget();
    require(connection->alert_sent == connection->alert_number,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "libssl does not send the alert %u", connection->alert_number));
    return SEC_E_OK;
}

/* Only suites whose records this file can make. */
static const EVP_CIPHER *cipher_of(const struct connection *connection)
{
    switch (SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(connection->ssl))) {
    case NID_aes_128_gcm:
        return EVP_aes_128_gcm();
    case NID_aes_256_gcm:
        return EVP_aes_256_gcm();
    case NID_chacha20_poly1305:
        return EVP_chacha20_poly1305();
    default:
        return NULL;
    }
}

static SECURITY_STATUS alert_seal(struct connection *connection, const uint8_t alert[ALERT_LEN])
{
    require(connection->state == CONNECTION_OPEN && alert[0] == TLS1_ALERT_FATAL && !SSL_in_init(connection->ssl) &&
                (SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "once records are encrypted only fatal alerts of an open connection can be sent"));
    const EVP_CIPHER *cipher = cipher_of(connection);
    bool is_1_3 = SSL_version(connection->ssl) == TLS1_3_VERSION;
    if (is_1_3 && !connection->initiator)
        return alert_by_ticket(connection);
    require(cipher != NULL && (is_1_3 || SSL_version(connection->ssl) == TLS1_2_VERSION),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "alerts cannot be sent with this cipher suite"));
    require(!is_1_3 || connection->ends.keys.key_len == (size_t)EVP_CIPHER_get_key_length(cipher),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "an alert cannot be sent: libssl does not tell the keys in use"));
    require(is_1_3 ? seal_1_3(connection, cipher, alert) : seal_1_2(connection, cipher, alert),
            cause_set(SEC_E_INTERNAL_ERROR, "the alert cannot be encrypted"));
    return SEC_E_OK;
}

/* Of records that are not encrypted: until the version is agreed on it is that of TLS 1.0 (RFC 5246 E.1), and TLS 1.3's is TLS 1.2's. */
static uint16_t plain_version(SSL *ssl)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    if (state == TLS_ST_BEFORE || state == TLS_ST_CW_CLNT_HELLO || state == TLS_ST_SR_CLNT_HELLO)
        return TLS1_VERSION;
    return SSL_version(ssl) < TLS1_2_VERSION ? (uint16_t)SSL_version(ssl) : TLS1_2_VERSION;
}

SECURITY_STATUS connection_alert(struct connection *connection, uint8_t level, uint8_t number)
{
    const uint8_t alert[ALERT_LEN] = {level, number};
    require(!connection->datagram, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this alert cannot be sent with DTLS"));
    if (connection->ends.protected)
        try(alert_seal(connection, alert));
    else {
        writer_u8(&connection->pending, SSL3_RT_ALERT);
        writer_u16be(&connection->pending, plain_version(connection->ssl));
        writer_u16be(&connection->pending, ALERT_LEN);
        writer_bytes(&connection->pending, alert, ALERT_LEN);
    }
    if (level == TLS1_ALERT_FATAL)
        connection->state = CONNECTION_FAILED;
    return SEC_E_OK;
}
