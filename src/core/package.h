/*
 * What a security package is: a description and two tables. The authority half sees passwords and keys and walks the handshake; the session
 * half sees only what one established context needs. A missing entry means SEC_E_UNSUPPORTED_FUNCTION.
 */
#ifndef OPENSSPI_CORE_PACKAGE_H
#define OPENSSPI_CORE_PACKAGE_H

#include "base/writer.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/attribute.h"
#include "core/config.h"
#include "core/identity.h"
#include "core/message.h"
#include <sspi.h>

#define PACKAGE_OIDS_MAX 2 /* Kerberos has two */

/* What Negotiate has to know of a package with SECPKG_FLAG_NEGOTIABLE; all empty where Negotiate cannot choose it. */
struct package_mech {
    struct slice
        oid[PACKAGE_OIDS_MAX]; /* the mechanism's names as OID contents, in the order in which they are offered */
    struct slice raw_start;    /* how the client's first token begins where nothing frames it */
};

struct package;
struct credential;
struct lease;
struct session_facts;
struct tickets_request;

struct package_info {
    const char *name, *comment;
    uint32_t
        capabilities; /* SECPKG_FLAG_*; a STREAM package formats records itself, and keeps its handshake after the end */
    uint16_t rpc_id;
    uint32_t max_token;  /* bytes; a longer input token is refused unread */
    uint32_t max_input;  /* the same for input, where what is told to programs (max_token) is less; 0: max_token */
    bool takes_identity; /* pAuthData is an identity, else the package's own structure */
    const void *(*identity_in)(
        const void *auth_data); /* finds the identity inside the package's own structure; missing: none is in it */
    bool process_bound;         /* its sessions live in this process only: a record is no more than a claim to one */
    bool
        /* stands for other packages: an identity's package list is for it to apply, it says which one it is, its session's state is that one's
         * session */
        chooses;
    bool tells_state; /* answers NEGOTIATION_INFO although Negotiate cannot choose it */
    struct package_mech mech;
};

/* A refusal of a session's password may be of a moment, or forged: so long it is believed. */
#define SESSION_REFUSED_FOR (300 * FILETIME_SECOND)

struct acquire_request {
    const struct package *package; /* whose credential it is to be; one table may serve several packages */
    const struct config *config;   /* the package retains it if it keeps it */
    const char *principal;         /* UTF-8, or NULL */
    uint32_t use;                  /* SECPKG_CRED_INBOUND, OUTBOUND or BOTH */
    const struct identity *
        identity; /* NULL: default credentials. A package that cannot use its kind of proof says SEC_E_UNKNOWN_CREDENTIALS */
    const void *auth_data; /* packages that take no identity: the caller's structure */
    /* What the caller's logon session holds, for a client without an identity: a name with a password, and a ticket cache; each may be NULL. Where
     * the name is one of a realm's whose KDC answered, and there is no cache, it gave no tickets. Where it refused the password, `session_refusal` is
     * what it said ("" without words), and until `session_refused_until` (steady time) nobody asks it with that password again: each time counts
     * towards a lock-out. */
    const struct identity *session_identity;
    const char *session_cache;
    bool session_has_realm;
    const char *session_refusal; /* NULL: none that counts any more */
    int64_t session_refused_until;
    /* The session's tie to what it lends (core/lease.h); who keeps something of it retains that. NULL: nobody's. */
    struct lease *session_lease;
};

#define STEP_PARAMS_MAX 4 /* what the server's side of WDigest takes */

/* One step of a handshake. Everything in `in` is borrowed for the call. */
struct step_in {
    struct slice token;    /* data NULL: the caller gave none */
    struct slice bindings; /* a whole SEC_CHANNEL_BINDINGS, offsets checked; data NULL: none given */
    const char *target;    /* UTF-8, or NULL; the first step's counts */
    uint32_t flags;        /* ISC_REQ_* or ASC_REQ_*, as on the first call */
    /* SECBUFFER_PKG_PARAMS in their order, empty ones too, for packages that give them a meaning. */
    struct slice params[STEP_PARAMS_MAX];
    unsigned n_params;
    struct slice
        second; /* the list's second TOKEN buffer, whatever the first has: for TSSSP a certificate; data NULL: none */
    struct slice target_host; /* SECBUFFER_TARGET_HOST as the caller gave it; data NULL: none */
    uint32_t
        receive_size; /* a SASL context: the longest protected message to be announced; 0: the package's own limit */
    /* What stream packages read besides; the token may then hold less or more than one message. */
    bool given;             /* the caller gave input at all */
    uint32_t flags_now;     /* this call's flags, where later ones have a meaning */
    struct slice protocols; /* a whole SEC_APPLICATION_PROTOCOLS; data NULL: none given */
    struct slice srtp;      /* DTLS: profiles of SRTP, WORDs; the first step's count */
    struct slice peer;      /* DTLS: the peer's socket address; data NULL: none given */
    uint16_t mtu;           /* DTLS; 0: none given */
};

struct session;

struct step_out {
    struct writer token;  /* empty: nothing to send */
    struct writer record; /* not empty: a session opens from it (at the end; datagram contexts also before) */
    struct session *
        /* instead of a record, only of a package that chooses, where it opened and used the chosen one's already: who gets `out` owns it;
         * session_save writes its record */
        session;
    uint32_t granted; /* ISC_RET_* or ASC_RET_* */
    int64_t expiry;   /* FILETIME, UTC */
    bool
        wants_list_mic; /* the handshake's messages carried a code of their own, so that the list of mechanisms needs one too (MS-SPNG appendix A) */
    /* The session signs, also where integrity is not granted since everybody knows the key: peers expect the list signed all the same. */
    bool signs_list;
    /* What stream packages answer besides. */
    size_t extra;   /* so many bytes at the end of the input were not used */
    size_t missing; /* with SEC_E_INCOMPLETE_MESSAGE: so many more are needed */
    bool alert;     /* the token tells the peer of a failure */
    void *stream;   /* the state of a session that cannot be written as a record, handed over directly; NULL: none */
};

struct password_change {
    const struct config *config;
    const char *domain, *user;
    struct slice old_password, new_password; /* UTF-16LE */
};

struct package_authority {
    SECURITY_STATUS (*acquire)(const struct acquire_request *request, void **credential, int64_t *expiry);
    void (*release)(void *credential);
    /* *handshake is NULL on the first call; a failed first call leaves it NULL. SEC_E_OK, SEC_I_CONTINUE_NEEDED, SEC_I_COMPLETE_*, or an error. */
    SECURITY_STATUS (*initiate)(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
    SECURITY_STATUS (*accept)(void *credential, void **handshake, const struct step_in *in, struct step_out *out);
    void (*abandon)(void *handshake);
    /* Will this step surely wait for nobody? `handshake` is NULL before the first. Missing: it may wait. */
    bool (*only_computes)(void *credential, const void *handshake, const struct step_in *in);
    /* May this step of a server's wait, for a KDC or for a store that is being written, or compute for long? `handshake` as before. Missing: neither.
     * */
    bool (*accept_may_wait)(void *credential, const void *handshake, const struct step_in *in);
    SECURITY_STATUS (*query_credential)(const void *credential, uint32_t attribute, struct attribute *value);
    SECURITY_STATUS (*set_credential)(void *credential, uint32_t attribute, const void *value, size_t len);
    SECURITY_STATUS (*query_handshake)(const void *handshake, uint32_t attribute, struct attribute *value);
    SECURITY_STATUS (*set_handshake)(void *handshake, uint32_t attribute, const void *value, size_t len);
    /* After SEC_I_COMPLETE_*. Where the handshake's last step answered SEC_I_COMPLETE_NEEDED, SEC_E_OK ends it, and writes what that step
     * did not: the record. `out` has what the step granted. */
    SECURITY_STATUS (*complete)(void *handshake, struct slice_mut token, struct step_out *out);
    SECURITY_STATUS (*control)(void *handshake, struct slice token); /* ApplyControlToken */
    void (*forget)(const char *target); /* cached sessions with this target, or all (NULL) */
    SECURITY_STATUS (*change_password)(const struct password_change *change);
    /* Judges a response to a challenge that whoever passes it on gave the client: the identity's proof. Writes the session record that a server would
     * have. */
    SECURITY_STATUS(*prove_response)
    (const struct config *config, const struct identity *identity, struct writer *record);
    /* Outbound credentials to act for somebody else. `delegated` is what a server's session keeps of its client (session_facts.delegated), `service`
     * a credential of this package or NULL. */
    SECURITY_STATUS(*acquire_delegated)
    (const struct acquire_request *request, struct slice delegated, void *service, void **credential, int64_t *expiry);
    /* What an outbound credential that has proved itself leaves, so that acquire_delegated makes one like it later: as little as will do. Missing: it
     * leaves nothing. */
    SECURITY_STATUS (*keep)(void *credential, struct secret *delegated);
    /* Of a package that chooses: its credential with nothing in it but that one, of another package, which it retains; as acquire. */
    SECURITY_STATUS (*wrap)(const struct acquire_request *request, struct credential *chosen, void **credential);
    /* Of a package that chooses: what its credential has of another package's, borrowed; NULL: nothing. */
    void *(*part)(void *credential, const struct package *package);
    /* Without anything of the user's: on the service's own authority (S4U). */
    SECURITY_STATUS(*acquire_s4u)
    (const struct acquire_request *request, const char *user, void *service, void **credential, int64_t *expiry);
    /* To a question of a session of this package's, by what was sealed for it when it began (session_seal, session_ask). Only computes. */
    SECURITY_STATUS (*answer)(struct slice kept, struct slice asked, struct writer *answer);
    SECURITY_STATUS (*tickets)(const struct tickets_request *request, struct writer *answer); /* core/tickets.h */
};

#define LIST_CODE_MAX 32

struct list_codes {
    size_t len; /* of either; 0: none made */
    uint8_t own[LIST_CODE_MAX], peer[LIST_CODE_MAX];
};

/* Bounds the stack that several messages at once take to about 64 KiB. */
#define MESSAGES_TOGETHER 8

/* One of several messages that are protected or opened in one call. */
struct session_message {
    void *state; /* of its session; several messages may have the same */
    struct message *message;
    uint32_t qop, seq;      /* as of seal and unseal; unsealing writes `qop` */
    SECURITY_STATUS status; /* out */
};

struct package_session {
    /* `own` is the package's part of the session record. A package that chooses finds flags and side in it. NULL where sessions are only handed over
     * directly. */
    SECURITY_STATUS (*open)(struct slice own, uint32_t flags, bool initiator, void **state);
    void (*close)(void *state);
    /* Of a session that is handed over directly: what others ask session_facts for, borrowed as long as the state. Missing: nothing. */
    const struct session_facts *(*facts)(const void *state);
    /* Appends the package's part anew, with sequence numbers and cipher state. Both directions are locked by the caller. */
    SECURITY_STATUS (*save)(const void *state, struct writer *own);
    /* As after a handshake: sequence numbers and cipher states begin again (SECPKG_CONTEXT_EXPORT_RESET_NEW), behind what list_signed left used up.
     * SEC_E_UNSUPPORTED_FUNCTION where a key stream would come again. */
    SECURITY_STATUS (*reset)(void *state);
    /* Before the session's first message: this side's code over SPNEGO's list of mechanisms, and the one that the peer must send. Uses up nothing.
     * Missing, or SEC_E_UNSUPPORTED_FUNCTION for this session: `sign` and `verify` make and check them. */
    SECURITY_STATUS (*list_codes)(void *state, struct slice list, struct list_codes *codes);
    /* The list was signed or verified with this session or by list_codes (`sent`: our code went out; `seen`: the peer's came), and its messages begin
     * now: gives back what that used up and peers take for unused (MS-SPNG 3.2.5.1). Missing: nothing is given back. */
    SECURITY_STATUS (*list_signed)(void *state, bool sent, bool seen);
    /* Sending calls hold the context's send lock, receiving ones its receive lock. `seq` is the caller's sequence number. */
    SECURITY_STATUS (*sign)(void *state, uint32_t qop, struct message *message, uint32_t seq);
    SECURITY_STATUS (*seal)(void *state, uint32_t qop, struct message *message, uint32_t seq);
    SECURITY_STATUS (*verify)(void *state, struct message *message, uint32_t seq, uint32_t *qop);
    SECURITY_STATUS (*unseal)(void *state, struct message *message, uint32_t seq, uint32_t *qop);
    /* As `seal` or `unseal` of each in their order, at most MESSAGES_TOGETHER, whose memory does not overlap; the locks of all their contexts are
     * held. Missing: it would be no faster. */
    void (*seal_several)(struct session_message *list, unsigned n);
    void (*unseal_several)(struct session_message *list, unsigned n);
    SECURITY_STATUS (*query)(const void *state, uint32_t attribute, struct attribute *value);
};

struct package {
    struct package_info info;
    const struct package_authority *authority;
    const struct package_session *session;
};

#endif
