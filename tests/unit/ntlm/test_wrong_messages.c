/*
 * Protected messages that are replayed, reordered, cut, altered or forged, under every combination of flags; after each the next honest one
 * still opens.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/session.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"
#include "ntlm/package.h"
#include "support/ntlm_loop.h"
#include <string.h>

#define PLAIN "a message of forty-one bytes, no more, yes"
#define PLAIN_LEN (sizeof PLAIN - 1)

#define BASE (NTLM_UNICODE | NTLM_NTLM | NTLM_ALWAYS_SIGN)
#define BOTH (BASE | NTLM_SIGN | NTLM_SEAL)

static const uint32_t flag_sets[] = {
    BOTH | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128 | NTLM_56,
    BOTH | NTLM_EXTENDED_SESSION_SECURITY | NTLM_128 | NTLM_56,
    BOTH | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_56,
    BOTH | NTLM_EXTENDED_SESSION_SECURITY,
    BASE | NTLM_SIGN | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128,
    BOTH | NTLM_KEY_EXCH | NTLM_128,
    BOTH,
    BOTH | NTLM_LM_KEY,
    BASE | NTLM_SIGN,
    BOTH | NTLM_DATAGRAM | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128,
};
#define FLAG_SETS (sizeof flag_sets / sizeof flag_sets[0])

static CtxtHandle client, server;

static CtxtHandle half(uint32_t flags, bool initiator)
{
    CtxtHandle context = {0};
    struct ntlm_session_seed seed = {
        .flags = flags, .key = {{1, 2, 3, 4, 5, 6, 7, 8, 9}}, .password_expiry = INT64_MAX};
    AUTO_WRITER struct writer own = writer_growing(64), record = writer_growing(512);
    ntlm_session_seed_write(&own, &seed);
    const struct session_facts facts = {.initiator = initiator, .session_key = slice_of(seed.key.bytes, 16)};
    assert_int_equal(session_record_write(&record, &ntlm_package, &facts, writer_slice_of(&own)), SEC_E_OK);
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, record.data};
    assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &context), SEC_E_OK);
    return context;
}

static void open_both(uint32_t flags)
{
    client = half(flags, true);
    server = half(flags, false);
}

static void close_both(void)
{
    assert_int_equal(DeleteSecurityContext(&client), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&server), SEC_E_OK);
}

struct wire {
    uint8_t token[16], data[PLAIN_LEN];
};

static SECURITY_STATUS pass(struct wire *wire, SECURITY_STATUS (*call)(CtxtHandle *, SecBufferDesc *, ULONG), ULONG seq,
                            CtxtHandle *context)
{
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire->token}, {PLAIN_LEN, SECBUFFER_DATA, wire->data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    return call(context, &list, seq);
}

static SECURITY_STATUS seal(CtxtHandle *context, SecBufferDesc *list, ULONG seq)
{
    return EncryptMessage(context, 0, list, seq);
}
static SECURITY_STATUS unseal(CtxtHandle *context, SecBufferDesc *list, ULONG seq)
{
    return DecryptMessage(context, list, seq, NULL);
}
static SECURITY_STATUS sign(CtxtHandle *context, SecBufferDesc *list, ULONG seq)
{
    return MakeSignature(context, 0, list, seq);
}
static SECURITY_STATUS verify(CtxtHandle *context, SecBufferDesc *list, ULONG seq)
{
    return VerifySignature(context, list, seq, NULL);
}

static bool sealing; /* else signing */

static struct wire send(ULONG seq)
{
    struct wire wire;
    memcpy(wire.data, PLAIN, PLAIN_LEN);
    assert_int_equal(pass(&wire, sealing ? seal : sign, seq, &client), SEC_E_OK);
    return wire;
}

/* The status, having checked that plain text comes out of success and nothing changes with failure. */
static SECURITY_STATUS receive(const struct wire *wire, ULONG seq)
{
    struct wire copy = *wire;
    SECURITY_STATUS status = pass(&copy, sealing ? unseal : verify, seq, &server);
    if (status == SEC_E_OK)
        assert_memory_equal(copy.data, PLAIN, PLAIN_LEN);
    else
        assert_memory_equal(&copy, wire, sizeof copy);
    return status;
}

static void test_altered(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * FLAG_SETS; i++) {
        uint32_t flags = flag_sets[i / 2];
        sealing = i % 2 != 0;
        if (sealing && (flags & NTLM_SEAL) == 0)
            continue;
        open_both(flags);
        for (size_t bit = 0; bit < 8 * sizeof(struct wire); bit++) {
            bool pad = (flags & NTLM_EXTENDED_SESSION_SECURITY) == 0 && bit / 8 >= 4 && bit / 8 < 8;
            struct wire honest = send(7), forged = honest;
            ((uint8_t *)&forged)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            SECURITY_STATUS status = receive(&forged, 7);
            if (pad) { /* not read (3.4.4.1) */
                assert_int_equal(status, SEC_E_OK);
                continue;
            }
            if (status != SEC_E_MESSAGE_ALTERED && status != SEC_E_OUT_OF_SEQUENCE)
                fail_msg("flags 0x%08x, byte %zu: 0x%08x", (unsigned)flags, bit / 8, (unsigned)status);
            assert_int_equal(receive(&honest, 7), SEC_E_OK);
        }
        close_both();
    }
}

static void test_replayed_and_reordered(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * FLAG_SETS; i++) {
        uint32_t flags = flag_sets[i / 2];
        sealing = i % 2 != 0;
        if ((sealing && (flags & NTLM_SEAL) == 0) || (flags & NTLM_DATAGRAM) != 0)
            continue;
        open_both(flags);
        struct wire first = send(0), second = send(0), third = send(0);
        assert_true(receive(&second, 0) < 0); /* too early */
        assert_int_equal(receive(&first, 0), SEC_E_OK);
        assert_true(receive(&first, 0) < 0); /* again */
        assert_true(receive(&third, 0) < 0); /* one is missing */
        assert_int_equal(receive(&second, 0), SEC_E_OK);
        assert_int_equal(receive(&third, 0), SEC_E_OK);
        if ((flags & NTLM_EXTENDED_SESSION_SECURITY) != 0)
            assert_int_equal(receive(&first, 0), SEC_E_OUT_OF_SEQUENCE);
        close_both();
    }
}

/* No record makes a context whose datagrams would all have one key stream. */
static void test_datagrams_of_one_key_stream(void **state)
{
    CtxtHandle context;
    struct ntlm_session_seed seed = {.flags = BOTH | NTLM_DATAGRAM | NTLM_KEY_EXCH | NTLM_128, .key = {{1}}};
    AUTO_WRITER struct writer own = writer_growing(64), record = writer_growing(512);
    (void)state;
    ntlm_session_seed_write(&own, &seed);
    const struct session_facts facts = {.session_key = slice_of(seed.key.bytes, 16)};
    assert_int_equal(session_record_write(&record, &ntlm_package, &facts, writer_slice_of(&own)), SEC_E_OK);
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, record.data};
    assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &context), SEC_E_INVALID_TOKEN);
}

/* Datagrams come in any order, but each only under its own number. */
static void test_datagrams(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * FLAG_SETS; i++) {
        if ((flag_sets[i / 2] & NTLM_DATAGRAM) == 0)
            continue;
        sealing = i % 2 != 0;
        open_both(flag_sets[i / 2]);
        struct wire fifth = send(5), first = send(1);
        assert_int_equal(receive(&fifth, 5), SEC_E_OK);
        assert_int_equal(receive(&first, 1), SEC_E_OK);
        assert_true(receive(&first, 2) < 0);
        assert_int_equal(receive(&fifth, 5),
                         SEC_E_OK); /* telling repeats apart is the caller's, who knows the numbers */
        close_both();
    }
}

/* A message returned to its sender is not one from the peer. */
static void test_reflected(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * FLAG_SETS; i++) {
        uint32_t flags = flag_sets[i / 2];
        sealing = i % 2 != 0;
        if ((sealing && (flags & NTLM_SEAL) == 0) || (flags & NTLM_EXTENDED_SESSION_SECURITY) == 0)
            continue;
        open_both(flags);
        struct wire wire = send(0);
        assert_true(pass(&wire, sealing ? unseal : verify, 0, &client) < 0);
        close_both();
    }
}

static SECURITY_STATUS opened(unsigned n_buffers, SecBuffer *buffers)
{
    SecBufferDesc list = {SECBUFFER_VERSION, n_buffers, buffers};
    SECURITY_STATUS status = DecryptMessage(&server, &list, 0, NULL);
    SECURITY_STATUS other = VerifySignature(&server, &list, 0, NULL);
    assert_true(status < 0 && other < 0);
    return status;
}

static void test_buffer_lists(void **state)
{
    (void)state;
    sealing = true;
    open_both(flag_sets[0]);
    struct wire wire = send(0), copy = wire;
    SecBuffer token = {16, SECBUFFER_TOKEN, copy.token}, data = {PLAIN_LEN, SECBUFFER_DATA, copy.data};
    for (ULONG len = 0; len < 16; len++) {
        SecBuffer buffers[2] = {{len, SECBUFFER_TOKEN, copy.token}, data};
        assert_int_equal(opened(2, buffers), SEC_E_INVALID_TOKEN);
    }
    assert_int_equal(opened(0, NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(opened(1, (SecBuffer[]){data}), SEC_E_INVALID_TOKEN);
    assert_true(opened(1, (SecBuffer[]){token}) < 0); /* without its text */
    assert_int_equal(opened(2, (SecBuffer[]){{16, SECBUFFER_TOKEN, NULL}, data}), SEC_E_INVALID_TOKEN);
    assert_int_equal(opened(2, (SecBuffer[]){token, {PLAIN_LEN, SECBUFFER_DATA, NULL}}), SEC_E_INVALID_TOKEN);
    for (ULONG len = 0; len < 16; len++)
        assert_int_equal(opened(2, (SecBuffer[]){{len, SECBUFFER_STREAM, &copy}, {0, SECBUFFER_DATA, NULL}}),
                         SEC_E_INVALID_TOKEN);
    assert_true(opened(2, (SecBuffer[]){token, {PLAIN_LEN - 1, SECBUFFER_DATA, copy.data}}) < 0);
    assert_true(opened(3, (SecBuffer[]){token, data, data}) < 0);
    assert_true(DecryptMessage(&server, NULL, 0, NULL) < 0);
    assert_true(DecryptMessage(&server, &(SecBufferDesc){SECBUFFER_VERSION, 2, NULL}, 0, NULL) < 0);
    assert_true(DecryptMessage(&server, &(SecBufferDesc){SECBUFFER_VERSION, 0x7fffffff, &token}, 0, NULL) < 0);
    assert_memory_equal(&copy, &wire, sizeof wire);
    assert_int_equal(receive(&wire, 0), SEC_E_OK);
    close_both();
}

/* ALWAYS_SIGN alone: a dummy signature, which is compared all the same; nothing is sealed. */
static void test_dummy_signature(void **state)
{
    static const uint8_t dummy[16] = {1};
    (void)state;
    sealing = false;
    open_both(BASE | NTLM_EXTENDED_SESSION_SECURITY);
    for (size_t bit = 0; bit < 8 * 16; bit++) {
        struct wire wire = send(0);
        assert_memory_equal(wire.token, dummy, 16);
        assert_int_equal(receive(&wire, 0), SEC_E_OK);
        wire.token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(receive(&wire, 0), SEC_E_MESSAGE_ALTERED);
    }
    struct wire wire = {{0}, {0}};
    assert_int_equal(pass(&wire, seal, 0, &client), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(pass(&wire, unseal, 0, &client), SEC_E_UNSUPPORTED_FUNCTION);
    close_both();
    open_both(NTLM_UNICODE | NTLM_NTLM);
    assert_int_equal(pass(&wire, sign, 0, &client), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(pass(&wire, verify, 0, &client), SEC_E_UNSUPPORTED_FUNCTION);
    close_both();
}

/* An exported context goes on where the other stopped: what was taken before is not taken again. */
static void test_replay_after_import(void **state)
{
    (void)state;
    sealing = true;
    for (size_t i = 0; i < FLAG_SETS; i++) {
        if ((flag_sets[i] & NTLM_SEAL) == 0 || (flag_sets[i] & NTLM_DATAGRAM) != 0)
            continue;
        SecBuffer packed = {0};
        open_both(flag_sets[i]);
        struct wire first = send(0), second = send(0);
        assert_int_equal(receive(&first, 0), SEC_E_OK);
        assert_int_equal(ExportSecurityContext(&server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL), SEC_E_OK);
        assert_int_equal(receive(&second, 0), SEC_E_INVALID_HANDLE);
        assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &server), SEC_E_OK);
        assert_int_equal(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
        assert_true(receive(&first, 0) < 0);
        assert_int_equal(receive(&second, 0), SEC_E_OK);
        close_both();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_altered),         cmocka_unit_test(test_replayed_and_reordered),
        cmocka_unit_test(test_datagrams),       cmocka_unit_test(test_datagrams_of_one_key_stream),
        cmocka_unit_test(test_reflected),       cmocka_unit_test(test_buffer_lists),
        cmocka_unit_test(test_dummy_signature), cmocka_unit_test(test_replay_after_import),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
