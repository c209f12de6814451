/*
 * Many threads under one Negotiate credential; traffic both ways on one context while others ask and export. Meant for ThreadSanitizer, and true
 * without it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define THREADS 6
#define HANDSHAKES 40 /* a thread */
#define MESSAGES 2000 /* a direction */

static struct loop shared;
static atomic_int n_wrong; /* cmocka's assertions are for the main thread alone */
static atomic_bool done;

static void expect(bool right, const char *what)
{
    if (!right && atomic_fetch_add(&n_wrong, 1) < 5)
        fprintf(stderr, "%s\n", what);
}

static void *handshakes(void *argument)
{
    struct loop loop = shared;
    (void)argument;
    for (int i = 0; i < HANDSHAKES; i++) {
        expect(loop_run(&loop), "a handshake under a shared credential fails");
        expect(loop_sign(&loop.client, &loop.server, "there") == SEC_E_OK, "a message there fails");
        expect(loop_sign(&loop.server, &loop.client, "and back") == SEC_E_OK, "a message back fails");
        loop_end(&loop);
    }
    return NULL;
}

static void threads_run(unsigned n_threads, void *(*start)(void *), void *const argument[])
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < n_threads; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start, argument != NULL ? argument[i] : NULL), 0);
    for (unsigned i = 0; i < n_threads; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

static void shared_credential(const char *packages)
{
    char text[64];
    fake_reset();
    snprintf(text, sizeof text, "[negotiate]\npackages = %s\n", packages);
    loop_configure(text);
    shared = (struct loop){.package = "Negotiate", .client_flags = PROTECT, .keep_credentials = true};
    loop_acquire(&shared);
    assert_int_equal(shared.client_status, SEC_E_OK);
    threads_run(THREADS, handshakes, NULL);
    FreeCredentialsHandle(&shared.client_credential);
    FreeCredentialsHandle(&shared.server_credential);
}

static void test_shared_credential(void **state)
{
    (void)state;
    shared_credential("ntlm");
    shared_credential("fake, ntlm");
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_sessions, 0);
}

static struct loop pair;

static void *sender(void *argument)
{
    CtxtHandle *context = argument;
    for (int i = 0; i < MESSAGES; i++) {
        uint8_t token[16], data[48] = "text";
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, token}, {48, SECBUFFER_DATA, data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        expect(EncryptMessage(context, 0, &list, 0) == SEC_E_OK, "sealing fails");
        expect(DecryptMessage(context, &list, 0, NULL) < 0, "a message from this side opens on it");
    }
    return NULL;
}

static void *asker(void *argument)
{
    CtxtHandle *context = argument;
    while (!atomic_load(&done)) {
        SecPkgContext_NegotiationInfoA info;
        SecBuffer packed = {0};
        expect(QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info) == SEC_E_OK, "NEGOTIATION_INFO");
        expect(ExportSecurityContext(context, 0, &packed, NULL) == SEC_E_OK, "export");
        expect(FreeContextBuffer(info.PackageInfo) == SEC_E_OK, "freeing");
        expect(FreeContextBuffer(packed.pvBuffer) == SEC_E_OK, "freeing");
    }
    return NULL;
}

static void test_one_context(void **state)
{
    pthread_t asking[2];
    void *const contexts[] = {&pair.client, &pair.server, &pair.client, &pair.server};
    (void)state;
    loop_configure("[negotiate]\npackages = ntlm\n");
    pair = (struct loop){.package = "Negotiate", .client_flags = PROTECT};
    assert_true(loop_run(&pair));
    atomic_store(&done, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&asking[i], NULL, asker, contexts[i]), 0);
    threads_run(4, sender, contexts);
    atomic_store(&done, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(asking[i], NULL), 0);
    assert_int_equal(atomic_load(&n_wrong), 0);
    loop_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_credential),
        cmocka_unit_test(test_one_context),
    };
    fake_register();
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
