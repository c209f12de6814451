/*
 * Many threads under one pair of Kerberos credentials: handshakes and messages at once, while the keytab and the ticket cache are replaced under
 * them. Meant for ThreadSanitizer, and true without it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kerberos_loop.h"
#include <pthread.h>
#include <sched.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS 6
#define HANDSHAKES 40 /* a thread */
#define MESSAGES 20   /* a handshake */

static struct loop shared;
static atomic_int n_wrong; /* cmocka's assertions are for the main thread alone */
static atomic_int n_running;

static void expect(bool right, const char *what)
{
    if (!right && atomic_fetch_add(&n_wrong, 1) < 5)
        fprintf(stderr, "%s: %s\n", what, OpenSspiLastErrorText());
}

static void *handshakes(void *argument)
{
    static const ULONG styles[] = {0, ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE};
    struct loop loop = shared;
    (void)argument;
    for (int i = 0; i < HANDSHAKES; i++) {
        loop.client_flags = KERBEROS_PROTECT | styles[i % 3];
        bool done = loop_run(&loop);
        expect(done, "a handshake under shared credentials fails");
        for (int j = 0; done && j < MESSAGES; j++) {
            expect(loop_seal(&loop.client, &loop.server, "there") == SEC_E_OK, "a message there fails");
            expect(loop_sign(&loop.server, &loop.client, "and back") == SEC_E_OK, "a message back fails");
        }
        loop_end(&loop);
    }
    atomic_fetch_sub(&n_running, 1);
    return NULL;
}

/* The main thread's part: no handshake may notice. */
static void test_shared_credentials(void **state)
{
    pthread_t threads[THREADS];
    struct forge forge;
    (void)state;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    assert_true(kerberos_loop_acquire(&shared));
    atomic_store(&n_running, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, handshakes, NULL), 0);
    for (int i = 0; atomic_load(&n_running) > 0; i++) {
        kerberos_loop_keytab();
        if (i % 8 == 0) { /* another type, and with it another session key */
            forge_begin(&forge, kerberos_loop_types[i / 8 % KERBEROS_TYPES]);
            kerberos_loop_ticket(&forge);
        }
        sched_yield();
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
    kerberos_loop_end(&shared);
}

/* Two threads with one context: the sender and the receiver of one direction, while a third asks and exports. */
static struct loop pair;
static struct {
    uint8_t token[128], data[64];
    ULONG token_len;
} wire;
static atomic_uint n_written, n_read;
#define ONE_WAY 2000

static void *sender(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ONE_WAY; i++) {
        while (atomic_load(&n_read) < i)
            sched_yield();
        memset(wire.data, (int)i, sizeof wire.data);
        SecBuffer buffers[2] = {{sizeof wire.token, SECBUFFER_TOKEN, wire.token},
                                {sizeof wire.data, SECBUFFER_DATA, wire.data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        expect(EncryptMessage(&pair.client, 0, &list, 0) == SEC_E_OK, "sealing fails");
        wire.token_len = buffers[0].cbBuffer;
        atomic_store(&n_written, i + 1);
    }
    return NULL;
}

static void *receiver(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ONE_WAY; i++) {
        while (atomic_load(&n_written) <= i)
            sched_yield();
        SecBuffer buffers[2] = {{wire.token_len, SECBUFFER_TOKEN, wire.token},
                                {sizeof wire.data, SECBUFFER_DATA, wire.data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        expect(DecryptMessage(&pair.server, &list, 0, NULL) == SEC_E_OK, "opening fails");
        expect(wire.data[0] == (uint8_t)i && wire.data[63] == (uint8_t)i, "another text");
        atomic_store(&n_read, i + 1);
    }
    return NULL;
}

static void test_one_context(void **state)
{
    pthread_t threads[2];
    (void)state;
    assert_true(kerberos_loop_run(&pair, KRB_AES256_SHA384, ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT));
    assert_int_equal(pthread_create(&threads[0], NULL, sender, NULL), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, receiver, NULL), 0);
    while (atomic_load(&n_read) < ONE_WAY) {
        SecPkgContext_SessionKey key = {0};
        SecBuffer packed = {0};
        assert_int_equal(QueryContextAttributesA(&pair.server, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
        assert_int_equal(key.SessionKeyLength, 32);
        FreeContextBuffer(key.SessionKey);
        assert_int_equal(ExportSecurityContext(&pair.client, 0, &packed, NULL), SEC_E_OK);
        FreeContextBuffer(packed.pvBuffer);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
    kerberos_loop_end(&pair);
}

/* Arrays that name the same contexts in every order, and single messages between them. */
#define CONTEXTS 3
#define ARRAYS 150 /* a thread */
#define TOGETHER 7
static struct loop several[CONTEXTS];

static void *arrays(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < ARRAYS; i++) {
        uint8_t tokens[TOGETHER][128], data[TOGETHER][48];
        SecBuffer buffers[TOGETHER][2];
        SecBufferDesc lists[TOGETHER];
        OPENSSPI_MESSAGE array[TOGETHER];
        unsigned chosen[TOGETHER];
        for (unsigned k = 0; k < TOGETHER; k++) {
            chosen[k] = number % 2 == 0 ? (i + k) % CONTEXTS : (i + TOGETHER - k) % CONTEXTS;
            memset(data[k], (int)(number + k), sizeof data[k]);
            buffers[k][0] = (SecBuffer){sizeof tokens[k], SECBUFFER_TOKEN, tokens[k]};
            buffers[k][1] = (SecBuffer){sizeof data[k], SECBUFFER_DATA, data[k]};
            lists[k] = (SecBufferDesc){SECBUFFER_VERSION, 2, buffers[k]};
            array[k] = (OPENSSPI_MESSAGE){&several[chosen[k]].client, &lists[k], 0, 0, -1};
        }
        expect(OpenSspiEncryptMessages(array, TOGETHER) == SEC_E_OK, "sealing several fails");
        for (unsigned k = 0; k < TOGETHER; k++)
            array[k].phContext = &several[chosen[k]].server;
        if (i % 4 == 0) {
            ULONG qop = 0;
            expect(DecryptMessage(array[0].phContext, &lists[0], 0, &qop) == SEC_E_OK, "opening one fails");
            expect(OpenSspiDecryptMessages(array + 1, TOGETHER - 1) == SEC_E_OK, "opening the others fails");
        } else
            expect(OpenSspiDecryptMessages(array, TOGETHER) == SEC_E_OK, "opening several fails");
        for (unsigned k = 0; k < TOGETHER; k++)
            expect(data[k][0] == (uint8_t)(number + k) && data[k][47] == data[k][0], "another text came out");
    }
    return NULL;
}

static void test_several_contexts(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (unsigned i = 0; i < CONTEXTS; i++) /* no numbers are checked: the threads' messages overtake one another */
        assert_true(kerberos_loop_run(&several[i], i == 1 ? KRB_AES128_SHA1 : KRB_AES256_SHA1,
                                      ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY));
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, arrays, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
    for (unsigned i = 0; i < CONTEXTS; i++)
        kerberos_loop_end(&several[i]);
}

/* Arrays that use two contexts, of which another thread deletes one meanwhile; and a third thread that uses both too. */
#define DELETIONS 60
static struct loop kept, packed_loop;
static CtxtHandle doomed; /* of this round */
static atomic_uint n_done;

static void seal_both(bool one_is_dead)
{
    uint8_t tokens[TOGETHER][128], data[TOGETHER][48];
    SecBuffer buffers[TOGETHER][2];
    SecBufferDesc lists[TOGETHER];
    OPENSSPI_MESSAGE array[TOGETHER];
    CtxtHandle handles[2] = {kept.client, doomed};
    memset(data, 1, sizeof data);
    for (unsigned k = 0; k < TOGETHER; k++) {
        buffers[k][0] = (SecBuffer){sizeof tokens[k], SECBUFFER_TOKEN, tokens[k]};
        buffers[k][1] = (SecBuffer){sizeof data[k], SECBUFFER_DATA, data[k]};
        lists[k] = (SecBufferDesc){SECBUFFER_VERSION, 2, buffers[k]};
        array[k] = (OPENSSPI_MESSAGE){&handles[k % 2], &lists[k], 0, 0, -1};
    }
    SECURITY_STATUS status = OpenSspiEncryptMessages(array, TOGETHER);
    expect(status == SEC_E_OK || status == SEC_E_INVALID_HANDLE, "an array with a deleted context fails otherwise");
    for (unsigned k = 0; k < TOGETHER; k++) {
        bool dead = k % 2 == 1 && array[k].Status == SEC_E_INVALID_HANDLE;
        expect(dead || (array[k].Status == SEC_E_OK && (k % 2 == 0 || !one_is_dead)), "a message fails otherwise");
        expect(!dead || data[k][0] == 1, "a refused message was written");
        ULONG qop = 0;
        if (k % 2 == 0)
            expect(DecryptMessage(&kept.server, &lists[k], 0, &qop) == SEC_E_OK && data[k][47] == 1, "opening fails");
    }
}

static void *seal_until_deleted(void *deleted)
{
    atomic_uint *is_deleted = deleted;
    bool dead;
    do {
        dead = atomic_load(is_deleted) != 0;
        seal_both(dead);
        atomic_fetch_add(&n_done, 1);
    } while (!dead);
    return NULL;
}

static void test_deleted_meanwhile(void **state)
{
    static char package[] = "Kerberos";
    static const ULONG flags = ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY;
    SecBuffer packed = {0};
    (void)state;
    assert_true(kerberos_loop_run(&kept, KRB_AES256_SHA1, flags));
    assert_true(kerberos_loop_run(&packed_loop, KRB_AES128_SHA1, flags));
    assert_int_equal(ExportSecurityContext(&packed_loop.client, 0, &packed, NULL), SEC_E_OK);
    for (unsigned i = 0; i < DELETIONS; i++) {
        pthread_t threads[2];
        atomic_uint deleted = 0;
        atomic_store(&n_done, 0);
        assert_int_equal(ImportSecurityContextA(package, &packed, NULL, &doomed), SEC_E_OK);
        CtxtHandle copy = doomed;
        for (int k = 0; k < 2; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, seal_until_deleted, &deleted), 0);
        while (atomic_load(&n_done) < i % 8)
            sched_yield();
        assert_int_equal(DeleteSecurityContext(&copy), SEC_E_OK);
        atomic_store(&deleted, 1);
        for (int k = 0; k < 2; k++)
            assert_int_equal(pthread_join(threads[k], NULL), 0);
    }
    assert_int_equal(atomic_load(&n_wrong), 0);
    FreeContextBuffer(packed.pvBuffer);
    kerberos_loop_end(&kept);
    kerberos_loop_end(&packed_loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_credentials),
        cmocka_unit_test(test_one_context),
        cmocka_unit_test(test_several_contexts),
        cmocka_unit_test(test_deleted_meanwhile),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
