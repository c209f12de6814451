#include "accounts/admin_internal.h"

#include "accounts/account_fields.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/ntlm_response.h"

#include <string.h>

#define RID_MAX UINT32_C(0x3fffffff) /* MS-SAMR 3.1.1.9.2 */

SECURITY_STATUS account_admin_open(const char *path, bool create, struct account_admin **admin)
{
    struct account_admin *fresh = mem_zalloc(sizeof(*fresh));
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    int version = 0;
    SECURITY_STATUS status = create ? sqlite_db_create(path, &fresh->db) : sqlite_db_open(path, &fresh->db);
    if (status == SEC_E_OK)
        status = sqlite_schema_check(fresh->db, &version);
    if (status == SEC_E_OK)
        status = version == 0 ? SEC_E_NO_CREDENTIALS : sqlite_schema_update(fresh->db);
    if (status != SEC_E_OK) {
        account_admin_close(fresh);
        if (status == SEC_E_NO_CREDENTIALS)
            return cause_set(status, "%s: there is no account store yet; \"sspi account add\" makes one", path);
        return status;
    }
    *admin = fresh;
    return SEC_E_OK;
}

void account_admin_close(struct account_admin *admin)
{
    if (admin == NULL)
        return;
    failures_close(admin->failures);
    sqlite_db_close(admin->db);
    mem_free(admin);
}

void account_admin_digest(struct account_admin *admin, const struct digest_realms *realms)
{
    admin->realms = realms;
}

SECURITY_STATUS account_admin_digest_realms(struct account_admin *admin, const struct sid *sid,
                                            SECURITY_STATUS (*each)(void *context, const char *realm), void *context)
{
    sqlite3_stmt *rows;
    int step = SQLITE_DONE;
    SECURITY_STATUS status = SEC_E_OK;
    try(sqlite_prepare(admin->db, SQL_DIGEST_REALMS, &rows));
    sqlite_bind_sid(rows, 1, sid);
    while (status == SEC_E_OK && (step = sqlite3_step(rows)) == SQLITE_ROW) {
        AUTO_FREE char *realm = NULL;
        status = sqlite_column_string(rows, 0, &realm);
        if (status == SEC_E_OK && realm != NULL)
            status = each(context, realm);
    }
    if (status == SEC_E_OK && step != SQLITE_DONE)
        status = sqlite_failed(admin->db);
    sqlite_done(rows);
    return status;
}

SECURITY_STATUS admin_check_name(const char *what, const char *name)
{
    if (account_name_valid(name))
        return SEC_E_OK;
    return cause_set(SEC_E_INVALID_PARAMETER,
                     "the %s name must have 1 to %d bytes of UTF-8 without control characters and \"/\\[]:;|=,+*?<>@",
                     what, ACCOUNT_NAME_MAX);
}

SECURITY_STATUS admin_check_text(const char *what, const char *text)
{
    if (text == NULL)
        return SEC_E_OK;
    size_t len = strlen(text);
    bool good =
        len <= ACCOUNT_TEXT_MAX && utf8_valid(slice_of(text, len)) && !field_has_control(slice_of(text, len), '\0');
    return good ? SEC_E_OK
                : cause_set(SEC_E_INVALID_PARAMETER,
                            "the %s must have at most %d bytes of UTF-8 without control characters", what,
                            ACCOUNT_TEXT_MAX);
}

static SECURITY_STATUS check_account(const struct account_spec *spec)
{
    try(admin_check_name("account", spec->name));
    if (spec->domain[0] != '\0')
        try(admin_check_name("domain", spec->domain));
    return admin_check_text("full name", spec->full_name);
}

SECURITY_STATUS admin_find(struct account_admin *admin, const char *name, const char *domain,
                           struct store_record *record)
{
    AUTO_FREE char *name_key = text_upper(name);
    AUTO_FREE char *domain_key = text_upper(domain);
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    if (name_key != NULL && domain_key != NULL)
        status = sqlite_find(admin->db, name_key, domain_key, NULL, record);
    else if (utf8_valid(slice_of_text(name)) && utf8_valid(slice_of_text(domain)))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_NO_CREDENTIALS)
        return cause_set(status, "there is no account %s%s%s", domain, domain[0] == '\0' ? "" : "\\", name);
    return status;
}

static SECURITY_STATUS meta_get(struct account_admin *admin, const char *key, char **value)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_META_GET, &statement));
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    SECURITY_STATUS status =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite_column_string(statement, 0, value) : sqlite_failed(admin->db);
    sqlite_done(statement);
    if (status == SEC_E_OK && *value == NULL)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the store has no %s", admin->db->path, key);
    return status;
}

static SECURITY_STATUS sid_taken(struct account_admin *admin, const struct sid *sid, bool *taken)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_SID_TAKEN, &statement));
    sqlite_bind_sid(statement, 1, sid);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_ROW || step == SQLITE_DONE ? SEC_E_OK : sqlite_failed(admin->db);
    *taken = step == SQLITE_ROW;
    sqlite_done(statement);
    return status;
}

static SECURITY_STATUS next_sid(struct account_admin *admin, struct sid *sid)
{
    AUTO_FREE char *machine_text = NULL;
    AUTO_FREE char *rid_text = NULL;
    sqlite3_stmt *statement;
    struct sid machine;
    bool taken = true;
    try(meta_get(admin, "machine_sid", &machine_text));
    try(meta_get(admin, "next_rid", &rid_text));
    if (sid_from_text(machine_text, &machine) != WIRE_OK)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the store's own SID is none", admin->db->path);
    uint32_t rid = 0;
    for (const char *at = rid_text; *at >= '0' && *at <= '9' && rid <= RID_MAX / 10; at++)
        rid = rid * 10 + (uint32_t)(*at - '0');
    for (; taken; rid++) {
        if (rid < 1000 || rid >= RID_MAX)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: no relative identifiers are left", admin->db->path);
        *sid = machine;
        require(sid_append(sid, rid) == WIRE_OK, SEC_E_INTERNAL_ERROR);
        try(sid_taken(admin, sid, &taken));
    }
    try(sqlite_prepare(admin->db, SQL_META_SET, &statement));
    sqlite3_bind_text(statement, 1, "next_rid", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, rid);
    return sqlite_run(admin->db, statement);
}

SECURITY_STATUS admin_choose_sid(struct account_admin *admin, const struct sid *given, struct sid *sid)
{
    bool taken;
    if (given == NULL)
        return next_sid(admin, sid);
    try(sid_taken(admin, given, &taken));
    if (taken)
        return cause_set(SEC_E_INVALID_PARAMETER, "another account or group has this SID");
    *sid = *given;
    return SEC_E_OK;
}

static void bind_hash(sqlite3_stmt *statement, int index, const struct key16 *hash)
{
    if (hash == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_blob(statement, index, hash->bytes, sizeof(hash->bytes), SQLITE_STATIC);
}

SECURITY_STATUS admin_insert(struct account_admin *admin, const struct account_spec *spec, int64_t password_set,
                             int64_t password_expires)
{
    AUTO_FREE char *name_key = text_upper(spec->name);
    AUTO_FREE char *domain_key = text_upper(spec->domain);
    AUTO_RECORD struct store_record existing = {0};
    struct sid sid;
    sqlite3_stmt *statement;
    try(check_account(spec));
    require(name_key != NULL && domain_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS found = sqlite_find(admin->db, name_key, domain_key, NULL, &existing);
    if (found == SEC_E_OK)
        return cause_set(SEC_E_INVALID_PARAMETER, "there is an account %s%s%s already", spec->domain,
                         spec->domain[0] == '\0' ? "" : "\\", spec->name);
    require(found == SEC_E_NO_CREDENTIALS, found);
    try(admin_choose_sid(admin, spec->sid, &sid));
    uint32_t flags = spec->nt_hash == NULL ? spec->flags | ACCOUNT_NO_HASH : spec->flags;
    try(sqlite_prepare(admin->db, SQL_ADD, &statement));
    sqlite3_bind_text(statement, 1, spec->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, name_key, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, spec->domain, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, domain_key, -1, SQLITE_STATIC);
    sqlite_bind_text_or_null(statement, 5, spec->full_name);
    sqlite_bind_sid(statement, 6, &sid);
    bind_hash(statement, 7, spec->nt_hash);
    sqlite3_bind_int64(statement, 8, flags);
    sqlite3_bind_int64(statement, 9, spec->expires);
    sqlite3_bind_int64(statement, 10, password_set);
    sqlite3_bind_int64(statement, 11, password_expires);
    sqlite3_bind_int64(statement, 12, spec->uid);
    sqlite3_bind_int64(statement, 13, spec->gid);
    try(sqlite_run(admin->db, statement));
    if (spec->nt_hash == NULL || spec->password.len == 0)
        return SEC_E_OK;
    return sqlite_digest_write(admin->db, admin->realms, &sid, spec->name, spec->domain, spec->password);
}

SECURITY_STATUS account_admin_add(struct account_admin *admin, const struct account_spec *spec)
{
    try(sqlite_begin(admin->db, true));
    return sqlite_end(admin->db, admin_insert(admin, spec, spec->nt_hash == NULL ? 0 : filetime_now(), FILETIME_NEVER));
}

/* The table of the database's own file: processes that count for themselves alone are not reached. False: nobody has counted. */
static bool failures_there(struct account_admin *admin)
{
    if (admin->failures == NULL)
        admin->failures = failures_open(admin->db->path, false);
    return admin->failures != NULL;
}

void admin_lockout_clear(struct account_admin *admin, const struct sid *sid)
{
    uint64_t key;
    /* No key can be made only where the table has no seed yet: then it has counted nothing. */
    if (failures_there(admin) && failures_key(admin->failures, "", sid, &key) == SEC_E_OK)
        failures_clear(admin->failures, key);
}

static SECURITY_STATUS lockout_read(struct account_admin *admin, struct store_record *record)
{
    static const struct account_policy everything = {0};
    uint64_t key;
    require(failures_there(admin), SEC_E_OK);
    try(failures_key(admin->failures, "", &record->account->sid, &key));
    failures_get(admin->failures, key, &everything, filetime_now(), &record->lockout);
    return SEC_E_OK;
}

SECURITY_STATUS admin_set_hash(struct account_admin *admin, const struct account *account, const struct key16 *nt_hash,
                               int64_t password_set, int64_t password_expires, uint32_t flags)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_SET_PASSWORD, &statement));
    sqlite_bind_sid(statement, 1, &account->sid);
    bind_hash(statement, 2, nt_hash);
    sqlite3_bind_int64(statement, 3, password_set);
    sqlite3_bind_int64(statement, 4, password_expires);
    sqlite3_bind_int64(statement, 5, nt_hash == NULL ? flags | ACCOUNT_NO_HASH : flags);
    return sqlite_run(admin->db, statement);
}

SECURITY_STATUS admin_set_when(struct account_admin *admin, const struct sid *sid, int64_t password_set)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_SET_WHEN, &statement));
    sqlite_bind_sid(statement, 1, sid);
    sqlite3_bind_int64(statement, 2, password_set);
    return sqlite_run(admin->db, statement);
}

static SECURITY_STATUS passwd_within(struct account_admin *admin, const char *name, const char *domain,
                                     struct slice password, bool must_change, struct sid *sid)
{
    AUTO_RECORD struct store_record record = {0};
    AUTO_KEY16 struct key16 hash;
    if (password.len == 0 || password.len % 2 != 0 || password.len > ACCOUNT_PASSWORD_MAX)
        return cause_set(SEC_E_INVALID_PARAMETER, "a password must have 1 to %d letters", ACCOUNT_PASSWORD_MAX / 2);
    try(admin_find(admin, name, domain, &record));
    ntlm_nt_hash(password, &hash);
    uint32_t flags = record.account->flags & ~(uint32_t)(ACCOUNT_MUST_CHANGE | ACCOUNT_NO_HASH);
    const struct account *account = record.account;
    *sid = account->sid;
    try(admin_set_hash(admin, account, &hash, filetime_now(), FILETIME_NEVER,
                       must_change ? flags | ACCOUNT_MUST_CHANGE : flags));
    return sqlite_digest_write(admin->db, admin->realms, &account->sid, account->name, account->domain, password);
}

SECURITY_STATUS account_admin_passwd(struct account_admin *admin, const char *name, const char *domain,
                                     struct slice password, bool must_change)
{
    struct sid sid;
    try(sqlite_begin(admin->db, true));
    try(sqlite_end(admin->db, passwd_within(admin, name, domain, password, must_change, &sid)));
    admin_lockout_clear(admin, &sid);
    return SEC_E_OK;
}

SECURITY_STATUS account_admin_show(struct account_admin *admin, const char *name, const char *domain,
                                   struct store_record *record)
{
    try(sqlite_begin(admin->db, false));
    SECURITY_STATUS found = admin_find(admin, name, domain, record);
    SECURITY_STATUS ended = sqlite_end(admin->db, SEC_E_OK);
    if (found == SEC_E_OK && ended == SEC_E_OK)
        ended = lockout_read(admin, record);
    if (found == SEC_E_OK && ended != SEC_E_OK) {
        store_record_wipe(record);
        return ended;
    }
    return found;
}

SECURITY_STATUS admin_each_account(struct account_admin *admin,
                                   SECURITY_STATUS (*each)(void *context, const struct store_record *record),
                                   void *context)
{
    sqlite3_stmt *rows;
    int step;
    SECURITY_STATUS status = SEC_E_OK;
    try(sqlite_prepare(admin->db, SQL_LIST, &rows));
    while (status == SEC_E_OK && (step = sqlite3_step(rows)) != SQLITE_DONE) {
        AUTO_RECORD struct store_record record = {0};
        status = step == SQLITE_ROW ? sqlite_read_record(admin->db, rows, NULL, &record) : sqlite_failed(admin->db);
        if (status == SEC_E_OK)
            status = lockout_read(admin, &record);
        if (status == SEC_E_OK)
            status = each(context, &record);
    }
    sqlite_done(rows);
    return status;
}

SECURITY_STATUS account_admin_list(struct account_admin *admin,
                                   SECURITY_STATUS (*each)(void *context, const struct store_record *record),
                                   void *context)
{
    try(sqlite_begin(admin->db, false));
    return sqlite_end(admin->db, admin_each_account(admin, each, context));
}

SECURITY_STATUS admin_update(struct account_admin *admin, const struct account *account)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_UPDATE, &statement));
    sqlite_bind_sid(statement, 1, &account->sid);
    sqlite_bind_text_or_null(statement, 2, account->full_name);
    sqlite3_bind_int64(statement, 3, account->flags);
    sqlite3_bind_int64(statement, 4, account->expires);
    sqlite3_bind_int64(statement, 5, account->uid);
    sqlite3_bind_int64(statement, 6, account->gid);
    sqlite3_bind_int64(statement, 7, account->password_expires);
    return sqlite_run(admin->db, statement);
}

static SECURITY_STATUS change_within(struct account_admin *admin, const char *name, const char *domain,
                                     const struct account_change *change, struct sid *sid)
{
    AUTO_RECORD struct store_record record = {0};
    try(admin_find(admin, name, domain, &record));
    struct account account = *record.account; /* borrows what the record owns */
    *sid = account.sid;
    if ((change->fields & CHANGE_FULL_NAME) != 0) {
        try(admin_check_text("full name", change->full_name));
        account.full_name = (char *)(uintptr_t)change->full_name;
    }
    if ((change->fields & CHANGE_EXPIRES) != 0)
        account.expires = change->expires;
    if ((change->fields & CHANGE_PASSWORD_EXPIRES) != 0)
        account.password_expires = change->password_expires;
    if ((change->fields & CHANGE_UID) != 0)
        account.uid = change->uid;
    if ((change->fields & CHANGE_GID) != 0)
        account.gid = change->gid;
    if ((change->fields & CHANGE_FLAGS) != 0)
        account.flags = (account.flags & ~change->clear_flags) | change->set_flags;
    return admin_update(admin, &account);
}

SECURITY_STATUS account_admin_change(struct account_admin *admin, const char *name, const char *domain,
                                     const struct account_change *change)
{
    struct sid sid;
    try(sqlite_begin(admin->db, true));
    try(sqlite_end(admin->db, change_within(admin, name, domain, change, &sid)));
    if ((change->fields & CHANGE_FLAGS) != 0 && (change->clear_flags & ACCOUNT_LOCKED) != 0)
        admin_lockout_clear(admin, &sid);
    return SEC_E_OK;
}

SECURITY_STATUS account_admin_disable(struct account_admin *admin, const char *name, const char *domain)
{
    struct account_change change = {.fields = CHANGE_FLAGS, .set_flags = ACCOUNT_DISABLED};
    return account_admin_change(admin, name, domain, &change);
}

SECURITY_STATUS account_admin_enable(struct account_admin *admin, const char *name, const char *domain)
{
    struct account_change change = {.fields = CHANGE_FLAGS, .clear_flags = ACCOUNT_DISABLED | ACCOUNT_LOCKED};
    return account_admin_change(admin, name, domain, &change);
}

static SECURITY_STATUS remove_within(struct account_admin *admin, const char *name, const char *domain, struct sid *sid)
{
    AUTO_RECORD struct store_record record = {0};
    sqlite3_stmt *statement;
    try(admin_find(admin, name, domain, &record));
    try(sqlite_prepare(admin->db, SQL_REMOVE, &statement));
    *sid = record.account->sid;
    sqlite_bind_sid(statement, 1, sid);
    return sqlite_run(admin->db, statement);
}

SECURITY_STATUS account_admin_remove(struct account_admin *admin, const char *name, const char *domain)
{
    struct sid sid;
    try(sqlite_begin(admin->db, true));
    try(sqlite_end(admin->db, remove_within(admin, name, domain, &sid)));
    admin_lockout_clear(admin, &sid);
    return SEC_E_OK;
}
