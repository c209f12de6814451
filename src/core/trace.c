#include "core/trace.h"

#include "base/time.h"
#include "base/utf16.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Atomic(int) trace_switch = -1;

#define TRACE_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW)

static pthread_once_t trace_once = PTHREAD_ONCE_INIT;
static _Atomic(int) trace_fd = -1;
static char trace_path[PATH_MAX]; /* this and the next two are written before the switch is on, and not afterwards */
static struct stat trace_file;
static bool stderr_remembered;

/* A descriptor that is none of the standard streams, also where the program has closed those; -1. */
static int file_open(const char *path, int flags)
{
    int first = open(path, flags, 0600);
    if (first < 0 || first > STDERR_FILENO)
        return first;
    int fd = fcntl(first, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(first);
    errno = error;
    return fd;
}

/* Where it is closed, it is no file. */
static void stderr_remember(void)
{
    if (fstat(STDERR_FILENO, &trace_file) != 0)
        memset(&trace_file, 0, sizeof trace_file);
    stderr_remembered = true;
}

/* Before the program closes its standard error: at the first step the descriptor may be a file of its own. */
__attribute__((constructor)) static void trace_loaded(void)
{
    const char *name = secure_getenv("SSPI_TRACE");
    int error = errno;
    if (name != NULL && strcmp(name, "stderr") == 0)
        stderr_remember();
    errno = error;
}

static void trace_open(void)
{
    const char *name = secure_getenv("SSPI_TRACE");
    int fd = -1;
    if (name != NULL && strcmp(name, "stderr") == 0) {
        fd = STDERR_FILENO;
        if (!stderr_remembered) /* the program itself has set it since */
            stderr_remember();
    } else if (name != NULL && *name != '\0' && strlen(name) < sizeof trace_path)
        fd = file_open(name, TRACE_FLAGS | O_CREAT);
    if (fd > STDERR_FILENO) {
        memcpy(trace_path, name, strlen(name) + 1);
        if (fstat(fd, &trace_file) != 0) {
            close(fd);
            fd = -1;
        }
    }
    atomic_store(&trace_fd, fd);
    atomic_store(&trace_switch, fd >= 0 ? 1 : 0);
}

static bool is_trace(int fd)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_ino == trace_file.st_ino && now.st_dev == trace_file.st_dev;
}

/* A program may send its standard error to a log of its own, and that is for the trace, too: a file for appending alone, which stays open across exec
 * as standard streams do. What else is there now came by open, after a close: a database, a socket. */
static bool is_log(int fd)
{
    struct stat now;
    int flags = fcntl(fd, F_GETFL), of_descriptor = fcntl(fd, F_GETFD);
    return flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) != 0 && of_descriptor >= 0 &&
           (of_descriptor & FD_CLOEXEC) == 0 && fstat(fd, &now) == 0 && S_ISREG(now.st_mode);
}

/* The program may have closed our descriptor, and opened something else: daemons close all that they did not open. The same file is opened again, and
 * never another one; -1: not now, or it is gone and the trace is over. */
static int descriptor(void)
{
    int fd = atomic_load(&trace_fd);
    if (fd < 0 || is_trace(fd))
        return fd;
    if (fd == STDERR_FILENO)
        return is_log(fd) ? fd : -1; /* not over: the program may put it back */
    int again = S_ISREG(trace_file.st_mode) ? file_open(trace_path, TRACE_FLAGS) : -1;
    if (again < 0 && S_ISREG(trace_file.st_mode) && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return -1; /* this thread may not, or there is no descriptor: the next one may */
    if (again < 0 || !is_trace(again)) {
        if (again >= 0)
            close(again);
        atomic_store(&trace_switch, 0);
        return -1;
    }
    if (atomic_compare_exchange_strong(&trace_fd, &fd, again))
        return again;
    close(again); /* another thread was here first */
    return fd;
}

bool trace_start(void)
{
    pthread_once(&trace_once, trace_open);
    return atomic_load(&trace_switch) > 0;
}

/* One write a line: lines of several processes that share the file stay whole. */
void trace_write(const char *where, const char *format, ...)
{
    char line[1024];
    struct timespec now;
    struct tm parts;
    int error = errno, fd = descriptor();
    if (fd < 0) {
        errno = error;
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    (void)unix_to_utc(now.tv_sec, &parts); /* the clock's year fits */
    int len = snprintf(line, sizeof line, "[%ld] %04d-%02d-%02dT%02d:%02d:%02d.%06ldZ %s: ", (long)syscall(SYS_gettid),
                       parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       now.tv_nsec / 1000, where);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + len, sizeof line - (size_t)len, format, arguments);
    va_end(arguments);
    size_t total = more < 0 ? (size_t)len : (size_t)len + (size_t)more;
    if (total > sizeof line - 2)
        total = sizeof line - 2;
    text_calm(line, total); /* names from the wire must not forge lines or drive a terminal */
    line[total++] = '\n';
    ssize_t written = write(fd, line, total);
    (void)written; /* a full disk must not fail a handshake */
    errno = error;
}
