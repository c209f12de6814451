#include "base/reader.h"
#include "core/cause.h"
#include "schannel/connection.h"

/* ApplyControlToken: remembers what the next step is to do. Tokens are structures of DWORDs (schannel.h). */

static SECURITY_STATUS alert_wish(struct connection *connection, struct reader *reader)
{
    uint32_t level, number;
    require(reader_u32le(reader, &level) == WIRE_OK && reader_u32le(reader, &number) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a SCHANNEL_ALERT token of another size"));
    require((level == TLS1_ALERT_WARNING || level == TLS1_ALERT_FATAL) && number <= UINT8_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an alert of level %u with number %u", (unsigned)level, (unsigned)number));
    connection->wish = WISH_ALERT;
    connection->alert_level = (uint8_t)level;
    connection->alert_number = (uint8_t)number;
    return SEC_E_OK;
}

static SECURITY_STATUS session_wish(struct connection *connection, struct reader *reader)
{
    uint32_t flags;
    require(reader_u32le(reader, &flags) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a SCHANNEL_SESSION token of another size"));
    require(flags == SSL_SESSION_ENABLE_RECONNECTS || flags == SSL_SESSION_DISABLE_RECONNECTS,
            cause_set(SEC_E_INVALID_TOKEN, "a SCHANNEL_SESSION token with flags 0x%x", (unsigned)flags));
    connection->no_reconnect = connection->initiator && flags == SSL_SESSION_DISABLE_RECONNECTS;
    require(connection->no_reconnect || flags == SSL_SESSION_ENABLE_RECONNECTS,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a server's sessions are in the tickets that its clients have; "
                                                  "SCH_CRED_DISABLE_RECONNECTS gives none"));
    if (connection->no_reconnect && connection->target != NULL)
        session_cache_forget(connection->target);
    return SEC_E_OK;
}

static SECURITY_STATUS control_locked(struct connection *connection, struct slice token)
{
    struct reader reader = reader_of(token);
    uint32_t type;
    require(reader_u32le(&reader, &type) == WIRE_OK,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a control token of %zu bytes", token.len));
    require(connection->state != CONNECTION_FAILED,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this TLS connection failed before"));
    switch (type) {
    case SCHANNEL_SHUTDOWN:
        connection->wish = WISH_SHUTDOWN;
        return SEC_E_OK;
    case SCHANNEL_RENEGOTIATE:
        require(connection->state == CONNECTION_OPEN,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "only an open connection can be renegotiated"));
        connection->wish = WISH_RENEGOTIATE;
        return SEC_E_OK;
    case SCHANNEL_ALERT:
        return alert_wish(connection, &reader);
    case SCHANNEL_SESSION:
        return session_wish(connection, &reader);
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a control token of type %u", (unsigned)type);
    }
}

SECURITY_STATUS schannel_control(void *handshake, struct slice token)
{
    struct connection *connection = handshake;
    pthread_mutex_lock(&connection->lock);
    SECURITY_STATUS status = control_locked(connection, token);
    pthread_mutex_unlock(&connection->lock);
    return status;
}
