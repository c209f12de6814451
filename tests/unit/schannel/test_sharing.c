/*
 * What servers of a farm share, and what a program keeps with a session: keys of tickets, SECPKG_ATTR_APP_DATA.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

static struct wire text;

static struct loop_pair *pair_of(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    return pair;
}

/* Another server of the same name, which knows nothing of the first one. */
static CredHandle another_server(DWORD protocols)
{
    struct side server = {.client = false};
    assert_int_equal(side_acquire_with(&server, pki_server(), protocols & SP_PROT_TLS1_X_SERVER, 0), SEC_E_OK);
    return server.credential;
}

/* A connection from the beginning, to this server; tickets arrive with the first words. True when it was resumed, for both sides. */
static bool connect_to(struct loop_pair *pair, CredHandle server)
{
    SecPkgContext_SessionInfo info[2];
    CredHandle own = pair->server.credential;
    pair_restart(pair);
    pair->server.credential = server;
    assert_true(pair_run(pair));
    pair->server.credential = own;
    side_hand_over(&pair->server, &pair->client);
    text.len = 0;
    assert_int_equal(side_send(&pair->server, "words", 5, &pair->client.in), SEC_E_OK);
    assert_int_equal(side_receive_text(&pair->client, &pair->server, &text), SEC_E_OK);
    assert_int_equal(QueryContextAttributesW(&pair->client.context, SECPKG_ATTR_SESSION_INFO, &info[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesW(&pair->server.context, SECPKG_ATTR_SESSION_INFO, &info[1]), SEC_E_OK);
    assert_int_equal(info[0].dwFlags, info[1].dwFlags);
    return (info[0].dwFlags & SSL_SESSION_RECONNECT) != 0;
}

static SecPkgCred_SessionTicketKey key_of(unsigned char number)
{
    SecPkgCred_SessionTicketKey key = {.TicketInfoVersion = SESSION_TICKET_INFO_VERSION, .KeyingMaterialSize = 32};
    memset(key.KeyId, number, sizeof key.KeyId);
    memset(key.KeyingMaterial, 0x80 + number, sizeof key.KeyingMaterial);
    return key;
}

static SECURITY_STATUS keys_set(CredHandle server, SecPkgCred_SessionTicketKey *key, DWORD n_keys)
{
    SecPkgCred_SessionTicketKeys keys = {n_keys, key};
    return SetCredentialsAttributesW(&server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys);
}

static void test_ticket_keys(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle first = pair->server.credential, second = another_server(protocols);
        SecPkgCred_SessionTicketKey key[2] = {key_of(1), key_of(2)};
        /* Each has a key of its own: the other one's tickets are nobody's. */
        assert_false(connect_to(pair, first));
        assert_true(connect_to(pair, first));
        assert_false(connect_to(pair, second));
        /* What was given out before does not open any more; after that they share. */
        assert_int_equal(keys_set(first, key, 1), SEC_E_OK);
        assert_int_equal(keys_set(second, key, 1), SEC_E_OK);
        assert_false(connect_to(pair, first));
        for (int i = 0; i < 2; i++) {
            assert_true(connect_to(pair, second));
            assert_true(connect_to(pair, first));
        }
        /* The second key is the new one for one of them, which still opens what the other one gives out, and gives a ticket of the new key in its
         * place. */
        SecPkgCred_SessionTicketKey turned[2] = {key[1], key[0]};
        assert_int_equal(keys_set(first, key, 2), SEC_E_OK);
        assert_int_equal(keys_set(second, turned, 2), SEC_E_OK);
        assert_true(connect_to(pair, second));
        assert_true(connect_to(pair, first));
        assert_true(connect_to(pair, second));
        /* The former key is gone everywhere: only tickets of the new one open. */
        assert_int_equal(keys_set(first, &key[1], 1), SEC_E_OK);
        assert_int_equal(keys_set(second, &key[1], 1), SEC_E_OK);
        assert_true(connect_to(pair, first));
        assert_true(connect_to(pair, second));
        assert_int_equal(keys_set(second, &key[0], 1), SEC_E_OK);
        assert_false(connect_to(pair, second));
        FreeCredentialsHandle(&second);
        pair_free(pair);
    }
}

/* One KeyId, other material: such a ticket was not made here. */
static void test_wrong_material(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle first = pair->server.credential;
        SecPkgCred_SessionTicketKey key = key_of(1);
        assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
        assert_false(connect_to(pair, first));
        assert_true(connect_to(pair, first));
        key.KeyingMaterial[31] ^= 1;
        assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
        assert_false(connect_to(pair, first));
        /* Behind the size nothing counts; the whole of 64 bytes does. */
        assert_true(connect_to(pair, first));
        key.KeyingMaterial[32] ^= 1;
        assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
        assert_true(connect_to(pair, first));
        key.KeyingMaterialSize = 64;
        assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
        assert_false(connect_to(pair, first));
        pair_free(pair);
    }
}

static void test_refused_keys(void **state)
{
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_3);
    CredHandle server = pair->server.credential, none;
    SecPkgCred_SessionTicketKey key[17];
    SecPkgCred_SessionTicketKeys keys = {1, key};
    struct side without = {.client = false};
    (void)state;
    for (unsigned char i = 0; i < 17; i++)
        key[i] = key_of(i);
    assert_int_equal(keys_set(server, key, 16), SEC_E_OK);
    assert_false(connect_to(pair, server));
    /* None of these takes anything away. */
    assert_int_equal(keys_set(server, key, 17), SEC_E_INVALID_TOKEN);
    assert_int_equal(keys_set(server, key, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(keys_set(server, NULL, 1), SEC_E_INVALID_TOKEN);
    key[16] = key[3];
    assert_int_equal(keys_set(server, &key[3], 14), SEC_E_INVALID_TOKEN);
    key[1].KeyingMaterialSize = 31;
    assert_int_equal(keys_set(server, key, 2), SEC_E_INVALID_TOKEN);
    key[1].KeyingMaterialSize = 65;
    assert_int_equal(keys_set(server, key, 2), SEC_E_INVALID_TOKEN);
    key[1] = key_of(1);
    key[1].TicketInfoVersion = 1;
    assert_int_equal(keys_set(server, key, 2), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesW(&server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys - 1),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesA(&server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys + 1),
                     SEC_E_INVALID_TOKEN);
    assert_true(connect_to(pair, server));
    /* Clients have no such keys, nor has a server that lets nothing be resumed. */
    none = pair->client.credential;
    assert_int_equal(keys_set(none, key, 1), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(side_acquire_with(&without, pki_server(), 0, SCH_CRED_DISABLE_RECONNECTS), SEC_E_OK);
    assert_int_equal(keys_set(without.credential, key, 1), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryCredentialsAttributesW(&server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys),
                     SEC_E_UNSUPPORTED_FUNCTION);
    side_end(&without);
    pair_free(pair);
}

/* A server with these wishes besides its certificate. */
static CredHandle server_with(SCHANNEL_CRED wishes, DWORD protocols)
{
    struct side server = {.client = false};
    PCCERT_CONTEXT context = pki_context(pki_server(), pki_authority(), false);
    wishes.dwVersion = SCHANNEL_CRED_VERSION;
    wishes.cCreds = 1;
    wishes.paCred = &context;
    wishes.grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER;
    assert_int_equal(side_acquire(&server, &wishes), SEC_E_OK);
    CertFreeCertificateContext(context);
    return server.credential;
}

/* A session that `first` let in comes to `second`, with the keys of whose tickets it opens. What the second one answers. */
static SECURITY_STATUS cross(struct loop_pair *pair, CredHandle first, CredHandle second)
{
    SecPkgCred_SessionTicketKey key = key_of(1);
    CredHandle own = pair->server.credential;
    assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
    assert_int_equal(keys_set(second, &key, 1), SEC_E_OK);
    assert_false(connect_to(pair, first));
    assert_true(connect_to(pair, first));
    pair_restart(pair);
    pair->server.credential = second;
    (void)pair_run(pair);
    pair->server.credential = own;
    return pair->server.status;
}

/* Servers that share keys and ask clients for different things: the stricter one takes no session that the other one let in. */
static void test_other_policy_requires(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        loop_configure("[schannel]\nrequire_client_certificate = yes\n");
        CredHandle strict = another_server(protocols);
        loop_configure("");
        assert_int_equal(cross(pair, pair->server.credential, strict), SEC_E_NO_CREDENTIALS);
        FreeCredentialsHandle(&strict);
        pair_free(pair);
    }
}

static void test_other_policy_trusts(void **state)
{
    const struct pki_wish wish = {.name = "another authority", .authority = true};
    struct pki another = pki_make(&wish);
    HCERTSTORE roots = pki_store(&another), same = pki_store(pki_authority());
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (int manual = 0; manual < 2; manual++) {
        struct loop_pair *pair = pair_new();
        const DWORD flags = manual == 1 ? SCH_CRED_MANUAL_CRED_VALIDATION : 0;
        CredHandle first = server_with((SCHANNEL_CRED){.hRootStore = manual == 1 ? roots : same, .dwFlags = flags},
                                       protocols),
                   strict = server_with((SCHANNEL_CRED){.hRootStore = roots}, protocols);
        assert_int_equal(side_acquire_with(&pair->client, pki_client(), 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        assert_int_equal(cross(pair, first, strict), SEC_E_UNTRUSTED_ROOT);
        FreeCredentialsHandle(&first);
        FreeCredentialsHandle(&strict);
        pair_free(pair);
    }
    CertCloseStore(roots, 0);
    CertCloseStore(same, 0);
    pki_free(&another);
}

static void test_other_policy_agrees(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        SecPkgContext_ConnectionInfo info;
        CredHandle strong = server_with((SCHANNEL_CRED){.dwMinimumCipherStrength = 256}, protocols),
                   weak = server_with((SCHANNEL_CRED){.dwMaximumCipherStrength = 128}, protocols);
        assert_int_equal(cross(pair, weak, strong), SEC_E_OK);
        assert_int_equal(QueryContextAttributesW(&pair->server.context, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
        assert_int_equal(info.dwCipherStrength, 256);
        FreeCredentialsHandle(&strong);
        FreeCredentialsHandle(&weak);
        pair_free(pair);
    }
}

/* A connection that went on with another credential leaves nothing that could be resumed. */
static void test_changed_credential(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle first = pair->server.credential,
                   second = server_with((SCHANNEL_CRED){.dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION}, protocols);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
        pair->server.credential = second;
        assert_true(pair_go_on(pair));
        pair->server.credential = first;
        side_hand_over(&pair->server, &pair->client);
        text.len = 0;
        assert_int_equal(side_send(&pair->server, "words", 5, &pair->client.in), SEC_E_OK);
        assert_int_equal(side_receive_text(&pair->client, &pair->server, &text), SEC_E_OK);
        assert_false(connect_to(pair, first));
        assert_true(connect_to(pair, first));
        FreeCredentialsHandle(&second);
        pair_free(pair);
    }
}

/* What libssl takes for the time is so much later than it is. */
static _Atomic(time_t) ahead;

__attribute__((visibility("default"))) time_t time(time_t *to)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += atomic_load(&ahead);
    if (to != NULL)
        *to = now.tv_sec;
    return now.tv_sec;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    (void)zone;
    *to = (struct timeval){.tv_sec = time(NULL)};
    return 0;
}

/* A session counts from its full handshake: each resumption brings a fresh ticket, and still it ends. A server counts in whole seconds of the wall
 * clock, which a farm shares. */
static void test_end_of_a_session(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle server = server_with((SCHANNEL_CRED){.dwSessionLifespan = 7200 * 1000}, protocols);
        assert_false(connect_to(pair, server));
        atomic_store(&ahead, 3600);
        assert_true(connect_to(pair, server));
        atomic_store(&ahead, 6600);
        assert_true(connect_to(pair, server));
        atomic_store(&ahead, 7202);
        assert_false(connect_to(pair, server));
        atomic_store(&ahead, 0);
        FreeCredentialsHandle(&server);
        pair_free(pair);
    }
}

/* Of a client, too, and while the computer sleeps: a lifespan is of the clock that nobody sets and nothing stops. */
static void test_end_of_a_validation(void **state)
{
    static const DWORD given_ms[] = {0, 1000, 1}; /* 0: ten hours */
    const int64_t start = FILETIME_UNIX_EPOCH + 1000 * FILETIME_SECOND;
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (size_t i = 0; i < sizeof given_ms / sizeof given_ms[0]; i++) {
        const int64_t lifespan = (given_ms[i] != 0 ? given_ms[i] : 36000000) * (FILETIME_SECOND / 1000);
        SCHANNEL_CRED wishes = {.dwVersion = SCHANNEL_CRED_VERSION,
                                .grbitEnabledProtocols = SP_PROT_TLS1_X,
                                .dwSessionLifespan = given_ms[i],
                                .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire(&pair->client, &wishes), SEC_E_OK);
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        CredHandle server = pair->server.credential;
        steady_fix(start);
        assert_false(connect_to(pair, server));
        steady_fix(start + lifespan / 2);
        assert_true(connect_to(pair, server)); /* whose fresh ticket is no younger */
        steady_fix(start + lifespan - 1);
        assert_true(connect_to(pair, server));
        steady_fix(start + lifespan);
        assert_false(connect_to(pair, server));
        steady_fix(0);
        pair_free(pair);
    }
}

static SECURITY_STATUS data_set(struct side *side, const char *data, size_t len)
{
    SecPkgContext_SessionAppData given = {.cbAppData = (DWORD)len, .pbAppData = (PBYTE)(uintptr_t)data};
    return SetContextAttributesW(&side->context, SECPKG_ATTR_APP_DATA, &given, sizeof given);
}

static void data_is(struct side *side, const char *data)
{
    SecPkgContext_SessionAppData found = {.dwFlags = 7};
    assert_int_equal(QueryContextAttributesW(&side->context, SECPKG_ATTR_APP_DATA, &found), SEC_E_OK);
    assert_int_equal(found.dwFlags, 0);
    assert_int_equal(found.cbAppData, strlen(data));
    assert_memory_equal(found.pbAppData, data, strlen(data));
    assert_int_equal(FreeContextBuffer(found.pbAppData), SEC_E_OK);
}

static void test_app_data(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle server = pair->server.credential;
        assert_false(connect_to(pair, server));
        data_is(&pair->client, "");
        data_is(&pair->server, "");
        /* Each side has its own, and whoever resumes the session finds it. */
        assert_int_equal(data_set(&pair->client, "kept by the client", 18), SEC_E_OK);
        assert_int_equal(data_set(&pair->server, "of the server", 13), SEC_E_OK);
        for (int i = 0; i < 3; i++) {
            data_is(&pair->client, "kept by the client");
            data_is(&pair->server, "of the server");
            assert_true(connect_to(pair, server));
        }
        assert_int_equal(data_set(&pair->server, "another", 7), SEC_E_OK);
        data_is(&pair->server, "another");
        assert_true(connect_to(pair, server));
        data_is(&pair->server, "another");
        data_is(&pair->client, "kept by the client");
        assert_int_equal(data_set(&pair->client, NULL, 0), SEC_E_OK);
        data_is(&pair->client, "");
        /* Another session has none of it. */
        assert_true(SslEmptyCacheW(NULL, 0));
        assert_false(connect_to(pair, server));
        data_is(&pair->server, "");
        data_is(&pair->client, "");
        /* A ticket that is refused brings nothing along either. */
        assert_int_equal(data_set(&pair->server, "lost", 4), SEC_E_OK);
        assert_int_equal(data_set(&pair->client, "lost", 4), SEC_E_OK);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        assert_false(connect_to(pair, server));
        data_is(&pair->server, "");
        data_is(&pair->client, "");
        pair_free(pair);
    }
}

/* What belongs to somebody without a name is not found by the session of the one who showed a certificate, nor the reverse. */
static void test_new_handshake(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (int resumed = 0; resumed < 2; resumed++) {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, pki_client(), protocols & SP_PROT_TLS1_X_CLIENT,
                                           SCH_CRED_MANUAL_CRED_VALIDATION),
                         SEC_E_OK);
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        CredHandle server = pair->server.credential;
        assert_false(connect_to(pair, server));
        assert_int_equal(data_set(&pair->server, "nobody's", 8), SEC_E_OK);
        if (resumed == 1)
            assert_true(connect_to(pair, server));
        data_is(&pair->server, "nobody's");
        pair_ask_anew(pair, protocols);
        data_is(&pair->server, "");
        assert_int_equal(data_set(&pair->server, "alice's", 7), SEC_E_OK);
        data_is(&pair->server, "alice's");
        /* TLS 1.3's tickets are the new session's, for those who ask for certificates; a renegotiation leaves none. */
        assert_int_equal(connect_to(pair, server), protocols == SP_PROT_TLS1_3);
        data_is(&pair->server, protocols == SP_PROT_TLS1_3 ? "alice's" : "");
        pair_free(pair);
    }
}

/* Of servers that share the keys of tickets each has its own data: a session that came from another one has none. */
static void test_app_data_of_a_farm(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        CredHandle first = pair->server.credential, second = another_server(protocols);
        SecPkgCred_SessionTicketKey key = key_of(1);
        assert_int_equal(keys_set(first, &key, 1), SEC_E_OK);
        assert_int_equal(keys_set(second, &key, 1), SEC_E_OK);
        assert_false(connect_to(pair, first));
        assert_int_equal(data_set(&pair->server, "first", 5), SEC_E_OK);
        assert_true(connect_to(pair, second));
        data_is(&pair->server, "");
        assert_true(connect_to(pair, first));
        data_is(&pair->server, "first");
        FreeCredentialsHandle(&second);
        pair_free(pair);
    }
}

/* Many sessions: the oldest lose what they had, but an open connection keeps its own. */
static void test_many_sessions(void **state)
{
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_3), *other = pair_new();
    char name[16];
    (void)state;
    assert_false(connect_to(pair, pair->server.credential));
    assert_int_equal(data_set(&pair->server, "the first", 9), SEC_E_OK);
    assert_int_equal(
        side_acquire_with(&other->client, NULL, 0, SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_DISABLE_RECONNECTS),
        SEC_E_OK);
    other->server.credential = pair->server.credential;
    for (int i = 0; i < 512; i++) {
        pair_restart(other);
        assert_true(pair_run(other));
        assert_int_equal(data_set(&other->server, name, (size_t)snprintf(name, sizeof name, "%d", i)), SEC_E_OK);
        data_is(&other->server, name);
    }
    data_is(&pair->server, "the first");
    assert_true(connect_to(pair, pair->server.credential));
    data_is(&pair->server, "");
    pair_restart(other);
    other->server.credential = (CredHandle){0, 0};
    pair_free(other);
    pair_free(pair);
}

static void test_refused_data(void **state)
{
    static char much[4097];
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_3);
    SecPkgContext_SessionAppData given = {.dwFlags = 1, .cbAppData = 1, .pbAppData = (PBYTE)much};
    (void)state;
    /* Before there is a session. */
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(data_set(&pair->client, "early", 5), SEC_E_OUT_OF_SEQUENCE);
    pair->client.out.len = 0;
    assert_false(connect_to(pair, pair->server.credential));
    struct side *side = &pair->server;
    assert_int_equal(data_set(side, much, 4096), SEC_E_OK);
    assert_int_equal(data_set(side, much, 4097), SEC_E_INVALID_TOKEN);
    assert_int_equal(data_set(side, NULL, 1), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetContextAttributesA(&side->context, SECPKG_ATTR_APP_DATA, &given, sizeof given),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(SetContextAttributesA(&side->context, SECPKG_ATTR_APP_DATA, &given, sizeof given - 1),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(QueryContextAttributesExW(&side->context, SECPKG_ATTR_APP_DATA, &given, sizeof given - 1),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(QueryContextAttributesExW(&side->context, SECPKG_ATTR_APP_DATA, &given, sizeof given), SEC_E_OK);
    assert_int_equal(given.cbAppData, 4096);
    FreeContextBuffer(given.pbAppData);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_keys),         cmocka_unit_test(test_wrong_material),
        cmocka_unit_test(test_refused_keys),        cmocka_unit_test(test_app_data),
        cmocka_unit_test(test_app_data_of_a_farm),  cmocka_unit_test(test_many_sessions),
        cmocka_unit_test(test_refused_data),        cmocka_unit_test(test_other_policy_requires),
        cmocka_unit_test(test_changed_credential),  cmocka_unit_test(test_new_handshake),
        cmocka_unit_test(test_end_of_a_session),    cmocka_unit_test(test_end_of_a_validation),
        cmocka_unit_test(test_other_policy_trusts), cmocka_unit_test(test_other_policy_agrees),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
