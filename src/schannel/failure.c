#include "schannel/connection.h"

#include "base/memory.h"
#include "certificates/kept_key.h"
#include "core/cause.h"
#include <openssl/err.h>

/* What libssl's errors and the peer's alerts mean (Microsoft, "Schannel Error Codes for TLS and SSL Alerts"). */

static const struct alert_meaning {
    int number;
    SECURITY_STATUS theirs, ours; /* the peer sent it; we did */
    const char *words;
} meanings[] = {
    {TLS1_ALERT_CLOSE_NOTIFY, SEC_E_ILLEGAL_MESSAGE, SEC_E_ILLEGAL_MESSAGE, "close_notify"},
    {TLS1_ALERT_UNEXPECTED_MESSAGE, SEC_E_ILLEGAL_MESSAGE, SEC_E_ILLEGAL_MESSAGE, "unexpected_message"},
    {TLS1_ALERT_BAD_RECORD_MAC, SEC_E_MESSAGE_ALTERED, SEC_E_MESSAGE_ALTERED, "bad_record_mac"},
    {TLS1_ALERT_DECRYPTION_FAILED, SEC_E_DECRYPT_FAILURE, SEC_E_DECRYPT_FAILURE, "decryption_failed"},
    {TLS1_ALERT_RECORD_OVERFLOW, SEC_E_ILLEGAL_MESSAGE, SEC_E_ILLEGAL_MESSAGE, "record_overflow"},
    {TLS1_ALERT_DECOMPRESSION_FAIL, SEC_E_MESSAGE_ALTERED, SEC_E_MESSAGE_ALTERED, "decompression_failure"},
    {TLS1_ALERT_HANDSHAKE_FAILURE, SEC_E_ILLEGAL_MESSAGE, SEC_E_ALGORITHM_MISMATCH, "handshake_failure"},
    {TLS1_ALERT_BAD_CERTIFICATE, SEC_E_CERT_UNKNOWN, SEC_E_CERT_UNKNOWN, "bad_certificate"},
    {TLS1_ALERT_UNSUPPORTED_CERT, SEC_E_CERT_UNKNOWN, SEC_E_CERT_UNKNOWN, "unsupported_certificate"},
    {TLS1_ALERT_CERTIFICATE_REVOKED, CRYPT_E_REVOKED, CRYPT_E_REVOKED, "certificate_revoked"},
    {TLS1_ALERT_CERTIFICATE_EXPIRED, SEC_E_CERT_EXPIRED, SEC_E_CERT_EXPIRED, "certificate_expired"},
    {TLS1_ALERT_CERTIFICATE_UNKNOWN, SEC_E_CERT_UNKNOWN, SEC_E_CERT_UNKNOWN, "certificate_unknown"},
    {TLS1_ALERT_ILLEGAL_PARAMETER, SEC_E_ILLEGAL_MESSAGE, SEC_E_ILLEGAL_MESSAGE, "illegal_parameter"},
    {TLS1_ALERT_UNKNOWN_CA, SEC_E_UNTRUSTED_ROOT, SEC_E_UNTRUSTED_ROOT, "unknown_ca"},
    {TLS1_ALERT_ACCESS_DENIED, SEC_E_LOGON_DENIED, SEC_E_LOGON_DENIED, "access_denied"},
    {TLS1_ALERT_DECODE_ERROR, SEC_E_ILLEGAL_MESSAGE, SEC_E_ILLEGAL_MESSAGE, "decode_error"},
    {TLS1_ALERT_DECRYPT_ERROR, SEC_E_DECRYPT_FAILURE, SEC_E_DECRYPT_FAILURE, "decrypt_error"},
    {TLS1_ALERT_PROTOCOL_VERSION, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_ALGORITHM_MISMATCH, "protocol_version"},
    {TLS1_ALERT_INSUFFIENT_SECURITY, SEC_E_ALGORITHM_MISMATCH, SEC_E_ALGORITHM_MISMATCH, "insufficient_security"},
    {TLS1_ALERT_INTERNAL_ERROR, SEC_E_INTERNAL_ERROR, SEC_E_INTERNAL_ERROR, "internal_error"},
    {SSL_AD_INAPPROPRIATE_FALLBACK, SEC_E_ILLEGAL_MESSAGE, SEC_E_ALGORITHM_MISMATCH, "inappropriate_fallback"},
    {TLS1_ALERT_NO_APP_PROTOCOL, SEC_E_APPLICATION_PROTOCOL_MISMATCH, SEC_E_APPLICATION_PROTOCOL_MISMATCH,
     "no_application_protocol"},
    {SSL_AD_CERTIFICATE_REQUIRED, SEC_E_NO_CREDENTIALS, SEC_E_NO_CREDENTIALS, "certificate_required"},
};

static const struct alert_meaning *meaning_of(int number)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (meanings[i].number == number)
            return &meanings[i];
    return NULL;
}

static SECURITY_STATUS status_of_error(const struct connection *connection, unsigned long error)
{
    int reason = ERR_GET_REASON(error);
    if (reason == ERR_R_MALLOC_FAILURE)
        return SEC_E_INSUFFICIENT_MEMORY;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return SEC_E_NO_CREDENTIALS;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_NO_RENEGOTIATION) /* libssl's alert says something else */
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (connection->ends.read_short && connection->alert_sent == TLS1_ALERT_INTERNAL_ERROR)
        return SEC_E_MESSAGE_ALTERED;
    const struct alert_meaning *meaning = meaning_of(connection->alert_sent);
    return meaning != NULL ? meaning->ours : SEC_E_ILLEGAL_MESSAGE;
}

void connection_errors_forget(void)
{
    kept_key_failure_forget();
    if (ERR_peek_error() != 0) /* looking takes less time than emptying */
        ERR_clear_error();
}

/* What helps whoever reads that the two sides have no version in common. */
static const char *version_hint(const struct connection *connection, int alert)
{
    return alert == TLS1_ALERT_PROTOCOL_VERSION && connection->credential->below_tls13
               ? "; this credential ends at TLS 1.2, as a SCHANNEL_CRED without grbitEnabledProtocols does: for TLS "
                 "1.3 it takes "
                 "SCH_CREDENTIALS, or SP_PROT_TLS1_3_CLIENT or _SERVER by name"
               : "";
}

static SECURITY_STATUS failure_of(struct connection *connection, unsigned long error, const char *what)
{
    const char *reason = ERR_reason_error_string(error);
    SECURITY_STATUS status;
    connection->state = CONNECTION_FAILED;
    connection->may_send = false;
    if (connection->verdict != SEC_E_OK) /* its cause was set where it was found */
        status = connection->verdict;
    else if (connection->alert_received >= 0) {
        const struct alert_meaning *meaning = meaning_of(connection->alert_received);
        status = cause_set(meaning != NULL ? meaning->theirs : SEC_E_ILLEGAL_MESSAGE,
                           "%s: the peer sent the alert %s (%d)%s", what, meaning != NULL ? meaning->words : "",
                           connection->alert_received, version_hint(connection, connection->alert_received));
    } else if (kept_key_failure() != SEC_E_OK) /* and so was this one's */
        status = kept_key_failure();
    else
        status = cause_set(status_of_error(connection, error), "%s: %s%s", what,
                           reason != NULL ? reason : "the connection cannot go on",
                           version_hint(connection, connection->alert_sent));
    ERR_clear_error();
    return status;
}

SECURITY_STATUS connection_length_check(struct connection *connection, const struct record *record)
{
    if (connection->datagram || SSL_version(connection->ssl) == TLS1_3_VERSION ||
        record->body_len >= connection->suite.body_min)
        return SEC_E_OK;
    connection->ends.read_short = true;
    if (connection_alert(connection, TLS1_ALERT_FATAL, TLS1_ALERT_BAD_RECORD_MAC) != SEC_E_OK) {
        cause_drop(); /* libssl's own alert, then */
        return SEC_E_OK;
    }
    connection->may_send = false;
    return cause_set(SEC_E_MESSAGE_ALTERED, "a record of %zu bytes, which is too short to have been encrypted",
                     record->body_len);
}

SECURITY_STATUS connection_failure(struct connection *connection, const char *what)
{
    return failure_of(connection, ERR_peek_error(), what);
}

SECURITY_STATUS connection_message_failure(struct connection *connection, const char *what)
{
    return failure_of(connection, ERR_peek_last_error(), what);
}
