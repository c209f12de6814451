/*
 * Revocation by lists in the automatic validation: root, an authority between, and a server; each flag of the credential against each state of the
 * lists.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END SCH_CRED_REVOCATION_CHECK_END_CERT
#define CHAIN SCH_CRED_REVOCATION_CHECK_CHAIN
#define BELOW_ROOT SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT
#define IGNORE_NONE SCH_CRED_IGNORE_NO_REVOCATION_CHECK
#define IGNORE_OFFLINE SCH_CRED_IGNORE_REVOCATION_OFFLINE
#define LISTS_MAX 4

static struct pki root, middle, leaf, impostor, client;

static long serial_of(const struct pki *pki)
{
    return ASN1_INTEGER_get(X509_get0_serialNumber(pki->x509));
}

static void list_add(HCERTSTORE store, X509_CRL *list)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(list, &der);
    assert_true(len > 0);
    assert_true(CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, (DWORD)len, CERT_STORE_ADD_ALWAYS, NULL));
    OPENSSL_free(der);
    X509_CRL_free(list);
}

/* A credential of this side that trusts `root` and has these lists, ended by NULL; they are freed. */
static void acquire(struct side *side, const struct pki *pki, DWORD flags, X509_CRL *const lists[LISTS_MAX])
{
    PCCERT_CONTEXT context = pki != NULL ? pki_context(pki, &middle, false) : NULL;
    HCERTSTORE roots = pki_store(&root);
    for (size_t i = 0; i < LISTS_MAX && lists[i] != NULL; i++)
        list_add(roots, lists[i]);
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = context != NULL,
                          .paCred = &context,
                          .hRootStore = roots,
                          .dwFlags = flags};
    assert_int_equal(side_acquire(side, &cred), SEC_E_OK);
    if (context != NULL)
        CertFreeCertificateContext(context);
    CertCloseStore(roots, 0);
}

#define NO_LISTS ((X509_CRL *[LISTS_MAX]){NULL})
#define LISTS(...) ((X509_CRL *[LISTS_MAX]){__VA_ARGS__})

static SECURITY_STATUS client_judges(DWORD flags, X509_CRL *const lists[LISTS_MAX])
{
    struct loop_pair *pair = pair_new();
    acquire(&pair->client, NULL, flags, lists);
    acquire(&pair->server, &leaf, 0, NO_LISTS);
    pair->client.flags |= ISC_REQ_EXTENDED_ERROR;
    bool ended = pair_run(pair);
    SECURITY_STATUS status = pair->client.status;
    assert_int_equal(ended, status == SEC_E_OK);
    if (status == CRYPT_E_REVOKED) /* the server hears of it */
        assert_int_equal(side_step(&pair->server), CRYPT_E_REVOKED);
    pair_free(pair);
    return status;
}

static SECURITY_STATUS server_judges(DWORD flags, X509_CRL *const lists[LISTS_MAX])
{
    struct loop_pair *pair = pair_new();
    acquire(&pair->client, &client, SCH_CRED_MANUAL_CRED_VALIDATION, NO_LISTS);
    acquire(&pair->server, &leaf, flags, lists);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    (void)pair_run(pair);
    SECURITY_STATUS status = pair->server.status;
    pair_free(pair);
    return status;
}

static X509_CRL *none_of_root(void)
{
    return pki_crl(&root, 0, 7);
}

static X509_CRL *none_of_middle(void)
{
    return pki_crl(&middle, 0, 7);
}

static void test_nobody_revoked(void **state)
{
    (void)state;
    assert_int_equal(client_judges(END, LISTS(none_of_middle())), SEC_E_OK);
    assert_int_equal(client_judges(BELOW_ROOT, LISTS(none_of_root(), none_of_middle())), SEC_E_OK);
    assert_int_equal(client_judges(CHAIN, LISTS(none_of_root(), none_of_middle())), SEC_E_OK);
}

static void test_leaf_revoked(void **state)
{
    static const DWORD flags[] = {END, CHAIN, BELOW_ROOT};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(client_judges(flags[i], LISTS(none_of_root(), pki_crl(&middle, serial_of(&leaf), 7))),
                         CRYPT_E_REVOKED);
        /* What is known is not ignored with what is not. */
        assert_int_equal(client_judges(flags[i] | IGNORE_NONE | IGNORE_OFFLINE,
                                       LISTS(none_of_root(), pki_crl(&middle, serial_of(&leaf), 7))),
                         CRYPT_E_REVOKED);
        assert_int_equal(client_judges(flags[i] | SCH_CRED_MANUAL_CRED_VALIDATION,
                                       LISTS(none_of_root(), pki_crl(&middle, serial_of(&leaf), 7))),
                         SEC_E_OK);
    }
    /* Nobody asked. */
    assert_int_equal(client_judges(0, LISTS(none_of_root(), pki_crl(&middle, serial_of(&leaf), 7))), SEC_E_OK);
    /* Another's serial number. */
    assert_int_equal(client_judges(END, LISTS(pki_crl(&middle, serial_of(&leaf) + 77, 7))), SEC_E_OK);
}

static void test_intermediate_revoked(void **state)
{
    (void)state;
    assert_int_equal(client_judges(CHAIN, LISTS(pki_crl(&root, serial_of(&middle), 7), none_of_middle())),
                     CRYPT_E_REVOKED);
    assert_int_equal(client_judges(BELOW_ROOT, LISTS(pki_crl(&root, serial_of(&middle), 7), none_of_middle())),
                     CRYPT_E_REVOKED);
    assert_int_equal(client_judges(END, LISTS(pki_crl(&root, serial_of(&middle), 7), none_of_middle())), SEC_E_OK);
}

static void test_list_missing(void **state)
{
    (void)state;
    assert_int_equal(client_judges(END, NO_LISTS), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(client_judges(END | IGNORE_NONE, NO_LISTS), SEC_E_OK);
    assert_int_equal(client_judges(END | IGNORE_OFFLINE, NO_LISTS), CRYPT_E_NO_REVOCATION_CHECK);
    /* That of the intermediate's issuer. */
    assert_int_equal(client_judges(BELOW_ROOT, LISTS(none_of_middle())), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(client_judges(BELOW_ROOT | IGNORE_NONE, LISTS(none_of_middle())), SEC_E_OK);
}

static void test_list_expired(void **state)
{
    (void)state;
    assert_int_equal(client_judges(END, LISTS(pki_crl(&middle, 0, -1))), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(client_judges(END | IGNORE_NONE, LISTS(pki_crl(&middle, 0, -1))), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(client_judges(END | IGNORE_OFFLINE, LISTS(pki_crl(&middle, 0, -1))), SEC_E_OK);
    /* A list out of date still tells who was revoked. */
    assert_int_equal(client_judges(END | IGNORE_OFFLINE, LISTS(pki_crl(&middle, serial_of(&leaf), -1))),
                     CRYPT_E_REVOKED);
}

/* A list of another authority is none; one under the right name and by another key is none either. */
static void test_list_of_another(void **state)
{
    (void)state;
    assert_int_equal(client_judges(END, LISTS(pki_crl(&root, serial_of(&leaf), 7))), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(client_judges(END, LISTS(pki_crl(&impostor, 0, 7))), CRYPT_E_REVOCATION_OFFLINE);
    assert_int_equal(client_judges(END | IGNORE_NONE, LISTS(pki_crl(&impostor, 0, 7))), CRYPT_E_REVOCATION_OFFLINE);
}

/* A delta takes no complete list's place, and tells of more (certificates/test_deltas.c has all of it). */
static void test_deltas(void **state)
{
    const struct pki_list base = {.issuer = &middle, .days = 7, .number = 5};
    const struct pki_list delta = {
        .issuer = &middle, .days = 7, .number = 6, .is_delta = true, .delta_of = 5, .age = 60};
    struct pki_list base_revokes = base, delta_revokes = delta;
    (void)state;
    base_revokes.revoked = delta_revokes.revoked = serial_of(&leaf);
    assert_int_equal(client_judges(END, LISTS(pki_list(&base), pki_list(&delta))), SEC_E_OK);
    assert_int_equal(client_judges(END, LISTS(pki_list(&base_revokes), pki_list(&delta))), CRYPT_E_REVOKED);
    assert_int_equal(client_judges(END, LISTS(pki_list(&base), pki_list(&delta_revokes))), CRYPT_E_REVOKED);
    assert_int_equal(client_judges(END, LISTS(pki_list(&delta))), CRYPT_E_NO_REVOCATION_CHECK);
    assert_int_equal(client_judges(END | IGNORE_OFFLINE, LISTS(pki_list(&delta))), CRYPT_E_NO_REVOCATION_CHECK);
    delta_revokes.revoked = serial_of(&client);
    assert_int_equal(server_judges(END, LISTS(pki_list(&base), pki_list(&delta_revokes))), CRYPT_E_REVOKED);
    assert_int_equal(server_judges(END, LISTS(pki_list(&delta))), CRYPT_E_NO_REVOCATION_CHECK);
}

static void test_clients(void **state)
{
    (void)state;
    assert_int_equal(server_judges(0, NO_LISTS), SEC_E_OK);
    assert_int_equal(server_judges(END, LISTS(none_of_middle())), SEC_E_OK);
    assert_int_equal(server_judges(END, LISTS(pki_crl(&middle, serial_of(&client), 7))), CRYPT_E_REVOKED);
    assert_int_equal(server_judges(BELOW_ROOT, LISTS(pki_crl(&root, serial_of(&middle), 7), none_of_middle())),
                     CRYPT_E_REVOKED);
    assert_int_equal(server_judges(END, NO_LISTS), CRYPT_E_NO_REVOCATION_CHECK);
}

static int make_all(void **state)
{
    (void)state;
    root = pki_make(&(struct pki_wish){.name = "Root", .authority = true});
    middle = pki_make(&(struct pki_wish){.name = "Middle", .authority = true, .issuer = &root});
    impostor = pki_make(&(struct pki_wish){.name = "Middle", .authority = true, .issuer = &root});
    leaf = pki_make(&(struct pki_wish){
        .name = "server.test", .alternatives = "DNS:server.test", .usage = "serverAuth", .issuer = &middle});
    client = pki_make(&(struct pki_wish){.name = "Alice", .usage = "clientAuth", .issuer = &middle});
    return 0;
}

static int free_all(void **state)
{
    struct pki *all[] = {&root, &middle, &impostor, &leaf, &client};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        pki_free(all[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_revoked),
        cmocka_unit_test(test_leaf_revoked),
        cmocka_unit_test(test_intermediate_revoked),
        cmocka_unit_test(test_list_missing),
        cmocka_unit_test(test_list_expired),
        cmocka_unit_test(test_list_of_another),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_deltas),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
