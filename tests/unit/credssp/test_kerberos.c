/*
 * Kerberos inside CredSSP, with each type of key: the ticket vouches for the server, messages of its kind seal what is bound and handed over.
 * build: all
 */
#include "support/credssp_loop.h"
#include "support/kerberos_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire text;

static void one(int32_t enctype, const char *own)
{
    struct forge forge;
    SecPkgContext_Flags flags;
    SecPkgContext_PackageInfoA info;
    const struct credssp_who who = {.none = true};
    kerberos_loop_configure(NULL, NULL, own);
    kerberos_loop_keytab();
    forge_begin(&forge, enctype);
    kerberos_loop_ticket(&forge);
    struct loop_pair *pair = credssp_pair();
    pair->client.target = "host/server.example.test";
    pair->client.flags &= ~(ULONG)ISC_REQ_DELEGATE; /* a ticket is no password */
    assert_int_equal(credssp_client_acquire(&pair->client, &who, 0, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    assert_true(pair_run(pair));
    assert_int_equal(pair->client.attributes & ISC_RET_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, CREDSSP_SERVER_AUTH_NEGOTIATE);
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "Kerberos");
    FreeContextBuffer(info.PackageInfo);
    text.len = 0;
    assert_int_equal(side_send(&pair->client, "text", 4, &pair->server.in), SEC_E_OK);
    assert_int_equal(side_receive_text(&pair->server, &pair->client, &text), SEC_E_OK);
    assert_int_equal(text.len, 4);
    pair_restart(pair);
    pair->client.flags |= ISC_REQ_DELEGATE;
    assert_int_equal(side_step(&pair->client), SEC_E_NO_CREDENTIALS);
    assert_int_equal(pair->client.out.len, 0);
    pair_free(pair);
}

static void test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < KERBEROS_TYPES; i++)
        one(kerberos_loop_types[i], NULL);
}

/* The older form seals the key itself, which is longer than a hash. */
static void test_old_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < KERBEROS_TYPES; i++)
        one(kerberos_loop_types[i], "[credssp]\nmin_version = 2\nmax_version = 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_old_form)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
