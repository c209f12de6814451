/*
 * Chains and engines as objects: what the caller sees of them, whose their parts are, and which roots they have.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/certificates/authority.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

static void test_structure(void **state)
{
    (void)state;
    char *server = (char *)(uintptr_t)szOID_PKIX_KP_SERVER_AUTH, *client = (char *)(uintptr_t)szOID_PKIX_KP_CLIENT_AUTH;
    char *both[] = {server, client};
    HCERTSTORE store = store_with(the_middle()->x509, the_root()->x509);
    PCCERT_CONTEXT added = NULL, plain = context_of(the_leaf()->x509);
    assert_true(CertAddCertificateContextToStore(store, plain, CERT_STORE_ADD_NEW, &added));
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    para.RequestedUsage.Usage = (CERT_ENHKEY_USAGE){2, both};
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(CertGetCertificateChain(NULL, added, NULL, NULL, &para, 0, NULL, &chain));
    assert_int_equal(chain->cbSize, sizeof *chain);
    assert_int_equal(chain->cChain, 1);
    assert_int_equal(chain->rgpChain[0]->cElement, 3);
    CERT_CHAIN_ELEMENT **elements = chain->rgpChain[0]->rgpElement;
    assert_ptr_equal(elements[0]->pCertContext, added);
    assert_int_equal(elements[0]->TrustStatus.dwErrorStatus, CERT_TRUST_IS_NOT_VALID_FOR_USAGE);
    assert_int_equal(elements[0]->pApplicationUsage->cUsageIdentifier, 1);
    assert_string_equal(elements[0]->pApplicationUsage->rgpszUsageIdentifier[0], szOID_PKIX_KP_SERVER_AUTH);
    assert_null(elements[1]->pApplicationUsage);
    /* That the root is in a store does not make it trusted. */
    assert_int_equal(elements[2]->TrustStatus.dwErrorStatus, CERT_TRUST_IS_UNTRUSTED_ROOT);
    assert_true(elements[2]->TrustStatus.dwInfoStatus & CERT_TRUST_IS_SELF_SIGNED);
    assert_int_equal(chain->TrustStatus.dwErrorStatus,
                     CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_NOT_VALID_FOR_USAGE);
    PCCERT_CHAIN_CONTEXT again = CertDuplicateCertificateChain(chain);
    assert_ptr_equal(again, chain);
    CertFreeCertificateChain(chain);
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = 0}; /* nobody looks at it, nor at the parameters' */
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA extra = {.dwAuthType = 0};
    CERT_CHAIN_POLICY_PARA policy = {.pvExtraPolicyPara = &extra};
    assert_true(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, again, NULL, &status));
    assert_int_equal((HRESULT)status.dwError, CERT_E_UNTRUSTEDROOT);
    status.dwError = 0;
    assert_true(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, again, &policy, &status));
    assert_int_equal((HRESULT)status.dwError, CERT_E_UNTRUSTEDROOT);
    extra.fdwChecks = SECURITY_FLAG_IGNORE_UNKNOWN_CA | SECURITY_FLAG_IGNORE_WRONG_USAGE;
    extra.pwszServerName = (WCHAR[]){'o', 't', 'h', 'e', 'r', 0};
    assert_true(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, again, &policy, &status));
    assert_int_equal((HRESULT)status.dwError, CERT_E_CN_NO_MATCH); /* a name that was given counts all the same */
    extra.cbSize = 8;
    assert_false(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, again, &policy, &status));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_false(CertVerifyCertificateChainPolicy((LPCSTR)99, again, NULL, &status));
    assert_int_equal(OpenSspiLastError(), ERROR_FILE_NOT_FOUND);
    CertFreeCertificateChain(again);
    CertFreeCertificateChain(again); /* once too often */
    assert_null(CertDuplicateCertificateChain(again));
    assert_false(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, again, NULL, &status));
    CertFreeCertificateChain(NULL);
    CertFreeCertificateChainEngine(NULL);
    CertFreeCertificateChainEngine(HCCE_LOCAL_MACHINE);
    CertFreeCertificateChainEngine(&status);
    para.RequestedUsage.dwType = USAGE_MATCH_TYPE_OR;
    assert_true(CertGetCertificateChain(NULL, added, NULL, NULL, &para, 0, NULL, &chain));
    assert_int_equal(chain->rgpChain[0]->rgpElement[0]->TrustStatus.dwErrorStatus, 0);
    CertFreeCertificateChain(chain);
    assert_false(CertGetCertificateChain(store, added, NULL, NULL, &para, 0, NULL, &chain)); /* no engine */
    assert_false(CertGetCertificateChain(NULL, added, NULL, (HCERTSTORE)&para, &para, 0, NULL, &chain));
    assert_true(CertFreeCertificateContext(added));
    assert_true(CertFreeCertificateContext(plain));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

/* Its elements are the chain's own, whatever becomes of the store and of those whom the memory of a freed one would go to. */
static void test_chain_of_closed_store(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_leaf()->x509, the_middle()->x509);
    PCCERT_CONTEXT leaf = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_ANY, NULL, NULL);
    PCCERT_CONTEXT later[8];
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(CertGetCertificateChain(NULL, leaf, NULL, NULL, &para, 0, NULL, &chain));
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_FORCE_FLAG));
    for (size_t i = 0; i < COUNT_OF(later); i++)
        later[i] = context_of(the_leaf()->x509);
    const CERT_SIMPLE_CHAIN *simple = chain->rgpChain[0];
    for (DWORD i = 0; i < simple->cElement; i++) {
        PCCERT_CONTEXT element = simple->rgpElement[i]->pCertContext;
        assert_false(CertFreeCertificateContext(element)); /* nobody's but the chain's */
        PCCERT_CONTEXT held = CertDuplicateCertificateContext(element);
        assert_ptr_equal(held, element);
        assert_true(CertFreeCertificateContext(held));
    }
    CertFreeCertificateChain(chain);
    for (size_t i = 0; i < COUNT_OF(later); i++)
        assert_true(CertFreeCertificateContext(later[i]));
}

/* The roots of the system, by configuration; a restricted engine takes of them only its own. */
static void test_system_roots(void **state)
{
    char text[4200];
    (void)state;
    const X509 *root = the_root()->x509, *middle = the_middle()->x509;
    (void)snprintf(text, sizeof text, "[certificates]\nroot = %s\nca = %s\n",
                   scratch_pem("root.pem", &root, 1, NULL, NULL), scratch_pem("ca.pem", &middle, 1, NULL, NULL));
    configure(text);
    PCCERT_CONTEXT leaf = context_of(the_leaf()->x509);
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(CertGetCertificateChain(NULL, leaf, NULL, NULL, NULL, 0, NULL, &chain));
    assert_int_equal(chain->TrustStatus.dwErrorStatus, 0);
    CertFreeCertificateChain(chain);
    HCERTSTORE empty = store_with(NULL, NULL);
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .hRestrictedRoot = empty};
    HCERTCHAINENGINE engine = NULL;
    assert_true(CertCreateCertificateChainEngine(&config, &engine));
    assert_true(CertCloseStore(empty, 0)); /* the engine holds it */
    assert_true(CertGetCertificateChain(engine, leaf, NULL, NULL, NULL, 0, NULL, &chain));
    assert_int_equal(chain->TrustStatus.dwErrorStatus, CERT_TRUST_IS_PARTIAL_CHAIN);
    CertFreeCertificateChain(chain);
    add_to(CertDuplicateStore(empty), root);
    assert_true(CertGetCertificateChain(engine, leaf, NULL, NULL, NULL, 0, NULL, &chain));
    assert_int_equal(chain->TrustStatus.dwErrorStatus, 0);
    CertFreeCertificateChain(chain);
    assert_true(CertCloseStore(empty, 0));
    CertFreeCertificateChainEngine(engine);
    CertFreeCertificateChainEngine(engine);
    config.cbSize = 7;
    assert_false(CertCreateCertificateChainEngine(&config, &engine));
    configure("[certificates]\nroot = /nowhere/at/all\n");
    assert_false(CertGetCertificateChain(NULL, leaf, NULL, NULL, NULL, 0, NULL, &chain));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_FILE_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), "/nowhere/at/all"));
    assert_true(CertFreeCertificateContext(leaf));
    configure("");
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_structure, nothing_left),
        cmocka_unit_test_teardown(test_chain_of_closed_store, nothing_left),
        cmocka_unit_test_teardown(test_system_roots, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
