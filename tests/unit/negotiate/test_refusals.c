/*
 * What Negotiate's server tells its client of a failure: the chosen package's words where they are meant for that, whole, and nothing else that a
 * package wrote.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "negotiate/spnego.h"
#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define FAKE_ALONE "[negotiate]\npackages = fake\n"
#define SWEEP_MAX 1000 /* allocations of one step; more is a sweep that does not end */

static struct loop loop;

/* One leg of the server's. */
struct leg {
    uint8_t room[4096];
    size_t len; /* of what came out */
    bool told;  /* that it is to be sent in spite of the failure */
};

static SECURITY_STATUS serve(struct leg *leg, ULONG flags, struct slice token)
{
    SecBuffer in = {(ULONG)token.len, SECBUFFER_TOKEN, (void *)(uintptr_t)token.data};
    SecBuffer out = {sizeof leg->room, SECBUFFER_TOKEN, leg->room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes = 0;
    memset(leg->room, 0xee, sizeof leg->room);
    SECURITY_STATUS status =
        AcceptSecurityContext(&loop.server_credential, loop.server.dwLower == 0 ? NULL : &loop.server, &in_list, flags,
                              SECURITY_NATIVE_DREP, &loop.server, &out_list, &attributes, NULL);
    leg->told = status < 0 && (attributes & ASC_RET_EXTENDED_ERROR) != 0;
    leg->len = status >= 0 || leg->told ? out.cbBuffer : 0;
    if (leg->len == 0)
        for (size_t i = 0; i < sizeof leg->room; i++)
            assert_int_equal(leg->room[i], 0xee);
    return status;
}

static struct slice came(const struct leg *leg)
{
    return slice_of(leg->room, leg->len);
}

/* A client's first token that offers the fake package. */
static void first_write(struct writer *first)
{
    uint8_t room[64];
    const struct slice mech = fake_oid(0);
    struct writer list = writer_fixed(room, sizeof room);
    spnego_mech_list_write(&list, &mech, 1);
    spnego_init_write(first, writer_slice_of(&list), slice_of("FAKE1", 5));
    assert_int_equal(writer_finish(first), WIRE_OK);
}

static int prepare(void **state)
{
    (void)state;
    fake_reset();
    loop_configure(FAKE_ALONE);
    loop = (struct loop){.package = "Negotiate", .target = "host/server.example.test"};
    loop_acquire(&loop);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    loop_end(&loop);
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_sessions, 0);
    assert_int_equal(fake.n_credentials, 0);
    return 0;
}

/* Words that are marked go out; a token that is not marked does not, neither in a reject nor without SPNEGO. */
static void test_marked_and_not(void **state)
{
    uint8_t room[128];
    struct writer first = writer_fixed(room, sizeof room);
    struct spnego_resp resp;
    struct leg leg;
    (void)state;
    fake.accept = SEC_E_LOGON_DENIED;
    first_write(&first);
    for (int marked = 1; marked >= 0; marked--) {
        fake.no_alert = marked == 0;
        assert_int_equal(serve(&leg, ASC_REQ_EXTENDED_ERROR, writer_slice_of(&first)), SEC_E_LOGON_DENIED);
        assert_true(leg.told);
        assert_int_equal(spnego_resp_parse(came(&leg), &resp), WIRE_OK);
        assert_int_equal(resp.state, SPNEGO_REJECT);
        assert_true(slice_equal(resp.token, marked != 0 ? slice_of("FAKEE", 5) : slice_of(NULL, 0)));
        assert_int_equal(serve(&leg, 0, writer_slice_of(&first)), SEC_E_LOGON_DENIED);
        assert_false(leg.told); /* nobody asked */
        assert_int_equal(serve(&leg, ASC_REQ_EXTENDED_ERROR, slice_of("FAKE1", 5)), SEC_E_LOGON_DENIED);
        assert_true(slice_equal(came(&leg), marked != 0 ? slice_of("FAKEE", 5) : slice_of(NULL, 0)));
        assert_int_equal(leg.told, marked);
    }
}

/* Deep in the stack, so that nothing else is there afterwards than what such a step left. */
static __attribute__((noinline)) SECURITY_STATUS serve_deep(struct leg *leg, unsigned depth, struct slice token)
{
    volatile uint8_t room[4096];
    room[0] = (uint8_t)depth;
    SECURITY_STATUS status = depth > 0 ? serve_deep(leg, depth - 1, token) : serve(leg, ASC_REQ_EXTENDED_ERROR, token);
    room[4095] = room[0];
    return status;
}

/* A step that lacks bytes has not failed: what was written with it is not said, nor later, and the handshake, which goes on, keeps nothing of the
 * call's. */
static void test_words_of_an_incomplete_step(void **state)
{
    static const uint8_t large[65] = "FAKE3"; /* more than the package takes */
    static const struct {
        struct slice token;
        SECURITY_STATUS status;
    } cases[] = {{{NULL, 0}, SEC_E_OK}, /* none: it is deleted as it is */
                 {{(const uint8_t *)"FAKE9", 5}, SEC_E_OUT_OF_SEQUENCE},
                 {{large, sizeof large}, SEC_E_INVALID_TOKEN},
                 {{(const uint8_t *)"FAKE3", 5}, SEC_E_OK}};
    struct leg leg;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_reset();
        fake.legs = 3;
        assert_int_equal(serve(&leg, ASC_REQ_EXTENDED_ERROR, slice_of("FAKE1", 5)), SEC_I_CONTINUE_NEEDED);
        assert_true(slice_equal(came(&leg), slice_of("FAKE2", 5)));
        fake.accept = SEC_E_INCOMPLETE_MESSAGE;
        for (unsigned depth = 0; depth < 8; depth += 7) {
            assert_int_equal(serve_deep(&leg, depth, slice_of("FAKE3", 5)), SEC_E_INCOMPLETE_MESSAGE);
            assert_false(leg.told);
        }
        fake.accept = SEC_E_OK;
        if (cases[i].token.data != NULL) {
            assert_int_equal(serve(&leg, ASC_REQ_EXTENDED_ERROR, cases[i].token), cases[i].status);
            assert_int_equal(leg.len, 0);
        }
        assert_int_equal(DeleteSecurityContext(&loop.server), SEC_E_OK);
        loop.server = (CtxtHandle){0};
    }
}

/* Memory runs out while long words are written: the reject comes whole, with all of them or with none, or it does not come. */
static void test_words_without_memory(void **state)
{
    uint8_t room[128];
    struct writer first = writer_fixed(room, sizeof room);
    struct spnego_resp resp;
    struct leg leg;
    (void)state;
    first_write(&first);
    fake.accept = SEC_E_LOGON_DENIED;
    fake.error_len = 1500;
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long n = 1;; n++) {
            assert_true(n < SWEEP_MAX);
            mem_fault_set(n, sticky != 0);
            SECURITY_STATUS status = serve(&leg, ASC_REQ_EXTENDED_ERROR, writer_slice_of(&first));
            bool struck = mem_fault_count() >= n;
            mem_fault_set(0, false);
            assert_true(status == SEC_E_LOGON_DENIED || (struck && status == SEC_E_INSUFFICIENT_MEMORY));
            assert_true(leg.told || struck);
            if (leg.told) {
                assert_int_equal(spnego_resp_parse(came(&leg), &resp), WIRE_OK);
                assert_int_equal(resp.state, SPNEGO_REJECT);
                assert_true(resp.token.len == 1500 || (struck && resp.token.data == NULL));
            }
            if (!struck)
                break;
        }
}

/* Without SPNEGO the same: all of the words or none. */
static void test_raw_words_without_memory(void **state)
{
    struct leg leg;
    (void)state;
    fake.accept = SEC_E_LOGON_DENIED;
    fake.error_len = 3000;
    for (unsigned long n = 1;; n++) {
        assert_true(n < SWEEP_MAX);
        mem_fault_set(n, false);
        SECURITY_STATUS status = serve(&leg, ASC_REQ_EXTENDED_ERROR, slice_of("FAKE1", 5));
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        assert_true(status == SEC_E_LOGON_DENIED || (struck && status == SEC_E_INSUFFICIENT_MEMORY));
        assert_true(leg.len == 3000 || (struck && leg.len == 0));
        if (!struck)
            break;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_marked_and_not),
        TEST(test_words_of_an_incomplete_step),
        TEST(test_words_without_memory),
        TEST(test_raw_words_without_memory),
    };
    fake_register();
    loop_configure(FAKE_ALONE);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
