/*
 * SetConsoleCtrlHandler: handlers of Ctrl+C and of the end of the session, over signals. The signals' own handler only wakes a thread, which starts
 * one that calls the program's.
 *
 * Lock: one for the list of handlers and what the signals were before; no handler runs under it.
 */
#include "standard.h"

#include "fork.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HANDLERS_MAX 64 /* a program has one or two */

static const struct {
    int signal;
    DWORD event;
    int patience; /* s, after which the process ends, whatever handlers answer: Windows' (Microsoft, HandlerRoutine, "Timeouts"); 0: it goes on */
} kinds[] = {{SIGINT, CTRL_C_EVENT, 0},
             {SIGQUIT, CTRL_BREAK_EVENT, 0},
             {SIGHUP, CTRL_CLOSE_EVENT, 5},
             {SIGTERM, CTRL_SHUTDOWN_EVENT, 20}};
#define N_KINDS (sizeof kinds / sizeof kinds[0])
#define INTERRUPT 0 /* SIGINT's */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static PHANDLER_ROUTINE handlers[HANDLERS_MAX];
static size_t n_handlers;
static struct sigaction before[N_KINDS]; /* what the signals were when they were the program's last */
static enum holder { THEIRS, OURS, IGNORED } held[N_KINDS];
static bool interrupt_ignored; /* SetConsoleCtrlHandler(NULL, TRUE) holds */

struct event {
    size_t kind;
    unsigned waits; /* the read that waited when it came */
};

static atomic_int process; /* that has the thread; 0: none */
static sem_t wake;
static atomic_uint came; /* a bit a kind */

/* Runs in a signal handler. */
static void signal_came(int signal)
{
    int error = errno;
    size_t kind = 0;
    while (kind + 1 < N_KINDS && kinds[kind].signal != signal)
        kind++;
    if (getpid() == atomic_load(&process)) {
        atomic_fetch_or(&came, 1u << kind);
        (void)sem_post(&wake);
    } else { /* a child of fork, where that thread is not */
        struct sigaction usual = {.sa_handler = SIG_DFL};
        (void)sigaction(signal, &usual, NULL);
        (void)raise(signal); /* when this function is left */
    }
    errno = error;
}

static bool handled(DWORD event)
{
    PHANDLER_ROUTINE these[HANDLERS_MAX];
    pthread_mutex_lock(&lock);
    size_t n = n_handlers;
    memcpy(these, handlers, n * sizeof *these);
    pthread_mutex_unlock(&lock);
    while (n-- > 0)
        if (these[n](event))
            return true;
    return false;
}

/* Ends the process as the signal would have. Process 1 of a container is sent no such signal by the kernel, and ends with what a shell says of one.
 * */
static void end_by(int signal)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t this_one;
    sigemptyset(&this_one);
    sigaddset(&this_one, signal);
    (void)sigaction(signal, &usual, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &this_one, NULL);
    keys_terminal_back();
    (void)raise(signal);
    _exit(128 + signal);
}

static void event_handle(struct event event)
{
    if (!handled(kinds[event.kind].event) || kinds[event.kind].patience != 0)
        end_by(kinds[event.kind].signal);
    console_interrupt(event.waits); /* which then finds what the handlers did */
}

static void *event_run(void *passed)
{
    struct event event = *(struct event *)passed;
    free(passed);
    event_handle(event);
    return NULL;
}

/* A thread that takes no signals: those that the program waits for are not its own. */
static bool thread_run(void *(*body)(void *), void *passed)
{
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, own;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&all);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &own);
    bool good = pthread_create(&id, &attributes, body, passed) == 0;
    pthread_sigmask(SIG_SETMASK, &own, NULL);
    pthread_attr_destroy(&attributes);
    return good;
}

/* Every event has a thread, as on Windows: a handler that does not return keeps no other event waiting. */
static void event_begin(size_t kind)
{
    struct event event = {kind, console_waiting()}, *passed = malloc(sizeof *passed);
    if (passed != NULL) {
        *passed = event;
        if (thread_run(event_run, passed))
            return;
        free(passed);
    }
    event_handle(event);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Waits for signals. The first one that ends the process has so much time for its handlers, and no more. */
static void *run(void *unused)
{
    struct timespec end = {0}, now;
    int ends_by = 0;
    (void)unused;
    for (;;) {
        int waited = ends_by == 0 ? sem_wait(&wake) : sem_clockwait(&wake, CLOCK_MONOTONIC, &end);
        if (waited != 0 && errno == ETIMEDOUT)
            end_by(ends_by);
        unsigned these = waited == 0 ? atomic_exchange(&came, 0) : 0;
        for (size_t kind = 0; kind < N_KINDS; kind++) {
            if ((these & 1u << kind) == 0)
                continue;
            clock_gettime(CLOCK_MONOTONIC, &now);
            now.tv_sec += kinds[kind].patience;
            if (kinds[kind].patience != 0 && (ends_by == 0 || is_before(&now, &end))) {
                end = now;
                ends_by = kinds[kind].signal;
            }
            event_begin(kind);
        }
    }
    return NULL;
}

/* Under the lock. */
static bool thread_begin(void)
{
    if (atomic_load(&process) == getpid())
        return true;
    if (!console_interruptible() || sem_init(&wake, 0, 0) != 0)
        return false;
    atomic_store(&came, 0);
    bool good = thread_run(run, NULL);
    if (good)
        atomic_store(&process, getpid());
    return good;
}

static bool is_ignored(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) == 0 && action->sa_handler == SIG_IGN;
}

/* Under the lock, all of the following. What the program does with the signal by itself, while it is not ours. */
static void signal_look(size_t kind)
{
    if (held[kind] == THEIRS)
        (void)sigaction(kinds[kind].signal, NULL, &before[kind]);
}

/* Makes the signal what it has to be: every change of the handlers and of what is ignored ends here, so that their order does not matter. What the
 * program ignores by itself stays ignored. */
static void signal_set(size_t kind)
{
    struct sigaction ours = {.sa_handler = signal_came, .sa_flags = SA_RESTART}, ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ours.sa_mask);
    sigemptyset(&ignore.sa_mask);
    signal_look(kind);
    enum holder wanted = THEIRS;
    if (kind == INTERRUPT && interrupt_ignored)
        wanted = IGNORED;
    else if (n_handlers != 0 && !is_ignored(&before[kind]))
        wanted = OURS;
    const struct sigaction *action = wanted == OURS ? &ours : wanted == IGNORED ? &ignore : &before[kind];
    if (wanted != held[kind] && sigaction(kinds[kind].signal, action, NULL) == 0)
        held[kind] = wanted;
}

static void interrupt_ignore(bool ignored)
{
    signal_look(INTERRUPT);
    interrupt_ignored = ignored;
    if (!ignored && is_ignored(&before[INTERRUPT])) { /* by whoever started this program: it ends here */
        before[INTERRUPT] = (struct sigaction){.sa_handler = SIG_DFL};
        held[INTERRUPT] = IGNORED;
    }
    signal_set(INTERRUPT);
}

static DWORD handler_add(PHANDLER_ROUTINE routine)
{
    if (n_handlers == HANDLERS_MAX || !thread_begin())
        return ERROR_NOT_ENOUGH_MEMORY;
    handlers[n_handlers++] = routine;
    for (size_t kind = 0; kind < N_KINDS; kind++)
        signal_set(kind);
    return NO_ERROR;
}

static DWORD handler_remove(PHANDLER_ROUTINE routine)
{
    size_t i = n_handlers;
    while (i > 0 && handlers[i - 1] != routine)
        i--;
    if (i == 0)
        return ERROR_INVALID_PARAMETER;
    memmove(handlers + i - 1, handlers + i, (n_handlers - i) * sizeof *handlers);
    n_handlers--;
    for (size_t kind = 0; kind < N_KINDS; kind++)
        signal_set(kind);
    return NO_ERROR;
}

BOOL SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add)
{
    DWORD error = NO_ERROR;
    pthread_mutex_lock(&lock);
    if (HandlerRoutine == NULL)
        interrupt_ignore(Add);
    else
        error = Add ? handler_add(HandlerRoutine) : handler_remove(HandlerRoutine);
    pthread_mutex_unlock(&lock);
    if (error != NO_ERROR)
        SetLastError(error);
    return error == NO_ERROR;
}

/* A child of fork has the handlers and no thread: it gets one when it adds a handler. */
FORK_GUARD(lock)
