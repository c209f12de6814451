#include "accounts/sqlite_db.h"

#include "base/fork.h"
#include "base/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define CHANGE_COUNTER_OFFSET 24
#define LOCK_BYTES_OFFSET 0x40000000 /* PENDING, RESERVED and SHARED: "The SQLite Database File Format" 1.4 */
#define LOCK_BYTES 512

struct sqlite_watch {
    struct sqlite_watch *next;
    dev_t device;
    ino_t inode;
    int file;
    unsigned references;
};

static struct sqlite_watch *watches; /* guarded by watch_lock, as are their counts */
static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
FORK_GUARD(watch_lock, FORK_RANK_WATCHES)

static struct sqlite_watch *watch_new(const char *path, dev_t device, ino_t inode)
{
    struct stat status;
    struct sqlite_watch *watch = mem_zalloc(sizeof(*watch));
    require(watch != NULL, NULL);
    watch->file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (watch->file < 0 || fstat(watch->file, &status) != 0 || status.st_dev != device || status.st_ino != inode) {
        /* Replaced under our hands. The descriptor stays open: it may be of a file that another connection has locked. */
        mem_free(watch);
        return NULL;
    }
    watch->device = device;
    watch->inode = inode;
    watch->references = 1;
    watch->next = watches;
    watches = watch;
    return watch;
}

struct sqlite_watch *sqlite_watch_open(const char *path, dev_t device, ino_t inode)
{
    pthread_mutex_lock(&watch_lock);
    struct sqlite_watch *watch = watches;
    while (watch != NULL && (watch->device != device || watch->inode != inode))
        watch = watch->next;
    if (watch != NULL)
        watch->references++;
    else
        watch = watch_new(path, device, inode);
    pthread_mutex_unlock(&watch_lock);
    return watch;
}

struct sqlite_watch *sqlite_watch_retain(struct sqlite_watch *watch)
{
    pthread_mutex_lock(&watch_lock);
    watch->references++;
    pthread_mutex_unlock(&watch_lock);
    return watch;
}

void sqlite_watch_close(struct sqlite_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch_lock);
    if (--watch->references == 0) {
        struct sqlite_watch **at = &watches;
        while (*at != watch)
            at = &(*at)->next;
        *at = watch->next;
        close(watch->file);
        mem_free(watch);
    }
    pthread_mutex_unlock(&watch_lock);
}

bool sqlite_watch_counter(const struct sqlite_watch *watch, uint32_t *counter)
{
    uint8_t bytes[4];
    require(pread(watch->file, bytes, sizeof(bytes), CHANGE_COUNTER_OFFSET) == (ssize_t)sizeof(bytes), false);
    *counter = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

bool sqlite_watch_status(const struct sqlite_watch *watch, struct stat *status)
{
    return fstat(watch->file, status) == 0 && status->st_nlink > 0;
}

bool sqlite_watch_is_written(const struct sqlite_watch *watch)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LOCK_BYTES_OFFSET, .l_len = LOCK_BYTES};
    return fcntl(watch->file, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
