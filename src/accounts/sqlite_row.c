#include "accounts/sqlite_db.h"

#include "access/client_identity.h"
#include "base/memory.h"
#include "core/cause.h"

#include <string.h>

#define GROUP_ATTRIBUTES 7 /* SE_GROUP_MANDATORY | ENABLED_BY_DEFAULT | ENABLED */

/* The columns of ACCOUNT_COLUMNS in sqlite_db.c. */
enum account_column {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_DOMAIN,
    COLUMN_FULL_NAME,
    COLUMN_SID,
    COLUMN_NT_HASH,
    COLUMN_FLAGS,
    COLUMN_EXPIRES,
    COLUMN_PASSWORD_SET,
    COLUMN_PASSWORD_EXPIRES,
    COLUMN_UID,
    COLUMN_GID,
};

void sqlite_bind_text_or_null(sqlite3_stmt *statement, int index, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

void sqlite_bind_sid(sqlite3_stmt *statement, int index, const struct sid *sid)
{
    char text[SID_TEXT_MAX];
    sid_to_text(sid, text);
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

SECURITY_STATUS sqlite_column_string(sqlite3_stmt *statement, int column, char **text)
{
    const unsigned char *value = sqlite3_column_text(statement, column);
    if (value == NULL) {
        require(sqlite3_column_type(statement, column) == SQLITE_NULL, SEC_E_INSUFFICIENT_MEMORY);
        *text = NULL;
        return SEC_E_OK;
    }
    char *copy = mem_strdup((const char *)value);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *text = copy;
    return SEC_E_OK;
}

SECURITY_STATUS sqlite_column_sid(struct sqlite_db *db, sqlite3_stmt *statement, int column, struct sid *sid)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text == NULL || sid_from_text(text, sid) != WIRE_OK)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the store holds a SID that is none", db->path);
    return SEC_E_OK;
}

static SECURITY_STATUS read_group(struct sqlite_db *db, sqlite3_stmt *row, struct account_group *group)
{
    try(sqlite_column_string(row, 0, &group->name));
    group->attributes = GROUP_ATTRIBUTES;
    group->gid = sqlite3_column_int64(row, 2);
    return sqlite_column_sid(db, row, 1, &group->sid);
}

static SECURITY_STATUS read_group_rows(struct sqlite_db *db, sqlite3_stmt *rows, struct account *account)
{
    size_t max = 0;
    int step;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        if (account->n_groups >= CLIENT_GROUPS_MAX) /* no token holds more */
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: an account is in more than %d groups", db->path,
                             CLIENT_GROUPS_MAX);
        if (account->n_groups == max) {
            max = max == 0 ? 8 : max * 2;
            void *grown = mem_realloc(account->groups, max * sizeof(account->groups[0]));
            require(grown != NULL, SEC_E_INSUFFICIENT_MEMORY);
            account->groups = grown;
        }
        struct account_group *group = &account->groups[account->n_groups++];
        *group = (struct account_group){0};
        try(read_group(db, rows, group));
    }
    return step == SQLITE_DONE ? SEC_E_OK : sqlite_failed(db);
}

static SECURITY_STATUS read_groups(struct sqlite_db *db, int64_t id, struct account *account)
{
    sqlite3_stmt *rows;
    try(sqlite_prepare(db, SQL_FIND_GROUPS, &rows));
    sqlite3_bind_int64(rows, 1, id);
    SECURITY_STATUS status = read_group_rows(db, rows, account);
    sqlite_done(rows);
    return status;
}

static SECURITY_STATUS read_account(struct sqlite_db *db, sqlite3_stmt *row, const char *default_domain,
                                    struct account *account)
{
    try(sqlite_column_string(row, COLUMN_NAME, &account->name));
    try(sqlite_column_string(row, COLUMN_DOMAIN, &account->domain));
    try(sqlite_column_string(row, COLUMN_FULL_NAME, &account->full_name));
    if (account->name == NULL || account->domain == NULL)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: an account has no name", db->path);
    if (account->domain[0] == '\0' && default_domain != NULL) {
        mem_free(account->domain);
        account->domain = mem_strdup(default_domain);
        require(account->domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    try(sqlite_column_sid(db, row, COLUMN_SID, &account->sid));
    account->flags = (uint32_t)sqlite3_column_int64(row, COLUMN_FLAGS);
    account->expires = sqlite3_column_int64(row, COLUMN_EXPIRES);
    account->password_set = sqlite3_column_int64(row, COLUMN_PASSWORD_SET);
    account->password_expires = sqlite3_column_int64(row, COLUMN_PASSWORD_EXPIRES);
    account->uid = sqlite3_column_int64(row, COLUMN_UID);
    account->gid = sqlite3_column_int64(row, COLUMN_GID);
    return read_groups(db, sqlite3_column_int64(row, COLUMN_ID), account);
}

SECURITY_STATUS sqlite_read_record(struct sqlite_db *db, sqlite3_stmt *row, const char *default_domain,
                                   struct store_record *record)
{
    AUTO_RECORD struct store_record out = {0};
    struct account *account = account_new();
    require(account != NULL, SEC_E_INSUFFICIENT_MEMORY);
    out.account = account;
    try(read_account(db, row, default_domain, account));
    const void *hash = sqlite3_column_blob(row, COLUMN_NT_HASH);
    if (hash != NULL && sqlite3_column_bytes(row, COLUMN_NT_HASH) == (int)sizeof(out.nt_hash.bytes)) {
        memcpy(out.nt_hash.bytes, hash, sizeof(out.nt_hash.bytes));
        out.has_nt = true;
    } else {
        account->flags |= ACCOUNT_NO_HASH;
    }
    *record = out;
    out = (struct store_record){0};
    return SEC_E_OK;
}

SECURITY_STATUS sqlite_find(struct sqlite_db *db, const char *user_key, const char *domain_key,
                            const char *default_domain, struct store_record *record)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(db, SQL_FIND, &statement));
    sqlite3_bind_text(statement, 1, domain_key, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, user_key, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    if (step == SQLITE_ROW)
        status = sqlite_read_record(db, statement, default_domain, record);
    else if (step != SQLITE_DONE)
        status = sqlite_failed(db);
    sqlite_done(statement);
    return status;
}
