/*
 * What threads under one credential have each for themselves: lanes and their kits, what these keep and when they drop it; and times that no two
 * requests share.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/exchange.h"
#include "support/kerberos_loop.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What libkrb5 has instead of this may ask DNS, and waits for it: it is called by who holds no lane of this credential's. */
static struct kerberos_credential *asks_for_realms;
static int n_realms_asked;

krb5_error_code KRB5_CALLCONV krb5_get_host_realm(krb5_context krb, const char *host, char ***realms)
{
    char **list = calloc(2, sizeof *list);
    (void)krb;
    (void)host;
    assert_non_null(list);
    assert_non_null(list[0] = strdup(FORGE_REALM));
    *realms = list;
    n_realms_asked++;
    for (int i = 0; asks_for_realms != NULL && i < KERBEROS_LANES; i++) {
        assert_int_equal(pthread_mutex_trylock(&asks_for_realms->lanes[i].lock), 0);
        pthread_mutex_unlock(&asks_for_realms->lanes[i].lock);
    }
    return 0;
}

/* The clock of this whole program: the machine's, or what a test says. */
static void (*clock_tells)(struct timespec *time);

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_REALTIME || clock_tells == NULL)
        return (int)syscall(SYS_clock_gettime, clock, time);
    clock_tells(time);
    return 0;
}

static struct kerberos_credential *acquire_as(const char *principal, uint32_t use)
{
    const struct config *config;
    void *acquired;
    int64_t expiry;
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = use, .principal = principal};
    assert_int_equal(kerberos_acquire(&request, &acquired, &expiry), SEC_E_OK);
    config_release(config);
    return acquired;
}

static struct kerberos_credential *acquire(uint32_t use)
{
    return acquire_as(NULL, use);
}

static int begin(void **state)
{
    struct forge forge;
    (void)state;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    kerberos_loop_keytab();
    return 0;
}

static void keys_ask(struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    assert_int_equal(kerberos_keys_get(credential, kit->krb, &kit->keys), SEC_E_OK);
}

static void ticket_ask(struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    const struct kerberos_ticket_request request = {.target = FORGE_SERVER};
    assert_int_equal(kerberos_ticket_ask(credential, kit->krb, &request, &kit->ticket), SEC_E_OK);
}

static unsigned n_idle(const struct kerberos_credential *credential)
{
    unsigned n = 0;
    for (int i = 0; i < KERBEROS_LANES; i++)
        n += credential->lanes[i].idle.krb != NULL;
    return n;
}

/* The first time something is counted, then it is there. */
static void kept(void **state)
{
    struct kerberos_credential *credential = acquire(SECPKG_CRED_BOTH);
    struct kerberos_kit kit;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kerberos_kit_take(credential, &kit), SEC_E_OK);
        keys_ask(credential, &kit);
        ticket_ask(credential, &kit);
        assert_ptr_equal(kit.keys, credential->keys);
        assert_ptr_equal(kit.ticket, credential->tickets);
        /* the credential's, and one a kit: on a machine that moves the test to another processor these may be several */
        assert_true(atomic_load(&kit.keys->n_references) <= 2 + n_idle(credential));
        assert_true(atomic_load(&kit.ticket->n_references) <= 2 + n_idle(credential));
        kerberos_kit_give(credential, &kit);
        assert_null(kit.krb);
        kerberos_kit_give(credential, &kit); /* nothing is given */
    }
    kerberos_release(credential);
}

/* Of a keytab that was replaced, and of a cache, nothing stays in memory once the next has been read. */
static void replaced(void **state)
{
    struct kerberos_credential *credential = acquire(SECPKG_CRED_BOTH);
    struct kerberos_kit idle, busy, asks;
    struct forge forge;
    (void)state;
    assert_int_equal(kerberos_kit_take(credential, &idle), SEC_E_OK);
    assert_int_equal(kerberos_kit_take(credential, &busy), SEC_E_OK);
    assert_int_equal(kerberos_kit_take(credential, &asks), SEC_E_OK);
    keys_ask(credential, &idle);
    ticket_ask(credential, &idle);
    keys_ask(credential, &busy);
    ticket_ask(credential, &busy);
    struct kerberos_keys *keys = busy.keys;
    struct kerberos_ticket *ticket = busy.ticket;
    kerberos_kit_give(credential, &idle);
    assert_int_equal(n_idle(credential), 1);
    assert_int_equal(atomic_load(&keys->n_references), 3);
    assert_int_equal(atomic_load(&ticket->n_references), 3);
    kerberos_loop_keytab();
    forge_begin(&forge, KRB_AES128_SHA1);
    kerberos_loop_ticket(&forge);
    keys_ask(credential, &asks);
    ticket_ask(credential, &asks);
    assert_ptr_not_equal(asks.keys, keys);
    assert_ptr_not_equal(asks.ticket, ticket);
    assert_int_equal(atomic_load(&keys->n_references), 1); /* who works with them keeps them */
    assert_int_equal(atomic_load(&ticket->n_references), 1);
    kerberos_kit_give(credential, &busy);
    for (int i = 0; i < KERBEROS_LANES; i++) {
        const struct kerberos_kit *kit = &credential->lanes[i].idle;
        assert_true(kit->keys == NULL || kit->keys == credential->keys);
        assert_true(kit->ticket == NULL || kit->ticket == credential->tickets);
    }
    kerberos_kit_give(credential, &asks);
    kerberos_release(credential);
}

#define MANY (2 * KERBEROS_LANES)

/* More handshakes at once than there are lanes, all of one thread: each has its own context, and not all of these are kept. */
static void many(void **state)
{
    struct kerberos_credential *credential = acquire(SECPKG_CRED_BOTH);
    struct kerberos_kit kits[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(kerberos_kit_take(credential, &kits[i]), SEC_E_OK);
        keys_ask(credential, &kits[i]);
        krb_clock_set(kits[i].krb, (struct krb_clock){3600, 0});
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(kits[i].krb, kits[j].krb);
    }
    assert_int_equal(atomic_load(&credential->keys->n_references), 1 + MANY);
    for (int i = 0; i < MANY; i++)
        kerberos_kit_give(credential, &kits[i]);
    assert_true(n_idle(credential) >= 1);
    assert_int_equal(atomic_load(&credential->keys->n_references), 1 + n_idle(credential));
    assert_int_equal(credential->pool.n_idle, COUNT_OF(credential->pool.idle));
    for (int i = 0; i < MANY; i++) { /* no clock of a KDC's is inherited */
        assert_int_equal(kerberos_kit_take(credential, &kits[i]), SEC_E_OK);
        assert_true(labs((long)krb_clock_get(kits[i].krb).seconds) < 600);
    }
    for (int i = 0; i < MANY; i++)
        kerberos_kit_give(credential, &kits[i]);
    kerberos_release(credential);
}

/* A server called without a realm: which one that is, is asked before the lanes are held, and not where the keys are there. */
static void realm_asked_outside(void **state)
{
    static const char *const names[] = {"host/server.example.test", "host@server.example.test"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct kerberos_credential *credential = acquire_as(names[i], SECPKG_CRED_INBOUND);
        struct kerberos_kit kit;
        assert_int_equal(kerberos_kit_take(credential, &kit), SEC_E_OK);
        asks_for_realms = credential;
        n_realms_asked = 0;
        for (int j = 0; j < 3; j++) {
            keys_ask(credential, &kit);
            assert_int_equal(n_realms_asked, 1);
            assert_int_equal(kit.keys->n_keys, KERBEROS_TYPES);
        }
        asks_for_realms = NULL;
        kerberos_kit_give(credential, &kit);
        kerberos_release(credential);
    }
}

static struct kerberos_lane *lanes;
static atomic_int n_begun, n_entered;

static void *enters(void *argument)
{
    (void)argument;
    atomic_fetch_add(&n_begun, 1);
    struct kerberos_lane *lane = kerberos_lane_enter(lanes);
    atomic_fetch_add(&n_entered, 1);
    kerberos_lane_leave(lane);
    return NULL;
}

/* One who changes waits for all who read, and who read do not wait for each other. */
static void entered_and_locked(void **state)
{
    struct kerberos_lane *in[KERBEROS_LANES];
    pthread_t thread;
    (void)state;
    lanes = kerberos_lanes_new();
    assert_non_null(lanes);
    for (int i = 0; i < KERBEROS_LANES; i++) {
        in[i] = kerberos_lane_enter(lanes);
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(in[i], in[j]);
    }
    for (int i = 0; i < KERBEROS_LANES; i++)
        kerberos_lane_leave(in[i]);
    kerberos_lanes_lock(lanes);
    assert_int_equal(pthread_create(&thread, NULL, enters, NULL), 0);
    while (atomic_load(&n_begun) == 0)
        sched_yield();
    for (int i = 0; i < 100; i++) { /* it may run, and does not get in */
        sched_yield();
        assert_int_equal(atomic_load(&n_entered), 0);
    }
    kerberos_lanes_unlock(lanes);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&n_entered), 1);
    kerberos_lanes_free(lanes);
    kerberos_lanes_free(NULL);
    mem_fault_set(1, true);
    lanes = kerberos_lanes_new();
    mem_fault_set(0, false);
    assert_null(lanes);
}

#define TIMES 20000 /* a thread */
static int64_t times[2 * TIMES];

static void *takes_times(void *argument)
{
    int64_t *own = argument;
    for (int i = 0; i < TIMES; i++)
        own[i] = krb_time_unique((struct krb_clock){0});
    return NULL;
}

static int compare_times(const void *one, const void *other)
{
    const int64_t *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

static void assert_all_times_differ(void)
{
    qsort(times, COUNT_OF(times), sizeof times[0], compare_times);
    for (size_t i = 1; i < COUNT_OF(times); i++)
        assert_true(times[i - 1] < times[i]);
}

/* `work` of two threads at once fills `times`. */
static void run_two(void *(*work)(void *own))
{
    pthread_t threads[2];
    memset(times, 0, sizeof times);
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, work, &times[(size_t)t * TIMES]), 0);
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
}

/* Faster than a microsecond each, and by two threads: no time twice, and each thread's in order. */
static void times_of_two_threads(void **state)
{
    (void)state;
    run_two(takes_times);
    for (size_t t = 0; t < 2; t++)
        for (size_t k = 0; k < TIMES; k++)
            assert_true(times[t * TIMES + k] > (k > 0 ? times[t * TIMES + k - 1] : 0));
    assert_all_times_differ();
}

static struct kerberos_ticket bought;

/* Each as a handshake does it: with a context that is given the ticket's clock, and cleaned afterwards. A time stays 0 where something failed. */
static void *makes_requests(void *argument)
{
    krb5_context krb;
    int64_t *own = argument;
    if (krb5_init_context(&krb) != 0)
        return NULL;
    for (int i = 0; i < TIMES; i++) {
        struct kerberos_exchange exchange = {0};
        AUTO_WRITER struct writer message = writer_growing(2048);
        krb_clock_set(krb, bought.clock);
        if (kerberos_request_make(&exchange, krb, &bought, 0, (struct slice){0}, &message) == SEC_E_OK)
            own[i] = exchange.time * KRB_MICROSECONDS + exchange.microseconds;
        krb_context_clean(krb);
    }
    krb5_free_context(krb);
    return NULL;
}

/* What a server tells requests of one ticket apart by is the KDC's time. */
static void requests_of_one_ticket(void **state)
{
    static const struct krb_purpose purposes[KERBEROS_TICKET_USES] = {
        [KERBEROS_MAKES_REQUEST] = {KRB_ENCRYPTING, KRB_USAGE_AP_REQ},
        [KERBEROS_OPENS_REPLY] = {KRB_DECRYPTING, KRB_USAGE_AP_REP},
    };
    krb5_context krb;
    struct forge forge;
    AUTO_WRITER struct writer ticket = writer_growing(1024);
    (void)state;
    assert_int_equal(krb5_init_context(&krb), 0);
    forge_begin(&forge, KRB_AES256_SHA1);
    forge_ticket(&ticket, &forge);
    krb5_creds creds = {
        .keyblock = {.enctype = forge.session.enctype, .length = forge.session.len, .contents = forge.session.bytes},
        .ticket = {.data = (char *)ticket.data, .length = (unsigned)ticket.len}};
    assert_int_equal(krb5_parse_name(krb, forge.client, &creds.client), 0);
    bought = (struct kerberos_ticket){.creds = &creds, .clock = {5, 0}};
    assert_true(krb_prepare(&forge.session, purposes, KERBEROS_TICKET_USES, bought.session));
    run_two(makes_requests);
    for (size_t i = 0; i < COUNT_OF(times); i++)
        assert_true(times[i] != 0);
    assert_all_times_differ();
    bought = (struct kerberos_ticket){0};
    krb5_free_principal(krb, creds.client);
    krb5_free_context(krb);
}

static time_t told;
static int64_t given_meanwhile;

static void tells(struct timespec *time)
{
    *time = (struct timespec){.tv_sec = told};
}

/* Tells the time of before, and more than a second goes by, in which others are given times, until it is heard. */
static void tells_late(struct timespec *time)
{
    tells(time);
    clock_tells = tells;
    told += 2;
    given_meanwhile = krb_time_unique((struct krb_clock){0});
}

/* A thread that stalls between a look at the clock and the next is no clock that was set back. */
static void time_of_a_thread_that_stalls(void **state)
{
    (void)state;
    told = time(NULL) + 3600;
    clock_tells = tells_late;
    int64_t stalled = krb_time_unique((struct krb_clock){0}), after = krb_time_unique((struct krb_clock){0});
    clock_tells = NULL;
    assert_true(given_meanwhile == (int64_t)told * KRB_MICROSECONDS);
    assert_true(stalled > given_meanwhile);
    assert_true(after > stalled);
}

/* Set back by a second or more, the machine's clock counts; by less, the times go on. */
static void time_of_a_clock_set_back(void **state)
{
    (void)state;
    clock_tells = tells;
    told = time(NULL) + 7200;
    int64_t first = krb_time_unique((struct krb_clock){0});
    told--;
    int64_t back = krb_time_unique((struct krb_clock){0}), next = krb_time_unique((struct krb_clock){0});
    clock_tells = NULL;
    assert_true(back == first - KRB_MICROSECONDS);
    assert_true(next == back + 1);
}

/* By the clock of the KDC, to the microsecond. */
static void time_of_another_clock(void **state)
{
    static const struct krb_clock clocks[] = {{0, 0}, {7200, 0}, {-7200, 0}, {5, 250000}, {-5, -250000}, {0, -1}};
    (void)state;
    clock_tells = tells;
    told = time(NULL) + 10800;
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        told += 10;
        assert_true(krb_time_unique(clocks[i]) ==
                    ((int64_t)told + clocks[i].seconds) * KRB_MICROSECONDS + clocks[i].microseconds);
    }
    clock_tells = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kept, begin),
        cmocka_unit_test_setup(replaced, begin),
        cmocka_unit_test_setup(many, begin),
        cmocka_unit_test_setup(realm_asked_outside, begin),
        cmocka_unit_test(entered_and_locked),
        cmocka_unit_test(times_of_two_threads),
        cmocka_unit_test_setup(requests_of_one_ticket, begin),
        cmocka_unit_test(time_of_a_thread_that_stalls),
        cmocka_unit_test(time_of_a_clock_set_back),
        cmocka_unit_test(time_of_another_clock),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
