/*
 * The sample's package, named in the configuration: by its own name, by Negotiate, and loaded by the program itself.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_loop.h"
#include "unit/foreign/modules.h"
#include <dlfcn.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE(text) ((unsigned short *)(uintptr_t)u"" text)

static char sharedkey[] = "SharedKey", sharedkey_lsa[] = "SharedKeyLsa", negotiate[] = "Negotiate";

/* The package that the test is about: the one or the other face of the sample. */
static char *package_of(void **state)
{
    return *state != NULL ? *state : sharedkey;
}

static SEC_WINNT_AUTH_IDENTITY_EXW identity_of(const uint16_t *user, const uint16_t *password, const uint16_t *packages)
{
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof identity,
        .User = (unsigned short *)(uintptr_t)user,
        .Password = (unsigned short *)(uintptr_t)password,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
        .PackageList = (unsigned short *)(uintptr_t)packages,
    };
    while (user[identity.UserLength] != 0)
        identity.UserLength++;
    while (password[identity.PasswordLength] != 0)
        identity.PasswordLength++;
    while (packages != NULL && packages[identity.PackageListLength] != 0)
        identity.PackageListLength++;
    return identity;
}

static bool signs_on(struct loop *loop, char *package, SEC_WINNT_AUTH_IDENTITY_EXW *client,
                     SEC_WINNT_AUTH_IDENTITY_EXW *server)
{
    loop->keep_credentials = true;
    loop->package = package;
    loop->client_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, client, NULL, NULL,
                                                    &loop->client_credential, NULL);
    loop->server_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, server, NULL, NULL,
                                                    &loop->server_credential, NULL);
    if (loop->client_status != SEC_E_OK || loop->server_status != SEC_E_OK)
        fail_msg("0x%08x 0x%08x: %s", (unsigned)loop->client_status, (unsigned)loop->server_status,
                 OpenSspiLastErrorText());
    return loop_run(loop);
}

static void finish(struct loop *loop)
{
    loop_end(loop);
    FreeCredentialsHandle(&loop->client_credential);
    FreeCredentialsHandle(&loop->server_credential);
}

static void messages_check(struct loop *loop)
{
    assert_int_equal(loop_sign(&loop->client, &loop->server, "from the client"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop->client, &loop->server, "again"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop->server, &loop->client, "from the server"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop->client, &loop->server, "in secret"), SEC_E_UNSUPPORTED_FUNCTION);
}

static void listed(void **state)
{
    PSecPkgInfoA info;
    char missing[] = "Missing";
    (void)state;
    assert_int_equal(QuerySecurityPackageInfoA(sharedkey, &info), SEC_E_OK);
    assert_string_equal(info->Name, "SharedKey");
    assert_string_equal(info->Comment, "Sample: one shared key");
    assert_int_equal(info->cbMaxToken, 512);
    assert_int_equal(info->fCapabilities, SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_TOKEN_ONLY |
                                              SECPKG_FLAG_MUTUAL_AUTH | SECPKG_FLAG_NEGOTIABLE);
    FreeContextBuffer(info);
    /* The other line of the configuration names nothing; whoever looks for its package is told. */
    assert_int_equal(QuerySecurityPackageInfoA(missing, &info), SEC_E_SECPKG_NOT_FOUND);
    assert_non_null(strstr(OpenSspiLastErrorText(), "/nonexistent/module.so"));
}

static void by_name(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_EXW identity = identity_of(u"\u00e4lice", u"secret", NULL);
    struct loop loop = {0};
    SecPkgContext_NamesA names;
    SecPkgContext_SessionKey keys[2];
    SecPkgCredentials_NamesA name;
    SecPkgContext_Sizes sizes;
    SecPkgContext_PackageInfoA package;
    assert_true(signs_on(&loop, package_of(state), &identity, &identity));
    assert_int_equal(loop.legs, 4);
    messages_check(&loop);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "\xc3\xa4lice");
    FreeContextBuffer(names.sUserName);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxSignature, 32);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_SESSION_KEY, &keys[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_SESSION_KEY, &keys[1]), SEC_E_OK);
    assert_int_equal(keys[0].SessionKeyLength, 32);
    assert_memory_equal(keys[0].SessionKey, keys[1].SessionKey, 32);
    FreeContextBuffer(keys[0].SessionKey);
    FreeContextBuffer(keys[1].SessionKey);
    assert_int_equal(QueryCredentialsAttributesA(&loop.client_credential, SECPKG_CRED_ATTR_NAMES, &name), SEC_E_OK);
    assert_string_equal(name.sUserName, "\xc3\xa4lice");
    FreeContextBuffer(name.sUserName);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK);
    assert_string_equal(package.PackageInfo->Name, package_of(state));
    FreeContextBuffer(package.PackageInfo);
    finish(&loop);
}

static void flip_last(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    if (leg == *(const int *)loop->alter_data)
        token[*len - 1] ^= 1;
}

static void wrong_ones(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_EXW right = identity_of(u"alice", u"secret", NULL);
    SEC_WINNT_AUTH_IDENTITY_EXW wrong = identity_of(u"alice", u"Secret", NULL);
    SEC_WINNT_AUTH_IDENTITY_EXW other = identity_of(u"bob", u"secret", NULL);
    SEC_WINNT_AUTH_IDENTITY_EXW nobody = identity_of(u"alice", u"", NULL);
    struct loop loop = {0}, bobs = {0};
    CredHandle credential;
    char *package = package_of(state);
    assert_false(signs_on(&loop, package, &wrong, &right));
    assert_int_equal(loop.client_status, SEC_E_LOGON_DENIED);
    finish(&loop);
    assert_false(signs_on(&bobs, package, &other, &right));
    assert_int_equal(bobs.client_status, SEC_E_LOGON_DENIED);
    finish(&bobs);
    for (int leg = 1; leg <= 3; leg++) {
        struct loop altered = {.alter = flip_last, .alter_data = &leg};
        assert_false(signs_on(&altered, package, &right, &right));
        finish(&altered);
    }
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &nobody, NULL, NULL, &credential, NULL),
        SEC_E_NO_CREDENTIALS);
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL),
        SEC_E_NO_CREDENTIALS);
}

/* The form with offsets comes to a package as the program gave it; this one reads the other two, and looks into none that it does not know. */
static void other_form(void **state)
{
    static const uint16_t text[] = u"bobsecret!NTLM";
    struct {
        SEC_WINNT_AUTH_IDENTITY_EX2 head;
        uint16_t text[16];
    } identity = {.head = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
                           .cbHeaderLength = sizeof identity.head,
                           .cbStructureLength = sizeof identity,
                           .UserOffset = sizeof identity.head,
                           .UserLength = 6,
                           .PackedCredentialsOffset = sizeof identity.head + 6,
                           .PackedCredentialsLength = 12,
                           .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
                           .PackageListOffset = sizeof identity.head + 18,
                           .PackageListLength = 10}}; /* there the other forms have their flags */
    CredHandle credential;
    memcpy(identity.text, text, sizeof text);
    assert_int_equal(AcquireCredentialsHandleA(NULL, package_of(state), SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                               NULL, &credential, NULL),
                     SEC_E_UNKNOWN_CREDENTIALS);
}

/* Negotiate chooses it where the identity leaves nothing else, and where it has to sign its list. */
static void by_negotiate(void **state)
{
    bool lsa = package_of(state) == sharedkey_lsa;
    SEC_WINNT_AUTH_IDENTITY_EXW only = identity_of(u"alice", u"secret", lsa ? u"SharedKeyLsa" : u"SharedKey");
    SEC_WINNT_AUTH_IDENTITY_EXW ntlm_first =
        identity_of(u"alice", u"secret", lsa ? u"NTLM,SharedKeyLsa" : u"NTLM,SharedKey");
    struct loop loop = {.client_flags = ISC_REQ_INTEGRITY, .server_flags = ASC_REQ_INTEGRITY};
    struct loop switched = {.client_flags = ISC_REQ_INTEGRITY, .server_flags = ASC_REQ_INTEGRITY};
    SecPkgContext_NegotiationInfoA info;
    SecBuffer packed;
    if (!signs_on(&loop, negotiate, &only, &only))
        fail_msg("client 0x%08x, server 0x%08x: %s", (unsigned)loop.client_status, (unsigned)loop.server_status,
                 OpenSspiLastErrorText());
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, package_of(state));
    FreeContextBuffer(info.PackageInfo);
    messages_check(&loop);
    assert_int_equal(ExportSecurityContext(&loop.client, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    finish(&loop);
    if (!signs_on(&switched, negotiate, &ntlm_first, &only))
        fail_msg("client 0x%08x, server 0x%08x: %s", (unsigned)switched.client_status, (unsigned)switched.server_status,
                 OpenSspiLastErrorText());
    assert_int_equal(QueryContextAttributesA(&switched.client, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, package_of(state));
    FreeContextBuffer(info.PackageInfo);
    messages_check(&switched);
    finish(&switched);
}

/* As the introduction to SSPI shows it: the program finds the table itself, and the library is not asked. */
static void by_hand(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_EXW identity = identity_of(u"alice", u"secret", NULL);
    INIT_SECURITY_INTERFACE_W start;
    void *library = dlopen(module_copy("sharedkey"), RTLD_NOW | RTLD_LOCAL);
    CredHandle credential;
    CtxtHandle context = {0};
    char room[512];
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    (void)state;
    assert_non_null(library);
    *(void **)&start = dlsym(library, SECURITY_ENTRYPOINT_ANSIW);
    PSecurityFunctionTableW table = start();
    assert_int_equal(table->AcquireCredentialsHandleW(NULL, (SEC_WCHAR *)WIDE("SharedKey"), SECPKG_CRED_OUTBOUND, NULL,
                                                      &identity, NULL, NULL, &credential, NULL),
                     SEC_E_OK);
    assert_int_equal(table->InitializeSecurityContextW(&credential, NULL, NULL, ISC_REQ_ALLOCATE_MEMORY, 0, 0, NULL, 0,
                                                       &context, &output, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(token.cbBuffer, 30);
    /* Their handles and blocks are none of ours. */
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_INVALID_HANDLE);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_INVALID_HANDLE);
    assert_int_equal(FreeContextBuffer(token.pvBuffer), SEC_E_INVALID_HANDLE);
    assert_int_equal(table->FreeContextBuffer(token.pvBuffer), SEC_E_OK);
    assert_int_equal(table->DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(table->FreeCredentialsHandle(&credential), SEC_E_OK);
    dlclose(library);
}

/* Both faces speak one protocol. */
static void mixed(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_EXW identity = identity_of(u"alice", u"secret", NULL);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct loop loop = {.keep_credentials = true};
        assert_int_equal(AcquireCredentialsHandleA(NULL, i == 0 ? sharedkey : sharedkey_lsa, SECPKG_CRED_OUTBOUND, NULL,
                                                   &identity, NULL, NULL, &loop.client_credential, NULL),
                         SEC_E_OK);
        assert_int_equal(AcquireCredentialsHandleA(NULL, i == 0 ? sharedkey_lsa : sharedkey, SECPKG_CRED_INBOUND, NULL,
                                                   &identity, NULL, NULL, &loop.server_credential, NULL),
                         SEC_E_OK);
        assert_true(loop_run(&loop));
        messages_check(&loop);
        finish(&loop);
    }
}

static int set_up(void **state)
{
    char extra[1400];
    (void)state;
    int len = snprintf(extra, sizeof extra, "[packages]\npackage = /nonexistent/module.so\npackage = %s\n",
                       module_copy("sharedkey"));
    snprintf(extra + len, sizeof extra - (size_t)len, "package = %s\n", module_copy("sharedkey_lsa"));
    loop_configure(extra); /* before the first call of the library: that is when modules are loaded */
    return 0;
}

static int clean(void **state)
{
    loop_cleanup();
    return modules_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed),
        cmocka_unit_test(by_name),
        cmocka_unit_test_prestate(by_name, sharedkey_lsa),
        cmocka_unit_test(wrong_ones),
        cmocka_unit_test_prestate(wrong_ones, sharedkey_lsa),
        cmocka_unit_test(other_form),
        cmocka_unit_test_prestate(other_form, sharedkey_lsa),
        cmocka_unit_test(by_negotiate),
        cmocka_unit_test_prestate(by_negotiate, sharedkey_lsa),
        cmocka_unit_test(mixed),
        cmocka_unit_test(by_hand),
    };
    return cmocka_run_group_tests(tests, set_up, clean);
}
