/*
 * Clients that are not ours and older than ours: every combination of flags that changes keys (MS-NLMP 3.4), Unicode and OEM names, short
 * NEGOTIATE messages. Each signs on, and messages pass in both directions.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/session.h"
#include "ntlm/keys.h"
#include "ntlm/package.h"
#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"
#include <string.h>

static struct duel duel;
static struct token negotiate, challenge, authenticate;

static void begin(const char *configuration)
{
    loop_configure(configuration);
    duel = (struct duel){.server_flags = ASC_REQ_ALLOW_MISSING_BINDINGS};
    duel_begin(&duel);
    duel_freeze();
}

static void end(void)
{
    duel_end(&duel);
    duel_thaw();
}

/* The client's half of the session, by what it knows: flags and key. */
static CtxtHandle client_half(uint32_t flags, const uint8_t key[16])
{
    CtxtHandle context = {0};
    struct ntlm_session_seed seed = {.flags = flags, .password_expiry = INT64_MAX};
    AUTO_WRITER struct writer own = writer_growing(64), record = writer_growing(512);
    memcpy(seed.key.bytes, key, 16);
    ntlm_session_seed_write(&own, &seed);
    const struct session_facts facts = {.initiator = true, .session_key = slice_of(key, 16)};
    assert_int_equal(session_record_write(&record, &ntlm_package, &facts, writer_slice_of(&own)), SEC_E_OK);
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, record.data};
    assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &context), SEC_E_OK);
    return context;
}

static SECURITY_STATUS sign_on(uint32_t flags, size_t negotiate_len, enum craft_kind kind, uint8_t key[16])
{
    struct writer writer = writer_fixed(negotiate.data, sizeof negotiate.data);
    ntlm_negotiate_write(&writer, flags);
    negotiate.len = negotiate_len;
    duel_restart(&duel);
    SECURITY_STATUS status = duel_server(&duel, token_slice(&negotiate));
    if (status != SEC_I_CONTINUE_NEEDED)
        return status;
    challenge = duel.out;
    struct ntlm_challenge server;
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    assert_true((server.flags & NTLM_UNICODE) != 0 ? (flags & NTLM_UNICODE) != 0 : (server.flags & NTLM_OEM) != 0);
    /* A client that takes what both have. */
    const struct craft craft = {.kind = kind, .flags = server.flags & (flags | NTLM_TARGET_INFO), .session_key = key};
    craft_authenticate(&craft, &negotiate, &challenge, &authenticate);
    return duel_server(&duel, token_slice(&authenticate));
}

static void check_names(void)
{
    SecPkgContext_NamesA names;
    assert_int_equal(QueryContextAttributesA(&duel.server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "EXAMPLE\\alice");
    FreeContextBuffer(names.sUserName);
}

static void check_combination(uint32_t flags, size_t negotiate_len, enum craft_kind kind)
{
    SecPkgContext_SessionKey known;
    uint8_t key[16];
    SECURITY_STATUS status = sign_on(flags, negotiate_len, kind, key);
    if (status != SEC_E_OK)
        fail_msg("flags 0x%08x, kind %d: 0x%08x", (unsigned)flags, (int)kind, (unsigned)status);
    check_names();
    assert_int_equal(QueryContextAttributesA(&duel.server, SECPKG_ATTR_SESSION_KEY, &known), SEC_E_OK);
    assert_memory_equal(known.SessionKey, key, 16);
    FreeContextBuffer(known.SessionKey);
    if ((flags & (NTLM_SIGN | NTLM_SEAL)) == 0) {
        assert_int_equal(duel.server_attributes & (ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY), 0);
        return;
    }
    CtxtHandle client = client_half(flags, key);
    assert_int_not_equal(duel.server_attributes & ASC_RET_INTEGRITY, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loop_sign(&client, &duel.server, "signed there"), SEC_E_OK);
        assert_int_equal(loop_sign(&duel.server, &client, "and back"), SEC_E_OK);
        SECURITY_STATUS wanted = (flags & NTLM_SEAL) != 0 ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION;
        assert_int_equal(loop_seal(&duel.server, &client, "sealed back"), wanted);
        assert_int_equal(loop_seal(&client, &duel.server, "and there"), wanted);
    }
    assert_int_equal(DeleteSecurityContext(&client), SEC_E_OK);
}

static const uint32_t optional[] = {NTLM_128,  NTLM_56,   NTLM_KEY_EXCH, NTLM_EXTENDED_SESSION_SECURITY,
                                    NTLM_SIGN, NTLM_SEAL, NTLM_UNICODE,  NTLM_LM_KEY};
#define COMBINATIONS (1u << (sizeof optional / sizeof optional[0]))

static uint32_t combination(unsigned bits)
{
    uint32_t flags = NTLM_NTLM | NTLM_ALWAYS_SIGN | NTLM_REQUEST_TARGET;
    for (unsigned i = 0; i < sizeof optional / sizeof optional[0]; i++)
        flags |= (bits >> i & 1) != 0 ? optional[i] : 0;
    return (flags & NTLM_UNICODE) != 0 ? flags : flags | NTLM_OEM;
}

static void test_v2(void **state)
{
    (void)state;
    begin("[ntlm]\nrequire_128 = no\n");
    for (unsigned bits = 0; bits < COMBINATIONS; bits++) {
        uint32_t flags = combination(bits);
        if ((flags & NTLM_LM_KEY) == 0) /* offered by clients, never granted */
            check_combination(flags, 40, CRAFT_V2);
    }
    end();
}

static void test_lm_key_is_not_granted(void **state)
{
    uint8_t key[16];
    struct ntlm_challenge server;
    (void)state;
    begin("[ntlm]\nrequire_128 = no\nallow_lm = yes\nallow_v1 = yes\n");
    assert_int_equal(
        sign_on(combination(COMBINATIONS - 1) & ~(uint32_t)NTLM_EXTENDED_SESSION_SECURITY, 40, CRAFT_V1, key),
        SEC_E_OK);
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    assert_int_equal(server.flags & NTLM_LM_KEY, 0);
    end();
}

static void test_v1(void **state)
{
    (void)state;
    begin("[ntlm]\nrequire_128 = no\nallow_v1 = yes\n");
    for (unsigned bits = 0; bits < COMBINATIONS; bits++) {
        uint32_t flags = combination(bits);
        if ((flags & NTLM_LM_KEY) == 0)
            check_combination(flags, 40, (flags & NTLM_EXTENDED_SESSION_SECURITY) != 0 ? CRAFT_V1_EXTENDED : CRAFT_V1);
    }
    end();
}

/* Windows NT 4 ends its NEGOTIATE after the flags, others after the names. */
static void test_short_negotiate(void **state)
{
    (void)state;
    begin(NULL);
    for (size_t len = 16; len <= 40; len += 8)
        check_combination(combination(COMBINATIONS - 1) & ~(uint32_t)NTLM_LM_KEY, len, CRAFT_V2);
    end();
}

static void test_require_128(void **state)
{
    uint8_t key[16];
    (void)state;
    begin(NULL); /* the default */
    for (unsigned bits = 0; bits < COMBINATIONS; bits++) {
        uint32_t flags = combination(bits);
        bool weak = (flags & (NTLM_SIGN | NTLM_SEAL)) != 0 && (flags & NTLM_128) == 0;
        assert_int_equal(sign_on(flags, 40, CRAFT_V2, key), weak ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
    }
    assert_int_equal(sign_on(NTLM_NTLM | NTLM_128, 40, CRAFT_V2, key), SEC_E_INVALID_TOKEN); /* no character set */
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_short_negotiate),
        cmocka_unit_test(test_lm_key_is_not_granted),
        cmocka_unit_test(test_require_128),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
