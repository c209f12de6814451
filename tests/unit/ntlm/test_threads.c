/*
 * Many threads, one credential; many threads, one context. Meant for ThreadSanitizer, and true without it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define THREADS 8
#define HANDSHAKES 60 /* a thread */
#define MESSAGES 5000 /* a direction */

static struct loop shared;
static atomic_int n_wrong; /* cmocka's assertions are for the main thread alone */

static void expect(bool right, const char *what)
{
    if (!right && atomic_fetch_add(&n_wrong, 1) < 5)
        fprintf(stderr, "%s\n", what);
}

static void threads_run(unsigned n_threads, void *(*const start[])(void *), void *const argument[])
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < n_threads; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start[i], argument[i]), 0);
    for (unsigned i = 0; i < n_threads; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

static void *handshakes(void *argument)
{
    struct loop loop = shared;
    (void)argument;
    for (int i = 0; i < HANDSHAKES; i++) {
        expect(loop_run(&loop), "a handshake under a shared credential fails");
        expect(loop_seal(&loop.client, &loop.server, "there") == SEC_E_OK, "a message there fails");
        expect(loop_seal(&loop.server, &loop.client, "and back") == SEC_E_OK, "a message back fails");
        loop_end(&loop);
    }
    return NULL;
}

static void test_shared_credential(void **state)
{
    void *(*start[THREADS])(void *);
    void *argument[THREADS] = {NULL};
    (void)state;
    shared = (struct loop){.client_flags = PROTECT, .keep_credentials = true, .target = "host/server.example.test"};
    loop_acquire(&shared);
    assert_int_equal(shared.client_status, SEC_E_OK);
    assert_int_equal(shared.server_status, SEC_E_OK);
    for (int i = 0; i < THREADS; i++)
        start[i] = handshakes;
    threads_run(THREADS, start, argument);
    FreeCredentialsHandle(&shared.client_credential);
    FreeCredentialsHandle(&shared.server_credential);
}

/* Messages in flight between two threads: a ring of one writer and one reader. */
#define RING 16
struct wire {
    uint8_t token[16], data[48];
};
struct ring {
    struct wire slot[RING];
    _Atomic(unsigned) n_written, n_read;
};
static struct ring there, back;
static struct loop pair;
static atomic_bool done;

static void text_of(unsigned number, uint8_t data[48])
{
    memset(data, 0, 48);
    snprintf((char *)data, 48, "message number %u", number);
}

static void *sender(void *argument)
{
    struct ring *ring = argument;
    CtxtHandle *context = ring == &there ? &pair.client : &pair.server;
    for (unsigned i = 0; i < MESSAGES; i++) {
        while (i - atomic_load(&ring->n_read) >= RING)
            sched_yield();
        struct wire *wire = &ring->slot[i % RING];
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire->token}, {48, SECBUFFER_DATA, wire->data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        text_of(i, wire->data);
        expect((i % 3 == 0 ? MakeSignature(context, 0, &list, 0) : EncryptMessage(context, 0, &list, 0)) == SEC_E_OK,
               "protecting fails");
        atomic_store(&ring->n_written, i + 1);
    }
    return NULL;
}

static void *receiver(void *argument)
{
    struct ring *ring = argument;
    CtxtHandle *context = ring == &there ? &pair.server : &pair.client;
    uint8_t wanted[48];
    for (unsigned i = 0; i < MESSAGES; i++) {
        while (atomic_load(&ring->n_written) <= i)
            sched_yield();
        struct wire *wire = &ring->slot[i % RING];
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire->token}, {48, SECBUFFER_DATA, wire->data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        expect((i % 3 == 0 ? VerifySignature(context, &list, 0, NULL) : DecryptMessage(context, &list, 0, NULL)) ==
                   SEC_E_OK,
               "opening fails");
        text_of(i, wanted);
        expect(memcmp(wanted, wire->data, 48) == 0, "another text");
        atomic_store(&ring->n_read, i + 1);
    }
    return NULL;
}

static bool living(SECURITY_STATUS status, bool may_be_gone)
{
    return status == SEC_E_OK || (may_be_gone && status == SEC_E_INVALID_HANDLE);
}

static void ask(CtxtHandle *context, bool may_be_gone)
{
    SecPkgContext_Sizes sizes;
    SecPkgContext_NamesA names = {NULL};
    SecPkgContext_SessionKey key = {0};
    SecBuffer packed = {0};
    expect(living(QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes), may_be_gone), "SIZES");
    expect(living(QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &names), may_be_gone), "NAMES");
    expect(living(QueryContextAttributesA(context, SECPKG_ATTR_SESSION_KEY, &key), may_be_gone), "SESSION_KEY");
    expect(living(ExportSecurityContext(context, 0, &packed, NULL), may_be_gone), "export");
    expect(FreeContextBuffer(names.sUserName) == SEC_E_OK, "freeing the name");
    expect(FreeContextBuffer(key.SessionKey) == SEC_E_OK, "freeing the key");
    expect(FreeContextBuffer(packed.pvBuffer) == SEC_E_OK, "freeing the record");
}

/* While the handshake runs each of these may be refused, but none may crash. */
static void ask_of_handshake(CtxtHandle *context)
{
    SecPkgContext_NamesA names = {NULL};
    SecPkgContext_TargetInformation info = {0};
    SecPkgContext_Flags flags;
    struct wire wire = {{0}, "text"};
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire.token}, {48, SECBUFFER_DATA, wire.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    (void)QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &names);
    (void)QueryContextAttributesA(context, SECPKG_ATTR_TARGET_INFORMATION, &info);
    (void)QueryContextAttributesA(context, SECPKG_ATTR_FLAGS, &flags);
    (void)FreeContextBuffer(names.sUserName);
    (void)FreeContextBuffer(info.MarshalledTargetInfo);
    (void)VerifySignature(context, &list, 0, NULL); /* never right */
}

static void *asker(void *argument)
{
    (void)argument;
    while (!atomic_load(&done)) {
        ask(&pair.client, false);
        ask(&pair.server, false);
    }
    return NULL;
}

static void *traffic(void *argument)
{
    pthread_t threads[4];
    (void)argument;
    pthread_create(&threads[0], NULL, sender, &there);
    pthread_create(&threads[1], NULL, receiver, &there);
    pthread_create(&threads[2], NULL, sender, &back);
    pthread_create(&threads[3], NULL, receiver, &back);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&done, true);
    return NULL;
}

static void test_two_directions(void **state)
{
    void *(*const start[])(void *) = {traffic, asker};
    void *const argument[] = {NULL, NULL};
    (void)state;
    pair = (struct loop){.client_flags = PROTECT};
    assert_true(loop_run(&pair));
    atomic_store(&done, false);
    threads_run(2, start, argument);
    loop_end(&pair);
}

/* Every thread uses the contexts as it likes; statuses may be anything but what the handle's death does not explain. */
static void *user(void *argument)
{
    CtxtHandle *context = argument;
    while (!atomic_load(&done)) {
        struct wire wire = {{0}, "text"};
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire.token}, {48, SECBUFFER_DATA, wire.data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        expect(living(EncryptMessage(context, 0, &list, 0), true), "seal on a context that is deleted");
        SECURITY_STATUS status = DecryptMessage(context, &list, 0, NULL); /* its own message: never right */
        expect(status < 0, "a forged message");
        ask(context, true);
    }
    return NULL;
}

static void *deleter(void *argument)
{
    CtxtHandle *context = argument;
    struct timespec wait = {.tv_nsec = 2000000};
    nanosleep(&wait, NULL);
    SECURITY_STATUS status = DeleteSecurityContext(context);
    expect(living(status, true), "deletion");
    nanosleep(&wait, NULL);
    atomic_store(&done, true);
    return status == SEC_E_OK ? context : NULL;
}

static void test_deletion_while_used(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct loop loop = {.client_flags = PROTECT};
        pthread_t users[4], deleters[2];
        unsigned n_deleted = 0;
        assert_true(loop_run(&loop));
        atomic_store(&done, false);
        for (int n = 0; n < 4; n++)
            assert_int_equal(pthread_create(&users[n], NULL, user, &loop.server), 0);
        for (int n = 0; n < 2; n++)
            assert_int_equal(pthread_create(&deleters[n], NULL, deleter, &loop.server), 0);
        for (int n = 0; n < 2; n++) {
            void *result;
            assert_int_equal(pthread_join(deleters[n], &result), 0);
            n_deleted += result != NULL;
        }
        for (int n = 0; n < 4; n++)
            assert_int_equal(pthread_join(users[n], NULL), 0);
        assert_int_equal(n_deleted, 1);
        assert_int_equal(atomic_load(&n_wrong), 0);
        loop_end(&loop);
    }
}

/* One AUTHENTICATE given to one context by many threads at once: one of them gets it through. */
static struct duel duel;
static struct token last;
static atomic_int n_accepted;

static void *accepter(void *argument)
{
    struct token mine = last;
    SecBuffer in = {(ULONG)mine.len, SECBUFFER_TOKEN, mine.data}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle same = duel.server;
    ULONG flags;
    (void)argument;
    for (int i = 0; i < 5; i++) {
        ask_of_handshake(&same);
        if (AcceptSecurityContext(NULL, &same, &in_list, 0, SECURITY_NATIVE_DREP, &same, &out_list, &flags, NULL) ==
            SEC_E_OK)
            atomic_fetch_add(&n_accepted, 1);
    }
    return NULL;
}

static void test_one_step_wins(void **state)
{
    struct token negotiate, challenge;
    pthread_t threads[4];
    (void)state;
    duel = (struct duel){.client_flags = PROTECT};
    duel_begin(&duel);
    for (int round = 0; round < 20; round++) {
        duel_restart(&duel);
        duel_honest(&duel, &negotiate, &challenge, &last);
        atomic_store(&n_accepted, 0);
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, accepter, NULL), 0);
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&n_accepted), 1);
        assert_int_equal(loop_seal(&duel.client, &duel.server, "one of them"), SEC_E_OK);
    }
    duel_end(&duel);
}

/* Credentials come and go in every thread, and all look at one configuration and one account store. */
static void *comes_and_goes(void *argument)
{
    (void)argument;
    for (int i = 0; i < HANDSHAKES / 2; i++) {
        struct loop loop = {.client_flags = PROTECT};
        expect(loop_run(&loop), "a handshake under a credential of its own");
        loop_end(&loop);
    }
    return NULL;
}

static void test_credentials_come_and_go(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, comes_and_goes, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_credential),       cmocka_unit_test(test_two_directions),
        cmocka_unit_test(test_deletion_while_used),     cmocka_unit_test(test_one_step_wins),
        cmocka_unit_test(test_credentials_come_and_go),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
