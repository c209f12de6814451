#include "accounts/account_file.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that changed less than this before it was read may change again within the same tick of its time stamps: it is read once more. */
#define SETTLE_MS 100

/* All guarded by `lock`. */
struct file_store {
    pthread_mutex_t lock;
    enum account_file_format format;
    char *path, *default_domain, *default_key;
    struct sid domain_sid;
    struct account_file *file; /* NULL: not read, or not readable */
    struct store_stamp read_stamp;
    uint64_t reread_ms;  /* monotonic time from when on a young file has to be read again; 0: none */
    uint64_t generation; /* bumped by what time stamps do not tell */
    char real[PATH_MAX]; /* the path with its directory resolved, as of the last look: what its failures go by */
};

static void stamp_of_status(const struct stat *status, struct store_stamp *stamp)
{
    stamp->word[0] = (uint64_t)status->st_dev;
    stamp->word[1] = (uint64_t)status->st_ino;
    stamp->word[2] = (uint64_t)status->st_size;
    stamp->word[3] = (uint64_t)status->st_mtim.tv_sec * 1000000000U + (uint64_t)status->st_mtim.tv_nsec;
    stamp->word[4] = (uint64_t)status->st_ctim.tv_sec * 1000000000U + (uint64_t)status->st_ctim.tv_nsec;
    stamp->word[5] = 0;
}

static void store_forget(struct file_store *store)
{
    account_file_release(store->file);
    store->file = NULL;
    store->reread_ms = 0;
    store->generation++;
}

static void file_store_stamp(void *self, struct store_stamp *stamp)
{
    struct file_store *store = self;
    struct stat status;
    *stamp = (struct store_stamp){0};
    if (stat(store->path, &status) == 0)
        stamp_of_status(&status, stamp);
    pthread_mutex_lock(&store->lock);
    if (store->reread_ms != 0 && monotonic_ms() >= store->reread_ms)
        store_forget(store);
    stamp->word[5] = store->generation;
    pthread_mutex_unlock(&store->lock);
}

/* `text` is what was read, in `room`: which keeps its length, for by that it is given back. */
static SECURITY_STATUS read_bytes(int file, const char *path, struct secret *room, struct slice *text,
                                  struct stat *status)
{
    if (fstat(file, status) != 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status->st_mode) || status->st_size < 0 || (size_t)status->st_size > ACCOUNT_FILE_MAX)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: not an ordinary file, or too large", path);
    require(secret_alloc(room, (size_t)status->st_size + 1), SEC_E_INSUFFICIENT_MEMORY);
    size_t len = 0;
    for (;;) {
        ssize_t got = read(file, room->data + len, room->len - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        len += (size_t)got;
        if (len == room->len)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: the file grew while it was read; try again", path);
    }
    if (len < (size_t)status->st_size) /* who is not in this half may be in the other one */
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the file shrank while it was read; try again", path);
    *text = slice_of(room->data, len);
    return SEC_E_OK;
}

static bool file_is_young(const struct stat *status)
{
    /* Compared with the file system's time, which no test hook moves. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ms = ((int64_t)now.tv_sec - (int64_t)status->st_ctim.tv_sec) * 1000 +
                     (now.tv_nsec - status->st_ctim.tv_nsec) / 1000000;
    return age_ms < SETTLE_MS;
}

static SECURITY_STATUS store_read(struct file_store *store, const char *path)
{
    AUTO_SECRET struct secret room = {0};
    struct slice text;
    struct stat status;
    struct account_file *file = NULL;
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", path, strerror(errno));
    SECURITY_STATUS answer = read_bytes(descriptor, path, &room, &text, &status);
    close(descriptor);
    require(answer == SEC_E_OK, answer);
    try(account_file_parse(store->format, text, path, &file));
    store->file = file;
    stamp_of_status(&status, &store->read_stamp);
    store->reread_ms = file_is_young(&status) ? monotonic_ms() + SETTLE_MS : 0;
    return SEC_E_OK;
}

/* Makes store->file what the file holds now. SEC_E_NO_CREDENTIALS: there is none. */
static SECURITY_STATUS store_ready(struct file_store *store)
{
    const char *path = store->real;
    struct stat status;
    struct store_stamp stamp;
    SECURITY_STATUS checked = store_path_check(store->path, store->real);
    if (checked == SEC_E_OK && store->file != NULL && stat(path, &status) == 0) {
        stamp_of_status(&status, &stamp);
        if (memcmp(&stamp, &store->read_stamp, sizeof(stamp)) == 0 &&
            (store->reread_ms == 0 || monotonic_ms() < store->reread_ms))
            return SEC_E_OK;
    }
    if (store->file != NULL)
        store_forget(
            store); /* with a new generation: what was said before must not pass for what is said from now on */
    require(checked == SEC_E_OK, checked);
    return store_read(store, path);
}

/* These files hold no SIDs. The domain's is made from its name, an account's from its Unix id as Samba's algorithmic mapping does
 * (1000 + 2 * uid), else from its name, in the upper half where no Unix id comes: the same on every machine and in every process. */
static SECURITY_STATUS domain_sid_make(const char *domain_key, struct sid *sid)
{
    uint8_t digest[MD5_LEN];
    md5_once(domain_key, strlen(domain_key), digest);
    struct reader reader = reader_of(slice_of(digest, sizeof(digest)));
    *sid = (struct sid){.revision = 1, .n_subauthorities = 4, .authority = {0, 0, 0, 0, 0, 5}, .subauthority = {21}};
    for (unsigned i = 1; i < 4; i++)
        require(reader_u32le(&reader, &sid->subauthority[i]) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    return SEC_E_OK;
}

static SECURITY_STATUS entry_sid(const struct file_store *store, const struct account_file_entry *entry,
                                 struct sid *sid)
{
    uint8_t digest[MD5_LEN];
    uint32_t rid;
    if (entry->domain_key[0] == '\0')
        *sid = store->domain_sid;
    else
        try(domain_sid_make(entry->domain_key, sid));
    if (entry->uid >= 0 && entry->uid < (INT64_C(1) << 30) - 1000) {
        rid = 1000 + 2 * (uint32_t)entry->uid;
    } else {
        md5_once(entry->name_key, strlen(entry->name_key), digest);
        struct reader reader = reader_of(slice_of(digest, sizeof(digest)));
        require(reader_u32le(&reader, &rid) == WIRE_OK, SEC_E_INTERNAL_ERROR);
        rid |= UINT32_C(1) << 31;
    }
    return sid_append(sid, rid) == WIRE_OK ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

static SECURITY_STATUS entry_record(const struct file_store *store, const struct account_file_entry *entry,
                                    struct store_record *record)
{
    AUTO_RECORD struct store_record out = {0};
    struct account *account = account_new();
    require(account != NULL, SEC_E_INSUFFICIENT_MEMORY);
    out.account = account;
    account->name = mem_strdup(entry->name);
    account->domain = mem_strdup(entry->domain[0] == '\0' ? store->default_domain : entry->domain);
    require(account->name != NULL && account->domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    account->flags = entry->flags;
    account->password_set = entry->password_set;
    account->uid = entry->uid;
    try(entry_sid(store, entry, &account->sid));
    out.nt_hash = entry->nt_hash;
    out.lm_hash = entry->lm_hash;
    out.has_nt = entry->has_nt;
    out.has_lm = entry->has_lm;
    try(failures_key(failures_shared(), store->real, &account->sid, &out.failure_key));
    *record = out;
    out = (struct store_record){0};
    return SEC_E_OK;
}

static SECURITY_STATUS find_locked(struct file_store *store, const char *user_key, const char *domain_key,
                                   struct store_record *record)
{
    try(store_ready(store));
    const struct account_file_entry *entry = account_file_find(store->file, user_key, domain_key);
    const struct account_file_entry *plain = account_file_find(store->file, user_key, "");
    if (entry == NULL && strcmp(domain_key, store->default_key) == 0)
        entry = plain; /* looked for in any case: see accounts.c on time */
    require(entry != NULL, SEC_E_NO_CREDENTIALS);
    return entry_record(store, entry, record);
}

static SECURITY_STATUS file_store_find(void *self, const char *user_key, const char *domain_key,
                                       struct store_record *record)
{
    struct file_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = find_locked(store, user_key, domain_key, record);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static SECURITY_STATUS file_store_knows_domain(void *self, const char *domain_key, bool *known)
{
    struct file_store *store = self;
    pthread_mutex_lock(&store->lock);
    bool found = false;
    SECURITY_STATUS status = store_ready(store);
    for (size_t i = 0; status == SEC_E_OK && i < store->file->n_entries && !found; i++)
        found = strcmp(store->file->entries[i].domain_key, domain_key) == 0;
    pthread_mutex_unlock(&store->lock);
    *known = found;
    return status == SEC_E_NO_CREDENTIALS ? SEC_E_OK : status;
}

static SECURITY_STATUS find_any_locked(struct file_store *store, struct store_record *record)
{
    try(store_ready(store));
    require(store->file->n_entries > 0, SEC_E_NO_CREDENTIALS);
    const struct account_file_entry *entry = &store->file->entries[store->file->n_entries / 2];
    entry = account_file_find(store->file, entry->name_key, entry->domain_key);
    require(entry != NULL, SEC_E_NO_CREDENTIALS);
    return entry_record(store, entry, record);
}

static SECURITY_STATUS file_store_find_any(void *self, struct store_record *record)
{
    struct file_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = find_any_locked(store, record);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* Entries without a SID of their own have one computed: all are computed until one fits, which only people ask for. */
static SECURITY_STATUS name_of_sid_locked(struct file_store *store, const struct sid *sid, struct account_name *name)
{
    try(store_ready(store));
    for (size_t i = 0; i < store->file->n_entries; i++) {
        const struct account_file_entry *entry = &store->file->entries[i];
        struct sid own;
        try(entry_sid(store, entry, &own));
        if (!sid_equal(&own, sid))
            continue;
        AUTO_FREE char *found = mem_strdup(entry->name);
        AUTO_FREE char *domain = mem_strdup(entry->domain[0] == '\0' ? store->default_domain : entry->domain);
        require(found != NULL && domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
        *name = (struct account_name){STEAL(found), STEAL(domain), false};
        return SEC_E_OK;
    }
    return SEC_E_NO_CREDENTIALS;
}

static SECURITY_STATUS file_store_name_of_sid(void *self, const struct sid *sid, struct account_name *name)
{
    struct file_store *store = self;
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = name_of_sid_locked(store, sid, name);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static struct failures *file_store_failures(void *self)
{
    (void)self;
    return failures_shared();
}

static void file_store_close(void *self)
{
    struct file_store *store = self;
    account_file_release(store->file);
    mem_free(store->path);
    mem_free(store->default_domain);
    mem_free(store->default_key);
    pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

static const struct account_store_table file_store_table = {
    .stamp = file_store_stamp,
    .find = file_store_find,
    .knows_domain = file_store_knows_domain,
    .failures = file_store_failures,
    .find_any = file_store_find_any,
    .name_of_sid = file_store_name_of_sid,
    .close = file_store_close,
};

static SECURITY_STATUS file_store_open(enum account_file_format format, const char *path, const char *default_domain,
                                       struct account_store *store)
{
    require(failures_shared() != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct file_store *self = mem_zalloc(sizeof(*self));
    require(self != NULL, SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_init(&self->lock, NULL);
    self->format = format;
    self->path = mem_strdup(path);
    self->default_domain = mem_strdup(default_domain);
    self->default_key = text_upper(default_domain);
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    if (self->path != NULL && self->default_domain != NULL && self->default_key != NULL) {
        status = domain_sid_make(self->default_key, &self->domain_sid);
        if (status == SEC_E_OK)
            status = store_ready(self);
    }
    if (status != SEC_E_OK && status != SEC_E_NO_CREDENTIALS) {
        file_store_close(self);
        return status;
    }
    *store = (struct account_store){&file_store_table, self};
    return SEC_E_OK;
}

SECURITY_STATUS smbpasswd_store_open(const char *path, const char *default_domain, struct account_store *store)
{
    return file_store_open(ACCOUNT_FILE_SMBPASSWD, path, default_domain, store);
}

SECURITY_STATUS sam_store_open(const char *path, const char *default_domain, struct account_store *store)
{
    return file_store_open(ACCOUNT_FILE_SAM, path, default_domain, store);
}
