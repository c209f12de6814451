/*
 * One TLS connection: libssl's object with both its ends, from the first step of the handshake to the last message. Handshake and session of a
 * context are the same connection, each with a reference. An SSL object is not safe for threads: `lock` is held around everything that touches it, so
 * that sending and receiving in two threads are safe. What libssl calls back takes its own locks under it: those of session caches, sessions' data
 * and tickets' keys, and in handshakes those of certificates, stores and roots, and of the connection to the daemon that keeps a key.
 */
#ifndef OPENSSPI_SCHANNEL_CONNECTION_H
#define OPENSSPI_SCHANNEL_CONNECTION_H

#include "base/secret.h"
#include "base/writer.h"
#include "schannel/bio.h"
#include "schannel/credential.h"
#include "schannel/record.h"
#include "schannel/shown.h"
#include "schannel/suite.h"
#include <pthread.h>
#include <time.h>

enum connection_state {
    CONNECTION_HANDSHAKE, /* the first one */
    CONNECTION_OPEN,
    CONNECTION_CLOSED, /* the peer said close_notify: nothing is received any more */
    CONNECTION_FAILED, /* an error or a fatal alert, of either side */
};

enum connection_wish { WISH_NONE, WISH_SHUTDOWN, WISH_ALERT, WISH_RENEGOTIATE };

#define SESSION_KEY_LEN 48     /* as TLS 1.2's master secret has */
#define BINDINGS_UNIQUE_MAX 64 /* a Finished message: 12 bytes, 36 in the oldest protocols */
#define KEYING_MATERIAL_MAX 512
#define LABEL_MAX 255
#define PROTOCOLS_MAX 4096 /* bytes of an ALPN list */
#define DTLS_MTU_MIN 256   /* libssl's own floor */

/* This connection's own, and that of the session it was to resume (resumption.c). */
struct session_identity {
    bool has_own, has_offered;
    uint8_t own[SESSION_IDENTITY_LEN];
};

struct connection {
    atomic_uint n_references;
    pthread_mutex_t lock;
    struct tls_credential *credential;
    SSL *ssl;
    bool initiator, datagram;
    bool has_session_key;    /* derived when it is first asked for */
    bool may_send;           /* nothing stands against it; else session.c finds out */
    bool handshake_moved;    /* libssl read or wrote a handshake message, after the first handshake */
    bool alert_due;          /* TLS 1.3 servers: the ticket that libssl makes ends the connection with `alert_number` */
    bool credential_changed; /* a later step came with another one */
    enum connection_state state;
    enum connection_wish wish; /* what ApplyControlToken asked of the next step */
    uint8_t alert_level, alert_number;
    bool no_reconnect;         /* clients: its sessions are not kept */
    bool target_is_dns;        /* else an address, which is not sent as SNI */
    uint32_t flags, flags_now; /* asked on the first call and on this one */
    uint32_t granted;
    char *target;           /* the server's name, or NULL */
    struct slice protocols; /* ALPN list in TLS's form; ours (mem_free) */
    struct bio_ends ends;
    struct writer pending; /* what was written outside a step: it goes out first with the next one */
    /* Bytes that libssl has taken already and the caller will show again: the record of SEC_I_RENEGOTIATE, the input of
     * SEC_I_INCOMPLETE_CREDENTIALS. */
    struct slice taken;      /* ours (mem_free) */
    bool certificate_wanted; /* the server asked for one, and there is none */
    /* Clients: the server asked in the latest handshake, and was answered, maybe with none; or in the one whose session that handshake resumes (TLS
     * 1.2 renegotiated). */
    bool certificate_asked, asked_before;
    /* Verdict of automatic validation. */
    bool validated;
    SECURITY_STATUS verdict;        /* SEC_E_OK, or why the peer was refused */
    DWORD chain_errors;             /* CERT_TRUST_ bits */
    int32_t chain_code;             /* CERT_E_ code */
    int alert_received, alert_sent; /* the last fatal one; -1: none */
    /* Once open. */
    struct suite suite;
    SecPkgContext_StreamSizes sizes;
    int64_t start, expiry;
    int64_t since; /* steady_now of the full handshake that the session comes from */
    uint8_t session_key[SESSION_KEY_LEN];
    char *peer_name;  /* of the client's certificate */
    uint8_t *issuers; /* names of the CAs that the server asked for, in TLS's form */
    size_t issuers_len;
    uint16_t mtu;
    bool fragments; /* DTLS: of a flight longer than a datagram more is to come, and then this answer */
    SECURITY_STATUS fragments_status;
    void *session_held;    /* itself, with a reference: the handshake has ended, its last datagram is not out */
    uint8_t *peer_address; /* DTLS servers: for the cookie */
    size_t peer_address_len;
    uint8_t cookie_secret[32];
    size_t cookie_secret_len;
    /* SECPKG_ATTR_KEYING_MATERIAL_INFO */
    char label[LABEL_MAX + 1];
    uint8_t *label_context;
    size_t label_context_len;
    bool has_label_context;
    size_t keying_len;
    const void *offered_session; /* which it was to resume, to be compared only */
    struct session_identity identity;
    struct session_origin offered;    /* of that session, ours to release */
    time_t offered_time;              /* of servers: when the session that a ticket offers began, in libssl's seconds */
    STACK_OF(X509) * offered_issuers; /* of servers: what its client showed with its certificate; ours */
    struct secret app_data;           /* what this connection gave its session, or was told last */
};

/* The authority's table (core/package.h). */
SECURITY_STATUS schannel_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
SECURITY_STATUS schannel_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
void schannel_abandon(void *handshake);
SECURITY_STATUS schannel_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value);
SECURITY_STATUS schannel_set_handshake(void *handshake, uint32_t attribute, const void *value, size_t len);
SECURITY_STATUS schannel_control(void *handshake, struct slice token);

/* A connection of this credential. NULL pointers in `in` are fine. SEC_E_INSUFFICIENT_MEMORY, SEC_E_INVALID_TOKEN; SEC_E_UNSUPPORTED_FUNCTION for
 * SRTP (connection_srtp). */
SECURITY_STATUS connection_new(struct tls_credential *credential, bool initiator, const struct step_in *in,
                               struct connection **connection);
void connection_put(struct connection *connection); /* NULL is fine */
/* The callbacks of an SSL_CTX, which find their connection through the SSL. False when there is no memory. */
MUST_USE bool connection_callbacks(struct tls_credential *credential);
struct connection *connection_of(const SSL *ssl);
/* One step of either role. */
SECURITY_STATUS connection_step(struct connection *connection, struct tls_credential *credential,
                                const struct step_in *in, struct step_out *out);

/* Was the peer's certificate validated automatically, in this connection's handshake or in the one whose session is resumed? */
bool connection_is_validated(struct connection *connection);
/* Clients of TLS 1.2: the server gave a fresh ticket while it resumed the session, of which libssl tells nobody, and has spoiled the former one. */
void connection_keep_renewed(struct connection *connection);
/* DTLS servers: where the datagram at hand came from, which the cookie is bound to (RFC 6347 4.2.1). Empty: from where the last one came. */
SECURITY_STATUS connection_peer_take(struct connection *connection, struct slice address);
/* Servers: the handshakes from now on ask for a certificate, and require one if the configuration says so. `how`: further SSL_VERIFY_ bits. */
SECURITY_STATUS connection_ask_certificate(struct connection *connection, int how);
/* The session is one of a connection that asked for a certificate: that may have been after its handshake. False when libssl refuses. */
MUST_USE bool connection_session_asked(const struct connection *connection, SSL_SESSION *session);
/* Whom the certificates speak of, as they are now. */
SECURITY_STATUS connection_names(struct connection *connection);
/* Remembers input that libssl has taken and the caller will show again. SEC_E_INSUFFICIENT_MEMORY: the connection has failed, it would not know that
 * input again. */
SECURITY_STATUS connection_remember(struct connection *connection, struct slice taken);
void connection_forget(struct connection *connection);
/* Empties this thread's queue of OpenSSL's errors: SSL_get_error looks at it, and others may have left something there. libssl's handshake empties it
 * as well, so that nothing of a host's would be kept here by a mark (crypto/openssl.h). */
void connection_errors_forget(void);
/* What libssl's error means, with its cause in words; the connection has failed. `what` names the work. */
SECURITY_STATUS connection_failure(struct connection *connection, const char *what);
/* The same where the queue was not emptied before: the last error counts. */
SECURITY_STATUS connection_message_failure(struct connection *connection, const char *what);
/* On an open connection, before libssl reads `record`, whose fault it would take for its own: SEC_E_MESSAGE_ALTERED where the record is too short to
 * have been encrypted; the peer is told, and the connection has failed. SEC_E_OK also where the peer cannot be told: then libssl is to read it, and
 * says what it can. */
SECURITY_STATUS connection_length_check(struct connection *connection, const struct record *record);
/* From now on libssl tells `handshake_moved`. */
void connection_watch(struct connection *connection);
/* Works out sizes, names and keys of an established connection. */
SECURITY_STATUS connection_established(struct connection *connection);
/* The longest text of a record of it, by what extensions and the MTU leave. */
ULONG connection_message_max(const struct connection *connection);

/* Does the caller validate the peer himself? */
bool connection_is_manual(const struct connection *connection);
/* SSL_CTX_set_cert_verify_callback: automatic validation (validate.c). */
int connection_validate(X509_STORE_CTX *store, void *unused);

/* Writes an alert that libssl has no call for (alert.c). Once records are encrypted nothing can follow it: only fatal ones then, and the connection
 * has failed. SEC_E_UNSUPPORTED_FUNCTION with DTLS and CBC, and inside an encrypted handshake. */
SECURITY_STATUS connection_alert(struct connection *connection, uint8_t level, uint8_t number);
/* The session's identity, by which is found what a program keeps with it (resumption.c). NULL where there is no randomness; lives as long as the
 * connection. */
const uint8_t *connection_identity(struct connection *connection);
/* A handshake begins that may change who the peer is: what comes of it is another session, without the data of this one. */
void connection_identity_anew(struct connection *connection);
/* The certificate that this side showed, also in the full handshake of a session that is resumed, and its issuers (NULL is fine); borrowed, NULL:
 * none. */
X509 *connection_own(const struct connection *connection, STACK_OF(X509) * *issuers);
/* What the peer showed with its certificate, also then; on a client with that itself, as libssl has it. Borrowed. */
STACK_OF(X509) * connection_peer_issuers(const struct connection *connection);
/* Has a server's tickets carry these, and the identity. False when libssl refuses. */
MUST_USE bool connection_tickets_marked(SSL_CTX *ctx);
/* SEC_E_OUT_OF_SEQUENCE but while the connection is open; SEC_E_INVALID_TOKEN for flags, more than APP_DATA_MAX bytes, or bytes that point nowhere.
 * */
SECURITY_STATUS connection_app_data_set(struct connection *connection, const SecPkgContext_SessionAppData *given);
SECURITY_STATUS connection_app_data(struct connection *connection, struct attribute *value);

/* What extensions agree on (extensions.c). Offers SRTP protection profiles, WORDs: SEC_E_UNSUPPORTED_FUNCTION with TLS, and where none of them is
 * known. */
SECURITY_STATUS connection_srtp(struct connection *connection, struct slice profiles);
/* SEC_E_UNSUPPORTED_FUNCTION where none was agreed on. */
SECURITY_STATUS connection_srtp_parameters(const struct connection *connection, struct attribute *value);
SECURITY_STATUS connection_extensions(const struct connection *connection, struct attribute *value);
/* Those that both sides know, in the order of preference; of a client whose server named none those that it offered. */
SECURITY_STATUS connection_signatures(const struct connection *connection, struct attribute *value);

/* What alerts need of TLS 1.3. Of an SSL_CTX: a way in for them with a server's, their keys with a client's; false when there is no memory. And a
 * call whenever this side's keys have changed. */
MUST_USE bool connection_alerts_prepare(SSL_CTX *ctx, bool server);
void connection_keys_updated(struct connection *connection);

#endif
