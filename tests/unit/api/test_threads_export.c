/*
 * Exports that end the original (SECPKG_CONTEXT_EXPORT_DELETE_OLD) while other threads use it: one session leaves once, and nobody encrypts
 * with it afterwards.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define ROUNDS 300
#define THREADS 2
#define TEXT_LEN 32
#define MESSAGES_MAX 4096 /* more than a thread encrypts while another one exports */

static char ntlm[] = "NTLM";

struct exporter {
    pthread_barrier_t *barrier;
    CtxtHandle *context;
    SecBuffer packed;
    SECURITY_STATUS status;
};

static void *export_run(void *argument)
{
    struct exporter *exporter = argument;
    pthread_barrier_wait(exporter->barrier);
    exporter->status =
        ExportSecurityContext(exporter->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &exporter->packed, NULL);
    return NULL;
}

static SECURITY_STATUS encrypt_nothing(CtxtHandle *context, unsigned char text[TEXT_LEN])
{
    unsigned char signature[16];
    SecBuffer buffers[] = {{sizeof signature, SECBUFFER_TOKEN, signature}, {TEXT_LEN, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    memset(text, 0, TEXT_LEN); /* what comes is the key stream */
    return EncryptMessage(context, 0, &list, 0);
}

/* Takes the one export in for the next round. */
static void back(CtxtHandle *context, SecBuffer *packed)
{
    assert_int_equal(ImportSecurityContextA(ntlm, packed, NULL, context), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(packed->pvBuffer), SEC_E_OK);
}

static void one_of_two_exports(void **state)
{
    struct loop loop = {.client_flags = ISC_REQ_CONFIDENTIALITY};
    pthread_barrier_t barrier;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t thread[THREADS];
        struct exporter exporter[THREADS];
        SecBuffer *packed = NULL;
        for (unsigned i = 0; i < THREADS; i++) {
            exporter[i] = (struct exporter){.barrier = &barrier, .context = &loop.server};
            assert_int_equal(pthread_create(&thread[i], NULL, export_run, &exporter[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(thread[i], NULL), 0);
        for (unsigned i = 0; i < THREADS; i++) {
            if (exporter[i].status != SEC_E_OK) {
                assert_int_equal(exporter[i].status, SEC_E_INVALID_HANDLE);
                assert_null(exporter[i].packed.pvBuffer);
                continue;
            }
            assert_null(packed); /* the session left twice */
            packed = &exporter[i].packed;
        }
        assert_non_null(packed);
        assert_int_equal(DeleteSecurityContext(&loop.server), SEC_E_INVALID_HANDLE);
        back(&loop.server, packed);
    }
    assert_int_equal(loop_seal(&loop.client, &loop.server, "it is the same session"), SEC_E_OK);
    pthread_barrier_destroy(&barrier);
    loop_end(&loop);
}

struct sender {
    pthread_barrier_t *barrier;
    CtxtHandle *context;
    unsigned char (*text)[TEXT_LEN];
    atomic_uint n;
    atomic_bool ended;
    SECURITY_STATUS status;
};

#define TURN 16 /* messages, and then the other thread may run where there is one processor */

static void *send_run(void *argument)
{
    struct sender *sender = argument;
    pthread_barrier_wait(sender->barrier);
    unsigned n = 0;
    while (n < MESSAGES_MAX && (sender->status = encrypt_nothing(sender->context, sender->text[n])) == SEC_E_OK) {
        atomic_store(&sender->n, ++n);
        if (n % TURN == 0)
            sched_yield();
    }
    atomic_store(&sender->ended, true);
    return NULL;
}

/* What another thread still encrypts comes before the export: the copy goes on behind it. */
static void no_key_stream_twice(void **state)
{
    static unsigned char sent[MESSAGES_MAX][TEXT_LEN];
    struct loop loop = {.client_flags = ISC_REQ_CONFIDENTIALITY};
    pthread_barrier_t barrier;
    unsigned n_met = 0;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t thread;
        struct sender sender = {.barrier = &barrier, .context = &loop.client, .text = sent};
        SecBuffer packed = {0};
        unsigned char text[TEXT_LEN];
        assert_int_equal(pthread_create(&thread, NULL, send_run, &sender), 0);
        pthread_barrier_wait(&barrier);
        while (atomic_load(&sender.n) == 0 && !atomic_load(&sender.ended))
            sched_yield();
        SECURITY_STATUS status = ExportSecurityContext(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(status, SEC_E_OK);
        n_met += sender.n > 0 && sender.n < MESSAGES_MAX ? 1 : 0;
        if (sender.n < MESSAGES_MAX)
            assert_int_equal(sender.status, SEC_E_INVALID_HANDLE);
        back(&loop.client, &packed);
        assert_int_equal(encrypt_nothing(&loop.client, text), SEC_E_OK);
        for (unsigned i = 0; i < sender.n; i++)
            assert_memory_not_equal(sent[i], text, TEXT_LEN);
    }
    assert_true(n_met > 0); /* the threads did meet */
    pthread_barrier_destroy(&barrier);
    loop_end(&loop);
}

static int set_up(void **state)
{
    (void)state;
    loop_configure("");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_two_exports),
        cmocka_unit_test(no_key_stream_twice),
    };
    return cmocka_run_group_tests(tests, set_up, loop_teardown);
}
