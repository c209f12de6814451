/*
 * Which packages a Negotiate credential composes: package lists of identities and of the configuration, ntlm_fallback; credentials' names, use, and
 * changes of a password; contexts that move between processes, and records that nobody honest has written.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/time.h"
#include "core/registry.h"
#include "core/session.h"
#include "negotiate/session.h"
#include "negotiate/spnego.h"
#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define BOTH "packages = fake, ntlm\n"

static CredHandle credential;

static SECURITY_STATUS acquire(const char *packages, const char *negotiate, ULONG use)
{
    char text[256];
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof identity,
        .User = (unsigned char *)(uintptr_t) "alice",
        .UserLength = 5,
        .Domain = (unsigned char *)(uintptr_t) "EXAMPLE",
        .DomainLength = 7,
        .Password = (unsigned char *)(uintptr_t) "Password1!",
        .PasswordLength = 10,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)(uintptr_t)packages,
        .PackageListLength = packages != NULL ? (ULONG)strlen(packages) : 0,
    };
    snprintf(text, sizeof text, "[negotiate]\n%s", negotiate);
    loop_configure(text);
    return AcquireCredentialsHandleA(NULL, (char *)(uintptr_t) "Negotiate", use, NULL, &identity, NULL, NULL,
                                     &credential, NULL);
}

/* The number of mechanisms that a client with such a credential offers, 0 where there is no credential. */
static unsigned offered(const char *packages, const char *negotiate)
{
    uint8_t room[4096];
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    struct spnego_init init;
    CtxtHandle context = {0};
    ULONG attributes;
    SECURITY_STATUS status = acquire(packages, negotiate, SECPKG_CRED_OUTBOUND);
    if (status != SEC_E_OK) {
        assert_int_equal(status, SEC_E_NO_CREDENTIALS);
        assert_non_null(strstr(OpenSspiLastErrorText(), "no package is left to negotiate: Fake: "));
        return 0;
    }
    assert_int_equal(InitializeSecurityContextA(&credential, NULL, (char *)(uintptr_t) "host/server.example.test",
                                                PROTECT, 0, SECURITY_NATIVE_DREP, NULL, 0, &context, &list, &attributes,
                                                NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_parse(slice_of(out.pvBuffer, out.cbBuffer), &init), WIRE_OK);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    return init.n_mechs;
}

static void test_lists(void **state)
{
    (void)state;
    fake_reset();
    assert_int_equal(offered(NULL, BOTH), 3); /* Fake has two names */
    assert_int_equal(offered("", BOTH), 3);
    assert_int_equal(offered("!ntlm", BOTH), 2);
    assert_int_equal(offered("!NTLM", BOTH), 2);
    assert_int_equal(offered("fake", BOTH), 2);
    assert_int_equal(offered("ntlm,!fake", BOTH), 1);
    assert_int_equal(offered("NTLM", BOTH), 1);
    assert_int_equal(offered("!fake", BOTH), 1);
    assert_int_equal(offered("ntlm,fake", BOTH), 3); /* chosen, not ordered */
    assert_int_equal(offered("nonsense,ntlm", BOTH), 1);
    assert_int_equal(offered("nonsense", BOTH), 0);
    assert_int_equal(offered("!ntlm,!fake", BOTH), 0);
    assert_int_equal(offered(NULL, "packages = NTLM\n"), 1);
    assert_int_equal(offered("fake", "packages = ntlm\n"), 0);
}

static void test_fallback_forbidden(void **state)
{
    (void)state;
    fake_reset();
    assert_int_equal(offered(NULL, BOTH "ntlm_fallback = no\n"), 2);
    assert_int_equal(offered("!fake", BOTH "ntlm_fallback = no\n"), 0);
    assert_int_equal(offered("ntlm", BOTH "ntlm_fallback = no\n"), 1); /* who names it wants it: that is no fallback */
    static const struct {
        const char *list;
        unsigned n_offered;
    } lists[] = {{"!", 2},      {",", 2},     {" ! , !", 2}, {",!fake", 0},   {"!,!fake", 0}, {"fake,", 2},
                 {"fake,!", 2}, {"ntlm,", 1}, {",ntlm", 1},  {"!, ntlm,", 1}, {"ntlm,!", 1},  {"!fake,ntlm", 1}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) /* items without a name are none */
        if (offered(lists[i].list, BOTH "ntlm_fallback = no\n") != lists[i].n_offered)
            fail_msg("\"%s\"", lists[i].list);
    assert_int_equal(offered(NULL, BOTH "ntlm_fallback = audit\n"), 3);
    fake.initiate = SEC_E_NO_CREDENTIALS;
    assert_int_equal(offered(NULL, BOTH "ntlm_fallback = audit\n"), 1);
    assert_int_equal(offered(NULL, BOTH "ntlm_fallback = Yes\n"), 1);
    fake_reset();
    loop_configure("[negotiate]\nntlm_fallback = sometimes\n");
    assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t) "Negotiate", SECPKG_CRED_OUTBOUND, NULL, NULL,
                                               NULL, NULL, &credential, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), "takes yes, no or audit"));
}

static void test_names(void **state)
{
    SecPkgCredentials_NamesA names;
    (void)state;
    fake_reset();
    for (ULONG use = SECPKG_CRED_INBOUND; use <= SECPKG_CRED_BOTH; use++) {
        assert_int_equal(acquire(NULL, BOTH "kdc_seconds = 1\n", use), SEC_E_OK);
        assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
        assert_string_equal(names.sUserName, use == SECPKG_CRED_INBOUND ? "" : "EXAMPLE\\alice"); /* Fake knows none */
        FreeContextBuffer(names.sUserName);
        assert_true(QueryCredentialsAttributesA(&credential, 77, &names) < 0);
        assert_int_equal(SetCredentialsAttributesA(&credential, 77, &names, sizeof names), SEC_E_UNSUPPORTED_FUNCTION);
        FreeCredentialsHandle(&credential);
    }
    assert_int_equal(fake.n_credentials, 0);
}

static void test_both_uses_at_once(void **state)
{
    struct loop loop = {.package = "Negotiate", .client_flags = PROTECT, .keep_credentials = true};
    (void)state;
    fake_reset();
    assert_int_equal(acquire("ntlm", BOTH, SECPKG_CRED_BOTH), SEC_E_OK);
    loop.client_credential = loop.server_credential = credential;
    assert_true(loop_run(&loop));
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed there"), SEC_E_OK);
    loop_end(&loop);
    FreeCredentialsHandle(&credential);
}

static void exported(const char *packages)
{
    struct loop loop = {.package = "Negotiate", .client_flags = PROTECT};
    SecBuffer packed = {0};
    char text[64];
    fake_reset();
    snprintf(text, sizeof text, "[negotiate]\npackages = %s\n", packages);
    loop_configure(text);
    assert_true(loop_run(&loop));
    for (int move = 0; move < 2; move++) {
        assert_int_equal(loop_sign(&loop.client, &loop.server, "there"), SEC_E_OK);
        assert_int_equal(loop_sign(&loop.server, &loop.client, "and back"), SEC_E_OK);
        assert_int_equal(ExportSecurityContext(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL),
                         SEC_E_OK);
        loop.server = (CtxtHandle){0};
        assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &loop.server),
                         SEC_E_INVALID_TOKEN);
        assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "Negotiate", &packed, NULL, &loop.server),
                         SEC_E_OK);
        FreeContextBuffer(packed.pvBuffer);
    }
    assert_int_equal(loop_sign(&loop.client, &loop.server, "there"), SEC_E_OK);
    loop_end(&loop);
}

static void test_export(void **state)
{
    (void)state;
    exported("ntlm");
    exported("fake");
    assert_int_equal(fake.n_sessions, 0);
}

static SECURITY_STATUS import_as(const char *package, struct slice record)
{
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, (void *)(uintptr_t)record.data};
    CtxtHandle context = {0};
    SECURITY_STATUS status = ImportSecurityContextA((char *)(uintptr_t)package, &packed, NULL, &context);
    if (status == SEC_E_OK)
        DeleteSecurityContext(&context);
    return status;
}

static SECURITY_STATUS import_bytes(struct slice record)
{
    return import_as("Negotiate", record);
}

/* Negotiate inside Negotiate, as often as a record has room for: refused at the first, not followed. */
static void test_records_inside_records(void **state)
{
    struct writer record = writer_growing(512);
    struct session_facts facts = {.initiator = true, .flags = ISC_RET_INTEGRITY, .session_key = slice_of("k", 1)};
    static const uint8_t own[8];
    const struct package *negotiate = registry_find("Negotiate");
    (void)state;
    assert_int_equal(session_record_write(&record, &fake_package, &facts, slice_of(own, sizeof own)), SEC_E_OK);
    for (int depth = 0; depth < 500; depth++) {
        struct writer outer = writer_growing(512);
        assert_int_equal(negotiate_record_write(&outer, writer_slice_of(&record)), SEC_E_OK);
        writer_release(&record);
        record = outer;
        assert_int_equal(import_bytes(writer_slice_of(&record)), depth == 0 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
    }
    writer_release(&record);
    /* All that is said of the session is said by the inner record: an outer one with words of its own could lie. */
    struct writer inner = writer_growing(512), outer = writer_growing(512);
    assert_int_equal(session_record_write(&inner, &fake_package, &facts, slice_of(own, sizeof own)), SEC_E_OK);
    assert_int_equal(session_record_write(&outer, negotiate, &facts, writer_slice_of(&inner)), SEC_E_OK);
    assert_int_equal(import_bytes(writer_slice_of(&outer)), SEC_E_INVALID_TOKEN);
    writer_release(&outer);
    outer = writer_growing(512);
    assert_int_equal(negotiate_record_write(&outer, slice_of("garbage", 7)), SEC_E_OK);
    assert_int_equal(import_bytes(writer_slice_of(&outer)), SEC_E_INVALID_TOKEN);
    writer_release(&outer);
    /* And a package that does not choose says all itself. */
    outer = writer_growing(512);
    assert_int_equal(session_record_wrap(&outer, &fake_package, slice_of(own, sizeof own)), SEC_E_OK);
    assert_int_equal(import_as("Fake", writer_slice_of(&outer)), SEC_E_INVALID_TOKEN);
    writer_release(&inner);
    writer_release(&outer);
    assert_int_equal(fake.n_sessions, 0);
}

static SECURITY_STATUS change(const char *user, const char *old_password, const char *new_password)
{
    return ChangeAccountPasswordA((char *)(uintptr_t) "Negotiate", (char *)(uintptr_t) "EXAMPLE",
                                  (char *)(uintptr_t)user, (char *)(uintptr_t)old_password,
                                  (char *)(uintptr_t)new_password, FALSE, 0, NULL);
}

static const uint8_t first_password[] = {'F', 0, 'i', 0, 'r', 0, 's', 0, 't', 0, '1', 0, '!', 0};

static bool carol_signs_on(const char *password)
{
    struct loop loop = {.package = "Negotiate", .user = "carol", .password = password};
    bool done = loop_run(&loop);
    loop_end(&loop);
    return done;
}

/* Kerberos knows no realm: NTLM's stores are asked, and say why not or have the new password from then on. */
static void test_change_password(void **state)
{
    const struct account_spec carol = {
        .name = "carol", .domain = "EXAMPLE", .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    struct account_admin *admin;
    char path[256], text[400];
    (void)state;
    snprintf(path, sizeof path, "%s/accounts.db", loop_directory());
    assert_int_equal(account_admin_open(path, true, &admin), SEC_E_OK);
    assert_int_equal(account_admin_add(admin, &carol), SEC_E_OK);
    assert_int_equal(
        account_admin_passwd(admin, "carol", "EXAMPLE", slice_of(first_password, sizeof first_password), false),
        SEC_E_OK);
    account_admin_close(admin);
    snprintf(
        text, sizeof text,
        "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\nstores = sqlite:%s\n[negotiate]\npackages = ntlm\n",
        path);
    place_configure(loop_directory(), text);
    setenv("KRB5_CONFIG", "/dev/null", 1);
    assert_int_equal(change("carol", "wrong", "Second2!"), SEC_E_LOGON_DENIED);
    assert_non_null(strstr(OpenSspiLastErrorText(), "NTLM: "));
    assert_int_equal(change("nobody", "First1!", "Second2!"), SEC_E_LOGON_DENIED);
    assert_true(carol_signs_on("First1!"));
    assert_int_equal(change("carol", "First1!", "Second2!"), SEC_E_OK);
    assert_string_equal(OpenSspiLastErrorText(), "");
    assert_true(carol_signs_on("Second2!"));
    assert_false(carol_signs_on("First1!"));
    unsetenv("KRB5_CONFIG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),           cmocka_unit_test(test_fallback_forbidden),
        cmocka_unit_test(test_names),           cmocka_unit_test(test_both_uses_at_once),
        cmocka_unit_test(test_export),          cmocka_unit_test(test_records_inside_records),
        cmocka_unit_test(test_change_password),
    };
    fake_register();
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
