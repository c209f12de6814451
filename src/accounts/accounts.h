/*
 * Account stores: who there is, and whether an NTLM response proves to be them. A store that knows hashes computes; a store that
 * only knows a domain asks it. Stores stand in an order. Where one of them asks a domain, the domain that the client names chooses between them
 * (docs/domain-accounts.md); among those that know hashes the first that knows the account answers.
 */
#ifndef OPENSSPI_ACCOUNTS_ACCOUNTS_H
#define OPENSSPI_ACCOUNTS_ACCOUNTS_H

#include "access/sid.h"
#include "accounts/digest_hashes.h"
#include "base/secret.h"
#include "base/time.h"
#include <sspi.h>

enum account_flag {
    ACCOUNT_DISABLED = 0x1,
    ACCOUNT_LOCKED = 0x2,      /* by an administrator; locking out after failures is computed, not stored here */
    ACCOUNT_MUST_CHANGE = 0x4, /* the password must be changed before the next logon */
    ACCOUNT_NO_HASH = 0x8,     /* no password is set: nobody can log on with one */
};

struct account_group {
    char *name;
    struct sid sid;
    uint32_t attributes; /* SE_GROUP_*: MANDATORY | ENABLED_BY_DEFAULT | ENABLED = 7 */
    int64_t gid;         /* Unix group, or -1 */
};

/* One account as it was when it was read: immutable, counted. Text is UTF-8. */
struct account {
    char *name, *domain, *full_name; /* full_name may be NULL */
    struct sid sid;
    struct account_group *groups;
    size_t n_groups;
    uint32_t flags;
    int64_t expires;          /* FILETIME or FILETIME_NEVER */
    int64_t password_set;     /* FILETIME, 0 when unknown */
    int64_t password_expires; /* FILETIME or FILETIME_NEVER */
    bool has_user_flags;      /* of a domain */
    uint32_t user_flags;      /* LOGON_* as the domain gives them (MS-PAC 2.5) */
    int64_t logon_ends;       /* when a domain wants the logon ended; FILETIME or FILETIME_NEVER */
    int64_t uid, gid;         /* Unix ids, or -1 */
};

const struct account *account_retain(const struct account *account);
void account_release(const struct account *account); /* NULL is fine */

struct writer;
/* The account as a session record's client (access/client_identity.h). SEC_E_LOGON_DENIED for one in more groups than a token holds: without some of
 * them a token would pass checks that deny the others. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS account_identity_write(const struct account *account, struct writer *identity);

struct account_policy {
    unsigned lockout_threshold;  /* wrong passwords in a row that lock an account out; 0: never; more than 1000: 1000 */
    unsigned lockout_seconds;    /* how long; 0: until an administrator enables it */
    unsigned reset_seconds;      /* failures older than this count no more */
    const char *winbind_library; /* access/wbclient.h; borrowed during the call */
    unsigned winbind_seconds;
};

/* The stores of one process, in order. Thread-safe; counted by open and close. */
struct accounts;

/* Opens stores named "sqlite:PATH", "smbpasswd:PATH", "sam:PATH" (WinPR's SAM), "winbind:" or "winbind:DOMAIN", in order. A store of the same name
 * and policy that is already open in this process is shared. `default_domain` is the domain of accounts of stores that name none, and answers for
 * domains that no store knows (as a Windows server outside a domain does). Answers SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY; SEC_E_CANNOT_INSTALL for a
 * name of no known kind; SEC_E_INTERNAL_ERROR for a file that exists but cannot be read, is readable by others, or is not such
 * a store (cause_set tells). A sqlite or smbpasswd file that does not exist is an empty store. */
SECURITY_STATUS accounts_open(const char *const *names, size_t n_names, const char *default_domain,
                              const struct account_policy *policy, struct accounts **accounts);
void accounts_close(struct accounts *accounts); /* NULL is fine */
/* What a server would say of one store, without making or changing anything; SEC_E_NO_CREDENTIALS is an empty one to it: there is no file, or an
 * sqlite file without tables. Another failure, and it refuses everybody (cause tells). Winbind is not asked. */
SECURITY_STATUS accounts_check_store(const char *name, const char *default_domain);
/* Of a store whose file is not there: would one that is made there be believed? SEC_E_OK, or SEC_E_INTERNAL_ERROR with the cause. */
SECURITY_STATUS accounts_check_place(const char *name);

struct config;
/* Those of the configuration. Beside a domain's store the local accounts without a domain are this computer's, as on a member of a Windows domain. */
SECURITY_STATUS accounts_open_configured(const struct config *config, struct accounts **accounts);
/* The domain of accounts without one, as just said; borrowed. */
const char *accounts_default_domain(const struct config *config);
/* Is one of the configuration's stores a domain's? */
bool accounts_ask_domains(const struct config *config);

/* May a look at the accounts wait now: for a database that somebody writes to, or for who is reading it? A domain is asked in any case. */
bool accounts_may_wait(const struct accounts *accounts);

#define ACCOUNT_HOST_NAME_MAX 256
/* Who a domain says this computer is; "" where it says nothing. */
struct account_host {
    char computer[ACCOUNT_HOST_NAME_MAX], domain[ACCOUNT_HOST_NAME_MAX]; /* NetBIOS names */
    char dns_domain[ACCOUNT_HOST_NAME_MAX];
};
/* SEC_E_OK; SEC_E_NO_CREDENTIALS when no store asks a domain; SEC_E_NO_AUTHENTICATING_AUTHORITY when it is not known: with `wait` it was asked for,
 * within the policy's seconds, but not again within the next few; without, it is on its way. SEC_E_INTERNAL_ERROR, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS accounts_host(struct accounts *accounts, bool wait, struct account_host *host);
/* Does the trust between this computer and its domain hold? The same statuses. Asks a controller. */
SECURITY_STATUS accounts_check_trust(struct accounts *accounts);

struct ntlm_check {
    const char *user, *domain, *workstation; /* as the client sent them; the computation uses them letter by letter */
    const uint8_t *challenge;                /* the server's 8 bytes */
    struct slice lm_response, nt_response;
    bool extended_session_security; /* only tells NTLMv1 responses apart (MS-NLMP 3.3.1) */
    bool allow_v1, allow_lm;
    /* Asked, once, of a right response, with its session base key, before the count is reset: is what came around it as the client sent it? Somebody
     * who passes on another's response proves nothing: it is no failure, and forgives none. NULL: nothing came around it. */
    bool (*is_whole)(void *context, const struct key16 *session_base_key);
    void *context;
};

/* Decides whether the responses prove the password of the account (MS-NLMP 3.3.1, 3.3.2, 3.2.5.1.2). On SEC_E_OK gives the account
 * (release it) and the session base key; is_whole may have said no. Statuses:
 *   SEC_E_LOGON_DENIED          no such account, no password set, wrong response, or a kind of response that is not allowed: no telling which
 *   STATUS_ACCOUNT_LOCKED_OUT   as SECURITY_STATUS (see core/status.h); for a right response, until as many wrong ones came during the
 *                               lock-out as led to it, and SEC_E_LOGON_DENIED after that
 *   STATUS_ACCOUNT_DISABLED, STATUS_ACCOUNT_EXPIRED, STATUS_PASSWORD_EXPIRED, STATUS_PASSWORD_MUST_CHANGE   only when the response is right
 *   SEC_E_INTERNAL_ERROR        the store cannot be read (cause tells); nobody is let in
 *   SEC_E_NO_AUTHENTICATING_AUTHORITY  winbind or the domain's controllers do not answer, or refuse this computer (cause tells)
 * A locked account refuses a wrong response like an unknown name does, so that the status tells nobody who exists; whoever knows the
 * password is told why he is not let in. If that never ended, guessing could go on through the lock-out and use the password found after it: so
 * one lock-out answers for at most twice the threshold of guesses, and guesses during it do not make it longer, for then
 * anybody could keep anybody out for ever.
 *
 * A wrong response counts towards the lock-out, a right one that is_whole says yes to resets the count (what is refused for other reasons has to be
 * refused before: bindings, the service); one of a kind that is not allowed tried no password and does
 * not count. The count is looked at after the response was measured: guesses at the same time find no gap. Counts are kept as
 * failures.h says. Unknown names cost the same time as known ones in every arrangement of stores, and neither writes to a database.
 * A domain's accounts are the domain's affair: it counts failures, and says what it says; is_whole is asked after it. */
SECURITY_STATUS account_verify_ntlm(struct accounts *accounts, const struct ntlm_check *check,
                                    const struct account **account, struct key16 *session_base_key);

/* Finds an account by name and domain (case-insensitive) without any password. SEC_E_OK, SEC_E_NO_CREDENTIALS when there is none,
 * SEC_E_INTERNAL_ERROR. */
SECURITY_STATUS account_find(struct accounts *accounts, const char *user, const char *domain,
                             const struct account **account);

/* Names for SIDs. Texts are freed with account_name_release. */
struct account_name {
    char *name, *domain;
    bool is_group;
};
void account_name_release(struct account_name *name);
/* The account or group that has this SID: SEC_E_OK, SEC_E_NO_CREDENTIALS when there is none, SEC_E_INTERNAL_ERROR, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS account_name_of_sid(struct accounts *accounts, const struct sid *sid, struct account_name *name);
/* The SID of the group of this name; groups are all of the default domain. The same statuses. */
SECURITY_STATUS account_sid_of_group(struct accounts *accounts, const char *group, struct sid *sid);

/* A digest response (RFC 7616, RFC 2831) to be measured. Texts are UTF-8. */
struct digest_check {
    const char *user, *domain; /* who it is; not looked at with a user_hash */
    const char *username;      /* the same as the client wrote it, letter by letter */
    struct slice user_hash;    /* instead of the names (RFC 7616 3.4.4); empty: there are names */
    const char *realm;
    enum digest_form form;
    enum digest_variant variant;
    struct slice first_nonce, first_cnonce, authzid; /* for the key, where it is not the plain secret */
    const struct digest_response_input *input;
    struct slice response; /* the digits that the client sent */
    /* Asked, once, of a right response that nothing stands against: does it prove the password anew, over a nonce and a count that never served? One
     * that was recorded proves that somebody knew it: it is no failure, and forgives none. */
    bool (*is_new)(void *context);
    void *context;
};

/* Decides whether a digest response proves the password. On SEC_E_OK gives the account (release it) and H(A1), DIGEST_LEN_MAX bytes; is_new may have
 * said no. Statuses and lock-out are those of account_verify_ntlm, except that only what is new resets the count; an account without a hash of this
 * form for this realm and spelling is refused as an unknown name is. */
SECURITY_STATUS account_verify_digest(struct accounts *accounts, const struct digest_check *check,
                                      const struct account **account, uint8_t *key);

/* Changes a password after proving the old one (passwords as UTF-16LE bytes); `realms` (or NULL) are those to make digest hashes for. SEC_E_OK,
 * SEC_E_LOGON_DENIED and the states above (must-change and expired passwords may be changed), SEC_E_UNSUPPORTED_FUNCTION for a read-only store,
 * SEC_E_INVALID_PARAMETER for a new password of no letters or of more than 256. */
SECURITY_STATUS account_change_password(struct accounts *accounts, const char *user, const char *domain,
                                        struct slice old_password, struct slice new_password,
                                        const struct digest_realms *realms);

#endif
