/*
 * TSSSP's messages are numbered for packages that leave that to their callers: a message that is refused takes no number. Fields of the handshake are
 * sealed, or they are none.
 * build: all
 */
#include "credssp/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A package that says what it was given, and refuses when it is told to. */
static SECURITY_STATUS answer;
static uint32_t number;

static SECURITY_STATUS told_sending(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    (void)state, (void)qop, (void)message;
    number = seq;
    return answer;
}

static SECURITY_STATUS told_receiving(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    (void)state, (void)message, (void)qop;
    number = seq;
    return answer;
}

static void closed(void *state)
{
    (void)state;
}

static const struct package_session table = {
    .close = closed, .sign = told_sending, .seal = told_sending, .verify = told_receiving, .unseal = told_receiving};
static const struct package package = {.info = {.name = "Told"}, .session = &table};

static void sent_with(SECURITY_STATUS (*send)(void *, uint32_t, struct message *, uint32_t), void *state,
                      SECURITY_STATUS status, uint32_t expected)
{
    struct message message = {0};
    answer = status;
    assert_int_equal(send(state, 0, &message, 77), status);
    assert_int_equal(number, expected);
}

static void received_with(SECURITY_STATUS (*receive)(void *, struct message *, uint32_t, uint32_t *), void *state,
                          SECURITY_STATUS status, uint32_t expected)
{
    struct message message = {0};
    uint32_t qop = 0;
    answer = status;
    assert_int_equal(receive(state, &message, 77, &qop), status);
    assert_int_equal(number, expected);
}

/* A package that says of each message how it was protected. */
static SECURITY_STATUS opened(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    (void)seq;
    message->stream_data = message->stream;
    *qop = *(const uint32_t *)state;
    return SEC_E_OK;
}

/* What binds the key and what holds the credentials is sealed: a message that the inner package calls only signed is neither. */
static void test_field_that_is_only_signed(void **state)
{
    static const struct package_session opens = {.unseal = opened};
    static const struct package inner = {.info = {.name = "Opens"}, .session = &opens};
    static uint32_t qops[] = {0, SECQOP_WRAP_NO_ENCRYPT};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO_SECRET struct secret plain = {0};
        struct session session = {.package = &inner, .state = &qops[i]};
        struct credssp_handshake handshake = {.session = &session};
        assert_int_equal(inner_unseal(&handshake, slice_of("text", 4), &plain),
                         i == 0 ? SEC_E_OK : SEC_E_MESSAGE_ALTERED);
        assert_int_equal(plain.len, i == 0 ? 4 : 0);
    }
}

static void test_numbers(void **state)
{
    const struct package_session *ours = &credssp_session_table;
    struct credssp_handshake handshake = {.sent = 2, .received = 3}; /* what the handshake took */
    void *session = NULL;
    (void)state;
    assert_int_equal(session_adopt(&package, true, &answer, &handshake.session), SEC_E_OK);
    assert_int_equal(credssp_session_make(&handshake, &session), SEC_E_OK);
    sent_with(ours->seal, session, SEC_E_BUFFER_TOO_SMALL, 2);
    sent_with(ours->seal, session, SEC_E_OK, 2);
    sent_with(ours->sign, session, SEC_E_INVALID_TOKEN, 3);
    sent_with(ours->sign, session, SEC_E_OK, 3);
    sent_with(ours->seal, session, SEC_E_OK, 4);
    received_with(ours->unseal, session, SEC_E_MESSAGE_ALTERED, 3);
    received_with(ours->unseal, session, SEC_E_OK, 3);
    received_with(ours->verify, session, SEC_E_MESSAGE_ALTERED, 4);
    received_with(ours->verify, session, SEC_E_OK, 4);
    received_with(ours->unseal, session, SEC_E_OK, 5);
    ours->close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_field_that_is_only_signed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
