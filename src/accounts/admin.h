/*
 * Changing an account database: what the command `sspi account` and `sspi group` do. Each function is one transaction: it happens
 * whole or not at all, whatever else goes wrong. Names are compared without regard to case; a domain of "" is the one of accounts
 * that name none (whoever opens the store says which domain that is).
 *
 * Statuses everywhere: SEC_E_OK; SEC_E_INVALID_PARAMETER for a name or value that cannot be, or that is taken; SEC_E_NO_CREDENTIALS for an
 * account or group that does not exist; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR. The cause says it in words.
 */
#ifndef OPENSSPI_ACCOUNTS_ADMIN_H
#define OPENSSPI_ACCOUNTS_ADMIN_H

#include "accounts/account_file.h"

#define ACCOUNT_TEXT_MAX 1024 /* bytes of a full name or comment */

/* An open database. For one thread at a time. */
struct account_admin;

/* Opens the database; creates it (file 0600, directory 0700) where it is missing and `create` is set. SEC_E_NO_CREDENTIALS: it is missing. */
SECURITY_STATUS account_admin_open(const char *path, bool create, struct account_admin **admin);
void account_admin_close(struct account_admin *admin); /* NULL is fine */

/* The realms for which passwords set from now on leave digest hashes; borrowed. NULL, as after opening: none. */
void account_admin_digest(struct account_admin *admin, const struct digest_realms *realms);

struct account_spec {
    const char *name, *domain, *full_name; /* full_name may be NULL */
    const struct sid *sid;                 /* NULL: the next RID of this database's own domain, from 1000 on */
    const struct key16 *nt_hash;           /* NULL: no password, nobody can log on */
    struct slice password;                 /* what nt_hash is of, UTF-16LE, for digest hashes; empty: not known */
    uint32_t flags;                        /* enum account_flag */
    int64_t expires, uid, gid;             /* FILETIME_NEVER, -1: none */
};
SECURITY_STATUS account_admin_add(struct account_admin *admin, const struct account_spec *spec);

/* Sets a password (UTF-16LE bytes, not empty). `must_change`: at the next logon. It does not expire until that is set anew.
 * Clears the count of failures. */
SECURITY_STATUS account_admin_passwd(struct account_admin *admin, const char *name, const char *domain,
                                     struct slice password, bool must_change);
/* Finds one account; wipe the record. Its domain is "" where the account names none. */
SECURITY_STATUS account_admin_show(struct account_admin *admin, const char *name, const char *domain,
                                   struct store_record *record);
/* Calls `each` for every account in the order of domain and name; a status other than SEC_E_OK from it ends the list. */
SECURITY_STATUS account_admin_list(struct account_admin *admin,
                                   SECURITY_STATUS (*each)(void *context, const struct store_record *record),
                                   void *context);
/* Calls `each` for the realms for which there are digest hashes of an account. */
SECURITY_STATUS account_admin_digest_realms(struct account_admin *admin, const struct sid *sid,
                                            SECURITY_STATUS (*each)(void *context, const char *realm), void *context);
SECURITY_STATUS account_admin_disable(struct account_admin *admin, const char *name, const char *domain);
/* Clears disabled, locked, and any lock-out. */
SECURITY_STATUS account_admin_enable(struct account_admin *admin, const char *name, const char *domain);
SECURITY_STATUS account_admin_remove(struct account_admin *admin, const char *name, const char *domain);

/* Only what is named in `fields` changes. */
enum account_change_field {
    CHANGE_FULL_NAME = 0x1,
    CHANGE_EXPIRES = 0x2,
    CHANGE_UID = 0x4,
    CHANGE_GID = 0x8,
    CHANGE_FLAGS = 0x10, /* clear_flags first, then set_flags */
    CHANGE_PASSWORD_EXPIRES = 0x20,
};
struct account_change {
    unsigned fields;
    const char *full_name;
    int64_t expires, uid, gid,
        password_expires; /* password_expires: of the password that there is, a change of it sets FILETIME_NEVER */
    uint32_t clear_flags, set_flags;
};
SECURITY_STATUS account_admin_change(struct account_admin *admin, const char *name, const char *domain,
                                     const struct account_change *change);

/* No membership is implied: who wants every account in Windows' "None" or "Domain Users" adds that group with its SID (RID 513). */
struct group_spec {
    const char *name, *comment; /* comment may be NULL */
    const struct sid *sid;      /* NULL: the next RID; groups and accounts count together */
    int64_t gid;
};
SECURITY_STATUS group_admin_add(struct account_admin *admin, const struct group_spec *spec);
SECURITY_STATUS group_admin_remove(struct account_admin *admin, const char *name);
SECURITY_STATUS group_admin_list(struct account_admin *admin,
                                 SECURITY_STATUS (*each)(void *context, const struct group_spec *group), void *context);
SECURITY_STATUS group_admin_show(struct account_admin *admin, const char *name,
                                 SECURITY_STATUS (*each_group)(void *context, const struct group_spec *group),
                                 SECURITY_STATUS (*each_member)(void *context, const char *name, const char *domain),
                                 void *context);
/* Joining twice is fine; leaving a group that one is not in is SEC_E_NO_CREDENTIALS. */
SECURITY_STATUS group_admin_join(struct account_admin *admin, const char *group, const char *name, const char *domain);
SECURITY_STATUS group_admin_leave(struct account_admin *admin, const char *group, const char *name, const char *domain);

struct import_counts {
    unsigned added, replaced, groups, members;
};
/* Takes over all accounts of a file, or none. Accounts of a format without domains get `domain`. An account that exists is an error unless
 * `replace`: then its password and those properties that the format can say become the file's, its wrong passwords are forgotten where the password
 * is another one, and SID, groups and all else stay. SAM says nothing but the password: who is disabled stays so. smbpasswd says uid, disabled,
 * locked and when the password was set. Where a format does not say that, another password was set now; it does not expire. LM hashes are left
 * behind. */
SECURITY_STATUS account_admin_import(struct account_admin *admin, const struct account_file *file, const char *domain,
                                     bool replace, struct import_counts *counts);
/* Appends everything, hashes included: the text is as secret as the database. smbpasswd has no domains, groups, SIDs and times: they are left out;
 * two accounts of one name in two domains cannot be written so, nor a name that begins with # (SEC_E_INVALID_PARAMETER). SAM is only read
 * (SEC_E_UNSUPPORTED_FUNCTION). On failure the text may have begun. */
SECURITY_STATUS account_admin_export(struct account_admin *admin, enum account_file_format format,
                                     struct writer *writer);

#endif
