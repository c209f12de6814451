/*
 * What a Negotiate context tells of itself in every state of either side: who is chosen and how sure that is. And what it tells of its package's
 * session: all that the package itself would.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/session.h"
#include "support/fake_package.h"
#include "support/kerberos_loop.h"
#include <credssp.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define FAKE_AND_NTLM "[negotiate]\npackages = fake, ntlm\n"
#define NTLM_ALONE "[negotiate]\npackages = ntlm\n"

struct side {
    CredHandle credential;
    CtxtHandle context;
    ULONG flags, len;
    SECURITY_STATUS status;
    unsigned char token[LOOP_TOKEN_MAX];
};
static struct side client, server;

static void begin(const char *clients, const char *servers, ULONG client_flags, ULONG server_flags)
{
    struct loop one = {.package = "Negotiate"}, other = one;
    fake_reset();
    loop_configure(clients);
    loop_acquire(&one);
    FreeCredentialsHandle(&one.server_credential);
    loop_configure(servers);
    loop_acquire(&other);
    FreeCredentialsHandle(&other.client_credential);
    client = (struct side){.credential = one.client_credential, .flags = client_flags};
    server = (struct side){.credential = other.server_credential, .flags = server_flags};
}

static void end(void)
{
    struct side *const sides[] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        DeleteSecurityContext(&sides[i]->context);
        FreeCredentialsHandle(&sides[i]->credential);
    }
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_sessions, 0);
}

/* One call, with what the other side said last. */
static void step(struct side *side)
{
    struct side *peer = side == &client ? &server : &client;
    SecBuffer in = {peer->len, SECBUFFER_TOKEN, peer->token}, out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc given = {SECBUFFER_VERSION, 1, &in}, wanted = {SECBUFFER_VERSION, 1, &out};
    PCtxtHandle old = side->context.dwLower != 0 ? &side->context : NULL;
    ULONG granted;
    side->status =
        side == &client
            ? InitializeSecurityContextA(&side->credential, old, (char *)(uintptr_t) "host/server.example.test",
                                         side->flags, 0, SECURITY_NATIVE_DREP, peer->len > 0 ? &given : NULL, 0,
                                         &side->context, &wanted, &granted, NULL)
            : AcceptSecurityContext(&side->credential, old, peer->len > 0 ? &given : NULL, side->flags,
                                    SECURITY_NATIVE_DREP, &side->context, &wanted, &granted, NULL);
    side->len = side->status >= 0 ? out.cbBuffer : 0;
}

/* A call that goes well, and what the context says then, in both of its forms. */
static void says(struct side *side, SECURITY_STATUS status, const char *name, ULONG state)
{
    SecPkgContext_NegotiationInfoA info = {0};
    SecPkgContext_NegotiationInfoW wide = {0};
    SecPkgContext_PackageInfoA package = {0};
    step(side);
    if (side->status != status)
        fail_msg("0x%08x: %s", (unsigned)side->status, OpenSspiLastErrorText());
    assert_int_equal(QueryContextAttributesA(&side->context, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, name);
    assert_int_equal(info.NegotiationState, state);
    assert_int_equal(QueryContextAttributesW(&side->context, SECPKG_ATTR_NEGOTIATION_INFO, &wide), SEC_E_OK);
    for (size_t i = 0; i <= strlen(name); i++)
        assert_int_equal(wide.PackageInfo->Name[i], name[i]);
    assert_int_equal(wide.NegotiationState, state);
    assert_int_equal(QueryContextAttributesA(&side->context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &package), SEC_E_OK);
    assert_string_equal(package.PackageInfo->Name, name);
    FreeContextBuffer(info.PackageInfo);
    FreeContextBuffer(wide.PackageInfo);
    FreeContextBuffer(package.PackageInfo);
}

static SECURITY_STATUS sizes(struct side *side)
{
    SecPkgContext_Sizes found = {0};
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_SIZES, &found);
    assert_true(status != SEC_E_OK || found.cbMaxSignature > 0);
    return status;
}

/* NTLM's client has ended with its second token, and waits for the server's code. */
static void test_ntlm(void **state)
{
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT, 0);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_OPTIMISTIC);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_int_equal(sizes(&client), SEC_E_OK);
    says(&server, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    says(&client, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    assert_int_equal(sizes(&client), SEC_E_OK);
    end();
}

/* The server's package has ended with a token of its own: the codes are still to go to and fro. */
static void test_codes_behind_the_last_token(void **state)
{
    (void)state;
    begin(FAKE_AND_NTLM, FAKE_AND_NTLM, PROTECT, 0);
    fake.wants_list_mic = true;
    says(&client, SEC_I_CONTINUE_NEEDED, "Fake", SECPKG_NEGOTIATION_OPTIMISTIC);
    says(&server, SEC_I_CONTINUE_NEEDED, "Fake", SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_int_equal(sizes(&server), SEC_E_OK);
    says(&client, SEC_E_OK, "Fake", SECPKG_NEGOTIATION_COMPLETE);
    says(&server, SEC_E_OK, "Fake", SECPKG_NEGOTIATION_COMPLETE);
    end();
}

static void test_another_package_than_the_first(void **state)
{
    (void)state;
    begin(FAKE_AND_NTLM, NTLM_ALONE, PROTECT, 0);
    says(&client, SEC_I_CONTINUE_NEEDED, "Fake", SECPKG_NEGOTIATION_OPTIMISTIC);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    says(&server, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    says(&client, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    end();
}

/* A server that was given nothing has chosen nothing. */
static void test_a_server_that_speaks_first(void **state)
{
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT, 0);
    says(&server, SEC_I_CONTINUE_NEEDED, "Negotiate", SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_true(sizes(&server) < 0);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_OPTIMISTIC);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    end();
}

/* Without SPNEGO: the server begins, and there is nothing to negotiate. */
static void test_datagrams(void **state)
{
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT | ISC_REQ_DATAGRAM, ASC_REQ_DATAGRAM);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_DIRECT);
    ULONG len = server.len;
    server.len = 0; /* the client begins before it has come, and could sign by now */
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_DIRECT);
    assert_int_equal(sizes(&client), SEC_E_OK);
    server.len = len;
    says(&client, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    says(&server, SEC_E_OK, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    end();
}

static void test_a_failed_context_says_nothing(void **state)
{
    SecPkgContext_NegotiationInfoA info = {0};
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT, 0);
    says(&client, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_OPTIMISTIC);
    says(&server, SEC_I_CONTINUE_NEEDED, "NTLM", SECPKG_NEGOTIATION_IN_PROGRESS);
    server.token[0] ^= 1;
    step(&client);
    assert_true(client.status < 0);
    assert_true(sizes(&client) < 0);
    assert_true(QueryContextAttributesA(&client.context, SECPKG_ATTR_NAMES, &info) < 0);
    end();
}

/* Whether the client's last token was its last one (NTLM: never before AUTHENTICATE; behind that a code may be wanted), and how its last step went.
 * */
static void tells(const struct side *side, SECPKG_ATTR_LCT_STATUS last, SECURITY_STATUS status)
{
    SecPkgContext_LastClientTokenStatus token;
    SecPkgContext_NegoStatus nego;
    PCtxtHandle context = (PCtxtHandle)(uintptr_t)&side->context;
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &token), SEC_E_OK);
    assert_int_equal(token.LastClientTokenStatus, last);
    assert_int_equal(QueryContextAttributesW(context, SECPKG_ATTR_NEGO_STATUS, &nego), SEC_E_OK);
    assert_int_equal((SECURITY_STATUS)nego.LastStatus, status);
}

static void test_the_last_token(void **state)
{
    SecPkgContext_LastClientTokenStatus token;
    SecPkgContext_NegoStatus nego;
    (void)state;
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT, 0);
    step(&client);
    tells(&client, SecPkgAttrLastClientTokenNo, SEC_I_CONTINUE_NEEDED);
    step(&server);
    step(&client);
    tells(&client, SecPkgAttrLastClientTokenMaybe, SEC_I_CONTINUE_NEEDED);
    step(&server);
    step(&client);
    tells(&client, SecPkgAttrLastClientTokenYes, SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &token),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_NEGO_STATUS, &nego),
                     SEC_E_UNSUPPORTED_FUNCTION);
    end();
    /* Before its session has ended its handshake a datagram context is asked, too. */
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT | ISC_REQ_DATAGRAM, ASC_REQ_DATAGRAM);
    step(&client);
    tells(&client, SecPkgAttrLastClientTokenNo, SEC_I_CONTINUE_NEEDED);
    end();
    /* A failed one still says why. */
    begin(NTLM_ALONE, NTLM_ALONE, PROTECT, 0);
    step(&client);
    step(&server);
    server.token[0] ^= 1;
    step(&client);
    SECURITY_STATUS failed = client.status;
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_NEGO_STATUS, &nego), SEC_E_OK);
    assert_int_equal((SECURITY_STATUS)nego.LastStatus, failed);
    step(&client);
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_NEGO_STATUS, &nego), SEC_E_OK);
    assert_int_equal((SECURITY_STATUS)nego.LastStatus, failed);
    end();
}

/* Attributes of the established context. */

static struct session *session_of(CtxtHandle *context)
{
    SecBuffer packed = {0};
    struct session *session = NULL;
    assert_int_equal(ExportSecurityContext(context, 0, &packed, NULL), SEC_E_OK);
    assert_int_equal(session_open(slice_of(packed.pvBuffer, packed.cbBuffer), &session), SEC_E_OK);
    FreeContextBuffer(packed.pvBuffer);
    return session;
}

static bool is_choice(uint32_t attribute)
{
    return attribute == SECPKG_ATTR_PACKAGE_INFO || attribute == SECPKG_ATTR_NEGOTIATION_INFO ||
           attribute == SECPKG_ATTR_NEGOTIATION_PACKAGE;
}

/* Every attribute that there is or may be: of a Negotiate context it is what the session inside says, value for value, and a context of the package
 * alone answers the same ones. */
static void compare(CtxtHandle *negotiated, CtxtHandle *alone, unsigned at_least)
{
    struct session *outer = session_of(negotiated), *other = session_of(alone);
    const struct session *inner = outer->state;
    unsigned n_answered = 0;
    assert_string_equal(outer->package->info.name, "Negotiate");
    assert_ptr_equal(inner->package, other->package);
    for (uint32_t i = 0; i < 0x400; i++) {
        uint32_t attribute = i < 0x200 ? i : OPENSSPI_ATTR_AUTHORIZATION_DATA - 0x100 + (i - 0x200);
        struct attribute of_outer = {0}, of_inner = {0}, of_other = {0};
        SECURITY_STATUS status = session_query(outer, attribute, &of_outer);
        if (is_choice(attribute)) {
            assert_int_equal(status, SEC_E_OK);
            assert_ptr_equal(of_outer.choice.package, inner->package);
            assert_int_equal(of_outer.choice.state, SECPKG_NEGOTIATION_COMPLETE);
            continue;
        }
        assert_int_equal(status, session_query(inner, attribute, &of_inner));
        assert_memory_equal(&of_outer, &of_inner, sizeof of_outer);
        if (status != session_query(other, attribute, &of_other))
            fail_msg("attribute %u", (unsigned)attribute);
        n_answered += status == SEC_E_OK;
    }
    assert_true(n_answered >= at_least);
    session_close(outer);
    session_close(other);
}

static void test_attributes_of_ntlm(void **state)
{
    struct loop negotiated = {.package = "Negotiate", .client_flags = PROTECT, .target = "host/server.example.test"};
    struct loop alone = negotiated;
    (void)state;
    loop_configure(NTLM_ALONE);
    alone.package = "NTLM";
    assert_true(loop_run(&negotiated));
    assert_true(loop_run(&alone));
    compare(&negotiated.client, &alone.client, 10);
    compare(&negotiated.server, &alone.server, 10);
    loop_end(&negotiated);
    loop_end(&alone);
}

static bool kerberos_run(struct loop *loop, const char *package, ULONG flags)
{
    struct forge forge;
    forge_begin(&forge, 18);
    kerberos_loop_ticket(&forge);
    *loop = (struct loop){.client_flags = flags, .target = "host/server.example.test", .keep_credentials = true};
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                               NULL, &loop->client_credential, NULL),
                     SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, SECPKG_CRED_INBOUND, NULL, NULL, NULL,
                                               NULL, &loop->server_credential, NULL),
                     SEC_E_OK);
    return loop_run(loop);
}

static void test_attributes_of_kerberos(void **state)
{
    static const ULONG flags[] = {KERBEROS_PROTECT, KERBEROS_PROTECT | ISC_REQ_MUTUAL_AUTH,
                                  KERBEROS_PROTECT | ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE};
    (void)state;
    kerberos_loop_configure(NULL, NULL, "[negotiate]\npackages = kerberos\n");
    kerberos_loop_keytab();
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct loop negotiated, alone;
        assert_true(kerberos_run(&negotiated, "Negotiate", flags[i]));
        assert_true(kerberos_run(&alone, "Kerberos", flags[i]));
        assert_int_equal(negotiated.client_attributes, alone.client_attributes);
        assert_int_equal(negotiated.server_attributes, alone.server_attributes);
        compare(&negotiated.client, &alone.client, 10);
        compare(&negotiated.server, &alone.server, 10);
        kerberos_loop_end(&negotiated);
        kerberos_loop_end(&alone);
    }
    kerberos_loop_cleanup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ntlm),
        cmocka_unit_test(test_codes_behind_the_last_token),
        cmocka_unit_test(test_another_package_than_the_first),
        cmocka_unit_test(test_a_server_that_speaks_first),
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_a_failed_context_says_nothing),
        cmocka_unit_test(test_the_last_token),
        cmocka_unit_test(test_attributes_of_ntlm),
        cmocka_unit_test(test_attributes_of_kerberos),
    };
    fake_register();
    loop_configure(FAKE_AND_NTLM);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
