/*
 * Tickets of nobody (RFC 8062), which a KDC with anonymous PKINIT gives to whoever asks: let in by configuration and the server's flag
 * together, as nobody.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kerberos/pac.h"
#include "support/kerberos_loop.h"
#include <sspi_ext.h>
#include <string.h>
#include <win32/handleapi.h>

static struct duel duel;

static SECURITY_STATUS verdict(const struct forge *forge, ULONG flags)
{
    AUTO_WRITER struct writer token = writer_growing(4096);
    forge_token(&token, forge);
    duel_restart(&duel);
    duel.server_flags = flags;
    return duel_server(&duel, writer_slice_of(&token));
}

static void is_nobody(const char *name)
{
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    SecPkgContext_NativeNamesA names = {0};
    HANDLE token;
    assert_int_not_equal(duel.server_attributes & ASC_RET_NULL_SESSION, 0);
    assert_int_equal(duel.server_attributes & ASC_RET_DELEGATE, 0);
    assert_int_equal(OpenSspiQueryClientIdentity(&duel.server, &identity), SEC_E_OK);
    assert_true(identity->Anonymous);
    assert_string_equal(identity->UserSid, "S-1-5-7");
    assert_int_equal(identity->GroupCount, 0);
    FreeContextBuffer(identity);
    assert_int_equal(QueryContextAttributesA(&duel.server, SECPKG_ATTR_NATIVE_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sClientName, name);
    FreeContextBuffer(names.sClientName);
    FreeContextBuffer(names.sServerName);
    SECURITY_STATUS status = QuerySecurityContextToken(&duel.server, &token);
    assert_int_equal(status, SEC_E_OK);
    CloseHandle(token);
}

static const struct {
    const char *client;
    uint32_t flags;
    bool anonymous;
} cases[] = {
    {FORGE_CLIENT, 0, false},
    {"WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", KRB_TICKET_ANONYMOUS, true},
    {"WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", 0, true},
    {"WELLKNOWN/ANONYMOUS@" FORGE_REALM, 0, true}, /* the realm is shown */
    {"alice@WELLKNOWN:ANONYMOUS", 0, true},        /* no account has that realm */
    {FORGE_CLIENT, KRB_TICKET_ANONYMOUS, true},
    {"WELLKNOWN/ANONYMOUS/admin@" FORGE_REALM, 0, false},
    {"WELLKNOWN@" FORGE_REALM, 0, false},
    {"ANONYMOUS@" FORGE_REALM, 0, false},
    {FORGE_CLIENT, ~(KRB_TICKET_ANONYMOUS | KRB_TICKET_INVALID), false},
};

static void test_who_comes_in(void **state)
{
    (void)state;
    for (int configured = 0; configured < 2; configured++) {
        kerberos_loop_configure(NULL, NULL, configured ? "allow_anonymous = yes\n" : "");
        kerberos_duel_begin(&duel);
        for (int flagged = 0; flagged < 2; flagged++)
            for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct forge forge;
                forge_begin(&forge, KRB_AES256_SHA1);
                forge.client = cases[i].client;
                forge.flags = cases[i].flags;
                bool passes = !cases[i].anonymous || (configured && flagged);
                SECURITY_STATUS status = verdict(&forge, flagged ? ASC_REQ_ALLOW_NULL_SESSION : 0);
                if (status != (passes ? SEC_E_OK : SEC_E_LOGON_DENIED))
                    fail_msg("%s, flags 0x%08x: 0x%08x", forge.client, forge.flags, (unsigned)status);
                if (passes && cases[i].anonymous)
                    is_nobody(forge.client);
                else if (passes)
                    assert_int_equal(duel.server_attributes & ASC_RET_NULL_SESSION, 0);
            }
        duel_end(&duel);
        duel = (struct duel){0};
    }
}

/* Whatever else the ticket says: who it names is nobody, and has no groups. */
static void test_with_a_pac(void **state)
{
    (void)state;
    kerberos_loop_configure(NULL, NULL, "allow_anonymous = yes\nrequire_pac = yes\n");
    kerberos_duel_begin(&duel);
    for (int with_pac = 0; with_pac < 2; with_pac++) {
        struct forge forge;
        AUTO_WRITER struct writer pac = writer_growing(512), list = writer_growing(512);
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.client = "WELLKNOWN@" FORGE_REALM;
        forge.flags = KRB_TICKET_ANONYMOUS;
        forge_pac(&pac, &forge, NULL, 0);
        forge_authdata(&list, KRB_AD_WIN2K_PAC, writer_slice_of(&pac));
        if (with_pac != 0)
            forge.authorization = writer_slice_of(&list);
        assert_int_equal(verdict(&forge, ASC_REQ_ALLOW_NULL_SESSION), with_pac != 0 ? SEC_E_OK : SEC_E_LOGON_DENIED);
        if (with_pac != 0)
            is_nobody(forge.client);
    }
    duel_end(&duel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_comes_in),
        cmocka_unit_test(test_with_a_pac),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
