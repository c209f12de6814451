/*
 * Automatic validation: each bad certificate is refused with its code, the server is told by an alert, and manual validation alone lets it in.
 * Revocation: test_revocation.c.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A handshake of a client with `flags` with a server that shows `pki`; the client's status. */
static SECURITY_STATUS client_meets(const struct pki *pki, const char *target, DWORD protocols, DWORD flags)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->server, pki, 0, 0), SEC_E_OK);
    pair->client.target = target;
    pair->client.flags |= ISC_REQ_EXTENDED_ERROR;
    pair_acquire(pair, protocols, 0, flags);
    bool ended = pair_run(pair);
    SECURITY_STATUS status = pair->client.status;
    assert_int_equal(ended, status == SEC_E_OK);
    if (!ended) {
        assert_true((pair->client.attributes & ISC_RET_EXTENDED_ERROR) != 0);
        assert_true(pair->server.in.len > 0); /* the alert */
        assert_true(side_step(&pair->server) < 0);
        assert_true(side_step(&pair->client) < 0);
    }
    pair_free(pair);
    return status;
}

static void check(const struct pki_wish *wish, SECURITY_STATUS expected)
{
    static const char target[] = "server.test";
    struct pki made = pki_make(wish);
    static const DWORD protocols[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(client_meets(&made, target, protocols[i], 0), expected);
        assert_int_equal(client_meets(&made, target, protocols[i], SCH_CRED_AUTO_CRED_VALIDATION), expected);
        assert_int_equal(client_meets(&made, target, protocols[i], SCH_CRED_NO_SERVERNAME_CHECK), expected);
        assert_int_equal(client_meets(&made, target, protocols[i], SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    }
    pki_free(&made);
}

#define MANUAL SCH_CRED_MANUAL_CRED_VALIDATION
#define HONEST \
    .name = "server.test", .alternatives = "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1", .usage = "serverAuth"

static void test_good(void **state)
{
    static const char *const names[] = {"server.test", "SERVER.TEST", "server.test.", "a.wild.test", "127.0.0.1"};
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(client_meets(pki_server(), names[i], SP_PROT_TLS1_3_CLIENT, 0), SEC_E_OK);
        assert_int_equal(client_meets(pki_server_rsa(), names[i], SP_PROT_TLS1_2_CLIENT, SCH_USE_STRONG_CRYPTO),
                         SEC_E_OK);
    }
}

static void test_names(void **state)
{
    static const char *const names[] = {"other.test",       "a.b.wild.test", "wild.test", "127.0.0.2",
                                        "server.test.evil", "xserver.test",  "",          NULL};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(client_meets(pki_server(), names[i], SP_PROT_TLS1_3_CLIENT, 0), SEC_E_WRONG_PRINCIPAL);
        assert_int_equal(client_meets(pki_server(), names[i], SP_PROT_TLS1_3_CLIENT, SCH_CRED_NO_SERVERNAME_CHECK),
                         SEC_E_OK);
        assert_int_equal(client_meets(pki_server(), names[i], SP_PROT_TLS1_2_CLIENT, SCH_CRED_MANUAL_CRED_VALIDATION),
                         SEC_E_OK);
    }
}

/* Which names a certificate has: a wildcard is the whole leftmost label and stands for one; an address is compared as one. */
static void test_name_rules(void **state)
{
    static const struct {
        const char *common, *alternatives, *target;
        bool fits;
    } rules[] = {
        {"x", "DNS:*.wild.test", "a.wild.test", true},
        {"x", "DNS:*.wild.test", "A.Wild.Test", true},
        {"x", "DNS:*.wild.test", "wild.test", false},
        {"x", "DNS:*.wild.test", ".wild.test", false},
        {"x", "DNS:*.wild.test", "a.b.wild.test", false},
        {"x", "DNS:a.*.test", "a.wild.test", false},
        {"x", "DNS:a*.wild.test", "abc.wild.test", false},
        {"x", "DNS:*c.wild.test", "abc.wild.test", false},
        {"x", "DNS:*", "wild", false},
        {"x", "DNS:*.test", "*.test", false},
        {"x", "DNS:*.0.0.1", "127.0.0.1", false},
        {"x", "IP:127.0.0.1", "127.0.0.1", true},
        {"x", "IP:127.0.0.1", "127.0.0.2", false},
        {"x", "DNS:127.0.0.1", "127.0.0.1", false},
        {"x", "IP:2001:db8::1", "2001:db8::1", true},
        {"x", "IP:2001:db8::1", "2001:0DB8:0:0:0:0:0:1", true},
        {"x", "IP:2001:db8::1", "2001:db8::2", false},
        {"127.0.0.1", NULL, "127.0.0.1", false},
        {"plain.test", NULL, "plain.test", true}, /* the common name counts where there is no DNS name */
        {"plain.test", "DNS:other.test", "plain.test", false},
        {"plain.test", "email:a@b.test", "plain.test", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct pki made = pki_make(&(struct pki_wish){.name = rules[i].common,
                                                      .alternatives = rules[i].alternatives,
                                                      .issuer = pki_authority(),
                                                      .usage = "serverAuth"});
        SECURITY_STATUS status = client_meets(&made, rules[i].target, 0, 0);
        if (status != (rules[i].fits ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL))
            fail_msg("rule %zu, %s: 0x%08x", i, rules[i].target, (unsigned)status);
        assert_int_equal(client_meets(&made, rules[i].target, 0, SCH_CRED_NO_SERVERNAME_CHECK), SEC_E_OK);
        pki_free(&made);
    }
}

static void test_times(void **state)
{
    (void)state;
    check(&(struct pki_wish){HONEST, .issuer = pki_authority(), .from_days = -30, .for_days = 10}, SEC_E_CERT_EXPIRED);
    check(&(struct pki_wish){HONEST, .issuer = pki_authority(), .from_days = 5, .for_days = 10}, SEC_E_CERT_EXPIRED);
}

static void test_usage(void **state)
{
    struct pki_wish wish = {HONEST, .issuer = pki_authority()};
    (void)state;
    wish.usage = "clientAuth";
    check(&wish, SEC_E_CERT_WRONG_USAGE);
    wish.usage = "codeSigning";
    check(&wish, SEC_E_CERT_WRONG_USAGE);
}

static void test_roots(void **state)
{
    struct pki stranger = pki_make(&(struct pki_wish){.name = "Another Authority", .authority = true});
    struct pki leaf = pki_make(&(struct pki_wish){HONEST, .issuer = pki_authority()});
    struct pki impostor =
        pki_make(&(struct pki_wish){.name = "Test Authority", .authority = true}); /* same name, other key */
    (void)state;
    check(&(struct pki_wish){HONEST, .issuer = &stranger}, SEC_E_UNTRUSTED_ROOT);
    check(&(struct pki_wish){HONEST, .issuer = NULL}, SEC_E_UNTRUSTED_ROOT);
    struct pki forged = pki_make(&(struct pki_wish){HONEST, .issuer = &impostor});
    assert_int_equal(client_meets(&forged, "server.test", 0, 0), SEC_E_CERT_UNKNOWN);
    /* A leaf is no authority. */
    struct pki below = pki_make(&(struct pki_wish){HONEST, .issuer = &leaf});
    assert_int_equal(client_meets(&below, "server.test", 0, 0), SEC_E_UNTRUSTED_ROOT);
    assert_int_equal(client_meets(&below, "server.test", 0, MANUAL), SEC_E_OK);
    pki_free(&forged);
    pki_free(&below);
    pki_free(&leaf);
    pki_free(&impostor);
    pki_free(&stranger);
}

/* The server judges its clients likewise. */
static SECURITY_STATUS server_meets(const struct pki *pki, DWORD protocols, DWORD flags)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, pki, protocols, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    assert_int_equal(side_acquire_with(&pair->server, pki_server(), 0, flags), SEC_E_OK);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    (void)pair_run(pair);
    SECURITY_STATUS status = pair->server.status;
    pair_free(pair);
    return status;
}

static void test_clients(void **state)
{
    static const DWORD protocols[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    (void)state;
    struct pki self = pki_make(
        &(struct pki_wish){.name = "Mallory", .alternatives = "email:alice@client.test", .usage = "clientAuth"});
    struct pki old = pki_make(&(struct pki_wish){
        .name = "Alice", .issuer = pki_authority(), .usage = "clientAuth", .from_days = -30, .for_days = 10});
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(server_meets(pki_client(), protocols[i], 0), SEC_E_OK);
        assert_int_equal(server_meets(&self, protocols[i], 0), SEC_E_UNTRUSTED_ROOT);
        assert_int_equal(server_meets(&old, protocols[i], 0), SEC_E_CERT_EXPIRED);
        assert_int_equal(server_meets(pki_server(), protocols[i], 0), SEC_E_CERT_WRONG_USAGE);
        assert_int_equal(server_meets(&self, protocols[i], SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    }
    pki_free(&self);
    pki_free(&old);
}

/* What was let in without validation is not resumed by a context that validates. */
static void test_manual_then_automatic(void **state)
{
    struct pki self = pki_make(&(struct pki_wish){HONEST});
    (void)state;
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->server, &self, SP_PROT_TLS1_2_SERVER, 0), SEC_E_OK);
    pair_acquire(pair, 0, 0, 0);
    pair->client.flags |= ISC_REQ_MANUAL_CRED_VALIDATION;
    assert_true(pair_run(pair));
    assert_true((pair->client.attributes & ISC_RET_MANUAL_CRED_VALIDATION) != 0);
    pair_restart(pair);
    pair->client.flags &= ~(ULONG)ISC_REQ_MANUAL_CRED_VALIDATION;
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_UNTRUSTED_ROOT);
    pair_free(pair);
    pki_free(&self);
}

static void test_weak(void **state)
{
    struct pki weak = pki_make(&(struct pki_wish){HONEST, .issuer = pki_authority(), .rsa_bits = 1024});
    struct side side = {.client = false};
    (void)state;
    assert_int_equal(side_acquire_with(&side, &weak, 0, 0), SEC_E_UNKNOWN_CREDENTIALS);
    pki_free(&weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_names), cmocka_unit_test(test_name_rules),
        cmocka_unit_test(test_times),   cmocka_unit_test(test_usage), cmocka_unit_test(test_roots),
        cmocka_unit_test(test_clients), cmocka_unit_test(test_weak),  cmocka_unit_test(test_manual_then_automatic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
