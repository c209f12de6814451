#include "core/trace.h"

#include "base/utf16.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Atomic(int) trace_switch = -1;

static pthread_once_t trace_once = PTHREAD_ONCE_INIT;
static int trace_fd = -1;

static void trace_open(void)
{
    const char *name = secure_getenv("SSPI_TRACE");
    if (name != NULL && strcmp(name, "stderr") == 0)
        trace_fd = STDERR_FILENO;
    else if (name != NULL && *name != '\0')
        trace_fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    atomic_store(&trace_switch, trace_fd >= 0 ? 1 : 0);
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
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
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
    ssize_t written = write(trace_fd, line, total);
    (void)written; /* a full disk must not fail a handshake */
}
