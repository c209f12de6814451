/* RC4's messages (RFC 4757 7.3) have 32 bits for their number, which alone makes the key stream: a context ends before one comes again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/krb5_encrypt.h"
#include "kerberos/session.h"
#include "kerberos/window.h"

#include <string.h>

static const struct package_session *const table = &kerberos_session_table;

/* A sender that has made `sent` messages already, of which the first had number `first`. */
static void *sender(int32_t enctype, uint64_t first, uint64_t sent, uint32_t flags)
{
    uint8_t own[512];
    void *state = NULL;
    struct window window = {.narrow = enctype == KRB_RC4_HMAC};
    struct writer writer = writer_fixed(own, sizeof own);
    struct kerberos_session_seed seed = {
        .enctype = enctype, .key_len = krb_enctype_key_len(enctype), .send_seq = first, .receive_seq = 5};
    memset(seed.key, 7, seed.key_len);
    window_start(&window, seed.receive_seq);
    kerberos_session_seed_write(&writer, &seed);
    writer_u64le(&writer, first + sent);
    window_write(&writer, &window);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(table->open(writer_slice_of(&writer), flags | ISC_RET_CONFIDENTIALITY, true, &state), SEC_E_OK);
    return state;
}

static SECURITY_STATUS send_one(void *session, int kind, uint32_t number)
{
    uint8_t token[128], text[16] = "all the same", padding[8];
    struct message message = {.token = {token, sizeof token},
                              .data = {{.data = text, .len = sizeof text}},
                              .n_data = 1,
                              .padding = {padding, sizeof padding}};
    SECURITY_STATUS status = kind == 0   ? table->sign(session, 0, &message, number)
                             : kind == 1 ? table->seal(session, 0, &message, number)
                                         : table->seal(session, SECQOP_WRAP_NO_ENCRYPT, &message, number);
    if (status != SEC_E_OK)
        assert_memory_equal(text, "all the same", 12);
    return status;
}

static void *moved(void *session)
{
    uint8_t own[512];
    void *heir = NULL;
    struct writer writer = writer_fixed(own, sizeof own);
    assert_int_equal(table->save(session, &writer), SEC_E_OK);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    table->close(session);
    assert_int_equal(table->open(writer_slice_of(&writer), ISC_RET_CONFIDENTIALITY, true, &heir), SEC_E_OK);
    return heir;
}

#define ROUND (UINT64_C(1) << 32)

static void test_numbers_end(void **state)
{
    static const uint64_t firsts[] = {0, 1000, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int kind = 0; kind < 3; kind++) {
            void *session = sender(KRB_RC4_HMAC, firsts[i], ROUND - 2, 0);
            assert_int_equal(send_one(session, kind, 0), SEC_E_OK);
            session = moved(session);
            assert_int_equal(send_one(session, kind, 0), SEC_E_OK);
            for (int again = 0; again < 3; again++) {
                assert_int_equal(send_one(session, again, 0), SEC_E_CONTEXT_EXPIRED);
                session = moved(session);
            }
            table->close(session);
        }
}

static void test_others_go_on(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        void *session = sender(KRB_AES256_SHA1, 1000, ROUND - 1, 0); /* it has 64 bits */
        for (int i = 0; i < 3; i++)
            assert_int_equal(send_one(session, kind, 0), SEC_E_OK);
        table->close(session);
        session = sender(KRB_RC4_HMAC, 1000, 0, ISC_RET_DATAGRAM); /* its numbers are the caller's */
        assert_int_equal(send_one(session, kind, 3), SEC_E_OK);
        assert_int_equal(send_one(session, kind, UINT32_MAX), SEC_E_OK);
        table->close(session);
        session = sender(KRB_RC4_HMAC, UINT32_MAX, 0, 0); /* from the highest number to 0 */
        for (int i = 0; i < 3; i++)
            assert_int_equal(send_one(session, kind, 0), SEC_E_OK);
        table->close(session);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_end),
        cmocka_unit_test(test_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
