#include "accounts/sqlite_db.h"

#include <string.h>

struct digest_writing {
    struct sqlite_db *db;
    const struct sid *sid;
};

static SECURITY_STATUS entry_write(void *context, const struct digest_entry *entry)
{
    const struct digest_writing *writing = context;
    sqlite3_stmt *statement;
    try(sqlite_prepare(writing->db, SQL_DIGEST_ADD, &statement));
    sqlite_bind_sid(statement, 1, writing->sid);
    sqlite3_bind_text(statement, 2, entry->realm, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, entry->username, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 4, (int)entry->form);
    sqlite3_bind_blob(statement, 5, entry->hash.data, (int)entry->hash.len, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 6, entry->user_hash.data, (int)entry->user_hash.len, SQLITE_STATIC);
    return sqlite_run(writing->db, statement);
}

SECURITY_STATUS sqlite_digest_write(struct sqlite_db *db, const struct digest_realms *realms, const struct sid *sid,
                                    const char *name, const char *domain, struct slice password)
{
    struct digest_writing writing = {db, sid};
    return digest_hashes_make(realms, name, domain, password, entry_write, &writing);
}

SECURITY_STATUS sqlite_digest_find(struct sqlite_db *db, const struct sid *sid, const struct store_digest *wanted,
                                   uint8_t hash[DIGEST_LEN_MAX])
{
    sqlite3_stmt *statement;
    size_t len = digest_len(digest_form_algorithm(wanted->form));
    try(sqlite_prepare(db, SQL_DIGEST_FIND, &statement));
    if (sid != NULL)
        sqlite_bind_sid(statement, 1, sid);
    else
        sqlite3_bind_text(statement, 1, STORE_NO_NAME, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, wanted->realm, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, wanted->username, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 4, (int)wanted->form);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    if (step == SQLITE_ROW) {
        const void *found = sqlite3_column_blob(statement, 0);
        if (found != NULL && sqlite3_column_bytes(statement, 0) == (int)len) {
            memcpy(hash, found, len);
            status = SEC_E_OK;
        }
    } else if (step != SQLITE_DONE)
        status = sqlite_failed(db);
    sqlite_done(statement);
    return status;
}

SECURITY_STATUS sqlite_digest_user(struct sqlite_db *db, const struct store_digest *wanted, struct slice user_hash,
                                   char **username)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(db, SQL_DIGEST_USER, &statement));
    sqlite3_bind_blob(statement, 1, user_hash.data, (int)user_hash.len, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, wanted->realm, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 3, (int)wanted->form);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    if (step == SQLITE_ROW)
        status = sqlite_column_string(statement, 0, username);
    else if (step != SQLITE_DONE)
        status = sqlite_failed(db);
    sqlite_done(statement);
    return status;
}
