/*
 * Acting for a Kerberos client without a KDC: levels, what a token's duplicates keep, one credential for all, and every allocation that fails. Needs
 * root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/impersonation.h"
#include "base/memory.h"
#include "core/handle.h"
#include "core/registry.h"
#include "kerberos/behalf.h"
#include "kerberos/delegated.h"
#include "support/access_world.h"
#include "support/kerberos_forge.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct config *config;
static uint8_t forwarded[FORGE_DELEGATED_MAX], evidence[FORGE_DELEGATED_MAX];
static size_t forwarded_len, evidence_len;

static SECURITY_STATUS acquire(const char *package, ULONG use, CredHandle *credential)
{
    return AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, use, NULL, NULL, NULL, NULL, credential, NULL);
}

/* No KDC, no tickets, no keys. */
static void kerberos_put(void)
{
    static const char *const names[] = {"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME"};
    char path[160];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/store/%s", access_directory(), names[i]);
        setenv(names[i], path, 1);
    }
    snprintf(path, sizeof path, "%s/store/KRB5_CONFIG", access_directory());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[libdefaults]\ndefault_realm = EXAMPLE.TEST\ndns_lookup_kdc = false\n", file);
    fclose(file);
}

static int set_up(void **state)
{
    CredHandle credential;
    (void)state;
    access_needs_root();
    access_configure(NULL);
    kerberos_put();
    assert_int_equal(acquire("Kerberos", SECPKG_CRED_OUTBOUND, &credential), SEC_E_OK); /* starts the library */
    FreeCredentialsHandle(&credential);
    assert_int_equal(config_get(&config), SEC_E_OK);
    forwarded_len = forge_delegated(KERBEROS_FORWARDED, "krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", forwarded);
    evidence_len = forge_delegated(KERBEROS_EVIDENCE, FORGE_SERVER, evidence);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    config_release(config);
    access_cleanup();
    return 0;
}

/* NULL without memory. */
static const struct token *client_token(SECURITY_IMPERSONATION_LEVEL level, const struct behalf *behalf)
{
    struct token_facts *facts;
    if (token_facts_new(1, &facts) != SEC_E_OK)
        return NULL;
    facts->unix_ids.known = true;
    facts->unix_ids.uid = facts->unix_ids.gid = ALICE_UID;
    return token_new(facts, false, level, behalf);
}

static const struct behalf *forwarded_behalf(void)
{
    return behalf_new(registry_find("Kerberos"), slice_of(forwarded, forwarded_len), NULL, SecurityDelegation);
}

static void impersonate(const struct token *token)
{
    assert_non_null(token);
    assert_int_equal(impersonation_begin(token, config), SEC_E_OK);
    assert_int_equal(geteuid(), ALICE_UID);
    token_release(token);
}

static void assert_acts(const char *package)
{
    CredHandle credential;
    SecPkgCredentials_NamesA names;
    assert_int_equal(acquire(package, SECPKG_CRED_OUTBOUND, &credential), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, FORGE_CLIENT);
    FreeContextBuffer(names.sUserName);
    FreeCredentialsHandle(&credential);
}

static void assert_refused(const char *package, const char *words)
{
    CredHandle credential;
    assert_int_equal(acquire(package, SECPKG_CRED_OUTBOUND, &credential), SEC_E_NO_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), words));
}

static void test_forwarded_ticket(void **state)
{
    AUTO_BEHALF const struct behalf *behalf = forwarded_behalf();
    (void)state;
    impersonate(client_token(SecurityDelegation, behalf));
    assert_acts("Kerberos");
    assert_acts("Negotiate");
    assert_refused("NTLM", "by Kerberos, not by NTLM");
    impersonation_end();
}

/* Only a token of the level of delegation has it, and one that was lower once never again. */
static void test_levels(void **state)
{
    AUTO_BEHALF const struct behalf *behalf = forwarded_behalf();
    (void)state;
    impersonate(client_token(SecurityImpersonation, behalf));
    assert_refused("Kerberos", "delegated no credentials");
    impersonation_end();
    const struct token *token = client_token(SecurityDelegation, behalf);
    const struct token *same = token_duplicate(token, false, SecurityDelegation);
    const struct token *lower = token_duplicate(token, false, SecurityImpersonation);
    const struct token *raised = token_duplicate(lower, true, SecurityDelegation);
    const struct token *again = token_duplicate(raised, false, SecurityDelegation);
    assert_ptr_equal(same->behalf, behalf);
    assert_null(lower->behalf);
    assert_null(raised->behalf);
    assert_null(again->behalf);
    const struct token *primary = token_duplicate(same, true, SecurityAnonymous);
    assert_ptr_equal(primary->behalf, behalf);
    const struct token *all[] = {token, same, lower, raised, again, primary};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        token_release(all[i]);
}

static void test_one_credential_for_all(void **state)
{
    AUTO_BEHALF const struct behalf *behalf = forwarded_behalf();
    (void)state;
    assert_null(behalf_made(behalf));
    for (int i = 0; i < 2; i++) { /* of two tokens, as a duplicate's */
        impersonate(client_token(SecurityDelegation, behalf));
        assert_acts(i == 0 ? "Negotiate" : "Kerberos");
        impersonation_end();
    }
    struct credential *made = behalf_made(behalf);
    assert_non_null(made);
    assert_true(made->lent);
    assert_int_equal(atomic_load(&made->n_references), 2);
    credential_put(made);
}

/* The service's credential may be one of Kerberos or one of Negotiate; one that has nothing of Kerberos is of no use. */
static void test_evidence(void **state)
{
    static const char *const packages[] = {"Kerberos", "Negotiate", "NTLM"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(packages); i++) {
        CredHandle handle;
        struct handle_ref ref = {0};
        assert_int_equal(acquire(packages[i], SECPKG_CRED_BOTH, &handle), SEC_E_OK);
        assert_int_equal(handle_get(&handle, HANDLE_CREDENTIAL, &ref), SEC_E_OK);
        const struct behalf *behalf =
            behalf_new(registry_find("Kerberos"), slice_of(evidence, evidence_len), ref.object, SecurityImpersonation);
        assert_non_null(behalf);
        handle_put(&ref);
        FreeCredentialsHandle(&handle); /* it has its own reference */
        impersonate(client_token(SecurityImpersonation, behalf));
        behalf_release(behalf);
        if (i < 2) {
            assert_acts("Kerberos");
            assert_acts("Negotiate");
        } else {
            CredHandle credential;
            assert_int_equal(acquire("Kerberos", SECPKG_CRED_OUTBOUND, &credential), SEC_E_UNKNOWN_CREDENTIALS);
        }
        impersonation_end();
    }
    AUTO_BEHALF const struct behalf *alone =
        behalf_new(registry_find("Kerberos"), slice_of(evidence, evidence_len), NULL, SecurityImpersonation);
    impersonate(client_token(SecurityImpersonation, alone));
    assert_refused("Kerberos", "service's own credential");
    assert_refused("Negotiate", "service's own credential");
    impersonation_end();
}

/* The last who holds a credential may be a thread that is another client, and may not read krb5.conf: a leak check sees whether the tickets go. */
static void test_let_go_by_another(void **state)
{
    const struct behalf *behalf = forwarded_behalf();
    (void)state;
    impersonate(client_token(SecurityDelegation, behalf));
    behalf_release(behalf);
    assert_acts("Negotiate");
    impersonate(client_token(SecurityImpersonation, NULL));
    assert_refused("Kerberos", "delegated no credentials");
    impersonation_end();
}

static void test_damaged(void **state)
{
    CredHandle credential;
    (void)state;
    for (size_t len = 1; len < forwarded_len; len += 7) {
        AUTO_BEHALF const struct behalf *behalf =
            behalf_new(registry_find("Kerberos"), slice_of(forwarded, len), NULL, SecurityDelegation);
        impersonate(client_token(SecurityDelegation, behalf));
        assert_int_equal(acquire("Kerberos", SECPKG_CRED_OUTBOUND, &credential), SEC_E_INVALID_TOKEN);
        assert_int_equal(acquire("Negotiate", SECPKG_CRED_OUTBOUND, &credential), SEC_E_INVALID_TOKEN);
        assert_null(behalf_made(behalf));
        impersonation_end();
    }
}

/* Policy decides about the one package as about each. */
static void test_policy(void **state)
{
    AUTO_BEHALF const struct behalf *behalf = forwarded_behalf();
    (void)state;
    access_configure("[negotiate]\npackages = NTLM\n");
    impersonate(client_token(SecurityDelegation, behalf));
    assert_refused("Negotiate", "packages in [negotiate] leaves it out");
    assert_acts("Kerberos");
    impersonation_end();
    access_configure(NULL);
}

static bool sweep_once(void)
{
    CredHandle kerberos, negotiate;
    const struct behalf *behalf = forwarded_behalf();
    const struct token *token = behalf != NULL ? client_token(SecurityDelegation, behalf) : NULL;
    behalf_release(behalf);
    if (token == NULL)
        return false;
    bool good = impersonation_begin(token, config) == SEC_E_OK;
    token_release(token);
    if (!good)
        return false;
    bool has_negotiate = acquire("Negotiate", SECPKG_CRED_OUTBOUND, &negotiate) == SEC_E_OK;
    bool has_kerberos = acquire("Kerberos", SECPKG_CRED_OUTBOUND, &kerberos) == SEC_E_OK;
    impersonation_end();
    if (has_kerberos)
        FreeCredentialsHandle(&kerberos);
    if (has_negotiate)
        FreeCredentialsHandle(&negotiate);
    return has_kerberos && has_negotiate;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        bool good = false;
        unsigned long nth;
        for (nth = 1; !good && nth < 2000; nth++) {
            mem_fault_set(nth, sticky != 0);
            good = sweep_once() && mem_fault_count() < nth;
            mem_fault_set(0, false);
            assert_null(impersonation_current());
            assert_int_equal(geteuid(), 0);
        }
        assert_true(good);
        assert_true(nth > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwarded_ticket),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_one_credential_for_all),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_let_go_by_another),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
