#include "schannel/connection.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/time.h"
#include "core/cause.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <string.h>

#define DTLS_MTU_DEFAULT 1200 /* fits every path that carries IPv6, with its headers */
/* The caller's clock decides when a flight is sent again: libssl's never runs out, or early where nobody else can make it run out (bio.h). */
#define DTLS_TIMEOUT_NEVER_US 3600000000u
#define DTLS_TIMEOUT_US 400000u
#define SNI_MAX 255

static atomic_int connection_index = -1;

struct connection *connection_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, connection_index);
}

/* RFC 7301: the server's list decides. */
static int alpn_select(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len, const unsigned char *offered,
                       unsigned int offered_len, void *unused)
{
    struct connection *connection = connection_of(ssl);
    (void)unused;
    if (connection->protocols.len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    unsigned char *found;
    if (SSL_select_next_proto(&found, chosen_len, connection->protocols.data, (unsigned)connection->protocols.len,
                              offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool certificate_default(struct connection *connection, SSL *ssl)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    if (certificate_default_client(SSL_get0_peer_CA_list(ssl), &certificate) != SEC_E_OK) {
        cause_drop();
        return false;
    }
    EVP_PKEY *key = certificate_key(certificate);
    STACK_OF(X509) *issuers = NULL;
    bool root = (connection->credential->flags & SCH_SEND_ROOT_CERT) != 0;
    bool used = key != NULL && certificate_issuers(certificate, root, &issuers) == SEC_E_OK &&
                SSL_use_cert_and_key(ssl, certificate_x509(certificate), key, issuers, 1) == 1;
    EVP_PKEY_free(key);
    sk_X509_pop_free(issuers, X509_free);
    return used;
}

/* A client whose server asks for a certificate: the credential's, the default one, none if the caller said so; else the caller is asked. */
static int client_certificate(struct connection *connection, SSL *ssl)
{
    bool found = false;
    if (connection->credential->n_certificates > 0)
        found = tls_certificates_use(connection->credential, ssl, NULL);
    else if ((connection->credential->flags & SCH_CRED_USE_DEFAULT_CREDS) != 0 && !connection->credential->of_client)
        found = certificate_default(connection, ssl);
    if (!found)
        SSL_certs_clear(ssl); /* the former credential's may be there */
    if (found || (connection->flags_now & ISC_REQ_USE_SUPPLIED_CREDS) != 0) {
        connection->certificate_asked = true;
        return 1;
    }
    connection->certificate_wanted = true;
    return -1;
}

/* SSL_CTX_set_cert_cb: the certificate to show, or the caller's being asked for one. */
static int certificate_choose(SSL *ssl, void *unused)
{
    struct connection *connection = connection_of(ssl);
    (void)unused;
    if (connection->initiator)
        return client_certificate(connection, ssl);
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    bool by_name = (connection->credential->flags & SCH_CRED_SNI_CREDENTIAL) != 0 && host != NULL;
    if (connection->credential->n_certificates > 1 && by_name &&
        !tls_certificates_use(connection->credential, ssl, host))
        (void)tls_certificates_use(connection->credential, ssl, NULL); /* a name of nobody's: the first */
    return 1;
}

bool connection_is_validated(struct connection *connection)
{
    bool offered = connection->initiator ? connection->offered_session != NULL : connection->identity.has_offered;
    if (offered && SSL_session_reused(connection->ssl) == 1) {
        connection->validated = connection->offered.validated;
        connection->chain_errors = connection->offered.chain_errors;
        if (connection->initiator)
            connection->since = connection->offered.since;
    }
    return connection->validated;
}

static int session_fresh(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = connection_of(ssl);
    /* What began with another credential was validated, or named the client, under other rules than this one's. */
    if (connection->credential->cache != NULL && connection->target != NULL && !connection->no_reconnect &&
        !connection->credential_changed) {
        struct session_origin origin = {.validated = connection_is_validated(connection)};
        origin.since = connection->since;
        origin.chain_errors = connection->chain_errors;
        origin.own.x509 = connection_own(connection, &origin.own.issuers); /* borrowed */
        const uint8_t *identity = connection_identity(connection);
        if (identity == NULL)
            return 0;
        memcpy(origin.identity, identity, sizeof origin.identity);
        session_cache_put(connection->credential->cache, connection->target, &origin, session);
    }
    return 0; /* the cache took a reference of its own */
}

void connection_keep_renewed(struct connection *connection)
{
    SSL_SESSION *session = SSL_get_session(connection->ssl);
    if (connection->initiator && connection->offered_session != NULL && SSL_session_reused(connection->ssl) == 1 &&
        session != connection->offered_session && SSL_version(connection->ssl) != TLS1_3_VERSION)
        (void)session_fresh(connection->ssl, session);
}

/* TLS 1.3 has one beginning; what follows later is answered in the same handshake. */
static void handshake_begins(struct connection *connection)
{
    bool resumed = SSL_session_reused(connection->ssl) == 1; /* in the handshake before */
    connection->asked_before = connection->certificate_asked || (resumed && connection->asked_before);
    connection->certificate_asked = false;
    if (connection->state == CONNECTION_HANDSHAKE || resumed)
        return;
    /* The session that was offered has been replaced: what a client resumes from now on is this connection's own, with its own verdict. */
    shown_release(&connection->offered.own);
    if (connection->initiator) {
        connection->offered_session = NULL;
        connection->identity.has_offered = false;
    }
}

/* The first handshake: libssl calls this for each of its states. */
static void alert_seen(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_HANDSHAKE_START) != 0)
        handshake_begins(connection_of(ssl));
    struct connection *connection = (where & SSL_CB_ALERT) != 0 ? connection_of(ssl) : NULL;
    int level = value >> 8, number = value & 0xff;
    if (connection == NULL)
        return;
    bool fatal = level == TLS1_ALERT_FATAL || (SSL_version(ssl) == TLS1_3_VERSION &&
                                               number != TLS1_ALERT_CLOSE_NOTIFY && number != TLS1_ALERT_USER_CANCELED);
    if (fatal && (where & SSL_CB_READ) != 0)
        connection->alert_received = number;
    else if (fatal)
        connection->alert_sent = number;
}

static void event_seen(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_LOOP) != 0)
        connection_of(ssl)->handshake_moved = true;
    alert_seen(ssl, where, value);
}

void connection_watch(struct connection *connection)
{
    SSL_set_info_callback(connection->ssl, event_seen);
}

/* RFC 6347 4.2.1: the cookie proves that the client receives at its address. The connection is there to remember its secret, so that no other needs
 * it. */
static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    struct connection *connection = connection_of(ssl);
    if (connection->cookie_secret_len == 0) {
        if (!random_bytes(connection->cookie_secret, sizeof connection->cookie_secret))
            return 0;
        connection->cookie_secret_len = sizeof connection->cookie_secret;
    }
    return HMAC(EVP_sha256(), connection->cookie_secret, (int)connection->cookie_secret_len, connection->peer_address,
                connection->peer_address_len, cookie, len) != NULL;
}

SECURITY_STATUS connection_peer_take(struct connection *connection, struct slice address)
{
    if (address.len == 0 || !connection->datagram || connection->initiator)
        return SEC_E_OK;
    uint8_t *copy = mem_dup(address.data, address.len);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    mem_free(connection->peer_address);
    connection->peer_address = copy;
    connection->peer_address_len = address.len;
    return SEC_E_OK;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    uint8_t expected[EVP_MAX_MD_SIZE];
    unsigned int expected_len = 0;
    return cookie_make(ssl, expected, &expected_len) == 1 && len == expected_len && secret_equal(cookie, expected, len);
}

static unsigned int timeout_is(SSL *ssl, unsigned int before_us)
{
    (void)ssl, (void)before_us;
    return bio_shows_resend_time() ? DTLS_TIMEOUT_NEVER_US : DTLS_TIMEOUT_US;
}

bool connection_callbacks(struct tls_credential *credential)
{
    SSL_CTX *ctx = credential->ctx;
    SSL_CTX_set_cert_verify_callback(ctx, connection_validate, NULL);
    SSL_CTX_set_cert_cb(ctx, certificate_choose, NULL);
    if (credential->server) {
        SSL_CTX_set_alpn_select_cb(ctx, alpn_select, NULL);
        if (!connection_tickets_marked(ctx))
            return false;
    } else {
        SSL_CTX_sess_set_new_cb(ctx, session_fresh);
        SSL_CTX_set_post_handshake_auth(ctx, 1);
    }
    if (credential->server && credential->datagram) {
        (void)SSL_CTX_set_options(ctx, SSL_OP_COOKIE_EXCHANGE);
        SSL_CTX_set_cookie_generate_cb(ctx, cookie_make);
        SSL_CTX_set_cookie_verify_cb(ctx, cookie_check);
    }
    return credential->datagram || connection_alerts_prepare(ctx, credential->server);
}

/* The names of an ALPN list: each one byte and more, together the whole. */
static bool names_are_whole(struct slice names)
{
    struct reader reader = reader_of(names);
    while (reader_left(&reader) > 0) {
        uint8_t len;
        if (reader_u8(&reader, &len) != WIRE_OK || len == 0 || reader_skip(&reader, len) != WIRE_OK)
            return false;
    }
    return names.len > 0;
}

/* SEC_APPLICATION_PROTOCOLS behind its size: lists, each a type, a length and names. The first of ALPN counts; NPN is history. */
static SECURITY_STATUS protocols_take(struct connection *connection, struct slice lists)
{
    struct reader reader = reader_of(lists);
    while (reader_left(&reader) > 0) {
        uint32_t type;
        uint16_t len;
        struct slice names;
        require(reader_u32le(&reader, &type) == WIRE_OK && reader_u16le(&reader, &len) == WIRE_OK &&
                    reader_bytes(&reader, len, &names) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "application protocols whose lengths do not fit their buffer"));
        if (type != SecApplicationProtocolNegotiationExt_ALPN || connection->protocols.data != NULL)
            continue;
        require(names.len <= PROTOCOLS_MAX && names_are_whole(names),
                cause_set(SEC_E_INVALID_TOKEN, "an ALPN list of %zu bytes that is none", names.len));
        uint8_t *copy = mem_dup(names.data, names.len);
        require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
        connection->protocols = slice_of(copy, names.len);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS target_take(struct connection *connection, const char *target)
{
    uint8_t address[16];
    if (target == NULL || *target == '\0')
        return SEC_E_OK;
    size_t len = strlen(target);
    require(len <= SNI_MAX, cause_set(SEC_E_INVALID_TOKEN, "a server name of %zu bytes", len));
    if (len > 1 && target[len - 1] == '.') /* the name is absolute anyway (RFC 6066 3) */
        len--;
    connection->target = mem_dup(target, len);
    require(connection->target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    connection->target_is_dns =
        inet_pton(AF_INET, connection->target, address) != 1 && inet_pton(AF_INET6, connection->target, address) != 1;
    return SEC_E_OK;
}

static SECURITY_STATUS client_configure(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    SSL_set_connect_state(ssl);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (connection->target_is_dns)
        require(SSL_set_tlsext_host_name(ssl, connection->target) == 1, SEC_E_INSUFFICIENT_MEMORY);
    if (connection->protocols.len > 0)
        require(SSL_set_alpn_protos(ssl, connection->protocols.data, (unsigned)connection->protocols.len) == 0,
                SEC_E_INSUFFICIENT_MEMORY);
    if (connection->credential->cache != NULL && connection->target != NULL) {
        SSL_SESSION *session = session_cache_take(connection->credential->cache, connection->target,
                                                  !connection_is_manual(connection), &connection->offered);
        if (session != NULL && SSL_set_session(ssl, session) == 1) { /* else a full handshake, that is all */
            connection->offered_session = session;
            connection->identity.has_offered = true;
        }
        SSL_SESSION_free(session);
    }
    return SEC_E_OK;
}

/* The context of sessions, not what credential.c has for the others. */
static void context_of_asked(const struct connection *connection, uint8_t asked[SESSION_POLICY_LEN])
{
    memcpy(asked, connection->credential->session_policy, SESSION_POLICY_LEN);
    asked[0] ^= 1;
}

bool connection_session_asked(const struct connection *connection, SSL_SESSION *session)
{
    uint8_t asked[SESSION_POLICY_LEN];
    context_of_asked(connection, asked);
    return SSL_SESSION_set1_id_context(session, asked, sizeof asked) == 1;
}

SECURITY_STATUS connection_ask_certificate(struct connection *connection, int how)
{
    uint8_t asked[SESSION_POLICY_LEN];
    bool required = connection->credential->config->schannel_require_client_certificate;
    SSL_set_verify(connection->ssl, SSL_VERIFY_PEER | how | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    /* libssl checks what is required in full handshakes only: a ticket of a context that did not ask must not be resumed by one that does. */
    context_of_asked(connection, asked);
    require(SSL_set_session_id_context(connection->ssl, asked, sizeof asked) == 1, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

static SECURITY_STATUS server_configure(struct connection *connection)
{
    SSL_set_accept_state(connection->ssl);
    return (connection->flags & ASC_REQ_MUTUAL_AUTH) != 0 ? connection_ask_certificate(connection, 0) : SEC_E_OK;
}

static SECURITY_STATUS datagram_configure(struct connection *connection, const struct step_in *in)
{
    connection->mtu = in->mtu != 0 ? in->mtu : DTLS_MTU_DEFAULT;
    require(connection->mtu >= DTLS_MTU_MIN,
            cause_set(SEC_E_INVALID_TOKEN, "an MTU of %u bytes", (unsigned)connection->mtu));
    connection->ends.mtu = connection->mtu;
    SSL_set_mtu(connection->ssl, connection->mtu);
    DTLS_set_timer_cb(connection->ssl, timeout_is);
    return SEC_E_OK;
}

static SECURITY_STATUS connection_fill(struct connection *connection, const struct step_in *in)
{
    try(target_take(connection, in->target));
    try(protocols_take(connection, in->protocols));
    connection->ssl = SSL_new(connection->credential->ctx);
    require(connection->ssl != NULL && SSL_set_ex_data(connection->ssl, connection_index, connection) == 1,
            SEC_E_INSUFFICIENT_MEMORY);
    SSL_set_info_callback(connection->ssl, alert_seen); /* not by the SSL_CTX: it may change */
    BIO *bio = bio_over(&connection->ends);
    require(bio != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SSL_set_bio(connection->ssl, bio, bio);
    connection->ends.ssl = connection->ssl;
    if (connection->datagram)
        try(datagram_configure(connection, in));
    if (in->srtp.len > 0)
        try(connection_srtp(connection, in->srtp));
    if (connection->initiator)
        return client_configure(connection);
    return server_configure(connection);
}

SECURITY_STATUS connection_new(struct tls_credential *credential, bool initiator, const struct step_in *in,
                               struct connection **connection)
{
    require(openssl_index(&connection_index, CRYPTO_EX_INDEX_SSL, NULL) >= 0, SEC_E_INSUFFICIENT_MEMORY);
    struct connection *made = secret_block_alloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    atomic_init(&made->n_references, 1);
    pthread_mutex_init(&made->lock, NULL);
    made->credential = tls_credential_retain(credential);
    made->initiator = initiator;
    made->datagram = made->ends.datagram = credential->datagram;
    made->flags = made->flags_now = in->flags;
    made->alert_received = made->alert_sent = -1;
    made->pending = writer_growing(1024);
    made->ends.token = &made->pending;
    made->expiry = FILETIME_NEVER;
    made->since = steady_now();
    SECURITY_STATUS status = connection_fill(made, in);
    if (status != SEC_E_OK) {
        connection_errors_forget();
        connection_put(made);
        return status;
    }
    *connection = made;
    return SEC_E_OK;
}

void connection_put(struct connection *connection)
{
    if (connection == NULL || atomic_fetch_sub_explicit(&connection->n_references, 1, memory_order_acq_rel) != 1)
        return;
    /* libssl spoils the session of a connection that ended without close_notify; many programs just close, and only failures count (RFC 5246 7.2.1).
     * */
    if (connection->ssl != NULL && (connection->state == CONNECTION_OPEN || connection->state == CONNECTION_CLOSED))
        SSL_set_shutdown(connection->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(connection->ssl);
    tls_credential_put(connection->credential);
    writer_release(&connection->pending);
    mem_free(connection->target);
    mem_free((void *)(uintptr_t)connection->protocols.data);
    connection_forget(connection);
    mem_free(connection->peer_name);
    mem_free(connection->issuers);
    mem_free(connection->peer_address);
    mem_free(connection->label_context);
    shown_release(&connection->offered.own);
    sk_X509_pop_free(connection->offered_issuers, X509_free);
    secret_release(&connection->app_data);
    pthread_mutex_destroy(&connection->lock);
    secret_block_free(connection, sizeof *connection);
}

void schannel_abandon(void *handshake)
{
    struct connection *connection = handshake;
    pthread_mutex_lock(&connection->lock);
    struct connection *held = STEAL(connection->session_held);
    pthread_mutex_unlock(&connection->lock);
    connection_put(held);
    connection_put(connection);
}

void connection_forget(struct connection *connection)
{
    mem_free((void *)(uintptr_t)connection->taken.data);
    connection->taken = (struct slice){0};
}

SECURITY_STATUS connection_remember(struct connection *connection, struct slice taken)
{
    connection_forget(connection);
    const uint8_t *copy = mem_dup(taken.data, taken.len);
    if (copy == NULL) {
        connection->state = CONNECTION_FAILED;
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    connection->taken = slice_of(copy, taken.len);
    return SEC_E_OK;
}
