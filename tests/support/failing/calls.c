/* Its own names for what <fcntl.h> and its like define: their checked variants are functions here, too. */
#undef _FORTIFY_SOURCE
#include "support/failing/calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where the test and another program look at the same: a page of a file, whose name this variable has. */
#define FILE_VARIABLE "OPENSSPI_TEST_CALLS"

struct control {
    atomic_int kind, error;
    atomic_ulong first, last; /* which of them fail, counted from 1 */
    atomic_ulong count;
};

static struct control own, *control = &own;
static bool others; /* the calls that fail are not this process's */

static bool control_map(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return false;
    void *page = MAP_FAILED;
    if (flags == 0 || ftruncate(fd, sizeof *control) == 0)
        page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        control = page;
    close(fd);
    return page != MAP_FAILED;
}

/* In the other program. */
__attribute__((constructor)) static void control_find(void)
{
    const char *path = getenv(FILE_VARIABLE);
    if (path != NULL)
        (void)control_map(path, 0);
}

bool calls_of_another(const char *path, const char *library)
{
    const char *options = getenv("ASAN_OPTIONS");
    char sanitizer[512];
    snprintf(sanitizer, sizeof sanitizer, "%s:verify_asan_link_order=0", options != NULL ? options : "");
    others = control_map(path, O_CREAT | O_EXCL);
    return others && setenv(FILE_VARIABLE, path, 1) == 0 && setenv("LD_PRELOAD", library, 1) == 0 &&
           setenv("ASAN_OPTIONS", sanitizer, 1) == 0;
}

const struct call_failure calls_failures[] = {
    {CALL_OPEN, EMFILE, "open: EMFILE"},
    {CALL_OPEN, EACCES, "open: EACCES"},
    {CALL_OPEN, EIO, "open: EIO"},
    {CALL_STAT, EIO, "stat: EIO"},
    {CALL_STAT, ENOMEM, "stat: ENOMEM"},
    {CALL_FSTAT, EIO, "fstat: EIO"},
    {CALL_READ, EIO, "read: EIO"},
    {CALL_READ, EINTR, "read: EINTR"},
    {CALL_READ, CALL_SHORT, "read: short"},
    {CALL_READ, CALL_END, "read: end"},
    {CALL_WRITE, ENOSPC, "write: ENOSPC"},
    {CALL_WRITE, EINTR, "write: EINTR"},
    {CALL_WRITE, CALL_SHORT, "write: short"},
    {CALL_SYNC, EIO, "fsync: EIO"},
    {CALL_REMOVE, EIO, "unlink, rename: EIO"},
    {CALL_TRUNCATE, EIO, "ftruncate: EIO"},
    {CALL_LOCK, ENOLCK, "fcntl lock: ENOLCK"},
    {CALL_LOCK, EINTR, "fcntl lock: EINTR"},
    {CALL_MAP, ENOMEM, "mmap: ENOMEM"},
    {CALL_ADVISE, EINVAL, "madvise: EINVAL"},
    {CALL_SOCKET, EMFILE, "socket: EMFILE"},
    {CALL_SOCKET, EAFNOSUPPORT, "socket: EAFNOSUPPORT"},
    {CALL_CONNECT, ECONNREFUSED, "connect: ECONNREFUSED"},
    {CALL_CONNECT, EAGAIN, "connect: EAGAIN"},
    {CALL_CONNECT, EACCES, "connect: EACCES"},
    {CALL_SEND, ECONNRESET, "send: ECONNRESET"},
    {CALL_SEND, EPIPE, "send: EPIPE"},
    {CALL_SEND, EAGAIN, "send: EAGAIN"},
    {CALL_SEND, EINTR, "send: EINTR"},
    {CALL_SEND, CALL_SHORT, "send: short"},
    {CALL_RECEIVE, ECONNRESET, "recv: ECONNRESET"},
    {CALL_RECEIVE, EAGAIN, "recv: EAGAIN"},
    {CALL_RECEIVE, EINTR, "recv: EINTR"},
    {CALL_RECEIVE, CALL_SHORT, "recv: short"},
    {CALL_RECEIVE, CALL_END, "recv: end"},
    {CALL_SOCKET_OPTION, ENOBUFS, "getsockopt, setsockopt: ENOBUFS"},
    {CALL_POLL, EINTR, "poll: EINTR"},
    {CALL_POLL, ENOMEM, "poll: ENOMEM"},
    {CALL_ACCEPT, EMFILE, "accept: EMFILE"},
    {CALL_ACCEPT, ECONNABORTED, "accept: ECONNABORTED"},
    {CALL_THREAD, EAGAIN, "pthread_create: EAGAIN"},
    {CALL_PIPE, EMFILE, "pipe: EMFILE"},
    {CALL_HOST_NAME, EFAULT, "gethostname: EFAULT"},
    {CALL_USERS, EIO, "getpw, getgr: EIO"},
    {CALL_NONE, 0, NULL},
};

void calls_fail(const struct call_failure *failure, unsigned long nth, bool sticky)
{
    atomic_store(&control->error, failure->error);
    atomic_store(&control->first, nth);
    atomic_store(&control->last, sticky ? ~0UL : nth);
    atomic_store(&control->count, 0);
    atomic_store(&control->kind, (int)failure->kind);
}

unsigned long calls_heal(void)
{
    atomic_store(&control->kind, CALL_NONE);
    return atomic_load(&control->count);
}

/* Does this call fail? `error`: as what. */
static bool strikes(enum call_kind kind, int *error)
{
    if (others || atomic_load(&control->kind) != (int)kind)
        return false;
    unsigned long number = atomic_fetch_add(&control->count, 1) + 1;
    *error = atomic_load(&control->error);
    return number >= atomic_load(&control->first) && number <= atomic_load(&control->last);
}

static bool fails(enum call_kind kind)
{
    int error;
    if (!strikes(kind, &error))
        return false;
    errno = error;
    return true;
}

/* Calls that move bytes: true when it is decided what they answer; else `len` is how many bytes are moved. */
static bool transfer_fails(enum call_kind kind, size_t *len, ssize_t *answer)
{
    int error;
    if (!strikes(kind, &error))
        return false;
    if (error == CALL_SHORT) {
        *len = *len > 1 ? *len / 2 : *len;
        return false;
    }
    *answer = error == CALL_END ? 0 : -1;
    if (error > 0)
        errno = error;
    return true;
}

/* The function of this name behind ours. */
#define NEXT(name)                                                 \
    __extension__({                                                \
        static _Atomic(__typeof__(&(name))) next_known;            \
        __typeof__(&(name)) next_now = atomic_load(&next_known);   \
        if (next_now == NULL) {                                    \
            *(void **)(void *)&next_now = dlsym(RTLD_NEXT, #name); \
            atomic_store(&next_known, next_now);                   \
        }                                                          \
        next_now;                                                  \
    })
#define SEEN __attribute__((visibility("default")))

static mode_t mode_of(int flags, va_list list)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}

#define OPENS(function)                                                   \
    SEEN int function(const char *path, int flags, ...)                   \
    {                                                                     \
        va_list list;                                                     \
        va_start(list, flags);                                            \
        mode_t mode = mode_of(flags, list);                               \
        va_end(list);                                                     \
        return fails(CALL_OPEN) ? -1 : NEXT(function)(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(function)                                                    \
    SEEN int function(int at, const char *path, int flags, ...)               \
    {                                                                         \
        va_list list;                                                         \
        va_start(list, flags);                                                \
        mode_t mode = mode_of(flags, list);                                   \
        va_end(list);                                                         \
        return fails(CALL_OPEN) ? -1 : NEXT(function)(at, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

SEEN int __open_2(const char *path, int flags);
SEEN int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

SEEN int __open64_2(const char *path, int flags);
SEEN int __open64_2(const char *path, int flags)
{
    return open64(path, flags);
}

SEEN FILE *fopen(const char *path, const char *mode)
{
    return fails(CALL_OPEN) ? NULL : NEXT(fopen)(path, mode);
}

SEEN FILE *fopen64(const char *path, const char *mode)
{
    return fails(CALL_OPEN) ? NULL : NEXT(fopen64)(path, mode);
}

SEEN int stat(const char *path, struct stat *status)
{
    return fails(CALL_STAT) ? -1 : NEXT(stat)(path, status);
}

SEEN int stat64(const char *path, struct stat64 *status)
{
    return fails(CALL_STAT) ? -1 : NEXT(stat64)(path, status);
}

SEEN int lstat(const char *path, struct stat *status)
{
    return fails(CALL_STAT) ? -1 : NEXT(lstat)(path, status);
}

SEEN int lstat64(const char *path, struct stat64 *status)
{
    return fails(CALL_STAT) ? -1 : NEXT(lstat64)(path, status);
}

SEEN int fstat(int fd, struct stat *status)
{
    return fails(CALL_FSTAT) ? -1 : NEXT(fstat)(fd, status);
}

SEEN int fstat64(int fd, struct stat64 *status)
{
    return fails(CALL_FSTAT) ? -1 : NEXT(fstat64)(fd, status);
}

/* A file, a directory, a socket, a pipe; and none of the kernel's nameless objects, which do not fail and which event loops take for granted. */
static bool is_plain(int fd)
{
    struct stat64 status;
    return NEXT(fstat64)(fd, &status) == 0 && (status.st_mode & S_IFMT) != 0;
}

SEEN ssize_t read(int fd, void *data, size_t len)
{
    ssize_t answer;
    return is_plain(fd) && transfer_fails(CALL_READ, &len, &answer) ? answer : NEXT(read)(fd, data, len);
}

SEEN ssize_t __read_chk(int fd, void *data, size_t len, size_t room);
SEEN ssize_t __read_chk(int fd, void *data, size_t len, size_t room)
{
    if (len > room)
        abort();
    return read(fd, data, len);
}

SEEN ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
    ssize_t answer;
    return transfer_fails(CALL_READ, &len, &answer) ? answer : NEXT(pread)(fd, data, len, offset);
}

SEEN ssize_t pread64(int fd, void *data, size_t len, off64_t offset)
{
    ssize_t answer;
    return transfer_fails(CALL_READ, &len, &answer) ? answer : NEXT(pread64)(fd, data, len, offset);
}

SEEN ssize_t write(int fd, const void *data, size_t len)
{
    ssize_t answer;
    return is_plain(fd) && transfer_fails(CALL_WRITE, &len, &answer) ? answer : NEXT(write)(fd, data, len);
}

SEEN ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    ssize_t answer;
    return transfer_fails(CALL_WRITE, &len, &answer) ? answer : NEXT(pwrite)(fd, data, len, offset);
}

SEEN ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
    ssize_t answer;
    return transfer_fails(CALL_WRITE, &len, &answer) ? answer : NEXT(pwrite64)(fd, data, len, offset);
}

SEEN int fsync(int fd)
{
    return fails(CALL_SYNC) ? -1 : NEXT(fsync)(fd);
}

SEEN int fdatasync(int fd)
{
    return fails(CALL_SYNC) ? -1 : NEXT(fdatasync)(fd);
}

SEEN int unlink(const char *path)
{
    return fails(CALL_REMOVE) ? -1 : NEXT(unlink)(path);
}

SEEN int rename(const char *from, const char *to)
{
    return fails(CALL_REMOVE) ? -1 : NEXT(rename)(from, to);
}

SEEN int ftruncate(int fd, off_t len)
{
    return fails(CALL_TRUNCATE) ? -1 : NEXT(ftruncate)(fd, len);
}

SEEN int ftruncate64(int fd, off64_t len)
{
    return fails(CALL_TRUNCATE) ? -1 : NEXT(ftruncate64)(fd, len);
}

SEEN int posix_fallocate(int fd, off_t offset, off_t len)
{
    return fails(CALL_TRUNCATE) ? EIO : NEXT(posix_fallocate)(fd, offset, len);
}

#define CONTROLS(function)                                                                                      \
    SEEN int function(int fd, int command, ...)                                                                 \
    {                                                                                                           \
        va_list list;                                                                                           \
        va_start(list, command);                                                                                \
        void *argument = va_arg(list, void *); /* whatever it is, it comes in the same register */              \
        va_end(list);                                                                                           \
        bool locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK; \
        return locks && fails(CALL_LOCK) ? -1 : NEXT(function)(fd, command, argument);                          \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

SEEN void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    return fails(CALL_MAP) ? MAP_FAILED : NEXT(mmap)(address, len, protection, flags, fd, offset);
}

SEEN void *mmap64(void *address, size_t len, int protection, int flags, int fd, off64_t offset)
{
    return fails(CALL_MAP) ? MAP_FAILED : NEXT(mmap64)(address, len, protection, flags, fd, offset);
}

SEEN int madvise(void *address, size_t len, int advice)
{
    return fails(CALL_ADVISE) ? -1 : NEXT(madvise)(address, len, advice);
}

SEEN int socket(int family, int type, int protocol)
{
    return fails(CALL_SOCKET) ? -1 : NEXT(socket)(family, type, protocol);
}

SEEN int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return fails(CALL_CONNECT) ? -1 : NEXT(connect)(fd, address, len);
}

SEEN ssize_t send(int fd, const void *data, size_t len, int flags)
{
    ssize_t answer;
    return transfer_fails(CALL_SEND, &len, &answer) ? answer : NEXT(send)(fd, data, len, flags);
}

SEEN ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    ssize_t answer;
    return transfer_fails(CALL_SEND, &len, &answer) ? answer : NEXT(sendto)(fd, data, len, flags, to, to_len);
}

/* Of a list of pieces half is none at all, as for a full socket. */
static bool list_fails(enum call_kind kind, ssize_t *answer)
{
    size_t len = 2;
    bool failed = transfer_fails(kind, &len, answer);
    if (!failed && len == 1) {
        errno = EAGAIN;
        *answer = -1;
    }
    return failed || len == 1;
}

SEEN ssize_t writev(int fd, const struct iovec *pieces, int n)
{
    ssize_t answer;
    return list_fails(CALL_WRITE, &answer) ? answer : NEXT(writev)(fd, pieces, n);
}

SEEN ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t answer;
    return list_fails(CALL_SEND, &answer) ? answer : NEXT(sendmsg)(fd, message, flags);
}

SEEN ssize_t recv(int fd, void *data, size_t len, int flags)
{
    ssize_t answer;
    return transfer_fails(CALL_RECEIVE, &len, &answer) ? answer : NEXT(recv)(fd, data, len, flags);
}

SEEN ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags);
SEEN ssize_t __recv_chk(int fd, void *data, size_t len, size_t room, int flags)
{
    if (len > room)
        abort();
    return recv(fd, data, len, flags);
}

SEEN ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t answer;
    return list_fails(CALL_RECEIVE, &answer) ? answer : NEXT(recvmsg)(fd, message, flags);
}

SEEN int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return fails(CALL_SOCKET_OPTION) ? -1 : NEXT(getsockopt)(fd, level, name, value, len);
}

SEEN int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return fails(CALL_SOCKET_OPTION) ? -1 : NEXT(setsockopt)(fd, level, name, value, len);
}

SEEN int poll(struct pollfd *list, nfds_t n, int milliseconds)
{
    return fails(CALL_POLL) ? -1 : NEXT(poll)(list, n, milliseconds);
}

SEEN int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return fails(CALL_ACCEPT) ? -1 : NEXT(accept4)(fd, address, len, flags);
}

SEEN int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *data)
{
    return fails(CALL_THREAD) ? EAGAIN : NEXT(pthread_create)(thread, attributes, run, data);
}

SEEN int pipe2(int ends[2], int flags)
{
    return fails(CALL_PIPE) ? -1 : NEXT(pipe2)(ends, flags);
}

SEEN int gethostname(char *name, size_t len)
{
    return fails(CALL_HOST_NAME) ? -1 : NEXT(gethostname)(name, len);
}

SEEN int getpwnam_r(const char *name, struct passwd *entry, char *room, size_t len, struct passwd **found)
{
    return fails(CALL_USERS) ? EIO : NEXT(getpwnam_r)(name, entry, room, len, found);
}

SEEN int getpwuid_r(uid_t uid, struct passwd *entry, char *room, size_t len, struct passwd **found)
{
    return fails(CALL_USERS) ? EIO : NEXT(getpwuid_r)(uid, entry, room, len, found);
}

SEEN int getgrnam_r(const char *name, struct group *entry, char *room, size_t len, struct group **found)
{
    return fails(CALL_USERS) ? EIO : NEXT(getgrnam_r)(name, entry, room, len, found);
}

SEEN int getgrgid_r(gid_t gid, struct group *entry, char *room, size_t len, struct group **found)
{
    return fails(CALL_USERS) ? EIO : NEXT(getgrgid_r)(gid, entry, room, len, found);
}

SEEN int getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
    return fails(CALL_USERS) ? -1 : NEXT(getgrouplist)(user, group, groups, n);
}
