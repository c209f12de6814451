/*
 * One connection to an account database: opened with care, its schema known, its statements prepared once. Not for two threads at
 * once: the store and the admin each hold a lock around it.
 *
 * Schema version 1: table meta (machine_sid, next_rid), account, account_group, member. Version 2 adds digest (digest_hashes.h) and a trigger that
 * empties an account's part of it whenever its NT hash is written; version 3 more triggers, by which rows that hang on an account or a group go with
 * it, whoever deletes it. The version stands in PRAGMA user_version, ours-ness in PRAGMA application_id. Steps between versions are in
 * sqlite_schema.c. Wrong passwords are counted beside the database (failures.h).
 *
 * Pages of the file, NT hashes among them, stand in SQLite's page cache, which is ordinary memory: it may come into a core dump. The cache is
 * kept to SQLITE_STORE_CACHE_KIB, so that it is few accounts' hashes and not all. Who cannot have that turns core dumps off.
 */
#ifndef OPENSSPI_ACCOUNTS_SQLITE_DB_H
#define OPENSSPI_ACCOUNTS_SQLITE_DB_H

#include "accounts/store.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define SQLITE_STORE_BUSY_MS 5000 /* a writer holds the lock for one small transaction: longer means that it hangs */

#define SQLITE_STORE_CACHE_KIB "64" /* some 15 pages: an index and what was read last */

enum sqlite_statement {
    SQL_BEGIN,
    SQL_BEGIN_IMMEDIATE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_VERSION,
    SQL_META_GET,
    SQL_META_SET,
    SQL_FIND,
    SQL_FIND_GROUPS,
    SQL_KNOWS_DOMAIN,
    SQL_FIND_ANY,
    SQL_SET_PASSWORD,
    SQL_CHANGE_PASSWORD,
    SQL_LIST,
    SQL_NAME_TWICE,
    SQL_ADD,
    SQL_UPDATE,
    SQL_SET_WHEN,
    SQL_REMOVE,
    SQL_SID_TAKEN,
    SQL_SID_NAME,
    SQL_GROUP_ADD,
    SQL_GROUP_REMOVE,
    SQL_GROUP_FIND,
    SQL_GROUP_LIST,
    SQL_MEMBER_ADD,
    SQL_MEMBER_REMOVE,
    SQL_MEMBER_LIST,
    SQL_MEMBER_LIST_ALL,
    SQL_DIGEST_ADD,
    SQL_DIGEST_FIND,
    SQL_DIGEST_USER,
    SQL_DIGEST_REALMS,
    SQL_STATEMENTS,
};

struct sqlite_watch;

struct sqlite_db {
    sqlite3 *handle;
    struct sqlite_watch *watch; /* for the file's change counter */
    dev_t device;
    ino_t inode;
    unsigned fork_count; /* of the process that opened it: a connection must not be used across fork */
    char path[PATH_MAX];
    sqlite3_stmt *statement[SQL_STATEMENTS];
};

/* Opens an existing file. SEC_E_OK; SEC_E_NO_CREDENTIALS: there is none; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR with the cause. */
SECURITY_STATUS sqlite_db_open(const char *path, struct sqlite_db **db);
/* The same, but creates the directory (0700), the file (0600) and the schema where they are missing. */
SECURITY_STATUS sqlite_db_create(const char *path, struct sqlite_db **db);
void sqlite_db_close(struct sqlite_db *db); /* NULL is fine */
/* Has this process forked since, so that the connection belongs to the parent? Then it can only be forgotten. */
bool sqlite_db_inherited(const struct sqlite_db *db);

/* Is there a schema? An empty file is an empty store (`version` 0); a newer version, or somebody else's database, is refused. */
SECURITY_STATUS sqlite_schema_check(struct sqlite_db *db, int *version);
/* Brings the schema to this program's version, in one transaction. */
SECURITY_STATUS sqlite_schema_update(struct sqlite_db *db);

/* A statement, reset and without bindings, to bind and step. sqlite_done resets it, so that it holds no lock and no data. */
SECURITY_STATUS sqlite_prepare(struct sqlite_db *db, enum sqlite_statement which, sqlite3_stmt **statement);
void sqlite_done(sqlite3_stmt *statement);
/* Cause and status for whatever the connection's last call failed with. */
SECURITY_STATUS sqlite_failed(struct sqlite_db *db);
/* Steps a statement that gives no rows, and resets it. */
SECURITY_STATUS sqlite_run(struct sqlite_db *db, sqlite3_stmt *statement);
/* BEGIN, or BEGIN IMMEDIATE to write. */
SECURITY_STATUS sqlite_begin(struct sqlite_db *db, bool write);
/* Commits when `status` is SEC_E_OK, else rolls back; gives `status` or the failure of the commit. */
SECURITY_STATUS sqlite_end(struct sqlite_db *db, SECURITY_STATUS status);

void sqlite_bind_text_or_null(sqlite3_stmt *statement, int index, const char *text);
void sqlite_bind_sid(sqlite3_stmt *statement, int index, const struct sid *sid);
/* A fresh copy of a text column, NULL for NULL. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS sqlite_column_string(sqlite3_stmt *statement, int column, char **text);
SECURITY_STATUS sqlite_column_sid(struct sqlite_db *db, sqlite3_stmt *statement, int column, struct sid *sid);

/* Fills a record from a row of SQL_FIND or SQL_LIST (the same columns). `default_domain` replaces an empty domain. */
SECURITY_STATUS sqlite_read_record(struct sqlite_db *db, sqlite3_stmt *row, const char *default_domain,
                                   struct store_record *record);
/* Finds one account, within a transaction of the caller's or by itself. SEC_E_NO_CREDENTIALS. */
SECURITY_STATUS sqlite_find(struct sqlite_db *db, const char *user_key, const char *domain_key,
                            const char *default_domain, struct store_record *record);

/* Digest hashes. Writes those of an account whose NT hash was just written, in the caller's transaction; `realms` may be NULL. */
SECURITY_STATUS sqlite_digest_write(struct sqlite_db *db, const struct digest_realms *realms, const struct sid *sid,
                                    const char *name, const char *domain, struct slice password);
/* One hash: SEC_E_NO_CREDENTIALS when there is none. A NULL `sid` is nobody's, at the same cost. */
SECURITY_STATUS sqlite_digest_find(struct sqlite_db *db, const struct sid *sid, const struct store_digest *wanted,
                                   uint8_t hash[DIGEST_LEN_MAX]);
/* Whose H(username:realm) is this? SEC_E_NO_CREDENTIALS. The texts are fresh. */
SECURITY_STATUS sqlite_digest_user(struct sqlite_db *db, const struct store_digest *wanted, struct slice user_hash,
                                   char **username);

/* The change counter of a database file (offset 24 of its header, "The SQLite Database File Format" 1.3.7), which every transaction bumps
 * in rollback-journal mode. Read through descriptors that all connections of this process to one file share, and that are closed
 * after the last connection: closing any descriptor of a file drops the process's POSIX locks on it, SQLite's included. */
struct sqlite_watch *sqlite_watch_open(const char *path, dev_t device, ino_t inode);
struct sqlite_watch *sqlite_watch_retain(struct sqlite_watch *watch);
void sqlite_watch_close(struct sqlite_watch *watch); /* NULL is fine */
bool sqlite_watch_counter(const struct sqlite_watch *watch, uint32_t *counter);
/* The file's status, without looking at its name again: false when it has no name any more. */
bool sqlite_watch_status(const struct sqlite_watch *watch, struct stat *status);
/* Does another process write, or is it about to? This process's own connections do not show. */
bool sqlite_watch_is_written(const struct sqlite_watch *watch);

#endif
