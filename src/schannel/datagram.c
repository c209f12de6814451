#include "schannel/datagram.h"

#include "base/memory.h"
#include "base/reader.h"
#include "schannel/suite.h"
#include <openssl/dtls1.h>
#include <openssl/ssl.h>

#define COOKIE_MAX 255
#define FRAGMENT_FIELD_LEN 3 /* RFC 6347 4.2.2: lengths and offset have 24 bits */

#define DTLS_1_0_MINOR 0xff
#define DTLS_1_2_MINOR 0xfd

/* What is sent before there are keys, who gets it, and how long it is at most (0: nothing in it; LONG: libssl's limit for certificates is the one).
 * Finished is never in the clear. */
#define LONG UINT32_MAX
static const struct message_fact {
    uint8_t type;
    bool to_server, to_client;
    uint32_t len_max;
} message_facts[] = {
    {SSL3_MT_HELLO_REQUEST, false, true, 0},
    {SSL3_MT_CLIENT_HELLO, true, false, LONG},
    {SSL3_MT_SERVER_HELLO, false, true, LONG},
    {DTLS1_MT_HELLO_VERIFY_REQUEST, false, true, 2 + 1 + COOKIE_MAX},
    {SSL3_MT_NEWSESSION_TICKET, false, true, LONG},
    {SSL3_MT_CERTIFICATE, true, true, LONG},
    {SSL3_MT_SERVER_KEY_EXCHANGE, false, true, LONG},
    {SSL3_MT_CERTIFICATE_REQUEST, false, true, LONG},
    {SSL3_MT_SERVER_DONE, false, true, 0},
    {SSL3_MT_CERTIFICATE_VERIFY, true, false, LONG},
    {SSL3_MT_CLIENT_KEY_EXCHANGE, true, false, LONG},
    {SSL3_MT_CERTIFICATE_STATUS, false, true, LONG},
};

static bool message_is_known(SSL *ssl, uint8_t type, uint32_t len)
{
    for (size_t i = 0; i < COUNT_OF(message_facts); i++) {
        const struct message_fact *fact = &message_facts[i];
        if (fact->type != type || !(SSL_is_server(ssl) == 1 ? fact->to_server : fact->to_client))
            continue;
        long most = SSL_get_max_cert_list(ssl);
        return len <= fact->len_max && (long)len <= most;
    }
    return false;
}

MUST_USE static enum wire_result u24_read(struct reader *reader, uint32_t *value)
{
    struct slice bytes;
    require(reader_bytes(reader, FRAGMENT_FIELD_LEN, &bytes) == WIRE_OK, WIRE_SHORT);
    *value = (uint32_t)bytes.data[0] << 16 | (uint32_t)bytes.data[1] << 8 | bytes.data[2];
    return WIRE_OK;
}

/* One piece of a message or more, each behind type, length, number, and the piece's offset and length (RFC 6347 4.2.2). */
static bool messages_have_form(SSL *ssl, struct slice body)
{
    struct reader reader = reader_of(body);
    do {
        uint8_t type;
        uint16_t number;
        uint32_t len, at, piece_len;
        if (reader_u8(&reader, &type) != WIRE_OK || u24_read(&reader, &len) != WIRE_OK ||
            reader_u16be(&reader, &number) != WIRE_OK || u24_read(&reader, &at) != WIRE_OK ||
            u24_read(&reader, &piece_len) != WIRE_OK || reader_skip(&reader, piece_len) != WIRE_OK)
            return false;
        if (!message_is_known(ssl, type, len) || at + piece_len > len || (piece_len == 0 && len > 0))
            return false;
    } while (reader_left(&reader) > 0);
    return true;
}

/* Of epoch 0. Warnings have nothing to say there, and libssl counts them. */
static bool plain_has_form(SSL *ssl, uint8_t type, struct slice body)
{
    switch (type) {
    case RECORD_CHANGE_CIPHER_SPEC:
        return body.len == 1 && body.data[0] == SSL3_MT_CCS;
    case RECORD_ALERT:
        return body.len == 2 && body.data[0] == SSL3_AL_FATAL;
    case RECORD_HANDSHAKE:
        return body.len <= RECORD_DATA_MAX && messages_have_form(ssl, body);
    default:
        return false;
    }
}

/* libssl passes over what does not verify (RFC 6347 4.1.2.7), but ends the connection for a record that is too short to have been protected, as TLS
 * has to. Which suite it would be of is not sure while keys are changed: it has to be long enough for either. Nor is one known before it is chosen:
 * then what would be too short for any is passed over, also a Finished (of 40 bytes and more) that overtook its ServerHello and comes again with its
 * flight. */
static bool protected_is_short(const SSL *ssl, size_t body_len)
{
    const SSL_CIPHER *ciphers[] = {SSL_get_current_cipher(ssl), SSL_get_pending_cipher(ssl)};
    struct suite suite;
    size_t min = 0;
    if (body_len >= SUITE_BODY_MIN_MAX)
        return false;
    for (size_t i = 0; i < COUNT_OF(ciphers); i++)
        if (ciphers[i] != NULL && suite_describe(ciphers[i], TLS1_2_VERSION, &suite) && suite.body_min > min)
            min = suite.body_min;
    return body_len < (min > 0 ? min : SUITE_BODY_MIN_MAX);
}

bool datagram_is_strangers(SSL *ssl, struct slice bytes, const struct record *record)
{
    uint8_t minor = bytes.data[2];
    if (minor != DTLS_1_0_MINOR && minor != DTLS_1_2_MINOR)
        return true;
    if (record->is_protected)
        return protected_is_short(ssl, record->body_len);
    return !plain_has_form(ssl, record->type, slice_of(bytes.data + RECORD_HEADER_LEN_DTLS, record->body_len));
}
