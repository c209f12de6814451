/*
 * SetConsoleCtrlHandler: handlers of Ctrl+C and of the end of the session, over signals. The signals' own handler only wakes a thread, which calls the program's.
 *
 * Lock: one for the list of handlers and what the signals were before; no handler runs under it.
 */
#include "standard.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLERS_MAX 64 /* a program has one or two */

static const struct {
    int signal;
    DWORD event;
    bool ends; /* whatever handlers answer */
} kinds[] = {{SIGINT, CTRL_C_EVENT, false},
             {SIGQUIT, CTRL_BREAK_EVENT, false},
             {SIGHUP, CTRL_CLOSE_EVENT, true},
             {SIGTERM, CTRL_SHUTDOWN_EVENT, true}};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static PHANDLER_ROUTINE handlers[HANDLERS_MAX];
static size_t n_handlers;
static struct sigaction before[N_KINDS];
static bool taken[N_KINDS];               /* the signal is ours */
static struct sigaction interrupt_before; /* SIGINT, while SetConsoleCtrlHandler(NULL, TRUE) holds */
static bool interrupt_ignored;

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

/* Ends the process as the signal would have. */
static void end_by(int signal)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t this_one;
    sigemptyset(&this_one);
    sigaddset(&this_one, signal);
    (void)sigaction(signal, &usual, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &this_one, NULL);
    (void)kill(getpid(), signal);
}

static void *run(void *unused)
{
    (void)unused;
    for (;;) {
        while (sem_wait(&wake) != 0)
            ;
        unsigned these = atomic_exchange(&came, 0);
        for (size_t kind = 0; kind < N_KINDS; kind++) {
            if ((these & 1u << kind) == 0)
                continue;
            unsigned waits = console_waiting();
            if (!handled(kinds[kind].event) || kinds[kind].ends)
                end_by(kinds[kind].signal);
            else
                console_interrupt(waits); /* which then finds what the handlers did */
        }
    }
    return NULL;
}

/* Under the lock. The thread takes no signals: those that the program waits for are not its own. */
static bool thread_begin(void)
{
    if (atomic_load(&process) == getpid())
        return true;
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, own;
    if (!console_interruptible())
        return false;
    if (sem_init(&wake, 0, 0) != 0 || pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&all);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &own);
    bool good = pthread_create(&id, &attributes, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &own, NULL);
    pthread_attr_destroy(&attributes);
    if (good)
        atomic_store(&process, getpid());
    return good;
}

/* Under the lock, all three. What is ignored stays ignored. */
static void signal_take(size_t kind)
{
    struct sigaction ours = {.sa_handler = signal_came, .sa_flags = SA_RESTART};
    sigemptyset(&ours.sa_mask);
    if (taken[kind] || sigaction(kinds[kind].signal, NULL, &before[kind]) != 0 ||
        ((before[kind].sa_flags & SA_SIGINFO) == 0 && before[kind].sa_handler == SIG_IGN))
        return;
    taken[kind] = sigaction(kinds[kind].signal, &ours, NULL) == 0;
}

static void signal_give_back(size_t kind)
{
    if (taken[kind])
        (void)sigaction(kinds[kind].signal, &before[kind], NULL);
    taken[kind] = false;
}

static void interrupt_ignore(bool ignored)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (ignored == interrupt_ignored)
        return;
    interrupt_ignored = ignored;
    (void)sigaction(SIGINT, ignored ? &ignore : &interrupt_before, ignored ? &interrupt_before : NULL);
}

static DWORD handler_add(PHANDLER_ROUTINE routine)
{
    if (n_handlers == HANDLERS_MAX || !thread_begin())
        return ERROR_NOT_ENOUGH_MEMORY;
    handlers[n_handlers++] = routine;
    for (size_t kind = 0; kind < N_KINDS; kind++)
        signal_take(kind);
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
    for (size_t kind = 0; kind < N_KINDS && n_handlers == 0; kind++)
        signal_give_back(kind);
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
