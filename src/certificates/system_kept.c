#include "certificates/system_kept.h"

#include "base/file_state.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/time.h"
#include "certificates/openssl.h"
#include "certificates/system_read.h"
#include "core/cause.h"
#include <errno.h>
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A change so shortly before a look may be followed by another that leaves the same times: those of files are no finer than a clock tick, and than 2
 * s in some file systems. */
#define UNSETTLED (2 * FILETIME_SECOND)

/* What a directory's file was, as whole numbers without gaps, to be compared as bytes. */
struct seen {
    int64_t error; /* of stat; the rest is 0 then */
    int64_t device, inode, size, written, written_ns, changed, changed_ns;
};

/* A look at a path, before it is read. */
struct look {
    char path[PATH_MAX];
    uid_t user; /* who looked: others may be let in elsewhere */
    gid_t group;
    bool there;
    bool settled; /* whatever comes later looks different */
    struct stat status;
    uint8_t *files; /* of a directory: names, each with its end and a struct seen, sorted */
    size_t files_len;
};

static void look_release(struct look *look)
{
    mem_free(look->files);
    look->files = NULL;
}
#define AUTO_LOOK __attribute__((cleanup(look_release)))

static void settle(struct look *look, const struct stat *status)
{
    int64_t ago = filetime_now() - filetime_from_unix(status->st_ctim.tv_sec);
    if (ago <= UNSETTLED + FILETIME_SECOND && ago >= -UNSETTLED) /* whole seconds count: one more */
        look->settled = false;
}

static bool file_append(struct look *look, const char *name, const struct seen *seen)
{
    size_t name_len = strlen(name) + 1;
    uint8_t *longer = mem_realloc(look->files, look->files_len + name_len + sizeof *seen);
    require(longer != NULL, false);
    memcpy(longer + look->files_len, name, name_len);
    memcpy(longer + look->files_len + name_len, seen, sizeof *seen);
    look->files = longer;
    look->files_len += name_len + sizeof *seen;
    return true;
}

static SECURITY_STATUS file_look(void *context, const char *path)
{
    struct look *look = context;
    struct stat status;
    struct seen seen = {0};
    if (stat(path, &status) != 0) {
        seen.error = errno;
    } else {
        seen = (struct seen){.device = (int64_t)status.st_dev,
                             .inode = (int64_t)status.st_ino,
                             .size = status.st_size,
                             .written = status.st_mtim.tv_sec,
                             .written_ns = status.st_mtim.tv_nsec,
                             .changed = status.st_ctim.tv_sec,
                             .changed_ns = status.st_ctim.tv_nsec};
        settle(look, &status);
    }
    return file_append(look, strrchr(path, '/') + 1, &seen) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A directory that cannot be looked through is not there: reading it says why. */
static SECURITY_STATUS files_look(struct look *look)
{
    SECURITY_STATUS status = system_directory_walk(look->path, file_look, look);
    look->there = status == SEC_E_OK;
    if (status != CRYPT_E_FILE_ERROR)
        return status;
    cause_drop();
    return SEC_E_OK;
}

static SECURITY_STATUS look_take(const char *path, bool files, struct look *look)
{
    look_release(look);
    *look = (struct look){.user = geteuid(), .group = getegid(), .settled = true};
    (void)snprintf(look->path, sizeof look->path, "%s", path);
    look->there = stat(path, &look->status) == 0;
    if (!look->there)
        return SEC_E_OK;
    settle(look, &look->status);
    return files && S_ISDIR(look->status.st_mode) ? files_look(look) : SEC_E_OK;
}

static bool look_equal(const struct look *a, const struct look *b)
{
    return a->there && b->there && a->user == b->user && a->group == b->group && strcmp(a->path, b->path) == 0 &&
           file_state_equal(&a->status, &b->status) && a->files_len == b->files_len &&
           (a->files_len == 0 || memcmp(a->files, b->files, a->files_len) == 0);
}

/* Until the process ends: OpenSSL is gone before our destructors run. The lock is held while a path is read, so that threads which find it changed
 * read it once. */
static struct kept {
    pthread_mutex_t lock;
    bool intermediates;            /* lists are kept, and of a directory each file's status counts */
    struct look look;              /* taken before the reading */
    struct timespec read;          /* when the reading began */
    STACK_OF(X509) * certificates; /* NULL: nothing yet */
    STACK_OF(X509_CRL) * lists;
} kept[] = {
    [SYSTEM_ROOTS] = {.lock = PTHREAD_MUTEX_INITIALIZER},
    [SYSTEM_INTERMEDIATES] = {.lock = PTHREAD_MUTEX_INITIALIZER, .intermediates = true},
};

FORK_GUARD_ALL(kept, lock, FORK_RANK_CERTIFICATES)

static bool later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Is what is kept what whoever came at `since` would read? */
static bool fits(const struct kept *it, const struct look *now, const struct timespec *since)
{
    return it->certificates != NULL && look_equal(&it->look, now) && (it->look.settled || later(&it->read, since));
}

/* `it` receives the fresh state, and this the old one, to be released outside the lock. */
struct replaced {
    struct look look;
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * lists;
};

static void replaced_release(struct replaced *replaced)
{
    look_release(&replaced->look);
    sk_X509_pop_free(replaced->certificates, X509_free);
    sk_X509_CRL_pop_free(replaced->lists, X509_CRL_free);
}

/* What OpenSSL makes of these objects when it first needs it (extensions taken apart, entries sorted) is made before other threads have them: it
 * looks without a lock whether that was done. */
static void prepare(const struct replaced *fresh)
{
    AUTO_OPENSSL(number) ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509_REVOKED *unused;
    for (int i = 0; i < sk_X509_num(fresh->certificates); i++)
        (void)X509_check_purpose(sk_X509_value(fresh->certificates, i), -1, 0);
    for (int i = 0; number != NULL && i < sk_X509_CRL_num(fresh->lists); i++)
        (void)X509_CRL_get0_by_serial(sk_X509_CRL_value(fresh->lists, i), &unused, number);
}

static SECURITY_STATUS renew(struct kept *it, const char *path, bool wanted, const struct timespec *since,
                             struct replaced *replaced)
{
    struct timespec began;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    try(look_take(path, it->intermediates, &replaced->look));
    if (fits(it, &replaced->look, since))
        return SEC_E_OK; /* another thread has read it meanwhile */
    replaced->certificates = sk_X509_new_null();
    replaced->lists = sk_X509_CRL_new_null();
    require(replaced->certificates != NULL && replaced->lists != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct pour onto = {.certificates = replaced->certificates, .lists = it->intermediates ? replaced->lists : NULL};
    try(system_path_read(path, wanted, &onto));
    prepare(replaced);
    struct replaced old = {it->look, it->certificates, it->lists};
    it->look = replaced->look;
    it->certificates = replaced->certificates;
    it->lists = replaced->lists;
    it->read = began;
    *replaced = old;
    return SEC_E_OK;
}

static SECURITY_STATUS hand_out(const struct kept *it, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists)
{
    for (int i = 0; i < sk_X509_num(it->certificates); i++) {
        X509 *x509 = sk_X509_value(it->certificates, i);
        require(sk_X509_push(certificates, x509) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(x509);
    }
    for (int i = 0; lists != NULL && i < sk_X509_CRL_num(it->lists); i++) {
        X509_CRL *list = sk_X509_CRL_value(it->lists, i);
        require(sk_X509_CRL_push(lists, list) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_CRL_up_ref(list);
    }
    return SEC_E_OK;
}

SECURITY_STATUS system_kept(enum system_kept which, const char *path, bool wanted, STACK_OF(X509) * certificates,
                            STACK_OF(X509_CRL) * lists)
{
    OPENSSL_QUIET;
    struct kept *it = &kept[which];
    struct timespec since;
    AUTO_LOOK struct look now = {0};
    __attribute__((cleanup(replaced_release))) struct replaced replaced = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &since);
    try(look_take(path, it->intermediates, &now));
    pthread_mutex_lock(&it->lock);
    SECURITY_STATUS status = fits(it, &now, &since) ? SEC_E_OK : renew(it, path, wanted, &since, &replaced);
    if (status == SEC_E_OK)
        status = hand_out(it, certificates, lists);
    pthread_mutex_unlock(&it->lock);
    return status;
}
