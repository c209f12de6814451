/*
 * What an account store offers to accounts.c. A store is safe for use from many threads; it never hands out half an answer.
 */
#ifndef OPENSSPI_ACCOUNTS_STORE_H
#define OPENSSPI_ACCOUNTS_STORE_H

#include "accounts/digest_hashes.h"
#include "accounts/failures.h"

/* Tells one state of a store from another. Cheap to take (a stat and at most one small read): whoever keeps what a store said
 * compares stamps before using it again. Only for comparing; zeros are a store that does not exist. */
struct store_stamp {
    uint64_t word[6];
};

/* One account as a store knows it now. Wipe with store_record_wipe. */
struct store_record {
    const struct account *account; /* counted */
    struct key16 nt_hash, lm_hash;
    bool has_nt, has_lm;
    uint64_t failure_key;         /* of the account in the store's failures */
    struct lockout_state lockout; /* filled for the administrator only: who logs somebody on asks the failures, now */
};

void store_record_wipe(struct store_record *record);
#define AUTO_RECORD __attribute__((cleanup(store_record_wipe)))

#define STORE_WINBIND "winbind:"

/* Which digest hash is meant. */
struct store_digest {
    const char *realm, *username; /* letter by letter */
    enum digest_form form;
};

#define ACCOUNT_PASSWORD_MAX 512 /* bytes of UTF-16LE: 256 units, as Windows */

/* What a change of password brings: hashes of both, and the new one itself for what is derived of it. */
struct store_password {
    const struct account *account;
    const struct key16 *old_hash, *new_hash;
    struct slice password;              /* UTF-16LE */
    const struct digest_realms *realms; /* NULL: no digest hashes */
};

/* The name of no account: '?' may not stand in one. */
#define STORE_NO_NAME "?"

/* Statuses are SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR (the cause tells) and those named here. A missing entry
 * means SEC_E_UNSUPPORTED_FUNCTION. Names are keys: upper-cased by text_upper. An account is named to its own store by its SID. */
struct account_store_table {
    void (*stamp)(void *store, struct store_stamp *stamp);
    /* SEC_E_NO_CREDENTIALS: no such account. */
    SECURITY_STATUS (*find)(void *store, const char *user_key, const char *domain_key, struct store_record *record);
    /* Would a question have to wait at this moment? It may have to all the same when it is asked. Missing: it waits for nobody. */
    bool (*may_wait)(void *store);
    /* "" asks a store that verifies whether names without a domain may be its own. */
    SECURITY_STATUS (*knows_domain)(void *store, const char *domain_key, bool *known);
    /* Where wrong passwords of its accounts are counted. Never NULL once `find` has given an account. */
    struct failures *(*failures)(void *store);
    /* Reads an account, whichever, at the cost of `find`: so that time does not tell that a name is unknown. */
    SECURITY_STATUS (*find_any)(void *store, struct store_record *record);
    /* Replaces the hash if it still is `old_hash`, clears must-change. SEC_E_LOGON_DENIED when it is not. */
    SECURITY_STATUS (*set_password)(void *store, const struct store_password *change);
    /* A digest hash of an account; `sid` NULL asks for one that is not there, at the same cost. SEC_E_NO_CREDENTIALS. */
    SECURITY_STATUS(*digest_find)
    (void *store, const struct sid *sid, const struct store_digest *wanted, uint8_t hash[DIGEST_LEN_MAX]);
    /* The user name of which this is the hash (wanted->username is not looked at), fresh. SEC_E_NO_CREDENTIALS. */
    SECURITY_STATUS(*digest_user)
    (void *store, const struct store_digest *wanted, struct slice user_hash, char **username);
    /* Whose SID is this? SEC_E_NO_CREDENTIALS: nobody's here. Texts are fresh (mem_*); a group's domain is the default one. */
    SECURITY_STATUS (*name_of_sid)(void *store, const struct sid *sid, struct account_name *name);
    /* The SID of a group. SEC_E_NO_CREDENTIALS. */
    SECURITY_STATUS (*sid_of_group)(void *store, const char *group_key, struct sid *sid);
    /* Only stores that know a domain and no hashes have the following; `find` finds nobody there. Names are as the client sent them. What
     * account_verify_ntlm and account_change_password say of a domain's accounts they say of these. */
    SECURITY_STATUS(*verify)
    (void *store, const struct ntlm_check *check, const struct account **account, struct key16 *session_base_key);
    SECURITY_STATUS(*change_password)
    (void *store, const char *user, const char *domain, struct slice old_password, struct slice new_password);
    SECURITY_STATUS (*host)(void *store, bool wait, struct account_host *host);
    SECURITY_STATUS (*check_trust)(void *store);
    void (*close)(void *store);
};

struct account_store {
    const struct account_store_table *table;
    void *self;
};

/* Each opens one kind of store. `default_domain` is the domain of accounts that the store keeps without one. */
SECURITY_STATUS sqlite_store_open(const char *path, const char *default_domain, struct account_store *store);
/* Could it be opened? Makes and changes nothing. SEC_E_NO_CREDENTIALS: no file, or nothing in it. */
SECURITY_STATUS sqlite_store_check(const char *path);
SECURITY_STATUS smbpasswd_store_open(const char *path, const char *default_domain, struct account_store *store);
SECURITY_STATUS sam_store_open(const char *path, const char *default_domain, struct account_store *store);
/* `domain` is the one that the store is for; "": all that winbind knows. Winbind is not asked yet. */
SECURITY_STATUS winbind_store_open(const char *domain, const struct account_policy *policy,
                                   struct account_store *store);

/* One of them, by its name: accounts_open says which there are, and what it answers. `policy` is winbind's matter. */
SECURITY_STATUS store_open_named(const char *name, const char *default_domain, const struct account_policy *policy,
                                 struct account_store *store);

/* A fresh account with one reference, zeroed but for FILETIME_NEVER and -1 where they mean "none"; fill in before sharing it. NULL: no memory.
 * Fields are allocated with mem_*; account_release frees them. */
struct account *account_new(void);

/* Is this a name that an account, group or domain may have? Not empty, at most ACCOUNT_NAME_MAX bytes of UTF-8, no control characters,
 * none of "/\[]:;|=,+*?<>@ , not all dots and blanks, no blank at either end. (Windows' rule, MS-SAMR 3.1.1.8.4; '@' would be taken for a UPN.) */
#define ACCOUNT_NAME_MAX 256
bool account_name_valid(const char *name);

/* May the file at `path` be believed? It has to be an ordinary file (no symbolic link) of root's or our own, 0600 or less, in a
 * directory of root's or our own that nobody else may write. SEC_E_OK; SEC_E_NO_CREDENTIALS when it does not exist; else SEC_E_INTERNAL_ERROR
 * with the cause. `real` (PATH_MAX bytes) receives the path with its directory resolved. Directories further up are the administrator's affair. */
SECURITY_STATUS store_path_check(const char *path, char *real);
/* The same of the directory alone, for a file that is not there yet. A directory that is not there either is fine: it is made 0700. */
SECURITY_STATUS store_directory_check(const char *path);

#endif
