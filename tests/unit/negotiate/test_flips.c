/*
 * Every bit of every token of a Negotiate handshake turned, once each, and every token cut at every length: whatever is let in after that means what
 * it meant before: the same client, by the same package, under the same key.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY)

static struct {
    int leg;
    size_t at;
    uint8_t mask; /* 0: cut there */
    bool done;
} change;

static void turn(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop;
    if (leg != change.leg || change.at >= *len)
        return;
    change.done = true;
    if (change.mask == 0)
        *len = (ULONG)change.at;
    else
        token[change.at] ^= change.mask;
}

static void same_key(struct loop *loop)
{
    SecPkgContext_SessionKey keys[2];
    assert_int_equal(QueryContextAttributesA(&loop->client, SECPKG_ATTR_SESSION_KEY, &keys[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop->server, SECPKG_ATTR_SESSION_KEY, &keys[1]), SEC_E_OK);
    assert_int_equal(keys[0].SessionKeyLength, 16);
    assert_memory_equal(keys[0].SessionKey, keys[1].SessionKey, 16);
    FreeContextBuffer(keys[0].SessionKey);
    FreeContextBuffer(keys[1].SessionKey);
}

static void same_meaning(struct loop *loop, const char *package, const char *client)
{
    SecPkgContext_NegotiationInfoA info[2];
    SecPkgContext_NamesA names;
    assert_int_equal(QueryContextAttributesA(&loop->client, SECPKG_ATTR_NEGOTIATION_INFO, &info[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop->server, SECPKG_ATTR_NEGOTIATION_INFO, &info[1]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop->server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(info[0].PackageInfo->Name, package);
    assert_string_equal(info[1].PackageInfo->Name, package);
    assert_string_equal(names.sUserName, client);
    FreeContextBuffer(info[0].PackageInfo);
    FreeContextBuffer(info[1].PackageInfo);
    FreeContextBuffer(names.sUserName);
    same_key(loop);
    assert_int_equal(loop_sign(&loop->client, &loop->server, "there"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop->server, &loop->client, "and back"), SEC_E_OK);
}

/* True while the token has such a byte. */
static bool run_once(struct loop *loop, const char *package, const char *client, unsigned *n_good)
{
    change.done = false;
    loop->client_status = loop->server_status = SEC_E_OK;
    if (loop_run(loop)) {
        same_meaning(loop, package, client);
        *n_good += change.done;
    }
    loop_end(loop);
    return change.done;
}

static void sweep(const char *configuration, int legs, const char *package, const char *client)
{
    struct loop loop = {.package = "Negotiate", .client_flags = PROTECT, .alter = turn};
    unsigned n_good = 0, n_all = 0;
    loop_configure(configuration);
    loop_acquire(&loop);
    loop.keep_credentials = true;
    for (change.leg = 1; change.leg <= legs; change.leg++)
        for (unsigned bit = 0; bit <= 8; bit++) {
            change.mask = (uint8_t)(bit < 8 ? 1u << bit : 0);
            for (change.at = 0; run_once(&loop, package, client, &n_good); change.at++)
                n_all++;
        }
    assert_true(n_all > 1000);
    print_message("%u of %u changes mean nothing\n", n_good, n_all);
    loop.keep_credentials = false;
    loop_end(&loop);
}

static void test_ntlm(void **state)
{
    (void)state;
    sweep("lockout_threshold = 0\n[negotiate]\npackages = ntlm\n", 4, "NTLM", "EXAMPLE\\alice");
}

/* With a package whose own messages nothing protects, the list's code alone stands against changes. */
static void test_fake(void **state)
{
    (void)state;
    fake_reset();
    fake.legs = 3;
    fake.wants_list_mic = true;
    sweep("[negotiate]\npackages = fake\n", 4, "Fake", "client@fake");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ntlm),
        cmocka_unit_test(test_fake),
    };
    fake_register();
    loop_configure("lockout_threshold = 0\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
