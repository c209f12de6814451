#include "accounts/failures.h"

#include "base/memory.h"
#include "core/trace.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_WORDS FAILURES_WAYS /* the seed has a line of its own */
#define TABLE_WORDS (SEED_WORDS + (size_t)FAILURES_SETS * FAILURES_WAYS)
#define TABLE_LEN (TABLE_WORDS * sizeof(uint64_t))

/*
 * One word: 20 bits of the key (12 more choose the set), 11 of the count, 1 that tells that the account was locked out, 32 of time
 * in seconds since 1970: of the last failure, or the end of the lock-out (all ones: none). A word of 0 is free, and so is an untouched
 * file or page. Two accounts take each other's failures for their own once in 2^32.
 */
#define TAG_SHIFT 44
#define COUNT_SHIFT 33
#define LOCKED_BIT (UINT64_C(1) << 32)
#define TIME_NEVER UINT32_MAX

struct failures {
    _Atomic(uint64_t) *words;
};

static struct failures shared;

/* Mapped by the loader, and not at the first use: who forks for each connection may use it for the first time in the child, whose
 * memory dies with it. Costs address space until something is counted. */
__attribute__((constructor)) static void shared_map(void)
{
    void *pages = mmap(NULL, TABLE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED)
        shared.words = pages;
}

struct failures *failures_shared(void)
{
    return shared.words == NULL ? NULL : &shared;
}

static struct failures *table_new(int file, int flags)
{
    struct failures *fresh = mem_zalloc(sizeof(*fresh));
    require(fresh != NULL, NULL);
    void *pages = mmap(NULL, TABLE_LEN, PROT_READ | PROT_WRITE, flags, file, 0);
    if (pages == MAP_FAILED) {
        mem_free(fresh);
        return NULL;
    }
    fresh->words = pages;
    return fresh;
}

struct failures *failures_new(void)
{
    return table_new(-1, MAP_SHARED |
                             MAP_ANONYMOUS); /* as the others are: a forked child copies no page at the first count */
}

/* What a full disk, or a computer that went down meanwhile, leaves of a file that was being made: some of its zeros. Nobody has counted in it,
 * since only a whole one is mapped; whatever else has the name is left as it is. */
static bool is_begun(int file, off_t size)
{
    uint8_t bytes[4096];
    require(size < (off_t)TABLE_LEN, false);
    for (off_t at = 0; at < size;) {
        ssize_t got = pread(file, bytes, sizeof(bytes), at);
        if (got < 0 && errno == EINTR)
            continue;
        require(got > 0, false);
        for (ssize_t i = 0; i < got; i++)
            require(bytes[i] == 0, false);
        at += got;
    }
    return true;
}

/* Its room is taken at once: a hole of a mapped file on a full disk would kill the process that counts there. */
static bool file_prepare(int file, bool create)
{
    struct stat status;
    require(fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1, false);
    require(status.st_uid == 0 || status.st_uid == geteuid(), false);
    require((status.st_mode & (S_IRWXG | S_IRWXO)) == 0, false);
    if (status.st_size == (off_t)TABLE_LEN)
        return true;
    require(create, false);
    if (!is_begun(file, status.st_size)) /* or another process has made it whole meanwhile, and counts */
        return fstat(file, &status) == 0 && status.st_size == (off_t)TABLE_LEN;
    /* Another process may be making it too: both ask for the same room of zeros. */
    errno = posix_fallocate(file, 0, (off_t)TABLE_LEN);
    if (errno != 0)
        TRACE("accounts", "a file of lock-outs cannot be made whole, the next store that is opened tries again: %s",
              strerror(errno));
    else if (status.st_size != 0)
        TRACE("accounts", "a file of lock-outs had %lld bytes of its zeros: it was made whole",
              (long long)status.st_size);
    return errno == 0;
}

struct failures *failures_open(const char *path, bool create)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof(name), "%s.lockouts", path);
    require(len > 0 && (size_t)len < sizeof(name), NULL);
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
    int file = open(name, flags, 0600);
    if (file < 0) {
        if (create)
            TRACE("accounts", "%s: %s: wrong passwords are counted for this process only", name, strerror(errno));
        return NULL;
    }
    struct failures *failures = NULL;
    if (file_prepare(file, create))
        failures = table_new(file, MAP_SHARED);
    else
        TRACE("accounts",
              "%s: not a file of lock-outs, or not private: wrong passwords are counted for this process only", name);
    close(file);
    return failures;
}

void failures_close(struct failures *failures)
{
    if (failures == NULL || failures == &shared)
        return;
    munmap((void *)failures->words, TABLE_LEN);
    mem_free(failures);
}

static uint64_t stir(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

SECURITY_STATUS failures_key(struct failures *failures, const char *store, const struct sid *sid, uint64_t *key)
{
    uint64_t seed = atomic_load(&failures->words[0]);
    if (seed == 0) {
        uint64_t fresh;
        require(random_bytes(&fresh, sizeof(fresh)), SEC_E_INTERNAL_ERROR);
        if (atomic_compare_exchange_strong(&failures->words[0], &seed, fresh | 1))
            seed = fresh | 1;
    }
    char text[SID_TEXT_MAX];
    sid_to_text(sid, text);
    if (failures != &shared)
        store = ""; /* the same whatever name the file was reached by */
    *key = stir(stir(seed, store, strlen(store)), text, strlen(text));
    return SEC_E_OK;
}

static int64_t seconds_later(int64_t from, unsigned seconds)
{
    int64_t later;
    if (__builtin_add_overflow(from, (int64_t)seconds * FILETIME_SECOND, &later))
        return FILETIME_NEVER;
    return later;
}

bool lockout_holds(const struct lockout_state *state, int64_t now)
{
    return state->locked_until == FILETIME_NEVER || state->locked_until > now;
}

static unsigned threshold_of(const struct account_policy *policy)
{
    return policy->lockout_threshold < FAILURES_THRESHOLD_MAX ? policy->lockout_threshold : FAILURES_THRESHOLD_MAX;
}

static int64_t lockout_end(int64_t from, const struct account_policy *policy)
{
    return policy->lockout_seconds == 0 ? FILETIME_NEVER : seconds_later(from, policy->lockout_seconds);
}

bool lockout_tells(const struct lockout_state *state, const struct account_policy *policy)
{
    return state->failures < 2 * threshold_of(policy);
}

/* The lock-out rule: a failure counts on the failures in a row unless they are older than policy->reset_seconds or led to a lock-out
 * that is over. During a lock-out it is counted, but does not make it longer. */
static void lockout_after_failure(struct lockout_state *state, const struct account_policy *policy, int64_t now)
{
    if (state->failures < FAILURES_COUNT_MAX)
        state->failures++;
    if (lockout_holds(state, now))
        return; /* guesses against a locked account must not keep it locked for ever */
    bool over = state->locked_until != 0;
    bool old = policy->reset_seconds != 0 && seconds_later(state->last_failure, policy->reset_seconds) <= now;
    /* A clock set back must not make old failures immortal, nor forgive new ones. */
    if (over || old)
        state->failures = 1;
    state->last_failure = now;
    state->locked_until = 0;
    if (policy->lockout_threshold != 0 && state->failures >= threshold_of(policy))
        state->locked_until = lockout_end(now, policy);
}

static _Atomic(uint64_t) *set_of(const struct failures *failures, uint64_t key)
{
    return failures->words + SEED_WORDS + key % FAILURES_SETS * FAILURES_WAYS;
}

static bool word_is_of(uint64_t word, uint64_t key)
{
    return word != 0 && word >> TAG_SHIFT == key >> TAG_SHIFT;
}

static unsigned word_count(uint64_t word)
{
    return (unsigned)(word >> COUNT_SHIFT) & FAILURES_COUNT_MAX;
}

static void word_state(uint64_t word, struct lockout_state *state)
{
    uint32_t seconds = (uint32_t)word;
    int64_t time = seconds == TIME_NEVER ? FILETIME_NEVER : filetime_from_unix((time_t)seconds);
    *state = (struct lockout_state){.failures = word_count(word)};
    if ((word & LOCKED_BIT) != 0)
        state->locked_until = time;
    else if (word != 0)
        state->last_failure = time;
}

static uint64_t word_of(uint64_t key, const struct lockout_state *state)
{
    int64_t time = state->locked_until != 0 ? state->locked_until : state->last_failure;
    time_t seconds = filetime_to_unix(time);
    uint64_t count = state->failures < FAILURES_COUNT_MAX ? state->failures : FAILURES_COUNT_MAX;
    uint32_t stored = time == FILETIME_NEVER || seconds >= (time_t)TIME_NEVER ? TIME_NEVER
                      : seconds < 0                                           ? 0
                                                                              : (uint32_t)seconds;
    return key >> TAG_SHIFT << TAG_SHIFT | count << COUNT_SHIFT | (state->locked_until != 0 ? LOCKED_BIT : 0) | stored;
}

/* Does the word say anything still? */
static bool word_is_live(uint64_t word, const struct account_policy *policy, int64_t now)
{
    struct lockout_state state;
    word_state(word, &state);
    if (word == 0)
        return false;
    if (state.locked_until != 0)
        return lockout_holds(&state, now);
    return policy->reset_seconds == 0 || seconds_later(state.last_failure, policy->reset_seconds) > now;
}

void failures_get(const struct failures *failures, uint64_t key, const struct account_policy *policy, int64_t now,
                  struct lockout_state *state)
{
    _Atomic(uint64_t) *set = set_of(failures, key);
    *state = (struct lockout_state){0};
    /* Two processes that count the first failure at once may take two words for it: what they say is added up. */
    for (unsigned way = 0; way < FAILURES_WAYS; way++) {
        uint64_t word = atomic_load(&set[way]);
        struct lockout_state one;
        if (!word_is_of(word, key) || !word_is_live(word, policy, now))
            continue;
        word_state(word, &one);
        state->failures += one.failures;
        if (one.last_failure > state->last_failure)
            state->last_failure = one.last_failure;
        if (one.locked_until > state->locked_until)
            state->locked_until = one.locked_until;
    }
    if (state->locked_until == 0 && policy->lockout_threshold != 0 && state->failures >= threshold_of(policy))
        state->locked_until = lockout_end(state->last_failure, policy);
    if (state->locked_until != 0 && !lockout_holds(state, now))
        *state = (struct lockout_state){0};
}

/* The word to count in: the account's own, else a free one, else the one that says least. `word` receives what it was. */
static unsigned choose_way(_Atomic(uint64_t) *set, uint64_t key, const struct account_policy *policy, int64_t now,
                           uint64_t *word)
{
    unsigned best = 0, best_rank = UINT_MAX;
    for (unsigned way = 0; way < FAILURES_WAYS; way++) {
        uint64_t at = atomic_load(&set[way]);
        unsigned rank = word_is_live(at, policy, now) ? word_count(at) : 0;
        if ((at & LOCKED_BIT) != 0 && rank != 0)
            rank += FAILURES_COUNT_MAX;
        if (word_is_of(at, key) || rank < best_rank) {
            best = way;
            best_rank = rank;
            *word = at;
        }
        if (word_is_of(at, key))
            break;
    }
    return best;
}

void failures_add(struct failures *failures, uint64_t key, const struct account_policy *policy, int64_t now)
{
    _Atomic(uint64_t) *set = set_of(failures, key);
    for (;;) {
        uint64_t word = 0;
        struct lockout_state state = {0};
        unsigned way = choose_way(set, key, policy, now, &word);
        if (word_is_live(word, policy, now))
            word_state(word, &state);
        lockout_after_failure(&state, policy, now);
        if (atomic_compare_exchange_strong(&set[way], &word, word_of(key, &state)))
            return;
    }
}

void failures_clear(struct failures *failures, uint64_t key)
{
    _Atomic(uint64_t) *set = set_of(failures, key);
    for (unsigned way = 0; way < FAILURES_WAYS; way++) {
        uint64_t word = atomic_load(&set[way]);
        while (word_is_of(word, key) && !atomic_compare_exchange_weak(&set[way], &word, 0))
            continue;
    }
}
