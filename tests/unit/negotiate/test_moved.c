/*
 * Negotiate's contexts are exported and imported at once after the handshake, with the code over the list and without one, either side or both, as
 * they are or reset: messages go on both ways, signed and sealed. Where a key stream would come again a context that has sent is not reset.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/kerberos_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define RESET SECPKG_CONTEXT_EXPORT_RESET_NEW
#define DELETE SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define MECHS_FAKE_FIRST "[negotiate]\npackages = fake, kerberos, ntlm\n"

static char *const negotiate = (char *)(uintptr_t) "Negotiate";

struct world {
    const char *client, *server; /* what goes into their configurations */
    int32_t enctype;             /* of Kerberos' ticket; 0: NTLM */
    ULONG flags;
    int legs;     /* more where the list is signed, and where the client's first token was another package's */
    bool streams; /* RC4: what was sent is not sent again */
};

static const struct world worlds[] = {
    {"[negotiate]\npackages = ntlm\n", "[negotiate]\npackages = ntlm\n", 0, 0, 5, true},
    {"[negotiate]\npackages = fake, ntlm\n", "[negotiate]\npackages = ntlm\n", 0, 0, 7, true},
    {"[negotiate]\npackages = kerberos\n", "[negotiate]\npackages = kerberos\n", KRB_AES256_SHA1, ISC_REQ_MUTUAL_AUTH,
     3, false},
    {"[negotiate]\npackages = kerberos\n", "[negotiate]\npackages = kerberos\n", KRB_RC4_HMAC, ISC_REQ_MUTUAL_AUTH, 3,
     true},
    {MECHS_FAKE_FIRST, "[negotiate]\npackages = kerberos\n", KRB_AES256_SHA1, ISC_REQ_MUTUAL_AUTH, 6, false},
    {MECHS_FAKE_FIRST, "[negotiate]\npackages = kerberos\n", KRB_AES128_SHA1, 0, 5, false},
    {MECHS_FAKE_FIRST, "[negotiate]\npackages = kerberos\n", KRB_AES256_SHA384, ISC_REQ_USE_DCE_STYLE, 7, false},
    {MECHS_FAKE_FIRST, "[negotiate]\npackages = kerberos\n", KRB_RC4_HMAC, ISC_REQ_MUTUAL_AUTH, 6, true},
    {MECHS_FAKE_FIRST, "[negotiate]\npackages = kerberos\n", KRB_RC4_HMAC, ISC_REQ_USE_DCE_STYLE, 7, true},
};
#define N_WORLDS (sizeof worlds / sizeof worlds[0])

static struct loop loop;

static void configure(const struct world *world, const char *own)
{
    if (world->enctype != 0)
        kerberos_loop_configure(world->enctype == KRB_RC4_HMAC ? "permitted_enctypes = rc4-hmac" : NULL, NULL, own);
    else
        loop_configure(own);
}

static void take(const struct world *world)
{
    struct loop other = {.package = "Negotiate"};
    loop = (struct loop){.package = "Negotiate",
                         .client_flags = KERBEROS_PROTECT | world->flags,
                         .target = "host/server.example.test",
                         .keep_credentials = true};
    configure(world, world->client);
    if (world->enctype != 0) {
        struct forge forge;
        forge_begin(&forge, world->enctype);
        kerberos_loop_ticket(&forge);
        assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                                   &loop.client_credential, NULL),
                         SEC_E_OK);
    } else {
        loop_acquire(&loop);
        FreeCredentialsHandle(&loop.server_credential);
    }
    configure(world, world->server);
    assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                               &other.server_credential, NULL),
                     SEC_E_OK);
    loop.server_credential = other.server_credential;
}

static void give(void)
{
    loop.keep_credentials = false;
    loop_end(&loop);
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_credentials, 0);
}

static void begin(const struct world *world)
{
    CtxtHandle none = {0};
    loop.client = loop.server = none;
    loop.client_status = loop.server_status = SEC_E_OK;
    if (!loop_run(&loop))
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop.client_status, (unsigned)loop.server_status,
                 OpenSspiLastErrorText());
    (void)world;
}

static void end(void)
{
    DeleteSecurityContext(&loop.client);
    DeleteSecurityContext(&loop.server);
}

/* The copy takes the context's place. */
static void move(CtxtHandle *context, ULONG flags)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(context, flags, &packed, NULL);
    if (status != SEC_E_OK)
        fail_msg("0x%08x %s", (unsigned)status, OpenSspiLastErrorText());
    assert_int_equal(ImportSecurityContextA(negotiate, &packed, NULL, &copy), SEC_E_OK);
    FreeContextBuffer(packed.pvBuffer);
    if ((flags & DELETE) == 0)
        DeleteSecurityContext(context);
    *context = copy;
}

static void sent(size_t world, unsigned way, bool seals, SECURITY_STATUS status)
{
    if (status != SEC_E_OK)
        fail_msg("world %zu, way %u, %s: 0x%08x %s", world, way, seals ? "sealed" : "signed", (unsigned)status,
                 OpenSspiLastErrorText());
}

static void talk(size_t world, unsigned way, bool server_first, bool acceptor_seals)
{
    for (int round = 0; round < 4; round++) {
        bool from_server = server_first == (round % 2 == 0), seals = round / 2 == 0 && (!from_server || acceptor_seals);
        CtxtHandle *from = from_server ? &loop.server : &loop.client, *to = from_server ? &loop.client : &loop.server;
        sent(world, way, seals,
             seals ? loop_seal(from, to, "sealed on the way") : loop_sign(from, to, "signed on the way"));
    }
}

/* Which sides move: 1 the server, 2 the client, 3 both; with every pair of flags, and once more what has been moved. */
static void test_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WORLDS; i++) {
        fake_reset();
        take(&worlds[i]);
        for (unsigned way = 0; way < 32; way++) {
            ULONG flags = way & 3;
            unsigned sides = way >> 2 & 3, moves = way >> 4 & 1;
            begin(&worlds[i]);
            for (unsigned n = 0; n <= moves; n++) {
                if ((sides & 1) != 0)
                    move(&loop.server, flags);
                if ((sides & 2) != 0)
                    move(&loop.client, flags);
            }
            talk(i, way, (way & 1) != 0, true);
            end();
        }
        give();
    }
}

/* After messages both sides begin anew together, or, where that would use a key stream twice, neither that has sent. */
static void test_in_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WORLDS; i++) {
        SecBuffer packed = {0};
        fake_reset();
        take(&worlds[i]);
        begin(&worlds[i]);
        sent(i, 0, true, loop_seal(&loop.client, &loop.server, "the first"));
        if (worlds[i].streams) {
            move(&loop.client, 0); /* a copy knows of it, too */
            for (unsigned n = 0; n < 2; n++)
                if (ExportSecurityContext(&loop.client, n == 0 ? RESET : RESET | DELETE, &packed, NULL) !=
                    SEC_E_UNSUPPORTED_FUNCTION)
                    fail_msg("world %zu", i);
            assert_non_null(strstr(OpenSspiLastErrorText(), "key stream"));
            assert_null(packed.pvBuffer);
            talk(i, 0, false, true); /* and it goes on */
            assert_int_equal(ExportSecurityContext(&loop.server, RESET, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
        } else
            for (unsigned n = 0; n < 2; n++) {
                talk(i, n, true, true);
                move(&loop.client, RESET);
                move(&loop.server, RESET | DELETE);
            }
        talk(i, 1, false, true);
        end();
        give();
    }
}

/* The worlds are what they say: a list that nobody signs shows nothing here. */
static void test_worlds(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WORLDS; i++) {
        fake_reset();
        take(&worlds[i]);
        begin(&worlds[i]);
        if (loop.legs != worlds[i].legs)
            fail_msg("world %zu: %d legs", i, loop.legs);
        SecPkgContext_NegotiationInfoA info = {0};
        assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
        assert_string_equal(info.PackageInfo->Name, worlds[i].enctype == 0 ? "NTLM" : "Kerberos");
        FreeContextBuffer(info.PackageInfo);
        end();
        give();
    }
}

/* The reason that Kerberos gives is Negotiate's, too, whatever packages come after it. */
static void test_reason_of_a_query(void **state)
{
    static char *const packages[] = {(char *)(uintptr_t) "Kerberos", (char *)(uintptr_t) "Negotiate"};
    static unsigned char user[] = "alice", realm[] = "EXAMPLE.TEST", password[] = "Password1!";
    SECURITY_STATUS found[2];
    (void)state;
    kerberos_loop_configure(NULL, NULL, "[negotiate]\npackages = kerberos, ntlm\n");
    for (int i = 0; i < 2; i++) {
        SEC_WINNT_AUTH_IDENTITY_A identity = {user, 5, realm, 12, password, 10, SEC_WINNT_AUTH_IDENTITY_ANSI};
        CredHandle credential = {0};
        char *cache = NULL;
        assert_int_equal(AcquireCredentialsHandleA(NULL, packages[i], SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                   &credential, NULL),
                         SEC_E_OK);
        found[i] = QueryCredentialsAttributesA(&credential, OPENSSPI_CRED_ATTR_CCACHE, &cache);
        FreeCredentialsHandle(&credential);
    }
    assert_int_equal(found[0], SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(found[1], found[0]);
}

static int setup(void **state)
{
    (void)state;
    fake_register();
    return 0;
}

static int teardown(void **state)
{
    kerberos_loop_cleanup();
    return loop_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_reason_of_a_query),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
