/*
 * After a handshake that handed a password over, and after ones that failed, no memory of this process holds it; nor a text that was freed as one.
 * build: all
 */
#include "base/memory.h"
#include "base/secret.h"
#include "support/credssp_loop.h"
#include "support/memory_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define D(letter) ((letter) ^ MEMORY_DISGUISE)

/* Alice's password, and one that stands nowhere in this program either. */
static const uint8_t alices[] = {D('P'), D('a'), D('s'), D('s'), D('w'), D('o'), D('r'), D('d'), D('1'), D('!')};
static const uint8_t wrong[] = {D('m'), D('i'), D('s'), D('t'), D('a'), D('k'), D('e'), D('n'), D('4'), D('2')};

static bool memory_has(const uint8_t *disguised, size_t len, bool wide)
{
    uint8_t needle[2 * sizeof alices];
    for (size_t i = 0; i < len; i++) {
        needle[wide ? 2 * i : i] = disguised[i];
        if (wide)
            needle[2 * i + 1] = D(0);
    }
    return memory_holds(needle, wide ? 2 * len : len);
}

static struct loop_pair *pair_of(const char *password)
{
    const struct credssp_who who = {.password = password};
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, &who, 0, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    return pair;
}

/* The program's own literals have it in UTF-8. */
static void test_handed_over(void **state)
{
    SecPkgContext_ClientCreds creds[2];
    (void)state;
    struct loop_pair *pair = pair_of(NULL);
    assert_true(pair_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS, &creds[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS_2, &creds[1]), SEC_E_OK);
    assert_true(memory_has(alices, sizeof alices, true)); /* it is looked for rightly */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(FreeContextBuffer(creds[i].AuthBuffer), SEC_E_OK);
    pair_free(pair);
    assert_false(memory_has(alices, sizeof alices, true));
}

static void failed(const char *target, SECURITY_STATUS client, SECURITY_STATUS server)
{
    char password[sizeof wrong + 1] = "";
    for (size_t i = 0; i < sizeof wrong; i++)
        password[i] = (char)D(wrong[i]);
    struct loop_pair *pair = pair_of(password);
    assert_true(memory_has(wrong, sizeof wrong, false) && memory_has(wrong, sizeof wrong, true));
    explicit_bzero(password, sizeof password);
    pair->client.target = target;
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, client);
    assert_int_equal(pair->server.status, server);
    pair_free(pair);
    assert_false(memory_has(wrong, sizeof wrong, false));
    assert_false(memory_has(wrong, sizeof wrong, true));
}

static void test_refused(void **state)
{
    (void)state;
    failed("HTTP/server.test", SEC_E_DELEGATION_POLICY, SEC_E_OK); /* which no list of policy names */
    failed("TERMSRV/server.test", SEC_I_CONTINUE_NEEDED, SEC_E_LOGON_DENIED);
}

/* What text functions give back, behind what the allocator writes into free memory. */
static void test_texts(void **state)
{
    uint8_t disguised[64];
    (void)state;
    char *text = mem_zalloc(sizeof disguised + 1);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof disguised; i++) {
        text[i] = (char)('A' + i * 7 % 26);
        disguised[i] = (uint8_t)D(text[i]);
    }
    assert_true(memory_holds(disguised + 32, 32));
    secret_free_text(text);
    assert_false(memory_holds(disguised + 32, 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_handed_over), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_texts)};
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
