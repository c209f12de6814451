/*
 * After a handshake that handed a password over, and after one that failed, no memory of this process holds it.
 * build: all
 */
#include "support/credssp_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Masked, so that what is looked for is nowhere but where the library put it. */
#define MASK 0x55
static const unsigned char masked[] = {'P' ^ MASK, 'a' ^ MASK, 's' ^ MASK, 's' ^ MASK, 'w' ^ MASK,
                                       'o' ^ MASK, 'r' ^ MASK, 'd' ^ MASK, '1' ^ MASK, '!' ^ MASK};

/* Memory is read where no variable is; the sanitizers would have words for that. Their own maps of memory are larger than any region of ours. */
#define UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined")))
#define REGION_MAX (1ul << 28)

UNWATCHED static bool is_here(const volatile unsigned char *at)
{
    for (size_t i = 0; i < sizeof masked; i++)
        if ((at[2 * i] ^ MASK) != masked[i] || at[2 * i + 1] != 0)
            return false;
    return true;
}

/* How often the password stands in writable memory, in UTF-16. */
UNWATCHED static unsigned count(void)
{
    unsigned n_found = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r' || rights[1] != 'w' ||
            to - from > REGION_MAX)
            continue;
        for (unsigned long at = from; at + 2 * sizeof masked <= to; at++)
            n_found += is_here((const unsigned char *)at) ? 1 : 0;
    }
    fclose(maps);
    return n_found;
}

static void run(const char *target, bool succeeds)
{
    struct loop_pair *pair = credssp_pair();
    SecPkgContext_ClientCreds creds[2];
    pair->client.target = target;
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    assert_int_equal(pair_run(pair), succeeds);
    assert_true(count() > 0); /* it is looked for rightly */
    if (succeeds) {
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS, &creds[0]), SEC_E_OK);
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS_2, &creds[1]), SEC_E_OK);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(FreeContextBuffer(creds[i].AuthBuffer), SEC_E_OK);
    }
    pair_free(pair);
    assert_int_equal(count(), 0);
}

static void test_handed_over(void **state)
{
    (void)state;
    run("TERMSRV/server.test", true);
}

static void test_refused(void **state)
{
    (void)state;
    run("HTTP/server.test", false); /* which no list of policy names */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_handed_over), cmocka_unit_test(test_refused)};
    loop_configure("[ntlm]\ntargets = server.test\n[negotiate]\npackages = NTLM\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
