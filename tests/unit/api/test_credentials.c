/*
 * Credentials: every form of identity, default credentials, names, package lists, prompting, and passwords that are changed.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/status.h"
#include "support/identity.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char ntlm[] = "NTLM";
static const SEC_WCHAR wide_ntlm[] = {'N', 'T', 'L', 'M', 0};

/* Signs on with the credential that `auth` makes; false on a refused password. */
static bool signs_on(void *auth, bool wide, ULONG flags)
{
    struct loop loop = {.keep_credentials = true, .client_flags = flags};
    loop.client_status = wide ? AcquireCredentialsHandleW(NULL, (SEC_WCHAR *)(uintptr_t)wide_ntlm, SECPKG_CRED_OUTBOUND,
                                                          NULL, auth, NULL, NULL, &loop.client_credential, NULL)
                              : AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, auth, NULL, NULL,
                                                          &loop.client_credential, NULL);
    assert_int_equal(loop.client_status, SEC_E_OK);
    loop.server_status = AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                   &loop.server_credential, NULL);
    assert_int_equal(loop.server_status, SEC_E_OK);
    bool signed_on = loop_run(&loop);
    if (!signed_on && loop.server_status != SEC_E_LOGON_DENIED && loop.client_status != SEC_E_NO_CREDENTIALS)
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop.client_status, (unsigned)loop.server_status,
                 OpenSspiLastErrorText());
    loop_end(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    return signed_on;
}

#define WIDE(text) ((unsigned short *)(uintptr_t)u"" text)

static SEC_WINNT_AUTH_IDENTITY_W plain_w(void)
{
    return (SEC_WINNT_AUTH_IDENTITY_W){
        .User = WIDE("alice"),
        .UserLength = 5,
        .Domain = WIDE("EXAMPLE"),
        .DomainLength = 7,
        .Password = WIDE("Password1!"),
        .PasswordLength = 10,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
}

static SEC_WINNT_AUTH_IDENTITY_EXW ex_w(ULONG length)
{
    return (SEC_WINNT_AUTH_IDENTITY_EXW){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = length,
        .User = WIDE("alice"),
        .UserLength = 5,
        .Domain = WIDE("EXAMPLE"),
        .DomainLength = 7,
        .Password = WIDE("Password1!"),
        .PasswordLength = 10,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
}

/* Flags decide, not the function's letter. */
static void test_plain_identities(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_A ansi = identity_of("alice", "EXAMPLE", "Password1!");
    SEC_WINNT_AUTH_IDENTITY_W wide = plain_w();
    (void)state;
    assert_true(signs_on(&ansi, false, 0));
    assert_true(signs_on(&ansi, true, 0));
    assert_true(signs_on(&wide, false, 0));
    assert_true(signs_on(&wide, true, 0));
    ansi = identity_of("ALICE", "example", "Password1!"); /* names fold */
    assert_true(signs_on(&ansi, false, 0));
    ansi = identity_of("EXAMPLE\\alice", NULL, "Password1!");
    assert_true(signs_on(&ansi, false, 0));
    ansi = identity_of("alice", NULL, "Password1!"); /* no domain: the server's own */
    assert_true(signs_on(&ansi, false, 0));
    ansi = identity_of("alice", "EXAMPLE", "password1!");
    assert_false(signs_on(&ansi, false, 0));
}

/* Version 0x200, also with Length 0; FreeRDP's private bits are ignored. */
static void test_ex_identities(void **state)
{
    (void)state;
    SEC_WINNT_AUTH_IDENTITY_EXW wide = ex_w(sizeof wide);
    assert_true(signs_on(&wide, true, 0));
    assert_true(signs_on(&wide, false, 0));
    wide = ex_w(0);
    assert_true(signs_on(&wide, false, 0));
    wide.Flags |= 0x100 | 0x200;
    assert_true(signs_on(&wide, false, 0));
}

static void test_package_list(void **state)
{
    CredHandle handle;
    SEC_WINNT_AUTH_IDENTITY_EXW identity = ex_w(sizeof identity);
    (void)state;
    identity.PackageList = WIDE("!ntlm");
    identity.PackageListLength = 5;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &handle, NULL),
        SEC_E_NO_CREDENTIALS);
    identity.PackageList = WIDE("kerberos,nonsense");
    identity.PackageListLength = 17;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &handle, NULL),
        SEC_E_NO_CREDENTIALS);
    identity.PackageList = WIDE("nonsense,ntlm,!kerberos");
    identity.PackageListLength = 23;
    assert_true(signs_on(&identity, false, 0));
    identity.PackageList = WIDE("!kerberos");
    identity.PackageListLength = 9;
    assert_true(signs_on(&identity, false, 0));
}

/* SEC_WINNT_AUTH_IDENTITY_EX2: one block with offsets, the password packed inside. */
static size_t ex2_make(unsigned char *block)
{
    static const unsigned char type[16] = {0x2f, 0xc3, 0xbf, 0x28, 0xf6, 0x10, 0x38, 0x47,
                                           0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a};
    SEC_WINNT_AUTH_IDENTITY_EX2 head = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
                                        .cbHeaderLength = sizeof head,
                                        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    size_t at = sizeof head;
    head.UserOffset = (ULONG)at;
    head.UserLength = 10;
    memcpy(block + at, u"alice", 10);
    at += 10;
    head.DomainOffset = (ULONG)at;
    head.DomainLength = 14;
    memcpy(block + at, u"EXAMPLE", 14);
    at += 16;
    /* packed credentials: header length, structure length, type, offset and length of the data; the data: offset and length of the password */
    head.PackedCredentialsOffset = (ULONG)at;
    unsigned char *packed = block + at;
    memset(packed, 0, 28 + 8 + 20);
    packed[0] = 28;
    packed[2] = 28 + 8 + 20;
    memcpy(packed + 4, type, sizeof type);
    packed[20] = 28;
    packed[24] = 8 + 20;
    packed[28] = 8;
    packed[32] = 20;
    memcpy(packed + 36, u"Password1!", 20);
    head.PackedCredentialsLength = 28 + 8 + 20;
    at += 28 + 8 + 20;
    head.cbStructureLength = (ULONG)at;
    memcpy(block, &head, sizeof head);
    return at;
}

static void test_ex2_identity(void **state)
{
    union {
        unsigned char bytes[512];
        uint64_t aligned;
    } block;
    CredHandle handle;
    (void)state;
    size_t len = ex2_make(block.bytes);
    assert_true(signs_on(block.bytes, false, 0));
    assert_true(signs_on(block.bytes, true, 0));
    for (size_t i = 4; i < sizeof(SEC_WINNT_AUTH_IDENTITY_EX2);
         i++) { /* whatever a field says, the block is not left */
        unsigned char *copy = malloc(len);
        memcpy(copy, block.bytes, len);
        copy[i] ^= 0xff;
        if (i < 8 || i >= 12) { /* the structure's own length is the caller's word for it */
            SECURITY_STATUS status =
                AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, copy, NULL, NULL, &handle, NULL);
            if (status == SEC_E_OK)
                FreeCredentialsHandle(&handle);
        }
        free(copy);
    }
}

static void test_hash_instead_of_password(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "7facdc498ed1680c4fd1448319a8c04f");
    SEC_WINNT_AUTH_IDENTITY_W wide = plain_w();
    CredHandle handle;
    (void)state;
    assert_false(signs_on(&identity, false, 0)); /* without the flag it is a password like any other */
    identity.Flags |= OPENSSPI_AUTH_IDENTITY_NT_HASH;
    assert_true(signs_on(&identity, false, 0));
    wide.Password = WIDE("7FACDC498ED1680C4FD1448319A8C04F");
    wide.PasswordLength = 32;
    wide.Flags |= OPENSSPI_AUTH_IDENTITY_NT_HASH;
    assert_true(signs_on(&wide, false, 0));
    wide.PasswordLength = 31;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &wide, NULL, NULL, &handle, NULL),
        SEC_E_INVALID_TOKEN);
}

/* A keytab or a certificate is nothing for NTLM, and no password at all: not even the wrong one. */
static void test_what_stands_for_a_password(void **state)
{
    static const struct {
        ULONG flags;
        const char *password;
        SECURITY_STATUS status;
    } cases[] = {
        {OPENSSPI_AUTH_IDENTITY_KEYTAB, "FILE:/k", SEC_E_UNKNOWN_CREDENTIALS},
        {OPENSSPI_AUTH_IDENTITY_X509, "FILE:/c,/k", SEC_E_UNKNOWN_CREDENTIALS},
        {OPENSSPI_AUTH_IDENTITY_X509, "", SEC_E_INVALID_TOKEN},
        {OPENSSPI_AUTH_IDENTITY_X509 | OPENSSPI_AUTH_IDENTITY_KEYTAB, "FILE:/k", SEC_E_INVALID_TOKEN},
        {OPENSSPI_AUTH_IDENTITY_KEYTAB | OPENSSPI_AUTH_IDENTITY_NT_HASH, "7facdc498ed1680c4fd1448319a8c04f",
         SEC_E_INVALID_TOKEN},
    };
    CredHandle handle;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", cases[i].password);
        identity.Flags |= cases[i].flags;
        assert_int_equal(
            AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &handle, NULL),
            cases[i].status);
    }
}

/* Texts are judged before the package sees them; NTLM takes none. */
static void test_attributes_in_text(void **state)
{
    static char bad_utf8[] = "\xff";
    static SEC_WCHAR lone[] = {0xd800, 0};
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    CredHandle handle;
    (void)state;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &handle, NULL),
        SEC_E_OK);
    assert_int_equal(SetCredentialsAttributesA(&handle, OPENSSPI_CRED_ATTR_CCACHE, bad_utf8, 1), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesW(&handle, OPENSSPI_CRED_ATTR_CCACHE, lone, 4), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesW(&handle, OPENSSPI_CRED_ATTR_CCACHE, lone, 3), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesA(&handle, OPENSSPI_CRED_ATTR_CCACHE, NULL, 3), SEC_E_INVALID_TOKEN);
    assert_int_equal(SetCredentialsAttributesA(&handle, OPENSSPI_CRED_ATTR_CCACHE, ntlm, 4),
                     SEC_E_UNSUPPORTED_FUNCTION);
    FreeCredentialsHandle(&handle);
}

static void test_acting_for_others(void **state)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    static char nobody[] = "", bob[] = "bob";
    CredHandle service, behalf = {7, 7};
    CtxtHandle none = {1, 1};
    (void)state;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &service, NULL),
        SEC_E_OK);
    assert_int_equal(OpenSspiAcquireS4uCredentialsA(&service, nobody, &behalf, NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(OpenSspiAcquireS4uCredentialsA(&service, NULL, &behalf, NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(OpenSspiAcquireS4uCredentialsA(NULL, bob, &behalf, NULL), SEC_E_INVALID_HANDLE);
    assert_int_equal(OpenSspiAcquireS4uCredentialsA(&service, bob, NULL, NULL), SEC_E_INVALID_HANDLE);
    assert_int_equal(OpenSspiAcquireS4uCredentialsA(&service, bob, &behalf, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(OpenSspiAcquireDelegatedCredentials(&none, NULL, &behalf, NULL), SEC_E_INVALID_HANDLE);
    assert_int_equal(OpenSspiAcquireDelegatedCredentials(NULL, NULL, &behalf, NULL), SEC_E_INVALID_HANDLE);
    assert_true(behalf.dwLower == 7 && behalf.dwUpper == 7);
    FreeCredentialsHandle(&service);
}

/* Accepted with NULL and empty fields; who it is shows later. */
static void test_sparse_identities(void **state)
{
    CredHandle handle;
    SEC_WINNT_AUTH_IDENTITY_A sparse[] = {
        identity_of("alice", "", "Password1!"),     identity_of("alice", NULL, "Password1!"),
        identity_of(NULL, "EXAMPLE", "Password1!"), identity_of("alice", "EXAMPLE", ""),
        identity_of("alice", "EXAMPLE", NULL),      identity_of(NULL, NULL, NULL),
    };
    (void)state;
    for (size_t i = 0; i < sizeof sparse / sizeof sparse[0]; i++) {
        assert_int_equal(
            AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &sparse[i], NULL, NULL, &handle, NULL),
            SEC_E_OK);
        FreeCredentialsHandle(&handle);
    }
    assert_false(signs_on(&sparse[3], false, 0));
    assert_false(signs_on(&sparse[4], false, 0));
}

static void test_wrong_identities(void **state)
{
    CredHandle handle = {1, 2};
    SEC_WINNT_AUTH_IDENTITY_A bad_utf8 = identity_of("al\xff", "EXAMPLE", "x");
    SEC_WINNT_AUTH_IDENTITY_A bad_length = identity_of("alice", "EXAMPLE", "x");
    SEC_WINNT_AUTH_IDENTITY_A no_text = identity_of(NULL, "EXAMPLE", "x");
    (void)state;
    bad_length.UserLength = 0x7fffffff;
    no_text.UserLength = 5;
    SEC_WINNT_AUTH_IDENTITY_A *const wrong[] = {&bad_utf8, &bad_length, &no_text};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, wrong[i], NULL, NULL, &handle, NULL),
            SEC_E_INVALID_TOKEN);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, 0, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_NO_CREDENTIALS);
    assert_int_equal(AcquireCredentialsHandleA(NULL, NULL, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, NULL, NULL),
                     SEC_E_INVALID_HANDLE);
    assert_int_equal(handle.dwLower, 1);
}

static void test_names(void **state)
{
    CredHandle handle;
    SecPkgCredentials_NamesA names;
    SecPkgCredentials_NamesW wide;
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("testuser", "testdomain", "test");
    TimeStamp expiry = {.QuadPart = 0};
    (void)state;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_BOTH, NULL, &identity, NULL, NULL, &handle, &expiry),
        SEC_E_OK);
    assert_true(expiry.QuadPart == INT64_MAX);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "testdomain\\testuser");
    assert_int_equal(FreeContextBuffer(names.sUserName), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesExW(&handle, SECPKG_CRED_ATTR_NAMES, &wide, sizeof wide), SEC_E_OK);
    assert_memory_equal(wide.sUserName, u"testdomain\\testuser", 40);
    assert_int_equal(FreeContextBuffer(wide.sUserName), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesExA(&handle, SECPKG_CRED_ATTR_NAMES, &names, 4), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_CRED_ATTR_NAMES, NULL), SEC_E_INTERNAL_ERROR);
    assert_int_equal(QueryCredentialsAttributesA(&handle, 77, &names), SEC_E_UNSUPPORTED_FUNCTION);
    FreeCredentialsHandle(&handle);
}

static void file_put(const char *name, const char *text, mode_t mode, char path[256])
{
    snprintf(path, 256, "%s/%s", loop_directory(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fchmod(fileno(file), mode);
    fclose(file);
}

static void test_default_credentials(void **state)
{
    char path[256];
    struct loop loop = {.keep_credentials = true};
    CredHandle handle;
    (void)state;
    assert_false(signs_on(NULL, false, 0)); /* there are none: said at the first step, not when acquired */
    file_put("users", "# comment\nOTHER:carol:x\nEXAMPLE:alice:Password1!\nEXAMPLE:bob:Other2?\n", 0600, path);
    setenv("NTLM_USER_FILE", path, 1);
    loop_configure("# another snapshot\n");
    setenv("NTLM_USER_FILE", path, 1);
    /* by principal, in each spelling */
    const char *const principals[] = {"EXAMPLE\\bob", "bob", "alice@EXAMPLE", "ALICE"};
    for (size_t i = 0; i < 4; i++) {
        char principal[32];
        snprintf(principal, sizeof principal, "%s", principals[i]);
        assert_int_equal(AcquireCredentialsHandleA(principal, ntlm, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                                   &loop.client_credential, NULL),
                         SEC_E_OK);
        assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                   &loop.server_credential, NULL),
                         SEC_E_OK);
        assert_true(loop_run(&loop));
        loop_end(&loop);
        FreeCredentialsHandle(&loop.client_credential);
        FreeCredentialsHandle(&loop.server_credential);
    }
    /* an identity without a password is completed from the file */
    SEC_WINNT_AUTH_IDENTITY_A nameonly = identity_of("bob", "EXAMPLE", NULL);
    assert_true(signs_on(&nameonly, false, 0));
    nameonly = identity_of("EXAMPLE\\bob", NULL, NULL);
    assert_true(signs_on(&nameonly, false, 0));
    nameonly = identity_of("bob@example", NULL, NULL);
    assert_true(signs_on(&nameonly, false, 0));
    nameonly = identity_of("OTHER\\bob", NULL, NULL);
    assert_false(signs_on(&nameonly, false, 0));
    /* a file of passwords that others may read is refused, and so is a damaged line */
    chmod(path, 0644);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), path));
    file_put("users", "EXAMPLE:alice:Password1!\nnonsense\n", 0600, path);
    char bob[] = "bob";
    assert_int_equal(AcquireCredentialsHandleA(bob, ntlm, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), "users:2:"));
    unsetenv("NTLM_USER_FILE");
    loop_configure(NULL);
}

static SECURITY_STATUS acquired(const char *package, ULONG use, void *auth)
{
    CredHandle handle;
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, use, NULL, auth, NULL, NULL, &handle, NULL);
    if (status == SEC_E_OK)
        FreeCredentialsHandle(&handle);
    return status;
}

/* A program that forbids its user's own credentials, or what is kept for a name, gets none; what it gives itself it may use. */
static void test_no_default_credentials(void **state)
{
    static const char *const packages[] = {"NTLM", "Kerberos", "Negotiate", "WDigest", "CREDSSP", "TSSSP"};
    static const ULONG forbids[] = {SECPKG_CRED_AUTOLOGON_RESTRICTED, SECPKG_CRED_PROCESS_POLICY_ONLY,
                                    SECPKG_CRED_AUTOLOGON_RESTRICTED | SECPKG_CRED_PROCESS_POLICY_ONLY};
    char path[256];
    PSecPkgInfoA info;
    SEC_WINNT_AUTH_IDENTITY_A login = identity_of("bob", "EXAMPLE", "Password1!"),
                              name = identity_of("bob", "EXAMPLE", NULL), domain = identity_of(NULL, "EXAMPLE", NULL);
    SEC_WINNT_AUTH_IDENTITY_EXW listed = ex_w(sizeof listed);
    void *const kept[] = {NULL, &name, &domain, &listed};
    (void)state;
    listed.User = listed.Domain = listed.Password = NULL;
    listed.UserLength = listed.DomainLength = listed.PasswordLength = 0;
    listed.PackageList = WIDE("ntlm,kerberos,wdigest");
    listed.PackageListLength = 21;
    file_put("users", "EXAMPLE:bob:Password1!\n", 0600, path);
    setenv("NTLM_USER_FILE", path, 1);
    for (size_t p = 0; p < sizeof packages / sizeof packages[0]; p++) {
        bool takes_identity = p < 4;
        if (QuerySecurityPackageInfoA((char *)(uintptr_t)packages[p], &info) != SEC_E_OK)
            continue; /* this library was built without it */
        FreeContextBuffer(info);
        for (size_t k = 0; k < (takes_identity ? 4 : 1); k++) {
            assert_int_equal(acquired(packages[p], SECPKG_CRED_OUTBOUND, kept[k]), SEC_E_OK);
            for (size_t f = 0; f < 3; f++)
                if (acquired(packages[p], SECPKG_CRED_OUTBOUND | forbids[f], kept[k]) != SEC_E_NO_CREDENTIALS)
                    fail_msg("%s, identity %zu, use 0x%x", packages[p], k,
                             (unsigned)(SECPKG_CRED_OUTBOUND | forbids[f]));
        }
        if (!takes_identity)
            continue;
        for (size_t f = 0; f < 3; f++)
            assert_int_equal(acquired(packages[p], SECPKG_CRED_OUTBOUND | forbids[f], &login), SEC_E_OK);
        assert_int_equal(acquired(packages[p], SECPKG_CRED_OUTBOUND | SECPKG_CRED_KERB_ANCHOR_DS_VERSION, NULL),
                         SEC_E_OK);
    }
    assert_int_equal(acquired("NTLM", SECPKG_CRED_BOTH, NULL), SEC_E_OK);
    assert_int_equal(acquired("NTLM", SECPKG_CRED_BOTH | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL), SEC_E_NO_CREDENTIALS);
    assert_int_equal(acquired("NTLM", SECPKG_CRED_BOTH | SECPKG_CRED_AUTOLOGON_RESTRICTED, &login), SEC_E_OK);
    assert_int_equal(acquired("NTLM", SECPKG_CRED_INBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL), SEC_E_OK);
    assert_int_equal(acquired("NTLM", SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL), SEC_E_NO_CREDENTIALS);
    if (QuerySecurityPackageInfoA((char *)(uintptr_t) "Schannel", &info) ==
        SEC_E_OK) { /* whose credentials are certificates */
        FreeContextBuffer(info);
        assert_int_equal(acquired("Schannel", SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL), SEC_E_OK);
    }
    unsetenv("NTLM_USER_FILE");
}

/* Asked for only under the flag, and by the program that is configured. */
static void test_prompt(void **state)
{
    char path[256], extra[320];
    SEC_WINNT_AUTH_IDENTITY_A nameonly = identity_of("alice", "EXAMPLE", NULL);
    (void)state;
    file_put("askpass",
             "#!/bin/sh\necho \"$1\" >> \"$0.log\"\ncase $1 in User*) echo alice;; *) echo 'Password1!';; esac\n", 0700,
             path);
    snprintf(extra, sizeof extra, "[credentials]\naskpass = %s\n", path);
    loop_configure(extra);
    assert_false(signs_on(&nameonly, false, 0));
    snprintf(path, sizeof path, "%s/askpass.log", loop_directory());
    struct stat status;
    assert_int_not_equal(stat(path, &status), 0); /* nobody was asked */
    assert_true(signs_on(&nameonly, false, ISC_REQ_PROMPT_FOR_CREDS));
    assert_true(signs_on(NULL, false, ISC_REQ_PROMPT_FOR_CREDS));
    assert_int_equal(stat(path, &status), 0);
    loop_configure("[credentials]\naskpass = /nonexistent/askpass\n");
    assert_false(signs_on(NULL, false, ISC_REQ_PROMPT_FOR_CREDS));
    loop_configure(NULL);
}

static void test_null_session(void **state)
{
    struct loop loop = {.client_flags = ISC_REQ_NULL_SESSION, .server_flags = ASC_REQ_ALLOW_NULL_SESSION};
    (void)state;
    assert_false(loop_run(&loop)); /* off by configuration */
    assert_int_equal(loop.server_status, SEC_E_LOGON_DENIED);
    loop_end(&loop);
    loop_configure("[ntlm]\nallow_anonymous = yes\n");
    loop.server_flags = 0;
    assert_false(loop_run(&loop)); /* off by flag */
    loop_end(&loop);
    loop.server_flags = ASC_REQ_ALLOW_NULL_SESSION;
    assert_true(loop_run(&loop));
    assert_int_equal(loop.server_attributes & ASC_RET_NULL_SESSION, ASC_RET_NULL_SESSION);
    assert_int_equal(loop.client_attributes & ISC_RET_NULL_SESSION, ISC_RET_NULL_SESSION);
    SecPkgContext_NamesA names;
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "NT AUTHORITY\\ANONYMOUS LOGON");
    FreeContextBuffer(names.sUserName);
    loop_end(&loop);
    /* an identity of empty strings is nobody, and no null session without the flag */
    loop = (struct loop){.user = "", .domain = "", .password = "", .server_flags = ASC_REQ_ALLOW_NULL_SESSION};
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_LOGON_DENIED);
    loop_end(&loop);
    loop.client_flags = ISC_REQ_NULL_SESSION;
    assert_true(loop_run(&loop));
    loop_end(&loop);
    /* nor is a name of which nothing is kept: it goes with an empty password */
    SEC_WINNT_AUTH_IDENTITY_A name = identity_of("bob", "EXAMPLE", NULL);
    loop = (struct loop){.keep_credentials = true, .server_flags = ASC_REQ_ALLOW_NULL_SESSION};
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, &name, NULL, NULL,
                                               &loop.client_credential, NULL),
                     SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                               &loop.server_credential, NULL),
                     SEC_E_OK);
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_LOGON_DENIED);
    loop.keep_credentials = false;
    loop_end(&loop);
    loop_configure(NULL);
}

static void test_a_broken_configuration_is_told(void **state)
{
    CredHandle handle;
    (void)state;
    loop_configure("[ntlm]\nalow_v1 = no\n");
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), "opensspi.conf:9: unknown key \"alow_v1\""));
    loop_configure(NULL);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &handle, NULL),
                     SEC_E_OK);
    FreeCredentialsHandle(&handle);
}

/* A context outlives the release of its credential. */
static void test_a_context_outlives_its_credential(void **state)
{
    struct loop loop = {.client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY};
    (void)state;
    assert_true(loop_run(&loop));
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "after its credential"), SEC_E_OK);
    loop.keep_credentials = true;
    loop_end(&loop);
}

static void test_change_password_of_a_read_only_store(void **state)
{
    char domain[] = "EXAMPLE", user[] = "alice", old_password[] = "Password1!", new_password[] = "x";
    (void)state;
    assert_int_equal(ChangeAccountPasswordA(ntlm, domain, user, old_password, new_password, FALSE, 0, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ChangeAccountPasswordA(ntlm, domain, NULL, old_password, new_password, FALSE, 0, NULL),
                     SEC_E_INVALID_TOKEN);
}

static int setup(void **state)
{
    (void)state;
    loop_configure(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_identities),
        cmocka_unit_test(test_ex_identities),
        cmocka_unit_test(test_package_list),
        cmocka_unit_test(test_ex2_identity),
        cmocka_unit_test(test_hash_instead_of_password),
        cmocka_unit_test(test_what_stands_for_a_password),
        cmocka_unit_test(test_attributes_in_text),
        cmocka_unit_test(test_acting_for_others),
        cmocka_unit_test(test_sparse_identities),
        cmocka_unit_test(test_wrong_identities),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_default_credentials),
        cmocka_unit_test(test_no_default_credentials),
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_null_session),
        cmocka_unit_test(test_a_broken_configuration_is_told),
        cmocka_unit_test(test_a_context_outlives_its_credential),
        cmocka_unit_test(test_change_password_of_a_read_only_store),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
