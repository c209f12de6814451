/*
 * Many threads under one pair of Kerberos credentials: handshakes and messages at once, while the keytab and the ticket cache are replaced under them.
 * Meant for ThreadSanitizer, and true without it.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_credentials),
        cmocka_unit_test(test_one_context),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
