/*
 * Impersonation: the kernel checks what the impersonating thread opens as the client, and what its siblings open as the process. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/impersonation.h"
#include "access/thread_ids.h"
#include "support/access_world.h"
#include <pthread.h>
#include <string.h>
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <win32/winbase.h>

static void *sibling_reads(void *path)
{
    return (void *)(uintptr_t)access_reads(path);
}

static bool sibling_can(const char *path)
{
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, sibling_reads, (void *)(uintptr_t)path), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result != NULL;
}

/* A sibling that was there before, and one that is made by the root thread while the other impersonates, are the process. */
struct meeting {
    pthread_barrier_t before, after;
    const char *path;
    bool read;
};

static void *sibling_waits(void *argument)
{
    struct meeting *meeting = argument;
    pthread_barrier_wait(&meeting->before);
    meeting->read = access_reads(meeting->path);
    pthread_barrier_wait(&meeting->after);
    return NULL;
}

static void test_the_kernel_checks(void **state)
{
    struct loop loop;
    struct meeting meeting;
    pthread_t sibling;
    char roots[128], alices[128];
    (void)state;
    strcpy(roots, access_file("roots", 0, 0, 0600));
    strcpy(alices, access_file("alices", ALICE_UID, 0, 0600));
    access_connect(&loop, "alice", 0);
    meeting.path = roots;
    pthread_barrier_init(&meeting.before, NULL, 2);
    pthread_barrier_init(&meeting.after, NULL, 2);
    assert_int_equal(pthread_create(&sibling, NULL, sibling_waits, &meeting), 0);
    assert_true(access_reads(roots));

    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_int_equal(geteuid(), ALICE_UID);
    assert_false(access_reads(roots));
    assert_true(access_reads(alices));
    pthread_barrier_wait(&meeting.before);
    pthread_barrier_wait(&meeting.after);
    assert_true(meeting.read);
    assert_false(access_reads(roots)); /* still */
    assert_false(sibling_can(roots));  /* a thread that a client makes is that client, to the kernel */
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);

    assert_true(access_reads(roots));
    access_assert_root();
    assert_int_equal(pthread_join(sibling, NULL), 0);
    pthread_barrier_destroy(&meeting.before);
    pthread_barrier_destroy(&meeting.after);
    loop_end(&loop);
}

static void test_groups_count(void **state)
{
    struct loop loop;
    char staff[128], roots[128];
    gid_t groups[8];
    (void)state;
    strcpy(staff, access_file("staff", 0, STAFF_GID, 0640));
    strcpy(roots, access_file("group-root", 0, 0, 0640));
    access_connect(&loop, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_true(access_reads(staff));
    assert_false(access_reads(roots)); /* root's supplementary groups are gone */
    assert_int_equal(getgroups(8, groups), 1);
    assert_int_equal(groups[0], STAFF_GID);
    assert_int_equal(getegid(), ALICE_UID);
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    loop_end(&loop);
    access_connect(&loop, "bob", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_false(access_reads(staff));
    assert_int_equal(getgroups(8, groups), 0);
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    loop_end(&loop);
}

static void test_no_capability_is_left(void **state)
{
    struct loop loop;
    struct thread_ids ids;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_int_equal(thread_ids_read(&ids), SEC_E_OK);
    assert_int_equal(ids.effective[0] | ids.effective[1], 0);
    assert_int_equal(syscall(SYS_setresuid, 0, BOB_UID, -1), -1); /* a client cannot become another one */
    assert_int_equal(geteuid(), ALICE_UID);
    thread_ids_release(&ids);
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    access_assert_root();
    loop_end(&loop);
}

static void test_levels(void **state)
{
    struct loop loop;
    HANDLE token;
    (void)state;
    access_connect(&loop, "alice", ISC_REQ_INTEGRITY);
    token = access_token(&loop.server);
    assert_int_equal(access_level(token), SecurityImpersonation);
    assert_true(CloseHandle(token));
    loop_end(&loop);

    access_connect(&loop, "alice", ISC_REQ_IDENTIFY | ISC_REQ_INTEGRITY);
    assert_true((loop.server_attributes & ASC_RET_IDENTIFY) != 0);
    token = access_token(&loop.server);
    assert_int_equal(access_level(token), SecurityIdentification);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_NO_IMPERSONATION);
    assert_false(ImpersonateLoggedOnUser(token));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    assert_false(SetThreadToken(NULL, token));
    assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
    access_assert_root();
    assert_true(CloseHandle(token));
    loop_end(&loop);

    access_connect(&loop, "mapless", 0);
    token = access_token(&loop.server);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_NO_IMPERSONATION);
    assert_non_null(strstr(OpenSspiLastErrorText(), "no Unix user"));
    assert_false(ImpersonateLoggedOnUser(token));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    assert_true(CloseHandle(token));
    loop_end(&loop);
}

static void test_root_is_nobodys_guest(void **state)
{
    struct loop loop;
    char bobs[128];
    (void)state;
    access_connect(&loop, "rooted", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_NO_IMPERSONATION);
    loop_end(&loop);
    strcpy(bobs, access_file("bobs", BOB_UID, BOB_UID, 0600));
    access_configure("allow_root = yes\n");
    access_connect(&loop, "rooted", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_int_equal(geteuid(), 0);
    assert_false(access_reads(bobs)); /* root without its capabilities */
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    access_assert_root();
    loop_end(&loop);
    access_configure(NULL);
}

static void test_anonymous(void **state)
{
    HANDLE token;
    (void)state;
    assert_true(ImpersonateAnonymousToken(GetCurrentThread()));
    assert_int_not_equal(geteuid(), 0);
    assert_int_equal(impersonation_current()->level, SecurityAnonymous);
    assert_false(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    assert_int_equal(GetLastError(), ERROR_CANT_OPEN_ANONYMOUS);
    assert_true(RevertToSelf());
    access_assert_root();
    assert_false(ImpersonateAnonymousToken(NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    access_configure("anonymous_user = no-such-user-here\n");
    assert_false(ImpersonateAnonymousToken(GetCurrentThread()));
    assert_int_equal(GetLastError(), ERROR_NONE_MAPPED);
    access_configure(NULL);
}

/* A token that was lowered is to be read, or not even that: no thread becomes its user. */
static void test_lowered_tokens(void **state)
{
    static const SECURITY_IMPERSONATION_LEVEL low[] = {SecurityAnonymous, SecurityIdentification};
    struct loop loop;
    HANDLE token, lowered;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(QuerySecurityContextToken(&loop.server, &token), SEC_E_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_true(DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, low[i], TokenImpersonation, &lowered));
        assert_false(ImpersonateLoggedOnUser(lowered));
        assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
        assert_false(SetThreadToken(NULL, lowered));
        assert_int_equal(GetLastError(), ERROR_BAD_IMPERSONATION_LEVEL);
        access_assert_root();
        assert_true(CloseHandle(lowered));
    }
    assert_true(ImpersonateLoggedOnUser(token));
    assert_int_equal(geteuid(), ALICE_UID);
    assert_true(RevertToSelf());
    assert_true(CloseHandle(token));
    loop_end(&loop);
}

/* A module that we call may have the thread revert while it is the process for our own work: then it stays that. */
static void test_revert_within_a_scope(void **state)
{
    struct loop loop;
    (void)state;
    access_connect(&loop, "alice", 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
        {
            AS_PROCESS_SCOPE;
            assert_int_equal(geteuid(), 0);
            assert_true(RevertToSelf());
            access_assert_root();
            if (i == 1) {
                struct as_process inner = as_process_begin();
                access_assert_root();
                as_process_end(&inner);
            }
        }
        access_assert_root();
    }
    /* Nor is what comes then mistaken for the former. */
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_int_equal(geteuid(), ALICE_UID);
    assert_true(RevertToSelf());
    access_assert_root();
    loop_end(&loop);
}

static void test_nested_calls_replace(void **state)
{
    struct loop alice, bob, mapless;
    (void)state;
    access_connect(&alice, "alice", 0);
    access_connect(&bob, "bob", 0);
    access_connect(&mapless, "mapless", 0);
    assert_int_equal(ImpersonateSecurityContext(&alice.server), SEC_E_OK);
    assert_int_equal(ImpersonateSecurityContext(&bob.server), SEC_E_OK);
    assert_int_equal(geteuid(), BOB_UID);
    assert_int_equal(getgroups(0, NULL), 0);
    /* A failed call leaves the thread what it was: less than the process, never more. */
    assert_int_equal(ImpersonateSecurityContext(&mapless.server), SEC_E_NO_IMPERSONATION);
    assert_int_equal(geteuid(), BOB_UID);
    assert_int_equal(ImpersonateSecurityContext(&alice.server), SEC_E_OK);
    assert_int_equal(geteuid(), ALICE_UID);
    /* One revert ends it all, whichever context it names. */
    assert_int_equal(RevertSecurityContext(&bob.server), SEC_E_OK);
    access_assert_root();
    assert_int_equal(RevertSecurityContext(&bob.server), SEC_E_OK);
    assert_true(RevertToSelf());
    loop_end(&alice);
    loop_end(&bob);
    loop_end(&mapless);
}

static void test_deleting_the_context(void **state)
{
    struct loop loop;
    CtxtHandle stale;
    HANDLE token;
    (void)state;
    access_connect(&loop, "alice", 0);
    stale = loop.server;
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    loop_end(&loop);
    assert_int_equal(geteuid(), ALICE_UID); /* the thread stays the client: it must not become more by surprise */
    assert_true(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    assert_true(CloseHandle(token));
    assert_int_equal(RevertSecurityContext(&stale), SEC_E_OK); /* and is not caught there */
    access_assert_root();
    assert_int_equal(RevertSecurityContext(&stale), SEC_E_INVALID_HANDLE);
}

static void *impersonates_and_ends(void *context)
{
    return (void *)(intptr_t)ImpersonateSecurityContext(context);
}

static void test_thread_exit(void **state)
{
    struct loop loop;
    pthread_t thread;
    void *result;
    (void)state;
    access_connect(&loop, "alice", 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&thread, NULL, impersonates_and_ends, &loop.server), 0);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_int_equal((intptr_t)result, SEC_E_OK);
        access_assert_root();
    }
    loop_end(&loop);
    assert_true(sibling_can(access_file("roots", 0, 0, 0600)));
}

/* Runs in a child; 0 when all is as it should be. */
static int child_of_impersonation(void)
{
    if (geteuid() != ALICE_UID || impersonation_current() == NULL)
        return 1;
    if (!RevertToSelf() || geteuid() != 0 || getegid() != 0 || impersonation_current() != NULL)
        return 2;
    return 0;
}

static void test_fork(void **state)
{
    struct loop loop;
    int status;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    pid_t child = fork();
    if (child == 0)
        _exit(child_of_impersonation());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(geteuid(), ALICE_UID); /* the child's revert is the child's */
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    access_assert_root();
    loop_end(&loop);
}

static void string_put(UNICODE_STRING *string, uint16_t *to, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint16_t)text[i];
    *string = (UNICODE_STRING){(USHORT)(2 * len), (USHORT)(2 * len), (PWSTR)to};
}

/* As ChangeAccountPassword, by a message to the package. */
static void lsa_password_change(const char *old_password, const char *new_password)
{
    struct {
        MSV1_0_CHANGEPASSWORD_REQUEST request;
        uint16_t domain[7], account[3], old_password[10], new_password[10];
    } block = {.request = {.MessageType = MsV1_0ChangePassword}};
    char name[] = MSV1_0_PACKAGE_NAME;
    LSA_STRING package = {sizeof name - 1, sizeof name, name};
    HANDLE lsa;
    ULONG number, len;
    void *answer = NULL;
    NTSTATUS status = -1;
    string_put(&block.request.DomainName, block.domain, "EXAMPLE");
    string_put(&block.request.AccountName, block.account, "bob");
    string_put(&block.request.OldPassword, block.old_password, old_password);
    string_put(&block.request.NewPassword, block.new_password, new_password);
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &package, &number), 0);
    assert_int_equal(LsaCallAuthenticationPackage(lsa, number, &block, sizeof block, &answer, &len, &status), 0);
    if (status != 0)
        fail_msg("0x%08x: %s", (unsigned)status, OpenSspiLastErrorText());
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

/* The configuration and the store lie where only root may read; a thread that is alice still logs bob on, with the process's rights. */
static void test_own_work_is_the_process_s(void **state)
{
    struct loop alice, bob = {.user = "bob"};
    char roots[128];
    HANDLE token;
    (void)state;
    strcpy(roots, access_file("roots", 0, 0, 0600));
    access_connect(&alice, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&alice.server), SEC_E_OK);
    assert_false(access_reads(roots));
    assert_true(loop_run(&bob));
    assert_int_equal(geteuid(), ALICE_UID);
    assert_false(access_reads(roots));
    assert_int_equal(QuerySecurityContextToken(&bob.server, &token), SEC_E_OK);
    assert_true(CloseHandle(token));
    assert_true(LogonUserA("bob", ".", "Password1!", LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token));
    assert_true(CloseHandle(token));
    assert_int_equal(ChangeAccountPasswordA((SEC_CHAR *)(uintptr_t) "NTLM", (SEC_CHAR *)(uintptr_t) "EXAMPLE",
                                            (SEC_CHAR *)(uintptr_t) "bob", (SEC_CHAR *)(uintptr_t) "Password1!",
                                            (SEC_CHAR *)(uintptr_t) "Password2!", FALSE, 0, NULL),
                     SEC_E_OK);
    assert_int_equal(ChangeAccountPasswordA((SEC_CHAR *)(uintptr_t) "NTLM", (SEC_CHAR *)(uintptr_t) "EXAMPLE",
                                            (SEC_CHAR *)(uintptr_t) "bob", (SEC_CHAR *)(uintptr_t) "Password2!",
                                            (SEC_CHAR *)(uintptr_t) "Password1!", FALSE, 0, NULL),
                     SEC_E_OK);
    lsa_password_change("Password1!", "Password2!");
    lsa_password_change("Password2!", "Password1!");
    assert_int_equal(geteuid(), ALICE_UID);
    assert_int_equal(RevertSecurityContext(&alice.server), SEC_E_OK);
    access_assert_root();
    loop_end(&alice);
    loop_end(&bob);
}

/* The server's own credentials would tell the next server that the client is the server. */
static void test_default_credentials_are_not_the_servers(void **state)
{
    struct loop loop;
    CredHandle credential;
    (void)state;
    access_connect(&loop, "alice", 0);
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    for (int i = 0; i < 2; i++) {
        const char *package = i == 0 ? "NTLM" : "Kerberos";
        assert_int_equal(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, SECPKG_CRED_OUTBOUND, NULL, NULL,
                                                   NULL, NULL, &credential, NULL),
                         SEC_E_NO_CREDENTIALS);
    }
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
    loop_end(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kernel_checks),
        cmocka_unit_test(test_groups_count),
        cmocka_unit_test(test_no_capability_is_left),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_root_is_nobodys_guest),
        cmocka_unit_test(test_anonymous),
        cmocka_unit_test(test_lowered_tokens),
        cmocka_unit_test(test_revert_within_a_scope),
        cmocka_unit_test(test_nested_calls_replace),
        cmocka_unit_test(test_deleting_the_context),
        cmocka_unit_test(test_thread_exit),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_own_work_is_the_process_s),
        cmocka_unit_test(test_default_credentials_are_not_the_servers),
    };
    return cmocka_run_group_tests(tests, access_setup_root, access_teardown);
}
