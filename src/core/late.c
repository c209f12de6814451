#include "core/late.h"

#include "base/memory.h"
#include "base/result.h"
#include "base/time.h"
#include "core/cause.h"
#include "crypto/openssl.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct job {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done, abandoned; /* guarded by lock */
    pthread_t thread;
    enum late_kind kind;
    uint64_t whom;
    const struct late_work *work;
    void *data;
    SECURITY_STATUS status;
    char cause[CAUSE_TEXT_MAX];
};

enum stage { PROCESS_RUNS, HANDLERS_RUN, DESTRUCTORS_RUN };

#define SLOTS ((size_t)4 * LATE_ABANDONED_MAX) /* threads beyond these, of that many waiting at once, are nobody's */

static atomic_uint n_abandoned[LATE_KINDS];
static _Atomic uint64_t slots[LATE_KINDS][SLOTS]; /* whom each thread that was left behind worked for; 0: free */
static _Thread_local uint64_t whom_now;
static _Thread_local struct job *job_now; /* in a thread made here */
static atomic_int stage;                  /* enum stage */
static atomic_uint n_freeing, n_parked;

/* A child has none of its parent's threads. */
static void forget(void)
{
    atomic_store(&n_freeing, 0);
    for (size_t i = 0; i < LATE_KINDS; i++) {
        atomic_store(&n_abandoned[i], 0);
        for (size_t j = 0; j < SLOTS; j++)
            atomic_store(&slots[i][j], 0);
    }
}

/* At the process' end destructors run while threads go on: locks of a library that is at its end are no more, and libkrb5 aborts where it finds that.
 * A thread that was left behind then goes no further after it waited, where its work looks (late_checkpoint), and frees nothing; the end waits for
 * those that free, but not for ever: one of them may need what the thread that ends the process holds. OpenSSL ends before all destructors, among the
 * functions of atexit: by then nothing that was left behind may use it, while those who are waited for, who may be such functions of the host, have
 * what they wait for. */
#define END_TURNS 2000
static void end_at(int now)
{
    const struct timespec turn = {.tv_nsec = 1000000};
    atomic_store(&stage, now);
    for (int i = 0; i < END_TURNS && atomic_load(&n_freeing) > 0; i++)
        (void)nanosleep(&turn, NULL);
}

__attribute__((destructor)) static void end(void)
{
    end_at(DESTRUCTORS_RUN);
}

static void end_before_openssl(void)
{
    end_at(HANDLERS_RUN);
}

/* What was registered last runs first. */
static void register_end(void)
{
    openssl_begin();
    (void)atexit(end_before_openssl);
}

unsigned late_parked(void)
{
    return atomic_load(&n_parked);
}

void late_work_for(uint64_t whom)
{
    whom_now = whom;
}

/* Puts `to` where `from` is, once. */
static void slot_change(enum late_kind kind, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t expected = from;
        if (atomic_compare_exchange_strong(&slots[kind][i], &expected, to))
            return;
    }
}

static bool may_begin(enum late_kind kind, uint64_t whom)
{
    unsigned n_all = late_abandoned(kind), n_own = 0;
    if (whom == 0 || n_all == 0)
        return n_all < LATE_ABANDONED_MAX;
    for (size_t i = 0; i < SLOTS; i++)
        n_own += atomic_load(&slots[kind][i]) == whom ? 1 : 0;
    if (whom == LATE_ROOT)
        return n_all < SLOTS;
    return n_own < LATE_SHARE && n_all < (n_own == 0 ? 2 * LATE_ABANDONED_MAX : LATE_ABANDONED_MAX);
}

__attribute__((constructor)) static void guard(void)
{
    (void)pthread_atfork(NULL, NULL, forget);
}

unsigned late_abandoned(enum late_kind kind)
{
    return atomic_load(&n_abandoned[kind]);
}

uint64_t late_deadline(unsigned seconds)
{
    return monotonic_ms() + (uint64_t)seconds * 1000;
}

static void job_free(struct job *job)
{
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->ended);
    mem_free(job);
}

static void job_drop(struct job *job)
{
    enum late_kind kind = job->kind;
    uint64_t whom = job->whom;
    job->work->free(job->data);
    job_free(job);
    if (whom != 0)
        slot_change(kind, whom, 0);
    atomic_fetch_sub(&n_abandoned[kind], 1);
}

static void park(void)
{
    atomic_fetch_add(&n_parked, 1);
    for (;;) /* with what it keeps on its stack: nothing leaks */
        (void)pause();
}

static bool is_abandoned(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    bool abandoned = job->abandoned;
    pthread_mutex_unlock(&job->lock);
    return abandoned;
}

void late_checkpoint(void)
{
    int now = job_now != NULL ? atomic_load(&stage) : PROCESS_RUNS;
    if (now == DESTRUCTORS_RUN || (now == HANDLERS_RUN && is_abandoned(job_now)))
        park();
}

/* What is left behind cleans up after itself: in time, or never. */
static void end_left_behind(struct job *job)
{
    atomic_fetch_add(&n_freeing, 1); /* before it looks, as end_at() looks after it has told */
    if (atomic_load(&stage) == PROCESS_RUNS) {
        job_drop(job);
        openssl_thread_end(); /* by itself it would do that after the thread's function, and OpenSSL may be gone by then */
        atomic_fetch_sub(&n_freeing, 1);
        return;
    }
    atomic_fetch_sub(&n_freeing, 1);
    park();
}

static void *job_run(void *argument)
{
    struct job *job = argument;
    job_now = job;
    cause_clear();
    job->status = cause_answer(job->work->run(job->data));
    snprintf(job->cause, sizeof job->cause, "%s", cause_text());
    pthread_mutex_lock(&job->lock);
    job->done = true;
    bool abandoned = job->abandoned;
    pthread_cond_signal(&job->ended);
    pthread_mutex_unlock(&job->lock);
    if (abandoned)
        end_left_behind(job);
    return NULL;
}

static struct job *job_new(enum late_kind kind, const struct late_work *work, void *data)
{
    struct job *job = mem_zalloc(sizeof *job);
    require(job != NULL, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&job->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&job->lock, NULL);
    job->kind = kind;
    job->whom = whom_now;
    job->work = work;
    job->data = data;
    return job;
}

/* The host's signals are not for this thread. Blocked before it starts, so that there is no moment in between; a server that closes its
 * connection then also raises no SIGPIPE. */
static bool job_start(struct job *job)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&job->thread, NULL, job_run, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

/* False when the time is over: the thread then owns the job. One that is done is waited for: what libraries keep for each thread goes with it. */
static bool job_wait(struct job *job, uint64_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    const pthread_t thread = job->thread;
    int waited = 0;
    pthread_mutex_lock(&job->lock);
    while (!job->done && waited == 0)
        waited = pthread_cond_timedwait(&job->ended, &job->lock, &until);
    bool done = job->done;
    job->abandoned = !done;
    if (!done) {
        atomic_fetch_add(&n_abandoned[job->kind], 1);
        if (job->whom != 0)
            slot_change(job->kind, 0, job->whom);
    }
    pthread_mutex_unlock(&job->lock);
    if (done) {
        pthread_join(thread, NULL);
    } else {
        static pthread_once_t registered = PTHREAD_ONCE_INIT;
        pthread_once(&registered, register_end);
        pthread_detach(thread);
    }
    return done;
}

enum late_end late_run(enum late_kind kind, const struct late_work *work, void **data, uint64_t deadline,
                       SECURITY_STATUS *status)
{
    require(may_begin(kind, whom_now), LATE_FULL);
    struct job *job = job_new(kind, work, *data);
    require(job != NULL, LATE_NO_MEMORY);
    if (!job_start(job)) {
        job_free(job);
        return LATE_NO_MEMORY;
    }
    if (!job_wait(job, deadline)) {
        *data = NULL;
        return LATE_OVER;
    }
    *status = job->status;
    if (job->status != SEC_E_OK && job->cause[0] != '\0')
        (void)cause_set(job->status, "%s", job->cause);
    job_free(job);
    return LATE_DONE;
}
