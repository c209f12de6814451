/*
 * Impersonation that fails half way, and in processes that may not change users. Needs root.
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
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <win32/winbase.h>

/* Faults: system calls that fail when they are told to. */

static atomic_long failing_call; /* the number of the system call */
static atomic_int let_through;   /* how many of it succeed before */
static atomic_int failures;
static int failure_error;
static bool failure_lies; /* answers success and does nothing */
static bool failure_stays;

static long faulty(long number, long first, long second, long third)
{
    if (number == atomic_load(&failing_call) && atomic_fetch_sub(&let_through, 1) <= 0 &&
        (failure_stays || atomic_load(&failures) == 0)) {
        atomic_fetch_add(&failures, 1);
        if (failure_lies)
            return 0;
        errno = failure_error;
        return -1;
    }
    return thread_ids_syscall(number, first, second, third);
}

static void fault_arm(long number, int after, int error, bool lies)
{
    failure_error = error;
    failure_lies = lies;
    failure_stays = false;
    atomic_store(&failing_call, number);
    atomic_store(&let_through, after);
    atomic_store(&failures, 0);
    thread_ids_hook(faulty);
}

static void fault_disarm(void)
{
    thread_ids_hook(NULL);
}

static const long changing[] = {SYS_setgroups, SYS_setresgid, SYS_setresuid, SYS_capset};

static void test_failures_half_way(void **state)
{
    struct loop alice, bob;
    (void)state;
    access_connect(&alice, "alice", 0);
    access_connect(&bob, "bob", 0);
    for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++) {
        for (int lies = 0; lies < 2; lies++) {
            fault_arm(changing[i], 0, EAGAIN, lies != 0);
            SECURITY_STATUS status = ImpersonateSecurityContext(&alice.server);
            fault_disarm();
            assert_int_equal(atomic_load(&failures), 1);
            /* Becoming alice puts root's capabilities out of effect by itself: there a lie is none. */
            bool fails = changing[i] != SYS_capset || lies == 0;
            assert_int_equal(status, fails ? SEC_E_NO_IMPERSONATION : SEC_E_OK);
            assert_true(fails || RevertToSelf());
            access_assert_root();
        }
    }
    /* From one client to another: on failure the thread is the first one again. Of setresuid two lead to the configuration and back, the third is the
     * way back to the process, and the fourth the way to bob. */
    HANDLE token = access_token(&bob.server);
    assert_true(CloseHandle(token));
    assert_int_equal(ImpersonateSecurityContext(&alice.server), SEC_E_OK);
    fault_arm(SYS_setresuid, 3, EAGAIN, false);
    assert_int_equal(ImpersonateSecurityContext(&bob.server), SEC_E_NO_IMPERSONATION);
    fault_disarm();
    assert_int_equal(geteuid(), ALICE_UID);
    assert_int_equal(RevertSecurityContext(&alice.server), SEC_E_OK);
    access_assert_root();
    loop_end(&alice);
    loop_end(&bob);
}

/* What the child does until it dies: 1 says that it lived on. */
static void dies_in_revert(CtxtHandle *context, long number)
{
    if (ImpersonateSecurityContext(context) != SEC_E_OK)
        _exit(2);
    fault_arm(number, 0, EAGAIN, false);
    failure_stays = true;
    RevertToSelf();
    _exit(1);
}

static void dies_in_failed_impersonation(CtxtHandle *context, long number)
{
    (void)number; /* the last step fails, and the way back does too */
    fault_arm(SYS_capset, 0, EAGAIN, false);
    failure_stays = true;
    ImpersonateSecurityContext(context);
    _exit(1);
}

static void dies_after_own_work(CtxtHandle *context, long number)
{
    HANDLE token;
    if (ImpersonateSecurityContext(context) != SEC_E_OK)
        _exit(2);
    fault_arm(number, 1, EAGAIN,
              false); /* of the two calls the first leads to the process's work, the second back to the client */
    failure_stays = true;
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    _exit(1);
}

static void assert_dies(void (*run)(CtxtHandle *, long), CtxtHandle *context, long number)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        run(context, number);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_a_failed_revert_ends_the_process(void **state)
{
    struct loop loop;
    (void)state;
    access_connect(&loop, "alice", 0);
    for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++)
        assert_dies(dies_in_revert, &loop.server, changing[i]);
    assert_dies(dies_in_failed_impersonation, &loop.server, 0);
    assert_dies(dies_after_own_work, &loop.server, SYS_setresuid);
    loop_end(&loop);
}

/* A process that may not change users, played by a thread of one without privileges. */
static int unprivileged_child(CtxtHandle *context, CtxtHandle *identify, bool identify_only)
{
    HANDLE token;
    SECURITY_STATUS expected = identify_only ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
    if (setgid(61900) != 0 || setuid(61900) != 0)
        return 1;
    if (ImpersonateSecurityContext(context) != expected || geteuid() != 61900)
        return 2;
    if (!identify_only)
        return OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) ? 3 : 0;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) ||
        access_level(token) != SecurityIdentification)
        return 4;
    if (ImpersonateSecurityContext(identify) != SEC_E_NO_IMPERSONATION)
        return 5;
    if (RevertSecurityContext(context) != SEC_E_OK || geteuid() != 61900 || impersonation_current() != NULL)
        return 6;
    return 0;
}

static void test_without_privilege(void **state)
{
    struct loop loop, identify;
    int status;
    (void)state;
    for (int identify_only = 0; identify_only < 2; identify_only++) {
        access_configure(identify_only ? "identify_without_privilege = yes\n" : NULL);
        access_connect(&loop, "alice", 0);
        access_connect(&identify, "bob", ISC_REQ_IDENTIFY);
        HANDLE token = access_token(&loop.server); /* made while the store can be read */
        assert_true(CloseHandle(token));
        token = access_token(&identify.server);
        assert_true(CloseHandle(token));
        char path[128];
        snprintf(path, sizeof path, "%s/store", access_directory());
        pid_t child = fork();
        if (child == 0) {
            if (chown(getenv("OPENSSPI_CONFIG"), 61900, 61900) != 0 || chmod(path, 0711) != 0)
                _exit(9);
            _exit(unprivileged_child(&loop.server, &identify.server, identify_only != 0));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(chmod(path, 0700), 0);
        loop_end(&loop);
        loop_end(&identify);
    }
    access_configure(NULL);
}

/* A process that is not root but has root's capabilities: impersonating, it must not keep the one that opens every file. */
static int capable_child(CtxtHandle *context, const char *roots)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgid(61900) != 0 || setuid(61900) != 0)
        return 1;
    if (syscall(SYS_capget, &header, data) != 0)
        return 2;
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    if (syscall(SYS_capset, &header, data) != 0 || !access_reads(roots))
        return 3;
    if (ImpersonateSecurityContext(context) != SEC_E_OK || geteuid() != ALICE_UID || access_reads(roots))
        return 4;
    if (RevertSecurityContext(context) != SEC_E_OK || geteuid() != 61900 || !access_reads(roots))
        return 5;
    fault_arm(SYS_capset, 0, 0, true); /* a kernel that does not do what it says is found out */
    SECURITY_STATUS status = ImpersonateSecurityContext(context);
    fault_disarm();
    return status == SEC_E_NO_IMPERSONATION && geteuid() == 61900 && access_reads(roots) ? 0 : 6;
}

static void test_capabilities_without_root(void **state)
{
    struct loop loop;
    int status;
    char roots[128];
    (void)state;
    access_configure(NULL);
    strcpy(roots, access_file("roots", 0, 0, 0600));
    access_connect(&loop, "alice", 0);
    pid_t child = fork();
    if (child == 0)
        _exit(capable_child(&loop.server, roots));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    loop_end(&loop);
}

/* A process whose effective user stands in neither of the other two could not return to it. */
static int no_way_back_child(CtxtHandle *context)
{
    if (setresuid(61900, 0, 61900) != 0)
        return 1;
    if (ImpersonateSecurityContext(context) != SEC_E_NO_IMPERSONATION || geteuid() != 0)
        return 2;
    return setresuid(61900, 0, 0) == 0 && ImpersonateSecurityContext(context) == SEC_E_OK && geteuid() == ALICE_UID &&
                   RevertSecurityContext(context) == SEC_E_OK && geteuid() == 0
               ? 0
               : 3;
}

static void test_no_way_back(void **state)
{
    struct loop loop;
    int status;
    (void)state;
    access_configure(NULL);
    access_connect(&loop, "alice", 0);
    pid_t child = fork();
    if (child == 0)
        _exit(no_way_back_child(&loop.server));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    loop_end(&loop);
}

/* A process that is the client already needs no privilege to become it. */
static int same_user_child(CtxtHandle *context)
{
    const gid_t staff = STAFF_GID;
    if (setgroups(1, &staff) != 0 || setgid(ALICE_UID) != 0 || setuid(ALICE_UID) != 0)
        return 1;
    if (ImpersonateSecurityContext(context) != SEC_E_OK || geteuid() != ALICE_UID)
        return 2;
    return RevertSecurityContext(context) == SEC_E_OK ? 0 : 3;
}

static void test_the_client_is_the_process(void **state)
{
    struct loop loop;
    int status;
    char path[128];
    (void)state;
    access_configure(NULL);
    access_connect(&loop, "alice", 0);
    HANDLE token = access_token(&loop.server);
    assert_true(CloseHandle(token));
    snprintf(path, sizeof path, "%s/store", access_directory());
    pid_t child = fork();
    if (child == 0) {
        if (chown(getenv("OPENSSPI_CONFIG"), ALICE_UID, ALICE_UID) != 0 || chmod(path, 0711) != 0)
            _exit(9);
        _exit(same_user_child(&loop.server));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(chmod(path, 0700), 0);
    loop_end(&loop);
    access_configure(NULL);
}

static int child_exit(int (*run)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(run());
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The kernel keeps a supplementary group that was set twice; who may not change groups is told so, and lives on. */
static int doubled_groups_child(void)
{
    const gid_t doubled[] = {61900, 4, 4, 4};
    char path[128];
    snprintf(path, sizeof path, "%s/store", access_directory());
    if (chown(getenv("OPENSSPI_CONFIG"), 61900, 61900) != 0 || chmod(path, 0711) != 0)
        return 9;
    if (setgroups(4, doubled) != 0 || setgid(61900) != 0 || setuid(61900) != 0 || getgroups(0, NULL) != 4)
        return 1;
    if (ImpersonateAnonymousToken(GetCurrentThread()))
        return 2;
    if (GetLastError() != ERROR_PRIVILEGE_NOT_HELD)
        return 3;
    return RevertToSelf() && geteuid() == 61900 && impersonation_current() == NULL ? 0 : 4;
}

static void test_groups_that_stand_twice(void **state)
{
    char path[128];
    (void)state;
    access_configure(NULL);
    assert_int_equal(child_exit(doubled_groups_child), 0);
    snprintf(path, sizeof path, "%s/store", access_directory());
    assert_int_equal(chmod(path, 0700), 0);
    access_configure(NULL);
}

/* As root, whose groups may be set: there and back. */
static int doubled_groups_of_root(void)
{
    const gid_t doubled[] = {4, 4, 61900};
    if (setgroups(3, doubled) != 0 || !ImpersonateAnonymousToken(GetCurrentThread()) || geteuid() == 0)
        return 1;
    if (!RevertToSelf() || geteuid() != 0)
        return 2;
    gid_t now[8];
    int n_groups = getgroups(8, now); /* each once, or as it was */
    return n_groups >= 2 && now[0] == 4 && now[n_groups - 1] == 61900 ? 0 : 3;
}

static void test_groups_of_root_that_stand_twice(void **state)
{
    (void)state;
    assert_int_equal(child_exit(doubled_groups_of_root), 0);
}

static bool capable_become(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgid(61900) != 0 || setuid(61900) != 0 ||
        prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 || syscall(SYS_capget, &header, data) != 0)
        return false;
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    return syscall(SYS_capset, &header, data) == 0;
}

/* Leaving user 0 the kernel takes the capabilities of whoever has it in none of his three: a process that is not root could not come back from there.
 * */
static int no_way_back_from_root(void)
{
    if (setgroups(0, NULL) != 0 || !capable_become())
        return 1;
    if (ImpersonateAnonymousToken(GetCurrentThread()) || GetLastError() != ERROR_PRIVILEGE_NOT_HELD)
        return 2;
    if (strstr(OpenSspiLastErrorText(), "no way back") == NULL)
        return 3;
    return RevertToSelf() && geteuid() == 61900 && getegid() == 61900 && getgroups(0, NULL) == 0 ? 0 : 4;
}

/* One that has root among its three comes back. */
static int way_back_from_root(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (setresuid(0, 61900, 61900) != 0 || syscall(SYS_capget, &header, data) != 0)
        return 1;
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    if (syscall(SYS_capset, &header, data) != 0 || !ImpersonateAnonymousToken(GetCurrentThread()) || geteuid() != 0)
        return 2;
    return RevertToSelf() && geteuid() == 61900 ? 0 : 3;
}

static int anonymous_is_refused(void)
{
    if (ImpersonateAnonymousToken(GetCurrentThread()))
        return 1;
    return GetLastError() == ERROR_NONE_MAPPED && geteuid() == 0 && impersonation_current() == NULL ? 0 : 2;
}

static int anonymous_is_let(void)
{
    if (!ImpersonateAnonymousToken(GetCurrentThread()) || geteuid() != 0)
        return 1;
    return RevertToSelf() && geteuid() == 0 ? 0 : 2;
}

static void test_clients_that_are_root(void **state)
{
    (void)state;
    access_configure("anonymous_user = root\n");
    assert_int_equal(child_exit(anonymous_is_refused), 0);
    access_configure("anonymous_user = root\nallow_root = yes\n");
    assert_int_equal(child_exit(anonymous_is_let), 0);
    assert_int_equal(child_exit(way_back_from_root), 0);
    assert_int_equal(child_exit(no_way_back_from_root), 0);
    access_configure(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_half_way),
        cmocka_unit_test(test_a_failed_revert_ends_the_process),
        cmocka_unit_test(test_without_privilege),
        cmocka_unit_test(test_capabilities_without_root),
        cmocka_unit_test(test_no_way_back),
        cmocka_unit_test(test_the_client_is_the_process),
        cmocka_unit_test(test_clients_that_are_root),
        cmocka_unit_test(test_groups_that_stand_twice),
        cmocka_unit_test(test_groups_of_root_that_stand_twice),
    };
    return cmocka_run_group_tests(tests, access_setup_root, access_teardown);
}
