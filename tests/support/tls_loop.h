/*
 * A TLS client and a TLS server in one process, each driven as the documentation says: what is EXTRA is kept for the next call, what is MISSING is
 * waited for.
 */
#ifndef OPENSSPI_TESTS_TLS_LOOP_H
#define OPENSSPI_TESTS_TLS_LOOP_H

#include "support/tls_pki.h"

#define SCHANNEL_USE_BLACKLISTS
#include <schannel.h>

#define WIRE_MAX ((size_t)1 << 18)

struct wire {
    unsigned char data[WIRE_MAX];
    size_t len;
};

void wire_put(struct wire *wire, const void *data, size_t len);
void wire_take(struct wire *wire, size_t len);

struct side {
    /* set before */
    bool client;
    const char *package; /* under which of its names; NULL: the usual one */
    ULONG flags;
    const char *target;
    const void *protocols; /* SEC_APPLICATION_PROTOCOLS */
    size_t protocols_len;
    const void *srtp; /* SEC_SRTP_PROTECTION_PROFILES, given with each step */
    size_t srtp_len;
    const void *peer; /* DTLS server: the client's address */
    size_t peer_len;
    /* results */
    CredHandle credential;
    CtxtHandle context;
    bool has_context;
    ULONG attributes;
    TimeStamp expiry;
    SECURITY_STATUS status;
    struct wire in, out; /* received and not used; to be sent */
    ULONG missing;
};

struct loop_pair {
    struct side client, server;
    size_t piece; /* bytes handed over at once; 0: all there are */
};

/* Acquires a credential; the status is the call's. `cred` may be NULL for a client. */
SECURITY_STATUS side_acquire(struct side *side, const void *cred);
/* grbitEnabledProtocols for `protocols`, 0 meaning TLS as new as it gets: a SCHANNEL_CRED with 0 stays below TLS 1.3. */
DWORD tls_protocols(DWORD protocols, DWORD flags);
/* A credential with this certificate (NULL: none), protocols (0: see above) and flags. */
SECURITY_STATUS side_acquire_with(struct side *side, const struct pki *pki, DWORD protocols, DWORD flags);
/* A credential with these certificates (up to two, NULL: none) and wishes. */
void side_acquire_certificates(struct side *side, const struct pki *one, const struct pki *other, SCHANNEL_CRED wishes);
/* Does it know its client's name? */
bool side_is_named(struct side *side);
/* One step with all that was received. */
SECURITY_STATUS side_step(struct side *side);
void side_end(struct side *side);
/* Hands over all that `from` has to send. */
void side_hand_over(struct side *from, struct side *to);
/* ApplyControlToken with this word, which has to be taken. */
void side_control(struct side *side, DWORD type);
/* A fatal alert with this number, and the step that sends it. */
SECURITY_STATUS side_alert(struct side *side, DWORD number);
bool side_is_resumed(struct side *side);

/* Makes a pair with ordinary credentials: the server with pki_server, the client validating against pki_authority. Tests change what they want
 * before. */
struct loop_pair *pair_new(void);
/* Runs the handshake until both sides ended or one failed. True when both answered SEC_E_OK. */
bool pair_run(struct loop_pair *pair);
/* The same from where the two sides are. */
bool pair_go_on(struct loop_pair *pair);
void pair_free(struct loop_pair *pair);
/* Acquires what is not there yet, with these protocols and flags. */
void pair_acquire(struct loop_pair *pair, DWORD client_protocols, DWORD server_protocols, DWORD client_flags);
/* Deletes the contexts, so that the credentials serve another connection. */
void pair_restart(struct loop_pair *pair);

/* Seals and appends records to `wire`. */
SECURITY_STATUS side_send(struct side *side, const void *data, size_t len, struct wire *wire);
/* Opens one record of side->in; appends its text, and takes it off the wire. Renegotiation is left to the caller: the record stays. */
SECURITY_STATUS side_receive(struct side *side, struct wire *text);
/* As a program does it: receives until there is text, giving post-handshake records to the next step and what comes out to `peer`. */
SECURITY_STATUS side_receive_text(struct side *side, struct side *peer, struct wire *text);
/* Words both ways, after what the server has left to send (TLS 1.3: tickets). */
void pair_talk(struct loop_pair *pair);
/* A connection from the beginning, with its ticket; was it resumed? */
bool pair_connect_anew(struct loop_pair *pair);
/* The server asks again who its client is, by a renegotiation or after the handshake; and words both ways. */
void pair_ask_anew(struct loop_pair *pair, DWORD protocols);

#define EACH_TLS_VERSION(VARIABLE) for (DWORD VARIABLE = SP_PROT_TLS1_2; VARIABLE <= SP_PROT_TLS1_3; VARIABLE <<= 2)

#endif
