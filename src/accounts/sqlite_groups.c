#include "accounts/admin_internal.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"

static SECURITY_STATUS no_group(const char *name)
{
    return cause_set(SEC_E_NO_CREDENTIALS, "there is no group %s", name);
}

SECURITY_STATUS admin_group_exists(struct account_admin *admin, const char *name_key, bool *exists)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_GROUP_FIND, &statement));
    sqlite3_bind_text(statement, 1, name_key, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_ROW || step == SQLITE_DONE ? SEC_E_OK : sqlite_failed(admin->db);
    *exists = step == SQLITE_ROW;
    sqlite_done(statement);
    return status;
}

SECURITY_STATUS admin_group_insert(struct account_admin *admin, const struct group_spec *spec)
{
    AUTO_FREE char *name_key = text_upper(spec->name);
    struct sid sid;
    sqlite3_stmt *statement;
    bool exists;
    try(admin_check_name("group", spec->name));
    try(admin_check_text("comment", spec->comment));
    require(name_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(admin_group_exists(admin, name_key, &exists));
    if (exists)
        return cause_set(SEC_E_INVALID_PARAMETER, "there is a group %s already", spec->name);
    try(admin_choose_sid(admin, spec->sid, &sid));
    try(sqlite_prepare(admin->db, SQL_GROUP_ADD, &statement));
    sqlite3_bind_text(statement, 1, spec->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, name_key, -1, SQLITE_STATIC);
    sqlite_bind_sid(statement, 3, &sid);
    sqlite3_bind_int64(statement, 4, spec->gid);
    sqlite_bind_text_or_null(statement, 5, spec->comment);
    return sqlite_run(admin->db, statement);
}

SECURITY_STATUS group_admin_add(struct account_admin *admin, const struct group_spec *spec)
{
    try(sqlite_begin(admin->db, true));
    return sqlite_end(admin->db, admin_group_insert(admin, spec));
}

SECURITY_STATUS group_admin_remove(struct account_admin *admin, const char *name)
{
    AUTO_FREE char *name_key = text_upper(name);
    sqlite3_stmt *statement;
    if (name_key == NULL)
        return no_group(name);
    try(sqlite_prepare(admin->db, SQL_GROUP_REMOVE, &statement));
    sqlite3_bind_text(statement, 1, name_key, -1, SQLITE_STATIC);
    try(sqlite_run(admin->db, statement));
    return sqlite3_changes(admin->db->handle) == 1 ? SEC_E_OK : no_group(name);
}

/* Hands the group of a row (id, name, sid, gid, comment) on; the row owns its texts. */
static SECURITY_STATUS group_row(struct account_admin *admin, sqlite3_stmt *row,
                                 SECURITY_STATUS (*each)(void *context, const struct group_spec *group), void *context)
{
    struct sid sid;
    try(sqlite_column_sid(admin->db, row, 2, &sid));
    struct group_spec group = {.name = (const char *)sqlite3_column_text(row, 1),
                               .comment = (const char *)sqlite3_column_text(row, 4),
                               .sid = &sid,
                               .gid = sqlite3_column_int64(row, 3)};
    require(group.name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return each(context, &group);
}

static SECURITY_STATUS group_rows(struct account_admin *admin, sqlite3_stmt *rows,
                                  SECURITY_STATUS (*each)(void *context, const struct group_spec *group), void *context,
                                  unsigned *n_rows)
{
    int step;
    SECURITY_STATUS status = SEC_E_OK;
    *n_rows = 0;
    while (status == SEC_E_OK && (step = sqlite3_step(rows)) != SQLITE_DONE) {
        status = step == SQLITE_ROW ? group_row(admin, rows, each, context) : sqlite_failed(admin->db);
        ++*n_rows;
    }
    sqlite_done(rows);
    return status;
}

SECURITY_STATUS group_admin_list(struct account_admin *admin,
                                 SECURITY_STATUS (*each)(void *context, const struct group_spec *group), void *context)
{
    sqlite3_stmt *rows;
    unsigned n_rows;
    try(sqlite_prepare(admin->db, SQL_GROUP_LIST, &rows));
    return group_rows(admin, rows, each, context, &n_rows);
}

static SECURITY_STATUS member_row(sqlite3_stmt *row,
                                  SECURITY_STATUS (*each)(void *context, const char *name, const char *domain),
                                  void *context)
{
    const char *name = (const char *)sqlite3_column_text(row, 0), *domain = (const char *)sqlite3_column_text(row, 1);
    require(name != NULL && domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return each(context, name, domain);
}

static SECURITY_STATUS member_rows(struct account_admin *admin, sqlite3_stmt *rows,
                                   SECURITY_STATUS (*each)(void *context, const char *name, const char *domain),
                                   void *context)
{
    int step;
    SECURITY_STATUS status = SEC_E_OK;
    while (status == SEC_E_OK && (step = sqlite3_step(rows)) != SQLITE_DONE)
        status = step == SQLITE_ROW ? member_row(rows, each, context) : sqlite_failed(admin->db);
    sqlite_done(rows);
    return status;
}

static SECURITY_STATUS show_within(struct account_admin *admin, const char *name, const char *name_key,
                                   SECURITY_STATUS (*each_group)(void *context, const struct group_spec *group),
                                   SECURITY_STATUS (*each_member)(void *context, const char *name, const char *domain),
                                   void *context)
{
    sqlite3_stmt *rows;
    unsigned n_rows;
    try(sqlite_prepare(admin->db, SQL_GROUP_FIND, &rows));
    sqlite3_bind_text(rows, 1, name_key, -1, SQLITE_STATIC);
    try(group_rows(admin, rows, each_group, context, &n_rows));
    if (n_rows == 0)
        return no_group(name);
    try(sqlite_prepare(admin->db, SQL_MEMBER_LIST, &rows));
    sqlite3_bind_text(rows, 1, name_key, -1, SQLITE_STATIC);
    return member_rows(admin, rows, each_member, context);
}

SECURITY_STATUS group_admin_show(struct account_admin *admin, const char *name,
                                 SECURITY_STATUS (*each_group)(void *context, const struct group_spec *group),
                                 SECURITY_STATUS (*each_member)(void *context, const char *name, const char *domain),
                                 void *context)
{
    AUTO_FREE char *name_key = text_upper(name);
    if (name_key == NULL)
        return no_group(name);
    try(sqlite_begin(admin->db, false));
    return sqlite_end(admin->db, show_within(admin, name, name_key, each_group, each_member, context));
}

SECURITY_STATUS admin_join(struct account_admin *admin, const char *group_key, const struct sid *account)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_MEMBER_ADD, &statement));
    sqlite_bind_sid(statement, 1, account);
    sqlite3_bind_text(statement, 2, group_key, -1, SQLITE_STATIC);
    return sqlite_run(admin->db, statement);
}

static SECURITY_STATUS membership_within(struct account_admin *admin, const char *group, const char *name,
                                         const char *domain, bool join)
{
    AUTO_FREE char *group_key = text_upper(group);
    AUTO_RECORD struct store_record record = {0};
    sqlite3_stmt *statement;
    bool exists = false;
    if (group_key != NULL)
        try(admin_group_exists(admin, group_key, &exists));
    if (!exists)
        return no_group(group);
    try(admin_find(admin, name, domain, &record));
    if (join)
        return admin_join(admin, group_key, &record.account->sid);
    try(sqlite_prepare(admin->db, SQL_MEMBER_REMOVE, &statement));
    sqlite_bind_sid(statement, 1, &record.account->sid);
    sqlite3_bind_text(statement, 2, group_key, -1, SQLITE_STATIC);
    try(sqlite_run(admin->db, statement));
    if (sqlite3_changes(admin->db->handle) == 1)
        return SEC_E_OK;
    return cause_set(SEC_E_NO_CREDENTIALS, "%s is not in the group %s", name, group);
}

SECURITY_STATUS group_admin_join(struct account_admin *admin, const char *group, const char *name, const char *domain)
{
    try(sqlite_begin(admin->db, true));
    return sqlite_end(admin->db, membership_within(admin, group, name, domain, true));
}

SECURITY_STATUS group_admin_leave(struct account_admin *admin, const char *group, const char *name, const char *domain)
{
    try(sqlite_begin(admin->db, true));
    return sqlite_end(admin->db, membership_within(admin, group, name, domain, false));
}
