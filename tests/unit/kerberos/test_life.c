/*
 * Memory runs out, anywhere in the life of Kerberos' credentials and contexts.
 * build: all
 */
#include "support/kerberos_loop.h"
#include "support/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char target[] = "host/server.example.test";

static void ticket(int32_t enctype)
{
    struct forge forge;
    forge_begin(&forge, enctype);
    kerberos_loop_ticket(&forge);
}

static void test_life(void **state)
{
    static const ULONG styles[] = {ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE};
    static struct life life = {.package = "Kerberos", .target = target, .signs = true};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        life.client_flags = styles[i] | KERBEROS_PROTECT;
        ticket(KRB_AES256_SHA1);
        life_sweep(&life);
        assert_true(life.n_acquire > 0 && life.n_handshake > 20 && life.n_transfer > 10);
    }
}

static void test_sasl(void **state)
{
    static struct life life = {
        .package = "Kerberos", .target = target, .client_flags = KERBEROS_PROTECT | ISC_REQ_MUTUAL_AUTH, .sasl = true};
    (void)state;
    ticket(KRB_AES256_SHA1);
    life_sweep(&life);
    assert_true(life.n_handshake > 20);
}

static void test_negotiate(void **state)
{
    static struct life life = {.package = "Negotiate",
                               .target = target,
                               .client_flags = KERBEROS_PROTECT | ISC_REQ_MUTUAL_AUTH,
                               .signs = true};
    (void)state;
    ticket(KRB_AES256_SHA1);
    life_sweep(&life);
    assert_true(life.n_handshake > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life), cmocka_unit_test(test_sasl),
                                       cmocka_unit_test(test_negotiate)};
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
