/*
 * What the files of the admin share.
 */
#ifndef OPENSSPI_ACCOUNTS_ADMIN_INTERNAL_H
#define OPENSSPI_ACCOUNTS_ADMIN_INTERNAL_H

#include "accounts/admin.h"
#include "accounts/sqlite_db.h"

struct account_admin {
    struct sqlite_db *db;
    struct failures *failures; /* NULL: there were none when we looked last */
    const struct digest_realms *realms;
};

/* All of these run within a transaction of the caller's. */
SECURITY_STATUS admin_find(struct account_admin *admin, const char *name, const char *domain,
                           struct store_record *record);
SECURITY_STATUS admin_each_account(struct account_admin *admin,
                                   SECURITY_STATUS (*each)(void *context, const struct store_record *record),
                                   void *context);
SECURITY_STATUS admin_insert(struct account_admin *admin, const struct account_spec *spec, int64_t password_set,
                             int64_t password_expires);
/* The given SID if nobody has it, or the next free one. */
SECURITY_STATUS admin_choose_sid(struct account_admin *admin, const struct sid *given, struct sid *sid);
SECURITY_STATUS admin_set_hash(struct account_admin *admin, const struct account *account, const struct key16 *nt_hash,
                               int64_t password_set, int64_t password_expires, uint32_t flags);
/* When the password was set; the hash, and what else was made of it, stay. */
SECURITY_STATUS admin_set_when(struct account_admin *admin, const struct sid *sid, int64_t password_set);
/* Forgets the wrong passwords that were counted for an account. They lie beside the database: to be called once the transaction is committed,
 * for no roll-back brings them back. */
void admin_lockout_clear(struct account_admin *admin, const struct sid *sid);
SECURITY_STATUS admin_update(struct account_admin *admin, const struct account *account);
SECURITY_STATUS admin_group_insert(struct account_admin *admin, const struct group_spec *spec);
SECURITY_STATUS admin_group_exists(struct account_admin *admin, const char *name_key, bool *exists);
SECURITY_STATUS admin_join(struct account_admin *admin, const char *group_key, const struct sid *account);

SECURITY_STATUS admin_check_name(const char *what, const char *name);
SECURITY_STATUS admin_check_text(const char *what, const char *text);

#endif
