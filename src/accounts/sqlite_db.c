#include "accounts/sqlite_db.h"

#include "base/fork.h"
#include "base/memory.h"
#include "core/cause.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCOUNT_COLUMNS \
    "id, name, domain, full_name, sid, nt_hash, flags, expires, password_set, password_expires, uid, gid"

/* Constant texts only: data comes in by binding. */
static const char *const sql[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN",
    [SQL_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_VERSION] = "SELECT v.user_version, a.application_id FROM pragma_user_version v, pragma_application_id a",
    [SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
    [SQL_META_SET] = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    [SQL_FIND] = "SELECT " ACCOUNT_COLUMNS " FROM account WHERE domain_key = ?1 AND name_key = ?2",
    [SQL_FIND_GROUPS] = "SELECT g.name, g.sid, g.gid FROM member m JOIN account_group g ON g.id = m.account_group "
                        "WHERE m.account = ?1 ORDER BY g.id",
    [SQL_KNOWS_DOMAIN] = "SELECT 1 FROM account WHERE domain_key = ?1 LIMIT 1",
    [SQL_FIND_ANY] = "SELECT name_key, domain_key FROM account LIMIT 1",
    [SQL_SET_PASSWORD] =
        "UPDATE account SET nt_hash = ?2, password_set = ?3, password_expires = ?4, flags = ?5 WHERE sid = ?1",
    [SQL_CHANGE_PASSWORD] =
        "UPDATE account SET nt_hash = ?3, password_set = ?4, password_expires = ?5, flags = flags & ~4 "
        "WHERE sid = ?1 AND nt_hash = ?2",
    [SQL_LIST] = "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY domain_key, name_key",
    [SQL_NAME_TWICE] = "SELECT max(name) FROM account GROUP BY name_key HAVING count(*) > 1 LIMIT 1",
    [SQL_ADD] = "INSERT INTO account (name, name_key, domain, domain_key, full_name, sid, nt_hash, flags, expires, "
                "password_set, "
                "password_expires, uid, gid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [SQL_UPDATE] = "UPDATE account SET full_name = ?2, flags = ?3, expires = ?4, uid = ?5, gid = ?6, "
                   "password_expires = ?7 WHERE sid = ?1",
    [SQL_SET_WHEN] = "UPDATE account SET password_set = ?2 WHERE sid = ?1",
    [SQL_REMOVE] = "DELETE FROM account WHERE sid = ?1",
    [SQL_SID_TAKEN] = "SELECT 1 FROM account WHERE sid = ?1 UNION ALL SELECT 1 FROM account_group WHERE sid = ?1",
    [SQL_SID_NAME] = "SELECT name, domain, 0 FROM account WHERE sid = ?1 UNION ALL "
                     "SELECT name, '', 1 FROM account_group WHERE sid = ?1",
    [SQL_GROUP_ADD] = "INSERT INTO account_group (name, name_key, sid, gid, comment) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_GROUP_REMOVE] = "DELETE FROM account_group WHERE name_key = ?1",
    [SQL_GROUP_FIND] = "SELECT id, name, sid, gid, comment FROM account_group WHERE name_key = ?1",
    [SQL_GROUP_LIST] = "SELECT id, name, sid, gid, comment FROM account_group ORDER BY name_key",
    [SQL_MEMBER_ADD] = "INSERT OR IGNORE INTO member SELECT a.id, g.id FROM account a, account_group g WHERE a.sid = "
                       "?1 AND g.name_key = ?2",
    [SQL_MEMBER_REMOVE] = "DELETE FROM member WHERE account = (SELECT id FROM account WHERE sid = ?1) "
                          "AND account_group = (SELECT id FROM account_group WHERE name_key = ?2)",
    [SQL_MEMBER_LIST] = "SELECT a.name, a.domain FROM member m JOIN account a ON a.id = m.account JOIN account_group g "
                        "ON g.id = m.account_group "
                        "WHERE g.name_key = ?1 ORDER BY a.domain_key, a.name_key",
    [SQL_MEMBER_LIST_ALL] =
        "SELECT g.name, a.name, a.domain FROM member m JOIN account a ON a.id = m.account "
        "JOIN account_group g ON g.id = m.account_group ORDER BY g.name_key, a.domain_key, a.name_key",
    [SQL_DIGEST_ADD] = "INSERT INTO digest (account, realm, username, form, hash, user_hash) "
                       "SELECT id, ?2, ?3, ?4, ?5, ?6 FROM account WHERE sid = ?1",
    [SQL_DIGEST_FIND] = "SELECT hash FROM digest WHERE account = (SELECT id FROM account WHERE sid = ?1) "
                        "AND realm = ?2 AND username = ?3 AND form = ?4",
    [SQL_DIGEST_USER] = "SELECT username FROM digest WHERE user_hash = ?1 AND realm = ?2 AND form = ?3",
    [SQL_DIGEST_REALMS] = "SELECT DISTINCT realm FROM digest WHERE account = (SELECT id FROM account WHERE sid = ?1) "
                          "ORDER BY realm",
};

SECURITY_STATUS sqlite_failed(struct sqlite_db *db)
{
    int code = sqlite3_errcode(db->handle);
    if (code == SQLITE_NOMEM)
        return SEC_E_INSUFFICIENT_MEMORY;
    return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", db->path, sqlite3_errmsg(db->handle));
}

SECURITY_STATUS sqlite_prepare(struct sqlite_db *db, enum sqlite_statement which, sqlite3_stmt **statement)
{
    if (db->statement[which] == NULL && sqlite3_prepare_v3(db->handle, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                                           &db->statement[which], NULL) != SQLITE_OK)
        return sqlite_failed(db);
    *statement = db->statement[which];
    sqlite_done(*statement);
    return SEC_E_OK;
}

void sqlite_done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

SECURITY_STATUS sqlite_run(struct sqlite_db *db, sqlite3_stmt *statement)
{
    int step;
    do
        step = sqlite3_step(statement);
    while (step == SQLITE_ROW);
    SECURITY_STATUS status = step == SQLITE_DONE ? SEC_E_OK : sqlite_failed(db);
    sqlite_done(statement);
    return status;
}

static SECURITY_STATUS run_plain(struct sqlite_db *db, enum sqlite_statement which)
{
    sqlite3_stmt *statement;
    try(sqlite_prepare(db, which, &statement));
    return sqlite_run(db, statement);
}

SECURITY_STATUS sqlite_begin(struct sqlite_db *db, bool write)
{
    return run_plain(db, write ? SQL_BEGIN_IMMEDIATE : SQL_BEGIN);
}

SECURITY_STATUS sqlite_end(struct sqlite_db *db, SECURITY_STATUS status)
{
    if (status == SEC_E_OK)
        status = run_plain(db, SQL_COMMIT);
    /* Some failures roll back by themselves; the others must not leave a transaction open. */
    if (status != SEC_E_OK && sqlite3_get_autocommit(db->handle) == 0)
        (void)run_plain(db, SQL_ROLLBACK);
    return status;
}

/* No write-ahead log (its files would need the same care), nothing in temporary files, no SQL functions with effects out of a
 * schema that somebody prepared, deleted hashes overwritten. */
static SECURITY_STATUS db_configure(struct sqlite_db *db)
{
    static const char pragmas[] =
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
        "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE;"
        "PRAGMA cache_size = -" SQLITE_STORE_CACHE_KIB ";";
    sqlite3_busy_timeout(db->handle, SQLITE_STORE_BUSY_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, 1 << 20);
    return sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL) == SQLITE_OK ? SEC_E_OK : sqlite_failed(db);
}

static SECURITY_STATUS db_connect(struct sqlite_db *db)
{
    struct stat status;
    if (stat(db->path, &status) != 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", db->path, strerror(errno));
    db->device = status.st_dev;
    db->inode = status.st_ino;
    db->fork_count = fork_count();
    db->watch = sqlite_watch_open(db->path, db->device, db->inode);
    if (db->watch == NULL)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot be opened", db->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int opened = sqlite3_open_v2(db->path, &db->handle, flags, NULL);
    if (db->handle == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    if (opened != SQLITE_OK)
        return sqlite_failed(db);
    return db_configure(db);
}

SECURITY_STATUS sqlite_db_open(const char *path, struct sqlite_db **db)
{
    struct sqlite_db *fresh = mem_zalloc(sizeof(*fresh));
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = store_path_check(path, fresh->path);
    if (status == SEC_E_OK)
        status = db_connect(fresh);
    if (status != SEC_E_OK) {
        sqlite_db_close(fresh);
        return status;
    }
    *db = fresh;
    return SEC_E_OK;
}

/* Creates the missing directories above `path`, all of them 0700. */
static SECURITY_STATUS directories_create(const char *path)
{
    AUTO_FREE char *directory = mem_strdup(path);
    require(directory != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (char *slash = strchr(directory + 1, '/'); *directory != '\0' && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(directory, 0700) != 0 && errno != EEXIST)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot create the directory: %s", directory, strerror(errno));
        *slash = '/';
    }
    return SEC_E_OK;
}

static SECURITY_STATUS file_create(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
        return SEC_E_OK; /* somebody was faster; store_path_check looks at what he made */
    if (file < 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot create the account store: %s", path, strerror(errno));
    close(file);
    return SEC_E_OK;
}

SECURITY_STATUS sqlite_db_create(const char *path, struct sqlite_db **db)
{
    SECURITY_STATUS status = sqlite_db_open(path, db);
    if (status == SEC_E_NO_CREDENTIALS) {
        try(directories_create(path));
        try(store_directory_check(path)); /* no file is left where it would be refused */
        try(file_create(path));
        status = sqlite_db_open(path, db);
    }
    require(status == SEC_E_OK, status);
    status = sqlite_schema_update(*db);
    if (status != SEC_E_OK) {
        sqlite_db_close(*db);
        *db = NULL;
    }
    return status;
}

void sqlite_db_close(struct sqlite_db *db)
{
    if (db == NULL)
        return;
    for (unsigned i = 0; i < SQL_STATEMENTS; i++)
        sqlite3_finalize(db->statement[i]);
    sqlite3_close(db->handle);
    sqlite_watch_close(db->watch); /* after the connection: see sqlite_watch_open */
    mem_free(db);
}

bool sqlite_db_inherited(const struct sqlite_db *db)
{
    return db->fork_count != fork_count();
}
