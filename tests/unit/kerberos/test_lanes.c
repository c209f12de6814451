/*
 * What threads under one credential have each for themselves: lanes and their kits, what these keep and when they drop it; and times that no two requests share.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/keys.h"
#include "support/kerberos_loop.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static struct kerberos_credential *acquire(uint32_t use)
{
    const struct config *config;
    void *acquired;
    int64_t expiry;
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = use};
    assert_int_equal(kerberos_acquire(&request, &acquired, &expiry), SEC_E_OK);
    config_release(config);
    return acquired;
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
    assert_true(credential->pool.n_idle <= 8);
    for (int i = 0; i < MANY; i++) { /* no clock of a KDC's is inherited */
        assert_int_equal(kerberos_kit_take(credential, &kits[i]), SEC_E_OK);
        assert_true(labs((long)krb_clock_get(kits[i].krb).seconds) < 600);
    }
    for (int i = 0; i < MANY; i++)
        kerberos_kit_give(credential, &kits[i]);
    kerberos_release(credential);
}

static struct kerberos_lane *lanes;
static atomic_int n_entered;

static void *enters(void *argument)
{
    struct kerberos_lane *lane = kerberos_lane_enter(lanes);
    (void)argument;
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
static int64_t times[2][TIMES];

static void *takes_times(void *argument)
{
    krb5_context krb;
    int64_t *own = argument;
    if (krb5_init_context(&krb) != 0)
        return NULL;
    for (int i = 0; i < TIMES; i++)
        own[i] = krb_time_unique(krb);
    krb5_free_context(krb);
    return NULL;
}

/* Faster than a microsecond each, and by two threads: no time twice, and each thread's in order. */
static void times_of_two_threads(void **state)
{
    pthread_t threads[2];
    size_t i = 0, j = 0;
    (void)state;
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, takes_times, times[t]), 0);
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    for (int t = 0; t < 2; t++)
        for (size_t k = 0; k < TIMES; k++)
            assert_true(times[t][k] > (k > 0 ? times[t][k - 1] : 0));
    while (i < TIMES && j < TIMES) { /* two sorted lists have nothing in common */
        assert_true(times[0][i] != times[1][j]);
        if (times[0][i] < times[1][j])
            i++;
        else
            j++;
    }
}

/* By the clock of the KDC. */
static void time_of_another_clock(void **state)
{
    krb5_context krb;
    (void)state;
    assert_int_equal(krb5_init_context(&krb), 0);
    for (int hours = -2; hours <= 2; hours++) {
        krb_clock_set(krb, (struct krb_clock){hours * 3600, 0});
        int64_t now = krb_time_unique(krb) / KRB_MICROSECONDS, wanted = (int64_t)time(NULL) + hours * 3600;
        assert_true(now > wanted - 600 &&
                    now < wanted + 600); /* the machine may be busy between two looks at the clock */
    }
    krb5_free_context(krb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kept, begin),    cmocka_unit_test_setup(replaced, begin),
        cmocka_unit_test_setup(many, begin),    cmocka_unit_test(entered_and_locked),
        cmocka_unit_test(times_of_two_threads), cmocka_unit_test(time_of_another_clock),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
