#include "schannel/session.h"

#include "core/cause.h"
#include "schannel/connection.h"
#include "schannel/record.h"

/* Messages in place: libssl reads a record from the caller's buffer and leaves the text where the record's text was, and a record that it writes lies
 * over the caller's header, data and trailer. */

static SECURITY_STATUS sending_check(const struct connection *connection)
{
    const SSL *ssl = connection->ssl;
    require(connection->state == CONNECTION_OPEN || connection->state == CONNECTION_CLOSED,
            cause_set(SEC_E_CONTEXT_EXPIRED, "this TLS connection failed before"));
    require((SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) == 0,
            cause_set(SEC_E_CONTEXT_EXPIRED, "close_notify was sent: nothing follows it"));
    /* Records are numbered as they are made; what the handshake has to send goes first. */
    require(connection->pending.len == 0 && SSL_in_init(ssl) == 0 &&
                SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "the connection is being renegotiated: the record of SEC_I_RENEGOTIATE "
                                             "goes to InitializeSecurityContext or AcceptSecurityContext first"));
    return SEC_E_OK;
}

static SECURITY_STATUS sizes_check(const struct connection *connection, const struct message *message)
{
    const SecPkgContext_StreamSizes *sizes = &connection->sizes;
    require(message->data[0].len <= sizes->cbMaximumMessage,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes; a record takes %u", message->data[0].len,
                      (unsigned)sizes->cbMaximumMessage));
    require(message->header.len >= sizes->cbHeader && message->trailer.len >= sizes->cbTrailer,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "header and trailer need %u and %u bytes, there are %zu and %zu",
                      (unsigned)sizes->cbHeader, (unsigned)sizes->cbTrailer, message->header.len,
                      message->trailer.len));
    return SEC_E_OK;
}

static SECURITY_STATUS seal_locked(struct connection *connection, struct message *message)
{
    if (!connection->may_send)
        try(sending_check(connection));
    connection->may_send = true; /* until the next step, or a record of another kind than data */
    try(sizes_check(connection, message));
    message->header.len = connection->sizes.cbHeader;
    if (message->data[0].len == 0) { /* no text, no record (docs/deviations.md) */
        message->header.len = message->trailer.len = 0;
        return SEC_E_OK;
    }
    size_t written = 0;
    connection->ends.message = message;
    connection->ends.message_written = false;
    int result = SSL_write_ex(connection->ssl, message->data[0].data, message->data[0].len, &written);
    connection->ends.message = NULL;
    require(result == 1 && connection->ends.message_written && written == message->data[0].len,
            connection_message_failure(connection, "the message cannot be encrypted"));
    return SEC_E_OK;
}

static SECURITY_STATUS schannel_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct connection *connection = state;
    (void)qop, (void)seq; /* the api has refused qualities; TLS numbers its records itself */
    pthread_mutex_lock(&connection->lock);
    SECURITY_STATUS status = seal_locked(connection, message);
    pthread_mutex_unlock(&connection->lock);
    return status;
}

/* A record without text: what it was decides. */
static SECURITY_STATUS control_record(struct connection *connection, struct message *message, struct slice record)
{
    /* TLS 1.3: libssl has taken a handshake message, or a part of one; the caller will show it to the next step. */
    if (connection->handshake_moved || SSL_in_init(connection->ssl) == 1) {
        try(connection_remember(connection, record));
        message->extra += record.len;
        return SEC_I_RENEGOTIATE;
    }
    require(!connection->datagram,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "a datagram that was replayed, is too old, or was altered"));
    return SEC_E_OK; /* a warning */
}

/* libssl reads the record at `at`; its text goes back to where it lay. */
static SECURITY_STATUS record_open(struct connection *connection, struct message *message, struct slice_mut at)
{
    uint8_t none[1];
    size_t len = 0, header_len = connection->sizes.cbHeader;
    bool roomy = at.len > header_len;
    ends_give(&connection->ends, slice_of(at.data, at.len), at.len);
    connection->handshake_moved = false;
    int result = SSL_read_ex(connection->ssl, roomy ? at.data + header_len : none,
                             roomy ? at.len - header_len : sizeof none, &len);
    connection->ends.in = (struct slice){0};
    if (result == 1) {
        require(roomy && (len < at.len - header_len || SSL_pending(connection->ssl) == 0),
                connection_message_failure(connection, "a record with more text than bytes"));
        message->header = (struct slice_mut){at.data, header_len};
        message->stream_data = (struct slice_mut){at.data + header_len, len};
        message->trailer = (struct slice_mut){at.data + header_len + len, at.len - header_len - len};
        return SEC_E_OK;
    }
    connection->may_send = false;
    /* Not SSL_get_error: it looks at the thread's queue of errors, in which others may have left something. */
    if (SSL_want_read(connection->ssl) || SSL_want_x509_lookup(connection->ssl))
        return control_record(connection, message, slice_of(at.data, at.len));
    bool closed = (SSL_get_shutdown(connection->ssl) & SSL_RECEIVED_SHUTDOWN) != 0 && connection->alert_received < 0;
    require(closed, connection_message_failure(connection, "the record cannot be opened"));
    connection->state = CONNECTION_CLOSED;
    return SEC_I_CONTEXT_EXPIRED;
}

static SECURITY_STATUS unseal_locked(struct connection *connection, struct message *message)
{
    struct slice_mut stream = message->stream;
    struct record record;
    require(connection->state != CONNECTION_FAILED,
            cause_set(SEC_E_CONTEXT_EXPIRED, "this TLS connection failed before"));
    if (connection->state == CONNECTION_CLOSED) { /* whatever follows close_notify is not the peer's */
        message->extra = stream.len;
        return SEC_I_CONTEXT_EXPIRED;
    }
    enum wire_result looked = record_look(slice_of(stream.data, stream.len), connection->datagram, &record);
    /* Anybody can send a datagram, and the rest of one never comes. */
    require(looked == WIRE_OK || !connection->datagram,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "a datagram that holds no whole record: it is to be dropped"));
    if (looked == WIRE_SHORT) {
        message->missing = record.missing;
        return cause_set(SEC_E_INCOMPLETE_MESSAGE, "%zu bytes are missing to a whole TLS record", record.missing);
    }
    require(looked == WIRE_OK, cause_set(SEC_E_INVALID_TOKEN, "what the peer sent is no TLS record"));
    message->header = message->stream_data = message->trailer = (struct slice_mut){.data = stream.data};
    /* Before TLS 1.3 the outer type tells a handshake message; it goes to the next step as it is. */
    if (record_of_flight(&record, connection->datagram) && SSL_version(connection->ssl) != TLS1_3_VERSION) {
        message->extra = stream.len;
        return SEC_I_RENEGOTIATE;
    }
    try(connection_length_check(connection, &record));
    message->extra = stream.len - record.len;
    return record_open(connection, message, (struct slice_mut){stream.data, record.len});
}

static SECURITY_STATUS schannel_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct connection *connection = state;
    (void)seq, (void)qop;
    pthread_mutex_lock(&connection->lock);
    SECURITY_STATUS status = unseal_locked(connection, message);
    pthread_mutex_unlock(&connection->lock);
    return status;
}

/* Before and after the handshake's end. */
SECURITY_STATUS schannel_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    struct connection *connection = (struct connection *)(uintptr_t)handshake;
    pthread_mutex_lock(&connection->lock);
    SECURITY_STATUS status = connection_query(connection, attribute, value);
    pthread_mutex_unlock(&connection->lock);
    return status;
}

SECURITY_STATUS schannel_set_handshake(void *handshake, uint32_t attribute, const void *value, size_t len)
{
    struct connection *connection = handshake;
    pthread_mutex_lock(&connection->lock);
    SECURITY_STATUS status = connection_set(connection, attribute, value, len);
    pthread_mutex_unlock(&connection->lock);
    return status;
}

static void schannel_close(void *state)
{
    connection_put(state);
}

const struct package_session schannel_session_table = {
    .close = schannel_close,
    .sign = schannel_seal,
    .seal = schannel_seal,
    .verify = schannel_unseal,
    .unseal = schannel_unseal,
    .query = schannel_query_handshake,
};
