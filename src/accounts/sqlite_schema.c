#include "accounts/sqlite_db.h"

#include "core/cause.h"
#include "crypto/random.h"

#include <stdio.h>

#define APPLICATION_ID 1330860112 /* "OSSP" */
#define FIRST_RID "1000"          /* MS-SAMR 3.1.1.9.2: RIDs below 1000 are Windows' own */

/* Step n brings version n to n + 1. A step that was released is never changed. */
static const char *const steps[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('next_rid', " FIRST_RID ");"
    "CREATE TABLE account ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, name_key TEXT NOT NULL CHECK (length(name_key) > 0),"
    " domain TEXT NOT NULL, domain_key TEXT NOT NULL,"
    " full_name TEXT,"
    " sid TEXT NOT NULL UNIQUE,"
    " nt_hash BLOB CHECK (nt_hash IS NULL OR (typeof(nt_hash) = 'blob' AND length(nt_hash) = 16)),"
    " flags INTEGER NOT NULL DEFAULT 0,"
    " expires INTEGER NOT NULL, password_set INTEGER NOT NULL DEFAULT 0, password_expires INTEGER NOT NULL,"
    " uid INTEGER NOT NULL DEFAULT -1, gid INTEGER NOT NULL DEFAULT -1,"
    " UNIQUE (domain_key, name_key));"
    "CREATE TABLE account_group ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE CHECK (length(name_key) > 0),"
    " sid TEXT NOT NULL UNIQUE, gid INTEGER NOT NULL DEFAULT -1, comment TEXT);"
    "CREATE TABLE member ("
    " account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
    " account_group INTEGER NOT NULL REFERENCES account_group (id) ON DELETE CASCADE,"
    " PRIMARY KEY (account, account_group)) WITHOUT ROWID;"
    "CREATE INDEX member_by_group ON member (account_group);",
    /* Whoever writes nt_hash, this program or not, leaves no digest hash of a former password behind. */
    "CREATE TABLE digest ("
    " account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
    " realm TEXT NOT NULL, username TEXT NOT NULL, form INTEGER NOT NULL,"
    " hash BLOB NOT NULL CHECK (typeof(hash) = 'blob' AND length(hash) IN (16, 32)), user_hash BLOB NOT NULL,"
    " PRIMARY KEY (account, realm, username, form)) WITHOUT ROWID;"
    "CREATE INDEX digest_by_user ON digest (user_hash, realm, form);"
    "CREATE TRIGGER digest_stale AFTER UPDATE OF nt_hash ON account BEGIN"
    " DELETE FROM digest WHERE account = new.id; END;",
    /* Rows that hang on an account go with it, also where nobody asks SQLite to mind foreign keys: it gives the number of a deleted account to the
     * next one, which would have its digest hashes and its groups. REPLACE fires no trigger for what it deletes, but one for what it inserts. */
    "CREATE TRIGGER account_gone AFTER DELETE ON account BEGIN"
    " DELETE FROM digest WHERE account = old.id; DELETE FROM member WHERE account = old.id; END;"
    "CREATE TRIGGER account_new AFTER INSERT ON account BEGIN"
    " DELETE FROM digest WHERE account = new.id; DELETE FROM member WHERE account = new.id; END;"
    "CREATE TRIGGER account_renumbered AFTER UPDATE OF id ON account WHEN old.id <> new.id BEGIN"
    " DELETE FROM digest WHERE account IN (old.id, new.id); DELETE FROM member WHERE account IN (old.id, new.id); END;"
    "CREATE TRIGGER group_gone AFTER DELETE ON account_group BEGIN"
    " DELETE FROM member WHERE account_group = old.id; END;"
    "CREATE TRIGGER group_new AFTER INSERT ON account_group BEGIN"
    " DELETE FROM member WHERE account_group = new.id; END;"
    "CREATE TRIGGER group_renumbered AFTER UPDATE OF id ON account_group WHEN old.id <> new.id BEGIN"
    " DELETE FROM member WHERE account_group IN (old.id, new.id); END;"
    "DELETE FROM digest WHERE account NOT IN (SELECT id FROM account);"
    "DELETE FROM member WHERE account NOT IN (SELECT id FROM account)"
    " OR account_group NOT IN (SELECT id FROM account_group);",
};
#define SCHEMA_VERSION ((int)(sizeof(steps) / sizeof(steps[0])))

static SECURITY_STATUS number_of(struct sqlite_db *db, const char *query, int *number)
{
    sqlite3_stmt *statement = NULL;
    SECURITY_STATUS status = SEC_E_OK;
    if (sqlite3_prepare_v2(db->handle, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int(statement, 0);
    else
        status = sqlite_failed(db);
    sqlite3_finalize(statement);
    return status;
}

static SECURITY_STATUS versions_read(struct sqlite_db *db, int *version, int *application)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(db, SQL_VERSION, &statement));
    bool got = sqlite3_step(statement) == SQLITE_ROW;
    SECURITY_STATUS status = got ? SEC_E_OK : sqlite_failed(db);
    if (got) {
        *version = sqlite3_column_int(statement, 0);
        *application = sqlite3_column_int(statement, 1);
    }
    sqlite_done(statement);
    return status;
}

SECURITY_STATUS sqlite_schema_check(struct sqlite_db *db, int *version)
{
    int application = 0, objects = 0, found = 0;
    try(versions_read(db, &found, &application));
    if (found == 0 && application == 0) {
        try(number_of(db, "SELECT count(*) FROM sqlite_schema", &objects));
        if (objects == 0) {
            *version = 0;
            return SEC_E_OK;
        }
        try(versions_read(db, &found, &application)); /* another process may have made the schema between the two */
    }
    if (application != APPLICATION_ID || found <= 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: this SQLite database is not an account store of OpenSSPI",
                         db->path);
    if (found > SCHEMA_VERSION)
        return cause_set(SEC_E_INTERNAL_ERROR,
                         "%s: the store has schema version %d, this program knows %d; use a newer OpenSSPI", db->path,
                         found, SCHEMA_VERSION);
    *version = found;
    return SEC_E_OK;
}

/* S-1-5-21-a-b-c: the authority of this store's own SIDs, made once. */
static SECURITY_STATUS machine_sid_make(struct sqlite_db *db)
{
    struct sid sid = {.revision = 1, .n_subauthorities = 4, .authority = {0, 0, 0, 0, 0, 5}, .subauthority = {21}};
    if (!random_bytes(&sid.subauthority[1], 3 * sizeof(sid.subauthority[0])))
        return cause_set(SEC_E_INTERNAL_ERROR, "no random numbers for a machine SID");
    sqlite3_stmt *statement;
    try(sqlite_prepare(db, SQL_META_SET, &statement));
    sqlite3_bind_text(statement, 1, "machine_sid", -1, SQLITE_STATIC);
    sqlite_bind_sid(statement, 2, &sid);
    return sqlite_run(db, statement);
}

static SECURITY_STATUS schema_steps(struct sqlite_db *db)
{
    int version;
    char pragmas[80];
    try(sqlite_schema_check(db, &version)); /* again, now that nobody else can write */
    if (version == SCHEMA_VERSION)
        return SEC_E_OK;
    int from = version;
    for (; version < SCHEMA_VERSION; version++)
        if (sqlite3_exec(db->handle, steps[version], NULL, NULL, NULL) != SQLITE_OK)
            return sqlite_failed(db);
    if (from == 0)
        try(machine_sid_make(db));
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
             SCHEMA_VERSION);
    return sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL) == SQLITE_OK ? SEC_E_OK : sqlite_failed(db);
}

SECURITY_STATUS sqlite_schema_update(struct sqlite_db *db)
{
    int version;
    try(sqlite_schema_check(db, &version));
    if (version == SCHEMA_VERSION)
        return SEC_E_OK;
    try(sqlite_begin(db, true));
    return sqlite_end(db, schema_steps(db));
}
