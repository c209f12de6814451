#include "schannel/connection.h"

#include "base/memory.h"
#include "core/cause.h"
#include "schannel/datagram.h"
#include "schannel/record.h"
#include <string.h>

/* The steps of a connection: libssl is given whole records only, and what it writes is the caller's token. */

#define NOTHING ((struct slice){0})

static SECURITY_STATUS step_incomplete(struct step_out *out, size_t missing)
{
    out->missing = missing;
    return cause_set(SEC_E_INCOMPLETE_MESSAGE, "%zu bytes are missing to a whole TLS record", missing);
}

static SECURITY_STATUS input_refuse(struct connection *connection)
{
    connection->state = CONNECTION_FAILED;
    return cause_set(SEC_E_INVALID_TOKEN, "what the peer sent is no TLS record");
}

/* The first handshake ends once; what is negotiated anew later changes the same session. */
static SECURITY_STATUS handshake_finish(struct connection *connection, struct step_out *out)
{
    bool first = connection->state == CONNECTION_HANDSHAKE;
    SECURITY_STATUS status = connection_established(connection);
    if (status != SEC_E_OK) {
        connection->state = CONNECTION_FAILED;
        return status;
    }
    connection->state = CONNECTION_OPEN;
    if (first) {
        connection_watch(connection);
        atomic_fetch_add_explicit(&connection->n_references, 1, memory_order_relaxed);
        out->stream = connection;
    }
    return SEC_E_OK;
}

/* Runs the handshake over the records of `input` that are whole. */
static SECURITY_STATUS handshake_run(struct connection *connection, struct slice input, struct step_out *out)
{
    connection_errors_forget();
    ends_give(&connection->ends, slice_of(input.data, record_whole(input, connection->datagram)), 0);
    int result = SSL_do_handshake(connection->ssl);
    out->extra = input.len - connection->ends.in_at;
    /* TLS 1.3: the keys for application data are this side's from its Finished on: a client's with the end, a server's with its first flight. */
    bool finished = connection->initiator ? result == 1 : result != 1;
    if (connection->state == CONNECTION_HANDSHAKE && finished && SSL_version(connection->ssl) == TLS1_3_VERSION)
        connection->ends.n_written = 0;
    if (result == 1)
        return handshake_finish(connection, out);
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return SEC_I_CONTINUE_NEEDED;
    case SSL_ERROR_WANT_X509_LOOKUP:
        return SEC_I_INCOMPLETE_CREDENTIALS;
    default:
        return connection_failure(connection, "the TLS handshake failed");
    }
}

/* What the caller shows again of bytes that libssl has taken is passed over. True when something was waiting. */
static bool taken_skip(struct connection *connection, struct slice *input)
{
    struct slice taken = connection->taken;
    if (taken.len > 0 && input->len >= taken.len && memcmp(input->data, taken.data, taken.len) == 0)
        *input = slice_of(input->data + taken.len, input->len - taken.len);
    connection_forget(connection);
    return taken.len > 0;
}

/* TLS 1.2: HelloRequest and ClientHello begin a handshake when they are read as any other record is; there is no text in them. In datagrams these may
 * also be a flight that the peer sent again, since it has not seen our last one, which libssl then repeats (RFC 6347 4.2.4), or anybody's: the
 * session stays what it is. */
static SECURITY_STATUS renegotiation_read(struct connection *connection, struct slice *input)
{
    uint8_t none[1];
    size_t none_len = 0;
    struct record record;
    while (!SSL_in_init(connection->ssl) && record_look(*input, connection->datagram, &record) == WIRE_OK &&
           record_of_flight(&record, connection->datagram)) {
        if (connection->datagram &&
            (SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) != 0) { /* nothing is repeated any more */
            *input = slice_of(input->data + record.len, input->len - record.len);
            continue;
        }
        try(connection_length_check(connection, &record));
        const struct session_identity before = connection->identity;
        connection_errors_forget();
        connection->identity = (struct session_identity){0};
        ends_give(&connection->ends, slice_of(input->data, record.len), record.len);
        int result = SSL_read_ex(connection->ssl, none, sizeof none, &none_len);
        *input = slice_of(input->data + record.len, input->len - record.len);
        int error = SSL_get_error(connection->ssl, result);
        require(result != 1 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_X509_LOOKUP),
                connection_failure(connection, "the renegotiation failed"));
        if (SSL_in_init(connection->ssl))
            secret_release(&connection->app_data);
        else
            connection->identity = before;
    }
    return SEC_E_OK;
}

static bool is_data(const struct connection *connection, const struct record *record)
{
    return record->type == RECORD_APPLICATION_DATA && (!connection->datagram || record->is_protected);
}

/* How many bytes of `input` are whole records before the first of application data, which is for DecryptMessage: libssl's handshake ends for it. */
static size_t flight_len(const struct connection *connection, struct slice input)
{
    size_t len = 0;
    struct record record;
    while (record_look(slice_of(input.data + len, input.len - len), connection->datagram, &record) == WIRE_OK &&
           !is_data(connection, &record))
        len += record.len;
    return len;
}

/* Anybody may have sent a datagram: a program that ends for a failure would end for it, and one that comes again with what is left would for ever. */
static void data_pass_over(const struct connection *connection, struct slice *input)
{
    struct record record;
    while (record_look(*input, connection->datagram, &record) == WIRE_OK && is_data(connection, &record))
        *input = slice_of(input->data + record.len, input->len - record.len);
}

static SECURITY_STATUS open_step_1_2(struct connection *connection, struct slice input, bool waited,
                                     struct step_out *out)
{
    size_t given = input.len;
    struct record record;
    try(renegotiation_read(connection, &input));
    out->extra = input.len;
    if (!SSL_in_init(connection->ssl))
        return SEC_E_OK;
    if (connection->datagram && !waited && input.len == given)
        data_pass_over(connection, &input);
    size_t len = flight_len(connection, input);
    /* A loop that came again with the same bytes would do so for ever. */
    bool taken = waited || len > 0 || input.len < given;
    require(taken || record_look(input, connection->datagram, &record) != WIRE_OK,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "application data amid a renegotiation: it is for DecryptMessage"));
    SECURITY_STATUS status = handshake_run(connection, slice_of(input.data, len), out);
    out->extra += input.len - len;
    return status;
}

/* On an open connection: the rest of what DecryptMessage answered SEC_I_RENEGOTIATE for. */
static SECURITY_STATUS open_step(struct connection *connection, struct slice input, bool waited, struct step_out *out)
{
    SSL *ssl = connection->ssl;
    if (SSL_version(ssl) == TLS1_3_VERSION) {
        if (SSL_get_key_update_type(ssl) != SSL_KEY_UPDATE_NONE)
            require(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1,
                    connection_failure(connection, "the keys cannot be changed"));
        if (SSL_in_init(ssl)) {
            bool keys = SSL_get_key_update_type(ssl) != SSL_KEY_UPDATE_NONE;
            SECURITY_STATUS status = handshake_run(connection, keys ? NOTHING : input, out);
            out->extra = keys ? input.len : out->extra;
            if (keys && status == SEC_E_OK)
                connection_keys_updated(connection);
            return status;
        }
        out->extra = input.len;
        require(waited || connection->pending.len > 0,
                cause_set(SEC_E_OUT_OF_SEQUENCE, "nothing is being negotiated: these records are for DecryptMessage"));
        return connection_names(connection); /* the record may have held a client's whole answer */
    }
    return open_step_1_2(connection, input, waited, out);
}

static SECURITY_STATUS wish_renegotiate(struct connection *connection, struct step_out *out)
{
    SSL *ssl = connection->ssl;
    int asked;
    if (SSL_version(ssl) != TLS1_3_VERSION) {
        require(SSL_get_secure_renegotiation_support(ssl) == 1,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the peer knows no secure renegotiation"));
        connection_identity_anew(connection);
        asked = SSL_renegotiate(ssl);
    } else if (!connection->initiator && (connection->flags_now & ASC_REQ_MUTUAL_AUTH) != 0) {
        try(connection_ask_certificate(connection, SSL_VERIFY_POST_HANDSHAKE));
        connection_identity_anew(connection);
        asked = SSL_verify_client_post_handshake(ssl);
        require(asked == 1,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client does not authenticate after the handshake"));
    } else
        asked = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
    require(asked == 1, connection_failure(connection, "a renegotiation cannot begin"));
    if (!connection->initiator && (connection->flags_now & ASC_REQ_MUTUAL_AUTH) != 0 &&
        SSL_version(ssl) != TLS1_3_VERSION)
        try(connection_ask_certificate(connection, 0));
    bool keys = SSL_get_key_update_type(ssl) != SSL_KEY_UPDATE_NONE;
    SECURITY_STATUS status = handshake_run(connection, NOTHING, out);
    if (keys && status == SEC_E_OK)
        connection_keys_updated(connection);
    /* TLS 1.3's messages are whole with this token; the answers come as records for DecryptMessage. */
    return status == SEC_I_CONTINUE_NEEDED && SSL_version(ssl) == TLS1_3_VERSION ? SEC_E_OK : status;
}

static SECURITY_STATUS wish_shutdown(struct connection *connection)
{
    if (SSL_in_init(connection->ssl)) { /* libssl closes no connection that is not open */
        try(connection_alert(connection, TLS1_ALERT_WARNING, TLS1_ALERT_CLOSE_NOTIFY));
        SSL_set_shutdown(connection->ssl, SSL_SENT_SHUTDOWN);
        return SEC_E_OK;
    }
    if ((SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return SEC_E_OK;
    connection_errors_forget();
    require(SSL_shutdown(connection->ssl) >= 0, connection_failure(connection, "close_notify cannot be sent"));
    return SEC_E_OK;
}

static SECURITY_STATUS wish_step(struct connection *connection, const struct step_in *in, struct step_out *out)
{
    enum connection_wish wish = connection->wish;
    connection->wish = WISH_NONE;
    out->extra = in->token.len; /* whatever the caller gave is not looked at */
    switch (wish) {
    case WISH_SHUTDOWN:
        return wish_shutdown(connection);
    case WISH_ALERT:
        return connection_alert(connection, connection->alert_level, connection->alert_number);
    default:
        require(connection->state == CONNECTION_OPEN,
                cause_set(SEC_E_OUT_OF_SEQUENCE, "only an open connection can be renegotiated"));
        SECURITY_STATUS status = wish_renegotiate(connection, out);
        out->extra = in->token.len;
        return status;
    }
}

/* What a step answers that was given nothing to go on with. */
static SECURITY_STATUS nothing_came(const struct connection *connection)
{
    bool waits = connection->state == CONNECTION_HANDSHAKE || SSL_in_init(connection->ssl) == 1;
    return waits ? SEC_I_CONTINUE_NEEDED : SEC_E_OK;
}

/* Nothing came in time: the last flight goes out again (RFC 6347 4.2.4). */
static SECURITY_STATUS datagram_repeat(struct connection *connection)
{
    struct timeval *resend_time = connection->ends.resend_time;
    connection_errors_forget();
    ends_give(&connection->ends, NOTHING, 0);
    if (resend_time != NULL && resend_time->tv_sec != 0) /* it runs: it has run out */
        *resend_time = (struct timeval){.tv_sec = 1};
    require(DTLSv1_handle_timeout(connection->ssl) >= 0,
            connection_failure(connection, "the flight was sent too often"));
    return nothing_came(connection);
}

static SECURITY_STATUS step_run(struct connection *connection, bool first, const struct step_in *in,
                                struct step_out *out)
{
    struct slice input = in->token;
    struct record record;
    if (connection->state == CONNECTION_HANDSHAKE)
        try(connection_peer_take(connection, in->peer));
    if (first && connection->initiator)
        return handshake_run(connection, NOTHING, out);
    bool renewed = connection->certificate_wanted;
    bool waited = taken_skip(connection, &input) || renewed;
    waited = waited || (connection->state != CONNECTION_HANDSHAKE && connection->pending.len > 0);
    if (connection->datagram && input.len == 0 && !waited)
        return datagram_repeat(connection);
    if (!waited) {
        enum wire_result looked = record_look(input, connection->datagram, &record);
        /* Anybody can send a datagram, and the rest of one never comes: what is no record is passed over (RFC 6347 4.1.2.7). */
        if (looked != WIRE_OK && connection->datagram && !first)
            return nothing_came(connection);
        if (looked == WIRE_SHORT)
            return step_incomplete(out, record.missing);
        if (looked == WIRE_BAD ||
            (first && connection->datagram && datagram_is_strangers(connection->ssl, input, &record)))
            return input_refuse(connection); /* a server does not begin with that */
    }
    connection->certificate_wanted = false;
    SECURITY_STATUS status = connection->state == CONNECTION_HANDSHAKE ? handshake_run(connection, input, out)
                                                                       : open_step(connection, input, waited, out);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS)
        try(connection_remember(connection, slice_of(in->token.data, in->token.len - out->extra)));
    return status;
}

static SECURITY_STATUS step_locked(struct connection *connection, const struct step_in *in, struct step_out *out)
{
    bool first = connection->state == CONNECTION_HANDSHAKE && SSL_in_before(connection->ssl);
    if (connection->state == CONNECTION_FAILED)
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "this TLS connection failed before");
    if (connection->wish != WISH_NONE)
        return wish_step(connection, in, out);
    if (connection->fragments) { /* the rest of a flight; what was to be answered then is answered with its end */
        out->extra = in->token.len;
        connection->fragments = false;
        return connection->fragments_status;
    }
    if (!first && !in->given && !connection->datagram && !connection->certificate_wanted &&
        connection->pending.len == 0)
        return step_incomplete(out, 0);
    return step_run(connection, first, in, out);
}

/* How many bytes of `flight` are whole records that fit one datagram; at least one record. */
static size_t datagram_len(struct slice flight, size_t mtu)
{
    size_t len = 0;
    struct record record;
    while (record_look(slice_of(flight.data + len, flight.len - len), true, &record) == WIRE_OK &&
           (len == 0 || len + record.len <= mtu))
        len += record.len;
    return len > 0 ? len : flight.len;
}

/* What was written goes out: all of it, or, of a longer DTLS flight, one datagram. */
static SECURITY_STATUS token_give(struct connection *connection, SECURITY_STATUS status, struct step_out *out)
{
    struct writer *pending = &connection->pending;
    require(writer_finish(pending) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    size_t len = pending->len;
    if (connection->datagram && status >= 0 && len > connection->mtu)
        len = datagram_len(writer_slice_of(pending), connection->mtu);
    if (len == pending->len && out->token.data == NULL && out->token.growing) { /* as it is */
        struct writer unused = out->token;
        out->token = *pending;
        *pending = unused;
        return status;
    }
    writer_bytes(&out->token, pending->data, len);
    require(writer_finish(&out->token) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    size_t left = pending->len - len;
    if (left > 0)
        memmove(pending->data, pending->data + len, left);
    pending->len = left;
    if (left == 0)
        return status;
    connection->fragments = true;
    connection->fragments_status = status;
    return SEC_I_MESSAGE_FRAGMENT;
}

static void credential_change(struct connection *connection, struct tls_credential *credential)
{
    if (connection->credential == credential)
        return;
    connection->credential_changed = true;
    tls_credential_put(connection->credential);
    connection->credential = tls_credential_retain(credential);
}

SECURITY_STATUS connection_step(struct connection *connection, struct tls_credential *credential,
                                const struct step_in *in, struct step_out *out)
{
    pthread_mutex_lock(&connection->lock);
    connection->may_send = false;
    bool first = connection->state == CONNECTION_HANDSHAKE && SSL_in_before(connection->ssl);
    credential_change(connection, credential);
    connection->flags_now = in->flags_now;
    SECURITY_STATUS status = step_locked(connection, in, out);
    connection->ends.in = NOTHING;
    if (status != SEC_E_INCOMPLETE_MESSAGE) {
        SECURITY_STATUS given = token_give(connection, status, out);
        out->alert = status < 0;
        status = status < 0 ? status : given;
    }
    /* A flight that ends the handshake hands the session over with its last piece. */
    if (out->stream != NULL && status == SEC_I_MESSAGE_FRAGMENT) {
        connection->session_held = STEAL(out->stream);
    } else if (status == SEC_E_OK && connection->session_held != NULL)
        out->stream = STEAL(connection->session_held);
    out->granted = connection->granted;
    out->expiry = first ? 0 : connection->expiry; /* Windows tells none with the first flight */
    connection_errors_forget();
    pthread_mutex_unlock(&connection->lock);
    return status;
}
