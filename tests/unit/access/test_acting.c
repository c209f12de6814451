/*
 * Whose credentials a thread has by default: those of whom it impersonates, its siblings those of the process. With logons by password, whose tokens
 * keep what they were proved with. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/impersonation.h"
#include "access/token_handle.h"
#include "base/memory.h"
#include "core/cause.h"
#include "ntlm/credential.h"
#include "support/access_world.h"
#include "support/identity.h"
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>
#include <sys/wait.h>
#include <unistd.h>
#include <win32/winbase.h>

#define OURS "EXAMPLE\\rooted" /* the process's own default credentials */

/* The process has default credentials, which no client's thread may get. */
static int set_up(void **state)
{
    int failed = access_setup_root(state);
    access_default_credentials();
    return failed;
}

static HANDLE logged_on(const char *user, DWORD type)
{
    HANDLE token = NULL;
    assert_true(LogonUserA(user, "EXAMPLE", "Password1!", type, LOGON32_PROVIDER_DEFAULT, &token));
    return token;
}

static SECURITY_STATUS acquire(const char *package, ULONG use, void *identity, CredHandle *credential)
{
    return AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, use, NULL, identity, NULL, NULL, credential,
                                     NULL);
}

static CredHandle acquired(const char *package)
{
    CredHandle credential;
    assert_int_equal(acquire(package, SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_OK);
    return credential;
}

static bool is_named(CredHandle *credential, const char *expected)
{
    SecPkgCredentials_NamesA names;
    if (QueryCredentialsAttributesA(credential, SECPKG_CRED_ATTR_NAMES, &names) != SEC_E_OK)
        return false;
    bool same = strcmp(names.sUserName, expected) == 0;
    FreeContextBuffer(names.sUserName);
    return same;
}

/* A handshake with the credential, which it frees: whom does the server see? */
static void assert_seen(CredHandle credential, const char *package, const char *expected)
{
    struct loop loop = {.client_credential = credential, .keep_credentials = true};
    SecPkgContext_NamesA names;
    assert_int_equal(acquire(package, SECPKG_CRED_INBOUND, NULL, &loop.server_credential), SEC_E_OK);
    assert_true(loop_run(&loop));
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, expected);
    FreeContextBuffer(names.sUserName);
    loop_end(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
}

static void test_logon_goes_on(void **state)
{
    static const DWORD types[] = {LOGON32_LOGON_INTERACTIVE, LOGON32_LOGON_NETWORK_CLEARTEXT, LOGON32_LOGON_BATCH,
                                  LOGON32_LOGON_SERVICE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        HANDLE token = logged_on("alice", types[i]);
        assert_true(access_acts_as("NTLM", OURS));
        assert_true(ImpersonateLoggedOnUser(token));
        assert_true(CloseHandle(token)); /* the thread has its own reference */
        CredHandle ntlm = acquired("NTLM"), negotiate = acquired("Negotiate");
        assert_true(is_named(&ntlm, "EXAMPLE\\alice"));
        assert_true(is_named(&negotiate, "EXAMPLE\\alice"));
        assert_seen(ntlm, "NTLM", "EXAMPLE\\alice");
        assert_true(RevertToSelf());
        assert_seen(negotiate, "Negotiate", "EXAMPLE\\alice"); /* what was acquired stays alice's */
        assert_true(access_acts_as("NTLM", OURS));
        assert_true(access_acts_as("Negotiate", OURS));
    }
}

static void test_what_there_is_not(void **state)
{
    CredHandle credential;
    HANDLE token = logged_on("alice", LOGON32_LOGON_NETWORK);
    SEC_WINNT_AUTH_IDENTITY_EXA list = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                        .Length = sizeof list,
                                        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
                                        .PackageList = (unsigned char *)(uintptr_t) "ntlm",
                                        .PackageListLength = 4};
    (void)state;
    assert_true(ImpersonateLoggedOnUser(token));
    for (int i = 0; i < 4; i++) {
        static const char *const packages[] = {"NTLM", "Kerberos", "Negotiate", "CREDSSP"};
        assert_int_equal(acquire(packages[i], SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
        assert_non_null(strstr(OpenSspiLastErrorText(), "delegated no credentials"));
        assert_int_equal(acquire(packages[i], SECPKG_CRED_BOTH, NULL, &credential), SEC_E_NO_CREDENTIALS);
    }
    /* A list of packages is nobody's name. */
    assert_int_equal(acquire("Negotiate", SECPKG_CRED_OUTBOUND, &list, &credential), SEC_E_NO_CREDENTIALS);
    /* What serves is the process's, and what names no user says nothing of one. */
    assert_int_equal(acquire("NTLM", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK);
    FreeCredentialsHandle(&credential);
    assert_int_equal(acquire("Schannel", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_OK);
    FreeCredentialsHandle(&credential);
    assert_true(RevertToSelf());
    assert_true(CloseHandle(token));
}

static void test_other_packages_and_uses(void **state)
{
    CredHandle credential;
    HANDLE token = logged_on("alice", LOGON32_LOGON_INTERACTIVE);
    (void)state;
    assert_true(ImpersonateLoggedOnUser(token));
    assert_int_equal(acquire("Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "by NTLM, not by Kerberos"));
    assert_int_equal(acquire("CREDSSP", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    assert_int_equal(acquire("NTLM", SECPKG_CRED_BOTH, NULL, &credential), SEC_E_NO_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "apart"));
    /* One for all who act with the token: nobody changes it. */
    credential = acquired("NTLM");
    assert_int_equal(SetCredentialsAttributesA(&credential, OPENSSPI_CRED_ATTR_CCACHE, (void *)(uintptr_t) "x", 1),
                     SEC_E_UNSUPPORTED_FUNCTION);
    FreeCredentialsHandle(&credential);
    assert_true(RevertToSelf());
    assert_true(CloseHandle(token));
}

static void test_explicit_identity_wins(void **state)
{
    CredHandle credential;
    SEC_WINNT_AUTH_IDENTITY_A bob = identity_of("bob", "EXAMPLE", "Password1!");
    HANDLE token = logged_on("alice", LOGON32_LOGON_INTERACTIVE);
    (void)state;
    assert_true(ImpersonateLoggedOnUser(token));
    assert_int_equal(acquire("NTLM", SECPKG_CRED_OUTBOUND, &bob, &credential), SEC_E_OK);
    assert_true(is_named(&credential, "EXAMPLE\\bob"));
    assert_seen(credential, "NTLM", "EXAMPLE\\bob");
    assert_true(RevertToSelf());
    assert_true(CloseHandle(token));
}

static void test_nested(void **state)
{
    HANDLE alice = logged_on("alice", LOGON32_LOGON_INTERACTIVE), bob = logged_on("bob", LOGON32_LOGON_INTERACTIVE);
    (void)state;
    assert_true(ImpersonateLoggedOnUser(alice));
    assert_true(access_acts_as("NTLM", "EXAMPLE\\alice"));
    assert_true(ImpersonateLoggedOnUser(bob));
    assert_true(access_acts_as("Negotiate", "EXAMPLE\\bob"));
    assert_true(ImpersonateAnonymousToken(GetCurrentThread()));
    assert_false(access_acts_as("NTLM", "EXAMPLE\\bob"));
    assert_true(RevertToSelf());
    assert_true(access_acts_as("NTLM", OURS));
    assert_true(CloseHandle(alice));
    assert_true(CloseHandle(bob));
}

static void test_duplicates(void **state)
{
    HANDLE token = logged_on("alice", LOGON32_LOGON_INTERACTIVE), copy, thread;
    (void)state;
    assert_true(DuplicateToken(token, SecurityImpersonation, &copy));
    assert_true(SetThreadToken(NULL, copy));
    assert_true(CloseHandle(copy));
    assert_true(CloseHandle(token));
    assert_true(access_acts_as("NTLM", "EXAMPLE\\alice"));
    /* Through the thread, a primary token and back. */
    assert_true(OpenThreadToken(GetCurrentThread(), TOKEN_ALL_ACCESS, TRUE, &thread));
    assert_true(RevertToSelf());
    assert_true(DuplicateTokenEx(thread, TOKEN_ALL_ACCESS, NULL, SecurityAnonymous, TokenPrimary, &copy));
    assert_true(ImpersonateLoggedOnUser(copy));
    assert_true(access_acts_as("Negotiate", "EXAMPLE\\alice"));
    assert_true(RevertToSelf());
    assert_true(CloseHandle(copy));
    /* A level that lets nobody act has nothing to act with. */
    assert_true(DuplicateToken(thread, SecurityIdentification, &copy));
    struct handle_ref ref = {0};
    const struct token_opened *opened;
    assert_int_equal(token_handle_get(copy, &ref, &opened), SEC_E_OK);
    assert_null(opened->token->behalf);
    handle_put(&ref);
    assert_true(CloseHandle(copy));
    assert_true(CloseHandle(thread));
}

static void test_fork(void **state)
{
    HANDLE token = logged_on("alice", LOGON32_LOGON_INTERACTIVE);
    int status;
    (void)state;
    assert_true(ImpersonateLoggedOnUser(token));
    CredHandle before = acquired("NTLM");
    pid_t child = fork();
    if (child == 0) {
        bool good = is_named(&before, "EXAMPLE\\alice") && access_acts_as("NTLM", "EXAMPLE\\alice") && RevertToSelf() &&
                    access_acts_as("NTLM", OURS);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_seen(before, "NTLM", "EXAMPLE\\alice");
    assert_true(RevertToSelf());
    assert_true(CloseHandle(token));
}

/* What NTLM keeps of a login comes back, and every piece of it that is cut off is refused. */
static void test_kept_login(void **state)
{
    AUTO_SECRET struct secret kept = {0};
    const struct config *config;
    CredHandle handle;
    void *credential, *again;
    int64_t expiry;
    AUTO_IDENTITY struct identity identity = {.has_password = true};
    (void)state;
    assert_int_equal(acquire("NTLM", SECPKG_CRED_OUTBOUND, NULL, &handle), SEC_E_OK); /* starts the library */
    FreeCredentialsHandle(&handle);
    assert_int_equal(config_get(&config), SEC_E_OK);
    identity.user = mem_strdup("alice");
    identity.domain = mem_strdup("");
    assert_true(secret_set(&identity.password, "P\0w\0", 4));
    struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND, .identity = &identity};
    assert_int_equal(ntlm_acquire(&request, &credential, &expiry), SEC_E_OK);
    assert_int_equal(ntlm_keep(credential, &kept), SEC_E_OK);
    request.identity = NULL;
    for (size_t len = 0; len < kept.len; len++) {
        assert_int_equal(ntlm_acquire_kept(&request, slice_of(kept.data, len), NULL, &again, &expiry),
                         SEC_E_INVALID_TOKEN);
    }
    assert_int_equal(ntlm_acquire_kept(&request, secret_slice(&kept), NULL, &again, &expiry), SEC_E_OK);
    const struct ntlm_login *one = &((struct ntlm_credential *)credential)->login,
                            *other = &((struct ntlm_credential *)again)->login;
    assert_string_equal(other->user, "alice");
    assert_string_equal(other->domain, "");
    assert_memory_equal(&one->v2_key, &other->v2_key, sizeof one->v2_key);
    ntlm_release(credential);
    ntlm_release(again);
    AUTO_IDENTITY struct identity unproved = {.user = mem_strdup("carol")}; /* without a password: leaves nothing */
    request.identity = &unproved;
    assert_int_equal(ntlm_acquire(&request, &credential, &expiry), SEC_E_OK);
    assert_int_equal(ntlm_keep(credential, &kept), SEC_E_NO_CREDENTIALS);
    ntlm_release(credential);
    config_release(config);
}

/* Where memory fails, nothing else is to blame. */
static bool done(BOOL good)
{
    if (!good && GetLastError() != ERROR_NOT_ENOUGH_MEMORY)
        fail_msg("%u: %s", (unsigned)GetLastError(), OpenSspiLastErrorText());
    return good;
}

static bool acquires(const char *package, CredHandle *credential)
{
    SECURITY_STATUS status = acquire(package, SECPKG_CRED_OUTBOUND, NULL, credential);
    if (status != SEC_E_OK && status != SEC_E_INSUFFICIENT_MEMORY)
        fail_msg("%s: 0x%08x: %s", package, (unsigned)status, OpenSspiLastErrorText());
    return status == SEC_E_OK;
}

/* Every allocation of it fails once, alone and with all that follow. */
static bool sweep_once(void)
{
    HANDLE token = NULL;
    CredHandle ntlm, negotiate;
    if (!done(LogonUserA("alice", "EXAMPLE", "Password1!", LOGON32_LOGON_INTERACTIVE, 0, &token)))
        return false;
    bool good = done(ImpersonateLoggedOnUser(token));
    assert_true(CloseHandle(token));
    if (!good)
        return false;
    bool has_ntlm = acquires("NTLM", &ntlm), has_negotiate = acquires("Negotiate", &negotiate);
    assert_true(RevertToSelf());
    if (has_ntlm)
        FreeCredentialsHandle(&ntlm);
    if (has_negotiate)
        FreeCredentialsHandle(&negotiate);
    return has_ntlm && has_negotiate;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        bool good = false;
        unsigned long nth;
        for (nth = 1; !good && nth < 2000; nth++) {
            mem_fault_set(nth, sticky != 0);
            good = sweep_once() && mem_fault_count() < nth; /* one may fail that does not matter: go on */
            mem_fault_set(0, false);
            assert_null(impersonation_current());
            assert_int_equal(geteuid(), 0);
        }
        assert_true(good);
        assert_true(nth > 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logon_goes_on),
        cmocka_unit_test(test_what_there_is_not),
        cmocka_unit_test(test_other_packages_and_uses),
        cmocka_unit_test(test_explicit_identity_wins),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_kept_login),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, access_teardown);
}
