#include "accounts/sqlite_db.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_CHECK_MS 100 /* an exchanged directory is noticed after so long */

struct sqlite_store {
    pthread_mutex_t lock; /* guards the connection and all that is done with it */
    struct sqlite_db *db; /* NULL: no file when we looked last */
    pthread_rwlock_t watch_lock;
    struct sqlite_watch
        *watch; /* of the file in use, for stamps, which must not wait for a writer; guarded by watch_lock */
    dev_t device;
    ino_t inode;
    _Atomic(uint64_t) named_ms; /* when the name last led to that file */
    struct failures *failures;  /* set once, under `lock`, before the first account is given out */
    char *path, *default_domain, *default_key;
};

static void store_watch_set(struct sqlite_store *store, const struct sqlite_db *db)
{
    struct sqlite_watch *fresh = db == NULL ? NULL : sqlite_watch_retain(db->watch);
    pthread_rwlock_wrlock(&store->watch_lock);
    struct sqlite_watch *former = store->watch;
    store->watch = fresh;
    store->device = db == NULL ? 0 : db->device;
    store->inode = db == NULL ? 0 : db->inode;
    atomic_store_explicit(&store->named_ms, 0, memory_order_relaxed);
    pthread_rwlock_unlock(&store->watch_lock);
    sqlite_watch_close(former);
}

static void store_disconnect(struct sqlite_store *store)
{
    if (store->db == NULL)
        return;
    store_watch_set(store, NULL);
    /* The parent's connection is forgotten, not closed: closing would undo a transaction that the parent may be in. */
    if (!sqlite_db_inherited(store->db))
        sqlite_db_close(store->db);
    store->db = NULL;
}

/* The file of lock-outs goes by the database's name, which stays; in the shared table its accounts go by that name too. */
static SECURITY_STATUS store_failures_open(struct sqlite_store *store)
{
    if (store->failures != NULL)
        return SEC_E_OK;
    store->failures = failures_open(store->db->path, true);
    if (store->failures == NULL)
        store->failures = failures_shared();
    return store->failures == NULL ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

/* Makes sure that the connection is of this process and of the file that has the name now, that the file may be believed, and
 * that its schema is ours. SEC_E_NO_CREDENTIALS: there is no file, or nothing in it. */
static SECURITY_STATUS store_ready(struct sqlite_store *store)
{
    char path[PATH_MAX];
    struct stat status;
    int version;
    SECURITY_STATUS checked = store_path_check(store->path, path);
    bool same = checked == SEC_E_OK && store->db != NULL && !sqlite_db_inherited(store->db) &&
                stat(path, &status) == 0 && status.st_dev == store->db->device && status.st_ino == store->db->inode;
    if (!same)
        store_disconnect(store);
    require(checked == SEC_E_OK, checked);
    if (!same) {
        try(sqlite_db_open(store->path, &store->db));
        store_watch_set(store, store->db);
    }
    try(store_failures_open(store)); /* also where it failed the last time */
    try(sqlite_schema_check(store->db, &version));
    require(version != 0, SEC_E_NO_CREDENTIALS);
    return sqlite_schema_update(store->db);
}

/* What is behind the name? The open file tells by its status when it was written, removed, renamed or replaced; only a directory
 * that was exchanged above it does not show there, and the name itself, which costs three times as much to look up, is asked for that now and then.
 * */
static bool store_status(struct sqlite_store *store, struct stat *status)
{
    uint64_t now = monotonic_ms();
    if (store->watch != NULL && now - atomic_load_explicit(&store->named_ms, memory_order_relaxed) < NAME_CHECK_MS &&
        sqlite_watch_status(store->watch, status))
        return true;
    require(stat(store->path, status) == 0, false);
    if (store->watch != NULL && store->device == status->st_dev && store->inode == status->st_ino)
        atomic_store_explicit(&store->named_ms, now, memory_order_relaxed);
    return true;
}

static void sqlite_store_stamp(void *self, struct store_stamp *stamp)
{
    struct sqlite_store *store = self;
    struct stat status;
    uint32_t counter = 0;
    *stamp = (struct store_stamp){0};
    pthread_rwlock_rdlock(&store->watch_lock);
    bool there = store_status(store, &status);
    bool known = there && store->watch != NULL && store->device == status.st_dev && store->inode == status.st_ino &&
                 sqlite_watch_counter(store->watch, &counter);
    pthread_rwlock_unlock(&store->watch_lock);
    if (!there)
        return;
    /* A file that we have not opened yet differs by the high bit of the last word from the same file once it is open. */
    stamp->word[0] = (uint64_t)status.st_dev;
    stamp->word[1] = (uint64_t)status.st_ino;
    stamp->word[2] = (uint64_t)status.st_size;
    stamp->word[3] = (uint64_t)status.st_mtim.tv_sec * 1000000000U + (uint64_t)status.st_mtim.tv_nsec;
    stamp->word[4] = (uint64_t)status.st_ctim.tv_sec * 1000000000U + (uint64_t)status.st_ctim.tv_nsec;
    stamp->word[5] = (known ? UINT64_C(1) << 63 : 0) | counter;
}

/* Ends the transaction of a search. */
static SECURITY_STATUS find_end(struct sqlite_store *store, SECURITY_STATUS status, struct store_record *record)
{
    SECURITY_STATUS ended = sqlite_end(store->db, SEC_E_OK);
    if (status == SEC_E_OK && ended == SEC_E_OK)
        ended = failures_key(store->failures, store->db->path, &record->account->sid, &record->failure_key);
    if (status == SEC_E_OK && ended != SEC_E_OK) {
        store_record_wipe(record);
        return ended;
    }
    return status;
}

static SECURITY_STATUS find_locked(struct sqlite_store *store, const char *user_key, const char *domain_key,
                                   struct store_record *record)
{
    try(store_ready(store));
    try(sqlite_begin(store->db, false)); /* the account and its groups out of one state */
    SECURITY_STATUS status = sqlite_find(store->db, user_key, domain_key, store->default_domain, record);
    if (domain_key[0] != '\0' && strcmp(domain_key, store->default_key) == 0) {
        AUTO_RECORD struct store_record none = {0};
        if (status == SEC_E_OK) /* asked once more all the same: see accounts.c on time */
            (void)sqlite_find(store->db, STORE_NO_NAME, "", store->default_domain, &none);
        else if (status == SEC_E_NO_CREDENTIALS)
            status = sqlite_find(store->db, user_key, "", store->default_domain, record);
    }
    return find_end(store, status, record);
}

static SECURITY_STATUS sqlite_store_find(void *self, const char *user_key, const char *domain_key,
                                         struct store_record *record)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = find_locked(store, user_key, domain_key, record);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static bool sqlite_store_may_wait(void *self)
{
    struct sqlite_store *store = self;
    require(pthread_mutex_trylock(&store->lock) == 0, true);
    bool may_wait = store->db == NULL || sqlite_watch_is_written(store->db->watch);
    pthread_mutex_unlock(&store->lock);
    return may_wait;
}

static SECURITY_STATUS knows_locked(struct sqlite_store *store, const char *domain_key, bool *known)
{
    sqlite3_stmt *statement;
    try(store_ready(store));
    try(sqlite_prepare(store->db, SQL_KNOWS_DOMAIN, &statement));
    sqlite3_bind_text(statement, 1, domain_key, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_ROW || step == SQLITE_DONE ? SEC_E_OK : sqlite_failed(store->db);
    sqlite_done(statement);
    *known = step == SQLITE_ROW;
    return status;
}

static SECURITY_STATUS sqlite_store_knows_domain(void *self, const char *domain_key, bool *known)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    *known = false;
    SECURITY_STATUS status = knows_locked(store, domain_key, known);
    pthread_mutex_unlock(&store->lock);
    return status == SEC_E_NO_CREDENTIALS ? SEC_E_OK : status;
}

static SECURITY_STATUS find_first(struct sqlite_store *store, struct store_record *record)
{
    AUTO_FREE char *name_key = NULL;
    AUTO_FREE char *domain_key = NULL;
    sqlite3_stmt *statement;
    try(sqlite_prepare(store->db, SQL_FIND_ANY, &statement));
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_DONE  ? SEC_E_NO_CREDENTIALS
                             : step == SQLITE_ROW ? sqlite_column_string(statement, 0, &name_key)
                                                  : sqlite_failed(store->db);
    if (status == SEC_E_OK)
        status = sqlite_column_string(statement, 1, &domain_key);
    sqlite_done(statement);
    require(status == SEC_E_OK, status);
    return sqlite_find(store->db, name_key, domain_key, store->default_domain, record);
}

static SECURITY_STATUS find_any_locked(struct sqlite_store *store, struct store_record *record)
{
    try(store_ready(store));
    try(sqlite_begin(store->db, false));
    return find_end(store, find_first(store, record), record);
}

static SECURITY_STATUS sqlite_store_find_any(void *self, struct store_record *record)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = find_any_locked(store, record);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static SECURITY_STATUS name_read(struct sqlite_store *store, sqlite3_stmt *row, struct account_name *name)
{
    AUTO_FREE char *found = NULL;
    AUTO_FREE char *domain = NULL;
    try(sqlite_column_string(row, 0, &found));
    try(sqlite_column_string(row, 1, &domain));
    if (domain == NULL || *domain == '\0') {
        mem_free(domain);
        domain = mem_strdup(store->default_domain);
    }
    require(found != NULL && domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *name = (struct account_name){STEAL(found), STEAL(domain), sqlite3_column_int(row, 2) != 0};
    return SEC_E_OK;
}

static SECURITY_STATUS name_of_sid_locked(struct sqlite_store *store, const struct sid *sid, struct account_name *name)
{
    sqlite3_stmt *statement;
    try(store_ready(store));
    try(sqlite_prepare(store->db, SQL_SID_NAME, &statement));
    sqlite_bind_sid(statement, 1, sid);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_DONE  ? SEC_E_NO_CREDENTIALS
                             : step == SQLITE_ROW ? name_read(store, statement, name)
                                                  : sqlite_failed(store->db);
    sqlite_done(statement);
    return status;
}

static SECURITY_STATUS sqlite_store_name_of_sid(void *self, const struct sid *sid, struct account_name *name)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = name_of_sid_locked(store, sid, name);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static SECURITY_STATUS sid_of_group_locked(struct sqlite_store *store, const char *group_key, struct sid *sid)
{
    sqlite3_stmt *statement;
    try(store_ready(store));
    try(sqlite_prepare(store->db, SQL_GROUP_FIND, &statement));
    sqlite3_bind_text(statement, 1, group_key, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    SECURITY_STATUS status = step == SQLITE_DONE  ? SEC_E_NO_CREDENTIALS
                             : step == SQLITE_ROW ? sqlite_column_sid(store->db, statement, 2, sid)
                                                  : sqlite_failed(store->db);
    sqlite_done(statement);
    return status;
}

static SECURITY_STATUS sqlite_store_sid_of_group(void *self, const char *group_key, struct sid *sid)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = sid_of_group_locked(store, group_key, sid);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static struct failures *sqlite_store_failures(void *self)
{
    return ((struct sqlite_store *)self)->failures;
}

static SECURITY_STATUS password_within(struct sqlite_store *store, const struct store_password *change)
{
    const struct account *account = change->account;
    sqlite3_stmt *statement;
    try(sqlite_prepare(store->db, SQL_CHANGE_PASSWORD, &statement));
    sqlite_bind_sid(statement, 1, &account->sid);
    sqlite3_bind_blob(statement, 2, change->old_hash->bytes, sizeof(change->old_hash->bytes), SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, change->new_hash->bytes, sizeof(change->new_hash->bytes), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, filetime_now());
    sqlite3_bind_int64(statement, 5, FILETIME_NEVER); /* there is no maximum age that could say better */
    try(sqlite_run(store->db, statement));
    require(sqlite3_changes(store->db->handle) == 1, SEC_E_LOGON_DENIED);
    return sqlite_digest_write(store->db, change->realms, &account->sid, account->name, account->domain,
                               change->password);
}

static SECURITY_STATUS password_locked(struct sqlite_store *store, const struct store_password *change)
{
    try(store_ready(store));
    try(sqlite_begin(store->db, true));
    return sqlite_end(store->db, password_within(store, change));
}

static SECURITY_STATUS sqlite_store_set_password(void *self, const struct store_password *change)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = password_locked(store, change);
    pthread_mutex_unlock(&store->lock);
    return status == SEC_E_NO_CREDENTIALS ? SEC_E_LOGON_DENIED : status;
}

static SECURITY_STATUS sqlite_store_digest_find(void *self, const struct sid *sid, const struct store_digest *wanted,
                                                uint8_t hash[DIGEST_LEN_MAX])
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = store_ready(store);
    if (status == SEC_E_OK)
        status = sqlite_digest_find(store->db, sid, wanted, hash);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static SECURITY_STATUS sqlite_store_digest_user(void *self, const struct store_digest *wanted, struct slice user_hash,
                                                char **username)
{
    struct sqlite_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = store_ready(store);
    if (status == SEC_E_OK)
        status = sqlite_digest_user(store->db, wanted, user_hash, username);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static void sqlite_store_close(void *self)
{
    struct sqlite_store *store = self;
    store_disconnect(store);
    failures_close(store->failures);
    pthread_mutex_destroy(&store->lock);
    pthread_rwlock_destroy(&store->watch_lock);
    mem_free(store->path);
    mem_free(store->default_domain);
    mem_free(store->default_key);
    mem_free(store);
}

static const struct account_store_table sqlite_store_table = {
    .stamp = sqlite_store_stamp,
    .find = sqlite_store_find,
    .may_wait = sqlite_store_may_wait,
    .knows_domain = sqlite_store_knows_domain,
    .failures = sqlite_store_failures,
    .find_any = sqlite_store_find_any,
    .set_password = sqlite_store_set_password,
    .digest_find = sqlite_store_digest_find,
    .digest_user = sqlite_store_digest_user,
    .name_of_sid = sqlite_store_name_of_sid,
    .sid_of_group = sqlite_store_sid_of_group,
    .close = sqlite_store_close,
};

SECURITY_STATUS sqlite_store_check(const char *path)
{
    struct sqlite_db *db = NULL;
    int version = 0;
    try(sqlite_db_open(path, &db));
    SECURITY_STATUS status = sqlite_schema_check(db, &version);
    sqlite_db_close(db);
    return status == SEC_E_OK && version == 0 ? SEC_E_NO_CREDENTIALS : status;
}

SECURITY_STATUS sqlite_store_open(const char *path, const char *default_domain, struct account_store *store)
{
    struct sqlite_store *self = mem_zalloc(sizeof(*self));
    require(self != NULL, SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_init(&self->lock, NULL);
    pthread_rwlock_init(&self->watch_lock, NULL);
    self->path = mem_strdup(path);
    self->default_domain = mem_strdup(default_domain);
    self->default_key = text_upper(default_domain);
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    if (self->path != NULL && self->default_domain != NULL && self->default_key != NULL)
        status = store_ready(self);
    if (status != SEC_E_OK && status != SEC_E_NO_CREDENTIALS) {
        sqlite_store_close(self);
        return status;
    }
    *store = (struct account_store){&sqlite_store_table, self};
    return SEC_E_OK;
}
