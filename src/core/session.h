/*
 * Sessions and their records. A session is always opened from a record: at the end of a handshake or just before it, on import, from the daemon, in
 * tests. docs/session-record.md writes the format down.
 */
#ifndef OPENSSPI_CORE_SESSION_H
#define OPENSSPI_CORE_SESSION_H

#include "core/package.h"

#define SESSION_RECORD_MAX ((size_t)256 << 10) /* a PAC with a thousand groups fits many times */

/* What every package's session has. Text and bytes are borrowed: by record_write from the caller, in a session from its record. */
struct session_facts {
    bool initiator;
    uint32_t flags;              /* granted: ISC_RET_* for an initiator, else ASC_RET_* */
    int64_t start, expiry;       /* FILETIME, UTC */
    const char *client, *server; /* principal names, or NULL where unknown */
    const char *target;          /* the name the client meant, or NULL */
    const char *authority;       /* domain or realm, or NULL */
    struct slice session_key;
    struct slice identity; /* the client's, as src/access encodes it; empty on the client */
    struct slice
        delegated; /* on the server what it may act for the client with; the package's own form, secret; empty: nothing */
    struct slice
        authorization; /* on the server what the client's authority says of it, verified; of Kerberos the PAC; empty: nothing */
    /* On the server, where whoever keeps the accounts said so: how the client was logged on, and when it is to be gone. */
    bool has_logon;
    uint32_t user_flags; /* LOGON_* (MS-PAC 2.5, UserFlags) */
    int64_t logoff;      /* FILETIME, UTC, or FILETIME_NEVER */
};

struct session {
    const struct package *package;
    struct session_facts facts;
    void *state; /* the package's; of a package that chooses the chosen one's session, into which the facts point */
    size_t size; /* of this block, with the record behind it where it is the package's own */
    bool direct; /* handed over without a record: the package answers every attribute */
};

/* Appends a record. SEC_E_INSUFFICIENT_MEMORY when it does not fit. */
SECURITY_STATUS session_record_write(struct writer *record, const struct package *package,
                                     const struct session_facts *facts, struct slice own);
/* For the daemon, before there are threads: `seal` writes what goes into the `delegated` of this package's record instead of the bytes themselves. */
typedef SECURITY_STATUS session_delegated_seal(const struct package *package, struct slice plain,
                                               struct writer *sealed);
void session_delegated_hook(session_delegated_seal *seal);
/* Do records go to other processes, as the daemon's do? What stands for a user's password belongs into none then, unless it is sealed. */
bool session_records_leave(void);
/* Seals, where records leave, what a session cannot have and will ask about. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS session_seal(const struct package *package, struct slice plain, struct writer *sealed);
/* Has the authority that sealed it answer a session's question, by its package's `answer`: its status, or SEC_E_CONTEXT_EXPIRED (that authority is no
 * more, or sealed it for another user), SEC_E_NO_AUTHENTICATING_AUTHORITY, SEC_E_INSUFFICIENT_MEMORY. */
typedef SECURITY_STATUS session_asker(const struct package *package, struct slice sealed, struct slice asked,
                                      struct writer *answer);
session_asker session_ask;
/* Before there are threads: who asks; NULL: nobody. */
void session_ask_hook(session_asker *asks);
/* The same for a package that chooses: `chosen` is the whole record of the package that was chosen, and all there is to say. */
SECURITY_STATUS session_record_wrap(struct writer *record, const struct package *package, struct slice chosen);
/* Opens a session. SEC_E_OK; SEC_E_INVALID_TOKEN for a malformed record; SEC_E_SECPKG_NOT_FOUND; SEC_E_INSUFFICIENT_MEMORY; the package's own status.
 * */
SECURITY_STATUS session_open(struct slice record, struct session **session);
/* The same, but SEC_E_INVALID_TOKEN for a record of a package that chooses: such a package opens the record inside its own so, and no record nests.
 * */
SECURITY_STATUS session_open_chosen(struct slice record, struct session **session);
/* Makes a session of a state that was handed over directly; on failure the state is closed. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS session_adopt(const struct package *package, bool initiator, void *state, struct session **session);
/* The session that a handshake step gave, as a record or open already; *session stays NULL where it gave none. Statuses as of session_open. */
SECURITY_STATUS session_of_step(struct step_out *out, struct session **session);
/* Makes an open session that of a package that chooses, and owns it from then on. NULL without memory: then `chosen` stays the caller's. */
struct session *session_wrap(const struct package *package, struct session *chosen);
void session_close(struct session *session); /* NULL is fine */
/* The session that messages are for: of one of a package that chooses the chosen package's, else itself. */
const struct session *session_inside(const struct session *session);
/* Whose session it is: of one of a package that chooses the chosen package, also of a stream's that was handed over directly. */
const struct package *session_package(const struct session *session);
/* Answers what is common to all packages from the facts, the rest by the package. SEC_E_UNSUPPORTED_FUNCTION for what neither has. */
SECURITY_STATUS session_query(const struct session *session, uint32_t attribute, struct attribute *value);
/* The record of a session as it is now, with sequence and cipher state. */
SECURITY_STATUS session_save(const struct session *session, struct writer *record);

#endif
