/* The standard handles, and writing to what they are connected to. */
#include "standard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_STANDARD 3
#define FIRST UINT64_C(0x4F0000F000000000) /* as an object's handle, whose index is never 0 (objects.c) */

static atomic_bool closed[N_STANDARD];

static HANDLE handle_of(int descriptor)
{
    return (HANDLE)(uintptr_t)(FIRST + (uint64_t)(descriptor + 1) * (UINT64_C(1) << 32));
}

int standard_descriptor(HANDLE handle)
{
    for (int i = 0; i < N_STANDARD; i++)
        if (handle == handle_of(i) && !atomic_load(&closed[i]) && fcntl(i, F_GETFD) >= 0)
            return i;
    SetLastError(ERROR_INVALID_HANDLE);
    return -1;
}

bool standard_is(HANDLE handle)
{
    for (int i = 0; i < N_STANDARD; i++)
        if (handle == handle_of(i))
            return true;
    return false;
}

HANDLE GetStdHandle(DWORD nStdHandle)
{
    DWORD i = STD_INPUT_HANDLE - nStdHandle; /* they count downwards */
    if (i >= N_STANDARD) {
        SetLastError(ERROR_INVALID_HANDLE);
        return INVALID_HANDLE_VALUE;
    }
    return fcntl((int)i, F_GETFD) < 0 ? NULL : handle_of((int)i);
}

/* The number stays taken, so that no file that is opened later becomes somebody's standard output. */
bool standard_close(HANDLE handle)
{
    for (int i = 0; i < N_STANDARD; i++) {
        if (handle != handle_of(i) || atomic_exchange(&closed[i], true))
            continue;
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (nothing >= 0) {
            (void)dup2(nothing, i);
            if (nothing != i)
                close(nothing);
        }
        return true;
    }
    return false;
}

DWORD standard_error(int error, DWORD other)
{
    switch (error) {
    case EBADF:
        return ERROR_ACCESS_DENIED; /* it is open, but not for this */
    case EPIPE:
        return ERROR_BROKEN_PIPE;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERROR_DISK_FULL;
    case ENOMEM:
        return ERROR_NOT_ENOUGH_MEMORY;
    default:
        return other;
    }
}

void standard_wait(int descriptor, short events)
{
    struct pollfd poll_this = {.fd = descriptor, .events = events};
    (void)poll(&poll_this, 1, -1);
}

/* SIGPIPE is blocked for this thread meanwhile, and one that the write raised is taken away again. */
size_t standard_write(int descriptor, const void *bytes, size_t len, DWORD *error)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    size_t done = 0;
    int failed = 0;
    while (done < len && failed == 0) {
        ssize_t n = write(descriptor, (const char *)bytes + done, len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            standard_wait(descriptor, POLLOUT);
        else if (errno != EINTR)
            failed = errno;
    }
    if (failed == EPIPE && sigismember(&pending, SIGPIPE) == 0)
        (void)sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        *error = standard_error(failed, ERROR_WRITE_FAULT);
    return done;
}
