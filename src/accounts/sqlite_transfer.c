#include "accounts/admin_internal.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"

struct import {
    const char *domain; /* of those that name none */
    bool replace;
    struct import_counts counts;
    struct sid *changed; /* whose wrong passwords are forgotten in the end: those that have another password now */
    unsigned n_changed;
};

/* Makes an account that exists what the entry says of it; what its format cannot say stays. Another password was set now and does not
 * expire where the format has no word for that, as when an administrator sets one. */
static SECURITY_STATUS import_replace(struct account_admin *admin, const struct account_file_entry *entry,
                                      const struct store_record *record, struct import *import)
{
    struct account account = *record->account; /* borrows what the record owns */
    const struct key16 *hash = entry->has_nt ? &entry->nt_hash : NULL;
    bool same = entry->has_nt == record->has_nt &&
                (hash == NULL || secret_equal(hash->bytes, record->nt_hash.bytes, sizeof(hash->bytes)));
    if (!same)
        import->changed[import->n_changed++] = account.sid;
    try(admin_check_text("full name", entry->full_name));
    account.full_name = entry->full_name != NULL ? entry->full_name : account.full_name;
    account.flags = (account.flags & ~entry->told_flags) | (entry->flags & entry->told_flags);
    if (entry->tells_uid)
        account.uid = entry->uid;
    if (!entry->tells_all && !same) {
        account.password_set = hash == NULL ? 0 : filetime_now();
        account.password_expires = FILETIME_NEVER;
    }
    if (entry->tells_all || entry->password_set != 0)
        account.password_set = entry->password_set;
    if (entry->tells_all) {
        account.gid = entry->gid;
        account.expires = entry->expires;
        account.password_expires = entry->password_expires;
    }
    try(admin_update(admin, &account));
    if (same) /* what was made of that password stays, too */
        return admin_set_when(admin, &account.sid, account.password_set);
    return admin_set_hash(admin, &account, hash, account.password_set, account.password_expires, account.flags);
}

static SECURITY_STATUS import_entry(struct account_admin *admin, const struct account_file_entry *entry,
                                    struct import *import)
{
    AUTO_RECORD struct store_record record = {0};
    const char *into = entry->domain[0] == '\0' ? import->domain : entry->domain;
    AUTO_FREE char *into_key = text_upper(into);
    require(into_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS found = sqlite_find(admin->db, entry->name_key, into_key, NULL, &record);
    if (found == SEC_E_NO_CREDENTIALS || (found == SEC_E_OK && !import->replace)) {
        struct account_spec spec = {.name = entry->name,
                                    .domain = into,
                                    .full_name = entry->full_name,
                                    .sid = entry->has_sid ? &entry->sid : NULL,
                                    .nt_hash = entry->has_nt ? &entry->nt_hash : NULL,
                                    .flags = entry->flags,
                                    .expires = entry->expires,
                                    .uid = entry->uid,
                                    .gid = entry->gid};
        try(admin_insert(admin, &spec, entry->password_set,
                         entry->password_expires)); /* tells of an account that exists */
        import->counts.added++;
        return SEC_E_OK;
    }
    require(found == SEC_E_OK, found);
    import->counts.replaced++;
    return import_replace(admin, entry, &record, import);
}

static SECURITY_STATUS import_member(struct account_admin *admin, const struct account_file_member *member,
                                     const char *domain)
{
    AUTO_RECORD struct store_record record = {0};
    bool exists;
    try(admin_group_exists(admin, member->group_key, &exists));
    if (!exists)
        return cause_set(SEC_E_INVALID_PARAMETER, "line %u names a group that does not exist", member->line);
    SECURITY_STATUS found =
        admin_find(admin, member->name_key, member->domain_key[0] == '\0' ? domain : member->domain_key, &record);
    require(found == SEC_E_OK, found == SEC_E_NO_CREDENTIALS ? SEC_E_INVALID_PARAMETER : found);
    return admin_join(admin, member->group_key, &record.account->sid);
}

static SECURITY_STATUS import_within(struct account_admin *admin, const struct account_file *file,
                                     struct import *import)
{
    for (size_t i = 0; i < file->n_entries; i++)
        try(import_entry(admin, &file->entries[i], import));
    for (size_t i = 0; i < file->n_groups; i++) {
        const struct account_file_group *group = &file->groups[i];
        struct group_spec spec = {.name = group->name,
                                  .comment = group->comment,
                                  .sid = group->has_sid ? &group->sid : NULL,
                                  .gid = group->gid};
        bool exists = false;
        if (import->replace)
            try(admin_group_exists(admin, group->name_key, &exists));
        if (exists)
            continue;
        try(admin_group_insert(admin, &spec));
        import->counts.groups++;
    }
    for (size_t i = 0; i < file->n_members; i++) {
        try(import_member(admin, &file->members[i], import->domain));
        import->counts.members++;
    }
    return SEC_E_OK;
}

SECURITY_STATUS account_admin_import(struct account_admin *admin, const struct account_file *file, const char *domain,
                                     bool replace, struct import_counts *counts)
{
    AUTO_FREE struct sid *changed =
        mem_zalloc_array(file->n_entries + 1, sizeof(*changed)); /* a file may have groups alone */
    struct import import = {.domain = domain, .replace = replace, .changed = changed};
    require(changed != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(sqlite_begin(admin->db, true));
    try(sqlite_end(admin->db, import_within(admin, file, &import)));
    for (unsigned i = 0; i < import.n_changed; i++)
        admin_lockout_clear(admin, &changed[i]);
    *counts = import.counts;
    return SEC_E_OK;
}

struct export
{
    enum account_file_format format;
    struct writer *writer;
};

/* smbpasswd says nothing of domains. */
static SECURITY_STATUS names_check(struct account_admin *admin)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(admin->db, SQL_NAME_TWICE, &statement));
    int step = sqlite3_step(statement);
    const char *name = step == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    SECURITY_STATUS status = SEC_E_OK;
    if (step == SQLITE_ROW)
        status = cause_set(SEC_E_INVALID_PARAMETER,
                           "%s is in more than one domain, which smbpasswd cannot say; export in our own format",
                           name != NULL ? name : "a name");
    else if (step != SQLITE_DONE)
        status = sqlite_failed(admin->db);
    sqlite_done(statement);
    return status;
}

static SECURITY_STATUS export_account(void *context, const struct store_record *record)
{
    struct export *export = context;
    if (export->format == ACCOUNT_FILE_OWN) {
        account_file_write_account(export->writer, record, record->account->domain);
        return SEC_E_OK;
    }
    require(record->account->name[0] != '#',
            cause_set(SEC_E_INVALID_PARAMETER,
                      "the line of %s would be a comment in smbpasswd; export in our own format",
                      record->account->name));
    account_file_write_smbpasswd(export->writer, record);
    return SEC_E_OK;
}

static SECURITY_STATUS export_group(void *context, const struct group_spec *group)
{
    struct export *export = context;
    account_file_write_group(export->writer, group->name, group->sid, group->gid, group->comment);
    return SEC_E_OK;
}

static SECURITY_STATUS export_member(sqlite3_stmt *row, struct writer *writer)
{
    const char *text[3];
    for (int i = 0; i < 3; i++) {
        text[i] = (const char *)sqlite3_column_text(row, i);
        require(text[i] != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    account_file_write_member(writer, text[0], text[1], text[2]);
    return SEC_E_OK;
}

static SECURITY_STATUS export_members(struct account_admin *admin, struct writer *writer)
{
    sqlite3_stmt *rows;
    int step;
    SECURITY_STATUS status = SEC_E_OK;
    try(sqlite_prepare(admin->db, SQL_MEMBER_LIST_ALL, &rows));
    while (status == SEC_E_OK && (step = sqlite3_step(rows)) != SQLITE_DONE)
        status = step == SQLITE_ROW ? export_member(rows, writer) : sqlite_failed(admin->db);
    sqlite_done(rows);
    return status;
}

static SECURITY_STATUS export_within(struct account_admin *admin, struct export *export)
{
    if (export->format == ACCOUNT_FILE_OWN)
        account_file_write_header(export->writer);
    else
        try(names_check(admin));
    try(admin_each_account(admin, export_account, export));
    if (export->format == ACCOUNT_FILE_OWN) {
        try(group_admin_list(admin, export_group, export));
        try(export_members(admin, export->writer));
    }
    return writer_finish(export->writer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS account_admin_export(struct account_admin *admin, enum account_file_format format,
                                     struct writer *writer)
{
    if (format == ACCOUNT_FILE_SAM)
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the SAM format is only read");
    struct export export = {.format = format, .writer = writer};
    try(sqlite_begin(admin->db, false));
    return sqlite_end(admin->db, export_within(admin, &export));
}
