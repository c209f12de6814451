/*
 * The life of a handshake (src/core/handshake.h), with a package of this test: what makes it, what ends it, and that an end stays one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/bindings.h"
#include "core/cause.h"
#include "core/handshake.h"
#include <string.h>

enum { FIRST = HANDSHAKE_STATES, SECOND, UNKNOWN };

struct toy {
    struct handshake base;
    const char *credential;
    struct secret kept;
};

static int n_alive;
static SECURITY_STATUS answers[2]; /* of begun, of the next step */
static unsigned goes_to;           /* the state into which the next step goes */
static bool has_words;

static SECURITY_STATUS begun(void *opaque, void *credential)
{
    struct toy *toy = opaque;
    n_alive++;
    toy->credential = credential;
    return answers[0];
}

static void abandon(void *opaque);
static const struct handshake_kind toy_kind = {"Toy", sizeof(struct toy), begun, abandon, NULL};

static void abandon(void *opaque)
{
    struct toy *toy = opaque;
    n_alive--;
    secret_release(&toy->kept);
    handshake_free(&toy_kind, toy);
}

static SECURITY_STATUS step(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct toy *toy = opaque;
    toy->base.granted = ISC_RET_INTEGRITY;
    toy->base.expiry = 7;
    writer_slice(&out->token, in->token);
    toy->base.state = goes_to;
    return answers[1];
}

static SECURITY_STATUS talk(void *opaque, const struct step_in *in, struct step_out *out)
{
    (void)opaque;
    writer_slice(&out->token, in->token);
    return answers[1];
}

static void failed(void *opaque, SECURITY_STATUS status, struct step_out *out)
{
    const struct toy *toy = opaque;
    assert_int_not_equal(toy->base.state, HANDSHAKE_FAILED);
    assert_true(status < 0);
    if (!has_words)
        return;
    out->token.len = 0;
    writer_slice(&out->token, slice_of_text("words"));
    out->alert = true;
}

static handshake_step *const steps[] = {[FIRST] = step, [SECOND] = step};
static handshake_step *const stream_steps[] = {[HANDSHAKE_DONE] = talk, [FIRST] = step};
static const struct handshake_role role = {&toy_kind, true, FIRST, steps, COUNT_OF(steps), failed};
static const struct handshake_role stream = {&toy_kind, false, FIRST, stream_steps, COUNT_OF(stream_steps), NULL};

struct walked {
    void *handshake;
    uint32_t granted;
    int64_t expiry;
    char token[32];
};

static SECURITY_STATUS walk_with(const struct handshake_role *by, struct walked *walked, const struct step_in *in)
{
    struct step_out out = {.token = writer_growing(16), .granted = walked->granted, .expiry = walked->expiry};
    cause_clear();
    SECURITY_STATUS status = handshake_walk(by, "credential", &walked->handshake, in, &out);
    memset(walked->token, 0, sizeof walked->token);
    memcpy(walked->token, out.token.len > 0 ? out.token.data : (const uint8_t *)"", out.token.len);
    walked->granted = out.granted;
    walked->expiry = out.expiry;
    writer_release(&out.token);
    return status;
}

static SECURITY_STATUS walk(const struct handshake_role *by, struct walked *walked, unsigned to, SECURITY_STATUS answer)
{
    const struct step_in in = {.token = slice_of_text("token"), .target = "host/a", .flags = 5};
    goes_to = to;
    answers[1] = answer;
    return walk_with(by, walked, &in);
}

static void test_good(void **state)
{
    (void)state;
    struct walked walked = {.expiry = 3};
    assert_int_equal(walk(&role, &walked, SECOND, SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    const struct toy *toy = walked.handshake;
    assert_string_equal(toy->credential, "credential");
    assert_string_equal(toy->base.target, "host/a");
    assert_int_equal(toy->base.asked, 5);
    assert_true(toy->base.initiator);
    assert_string_equal(walked.token, "token");
    assert_int_equal(walked.granted, ISC_RET_INTEGRITY);
    assert_int_equal(walked.expiry, 7);
    assert_int_equal(walk(&role, &walked, HANDSHAKE_DONE, SEC_E_OK), SEC_E_OK);
    assert_null(walked.handshake);
    assert_int_equal(n_alive, 0);
}

/* Nothing is left of a first step that fails, nor of what it wrote. */
static void test_first_fails(void **state)
{
    (void)state;
    struct walked walked = {.expiry = 3};
    assert_int_equal(walk(&role, &walked, SECOND, SEC_E_LOGON_DENIED), SEC_E_LOGON_DENIED);
    assert_null(walked.handshake);
    assert_string_equal(walked.token, "");
    assert_int_equal(walked.granted, 0);
    assert_int_equal(walked.expiry, 3);
    answers[0] = SEC_E_INTERNAL_ERROR;
    assert_int_equal(walk(&role, &walked, SECOND, SEC_E_OK), SEC_E_INTERNAL_ERROR);
    answers[0] = SEC_E_OK;
    assert_null(walked.handshake);
    assert_int_equal(n_alive, 0);
}

static void test_failed_stays_failed(void **state)
{
    (void)state;
    struct walked walked = {0};
    assert_int_equal(walk(&role, &walked, SECOND, SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    /* ended, but for something that failed behind it */
    assert_int_equal(walk(&role, &walked, HANDSHAKE_DONE, SEC_E_INSUFFICIENT_MEMORY), SEC_E_INSUFFICIENT_MEMORY);
    assert_non_null(walked.handshake);
    has_words = true; /* a handshake that failed has none */
    assert_int_equal(walk(&role, &walked, HANDSHAKE_DONE, SEC_E_OK), SEC_E_OUT_OF_SEQUENCE);
    assert_string_equal(cause_text(), "this Toy handshake failed before");
    assert_string_equal(walked.token, "");
    has_words = false;
    abandon(walked.handshake);
    assert_int_equal(n_alive, 0);
}

static void test_words(void **state)
{
    (void)state;
    struct walked walked = {0};
    has_words = true;
    assert_int_equal(walk(&role, &walked, FIRST, SEC_E_LOGON_DENIED), SEC_E_LOGON_DENIED);
    has_words = false;
    assert_string_equal(walked.token, "words");
    assert_null(walked.handshake);
}

/* More bytes may mend it. */
static void test_incomplete(void **state)
{
    (void)state;
    struct walked walked = {0};
    assert_int_equal(walk(&role, &walked, SECOND, SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(walk(&role, &walked, SECOND, SEC_E_INCOMPLETE_MESSAGE), SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(walk(&role, &walked, HANDSHAKE_DONE, SEC_E_OK), SEC_E_OK);
    assert_null(walked.handshake);
}

/* A state without a step, in the table or behind it, is an end. */
static void test_no_step(void **state)
{
    (void)state;
    struct walked walked = {0};
    assert_int_equal(walk(&role, &walked, UNKNOWN, SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(walk(&role, &walked, FIRST, SEC_E_OK), SEC_E_OUT_OF_SEQUENCE);
    assert_string_equal(cause_text(), "this Toy handshake has ended");
    abandon(walked.handshake);
    assert_int_equal(n_alive, 0);
}

/* A stream's end is no end of its steps, and wrong input does not undo it. */
static void test_stream(void **state)
{
    (void)state;
    struct walked walked = {0};
    assert_int_equal(walk(&stream, &walked, HANDSHAKE_DONE, SEC_E_OK), SEC_E_OK);
    assert_non_null(walked.handshake);
    assert_false(((const struct toy *)walked.handshake)->base.initiator);
    assert_int_equal(walk(&stream, &walked, 0, SEC_E_INVALID_TOKEN), SEC_E_INVALID_TOKEN);
    assert_string_equal(walked.token, "token"); /* TLS' alert */
    assert_int_equal(walk(&stream, &walked, 0, SEC_E_OK), SEC_E_OK);
    abandon(walked.handshake);
    assert_int_equal(n_alive, 0);
}

static void test_bindings(void **state)
{
    (void)state;
    struct walked walked = {0};
    AUTO_WRITER struct writer block = writer_growing(64);
    struct bindings bindings;
    uint8_t expected[16];
    bindings_write(&block, "tls-unique", slice_of_text("abc"));
    assert_int_equal(bindings_parse(writer_slice_of(&block), &bindings), WIRE_OK);
    bindings_hash(&bindings, expected);
    assert_int_equal(walk(&role, &walked, SECOND, SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    const struct toy *toy = walked.handshake;
    assert_false(toy->base.has_bindings);
    struct step_in in = {.bindings = writer_slice_of(&block)};
    goes_to = SECOND;
    assert_int_equal(walk_with(&role, &walked, &in), SEC_I_CONTINUE_NEEDED);
    assert_true(toy->base.has_bindings);
    assert_memory_equal(toy->base.bindings, expected, sizeof expected);
    in.bindings.len = 7;
    assert_int_equal(walk_with(&role, &walked, &in), SEC_E_BAD_BINDINGS);
    assert_int_equal(walk(&role, &walked, HANDSHAKE_DONE, SEC_E_OK), SEC_E_OUT_OF_SEQUENCE);
    abandon(walked.handshake);
    assert_int_equal(n_alive, 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct walked walked = {0};
    for (unsigned long nth = 1; nth < 4; nth++) { /* itself, its target; what it writes is the caller's matter */
        mem_fault_set(nth, false);
        SECURITY_STATUS status = walk(&role, &walked, HANDSHAKE_DONE, SEC_E_OK);
        mem_fault_set(0, false);
        assert_int_equal(status, nth < 3 ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
        assert_null(walked.handshake);
        assert_int_equal(n_alive, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),   cmocka_unit_test(test_first_fails), cmocka_unit_test(test_failed_stays_failed),
        cmocka_unit_test(test_words),  cmocka_unit_test(test_incomplete),  cmocka_unit_test(test_no_step),
        cmocka_unit_test(test_stream), cmocka_unit_test(test_bindings),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
