#include "base/reader.h"
#include "base/writer.h"
#include "core/cause.h"
#include "crypto/random.h"
#include "schannel/connection.h"
#include <string.h>
#include <time.h>

#define NOTE_LEN (SESSION_IDENTITY_LEN + FINGERPRINT_LEN + 1 + 4) /* without the client's chain */
/* Bytes of a client's certificates: with more its ClientHello would become larger than what resuming saves. */
#define CLIENT_CHAIN_MAX 8192

/* Which session a connection is of, so that what a program keeps with a session (SECPKG_ATTR_APP_DATA) is found by the connections that resume it. A
 * client keeps the identity with the session in its cache, a server inside the ticket, where nobody else reads or alters it. */

const uint8_t *connection_identity(struct connection *connection)
{
    if (connection->identity.has_offered && SSL_session_reused(connection->ssl) == 1)
        return connection->offered.identity;
    if (!connection->identity.has_own)
        connection->identity.has_own = random_bytes(connection->identity.own, sizeof connection->identity.own);
    return connection->identity.has_own ? connection->identity.own : NULL;
}

void connection_identity_anew(struct connection *connection)
{
    connection->identity.has_own = connection->identity.has_offered = false;
    secret_release(&connection->app_data);
}

/* libssl chooses among a client's certificates when it is asked, and sends none where the server takes no signature by any: then there is no
 * signature. */
static bool has_signed(const struct connection *connection)
{
    int kind;
    return SSL_get_signature_type_nid(connection->ssl, &kind) == 1;
}

X509 *connection_own(const struct connection *connection, STACK_OF(X509) * *issuers)
{
    SSL *ssl = connection->ssl;
    const struct shown *offered = &connection->offered.own;
    bool resumed = SSL_session_reused(ssl) == 1;
    bool asked = connection->certificate_asked || (resumed && connection->asked_before);
    bool here = !connection->initiator || (asked && has_signed(connection));
    /* Without a full handshake libssl has chosen none: what it would tell is the last one that it was given. */
    bool before = resumed && !asked && offered->x509 != NULL;
    STACK_OF(X509) *of_handshake = NULL;
    if (!before && !here)
        return NULL;
    if (!before)
        (void)SSL_get0_chain_certs(ssl, &of_handshake);
    if (issuers != NULL)
        *issuers = before ? offered->issuers : of_handshake;
    return before ? offered->x509 : SSL_get_certificate(ssl);
}

STACK_OF(X509) * connection_peer_issuers(const struct connection *connection)
{
    STACK_OF(X509) *issuers = SSL_get_peer_cert_chain(connection->ssl);
    if (issuers == NULL && !connection->initiator && SSL_session_reused(connection->ssl) == 1)
        return connection->offered_issuers; /* libssl's tickets have the client's own certificate alone */
    return issuers;
}

/* Is the client's chain short enough for a ticket? */
static bool chain_fits(const struct connection *connection)
{
    STACK_OF(X509) *issuers = connection_peer_issuers(connection);
    size_t len = 0;
    if (sk_X509_num(issuers) <= 0)
        return true;
    for (int i = -1; i < sk_X509_num(issuers); i++) {
        const X509 *x509 = i < 0 ? SSL_get0_peer_certificate(connection->ssl) : sk_X509_value(issuers, i);
        int one = x509 != NULL ? i2d_X509(x509, NULL) : 0;
        len += one > 0 ? (size_t)one : 0;
    }
    return len <= CLIENT_CHAIN_MAX;
}

static bool issuers_write(STACK_OF(X509) * issuers, struct writer *note)
{
    for (int i = 0; i < sk_X509_num(issuers); i++) {
        int len = i2d_X509(sk_X509_value(issuers, i), NULL);
        if (len <= 0 || len > CLIENT_CHAIN_MAX)
            return false;
        writer_u16be(note, (uint16_t)len);
        unsigned char *to = writer_room(note, (size_t)len);
        if (to == NULL || i2d_X509(sk_X509_value(issuers, i), &to) != len)
            return false;
    }
    return true;
}

/* What a ticket says besides libssl's session: the session's identity, which certificate the server showed, how the client's was judged, and its
 * issuers. */
static bool note_write(struct connection *connection, struct writer *note)
{
    static const uint8_t unknown[FINGERPRINT_LEN]; /* no server has it */
    const struct tls_credential *credential = connection->credential;
    const uint8_t *identity = connection_identity(connection), *fingerprint = unknown;
    const X509 *own = connection_own(connection, NULL);
    if (identity == NULL)
        return false;
    for (unsigned i = 0; i < credential->n_certificates; i++)
        if (credential->certificate[i].x509 == own)
            fingerprint = credential->certificate[i].fingerprint;
    bool validated = connection_is_validated(connection);
    writer_bytes(note, identity, SESSION_IDENTITY_LEN);
    writer_bytes(note, fingerprint, FINGERPRINT_LEN);
    writer_u8(note, validated ? 1 : 0);
    writer_u32be(note, validated ? connection->chain_errors : 0);
    return issuers_write(connection_peer_issuers(connection), note) && writer_finish(note) == WIRE_OK;
}

static bool issuers_read(struct connection *connection, struct reader *reader)
{
    sk_X509_pop_free(connection->offered_issuers, X509_free);
    connection->offered_issuers = NULL;
    while (reader_left(reader) > 0) {
        uint16_t len;
        struct slice der;
        if (reader_u16be(reader, &len) != WIRE_OK || reader_bytes(reader, len, &der) != WIRE_OK)
            return false;
        if (connection->offered_issuers == NULL)
            connection->offered_issuers = sk_X509_new_null();
        const unsigned char *at = der.data;
        X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
        if (x509 == NULL || sk_X509_push(connection->offered_issuers, x509) <= 0) {
            X509_free(x509);
            return false;
        }
    }
    return true;
}

static bool own_read(struct connection *connection, struct slice fingerprint)
{
    const struct tls_credential *credential = connection->credential;
    for (unsigned i = 0; i < credential->n_certificates; i++) {
        const struct tls_certificate *shown = &credential->certificate[i];
        if (memcmp(shown->fingerprint, fingerprint.data, FINGERPRINT_LEN) == 0)
            return shown_take(&connection->offered.own, shown->x509, shown->issuers);
    }
    return false;
}

/* False for a session that cannot be told of as it was: of a certificate that this server has not, or a ticket of another form; or there is no
 * memory. */
static bool note_read(struct connection *connection, struct slice note)
{
    struct reader reader = reader_of(note);
    struct slice identity, fingerprint;
    uint8_t validated;
    uint32_t errors;
    if (reader_bytes(&reader, SESSION_IDENTITY_LEN, &identity) != WIRE_OK ||
        reader_bytes(&reader, FINGERPRINT_LEN, &fingerprint) != WIRE_OK || reader_u8(&reader, &validated) != WIRE_OK ||
        reader_u32be(&reader, &errors) != WIRE_OK)
        return false;
    connection->offered.validated = validated == 1;
    connection->offered.chain_errors = errors;
    memcpy(connection->offered.identity, identity.data, SESSION_IDENTITY_LEN);
    connection->identity.has_offered = own_read(connection, fingerprint) && issuers_read(connection, &reader);
    return connection->identity.has_offered;
}

/* A ticket is about to be written. TLS 1.3's libssl counts a session anew from each ticket; here it counts from its full handshake. */
static int ticket_mark(SSL *ssl, void *unused)
{
    static const unsigned char nobodys[] = "OpenSSPI, nobody's";
    struct connection *connection = connection_of(ssl);
    uint8_t room[NOTE_LEN];
    AUTO_WRITER struct writer note = writer_lent(room, sizeof room);
    SSL_SESSION *session = SSL_get_session(ssl);
    (void)unused;
    if (SSL_session_reused(ssl) == 1)
        (void)SSL_SESSION_set_time(session, (long)connection->offered_time);
    /* What began with another credential was admitted by other rules than the SSL_CTX's, and a chain that was left out would be missed: no server
     * resumes it. */
    if (connection->credential_changed || !chain_fits(connection))
        return SSL_SESSION_set1_id_context(session, nobodys, sizeof nobodys - 1);
    if (SSL_get0_peer_certificate(ssl) != NULL && !connection_session_asked(connection, session))
        return 0;
    return note_write(connection, &note) && SSL_SESSION_set1_ticket_appdata(session, note.data, note.len);
}

/* A ticket has come. Whether it is used depends on what libssl checks later; the answers are what libssl does without this callback. */
static SSL_TICKET_RETURN ticket_read(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                     SSL_TICKET_STATUS status, void *unused)
{
    struct connection *connection = connection_of(ssl);
    void *note = NULL;
    size_t len = 0;
    (void)name, (void)name_len, (void)unused;
    connection->identity.has_offered = false;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    connection->offered_time = (time_t)SSL_SESSION_get_time(session);
    if (time(NULL) - connection->offered_time > (time_t)SSL_CTX_get_timeout(SSL_get_SSL_CTX(ssl)))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (SSL_SESSION_get0_ticket_appdata(session, &note, &len) != 1 || !note_read(connection, slice_of(note, len)))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

bool connection_tickets_marked(SSL_CTX *ctx)
{
    return SSL_CTX_set_session_ticket_cb(ctx, ticket_mark, ticket_read, NULL) == 1;
}

SECURITY_STATUS connection_app_data_set(struct connection *connection, const SecPkgContext_SessionAppData *given)
{
    require(
        connection->state == CONNECTION_OPEN,
        cause_set(SEC_E_OUT_OF_SEQUENCE, "a session takes data once its handshake has ended, and until it is closed"));
    require(given->dwFlags == 0,
            cause_set(SEC_E_INVALID_TOKEN, "session data with flags 0x%x", (unsigned)given->dwFlags));
    require(given->cbAppData <= APP_DATA_MAX && (given->cbAppData == 0 || given->pbAppData != NULL),
            cause_set(SEC_E_INVALID_TOKEN, "session data of %u bytes; up to %d are kept", (unsigned)given->cbAppData,
                      APP_DATA_MAX));
    const uint8_t *identity = connection_identity(connection);
    const struct slice data = slice_of(given->pbAppData, given->cbAppData);
    require(identity != NULL, cause_set(SEC_E_INTERNAL_ERROR, "no randomness for a session's identity"));
    struct secret copy = {0};
    require(secret_set(&copy, data.data, data.len), SEC_E_INSUFFICIENT_MEMORY);
    if (!app_data_put(&connection->credential->app_data, identity, data)) {
        secret_release(&copy);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    secret_release(&connection->app_data);
    connection->app_data = copy;
    return SEC_E_OK;
}

/* What another connection of the session gave it last, or this one, when the table has let go of it. */
SECURITY_STATUS connection_app_data(struct connection *connection, struct attribute *value)
{
    const uint8_t *identity = connection_identity(connection);
    if (identity != NULL)
        (void)app_data_get(&connection->credential->app_data, identity, &connection->app_data);
    require(!cause_is_memory(), SEC_E_INSUFFICIENT_MEMORY); /* what is here may not be what the session has */
    require(identity != NULL, cause_set(SEC_E_INTERNAL_ERROR, "no randomness for a session's identity"));
    value->bytes = secret_slice(&connection->app_data);
    return SEC_E_OK;
}
