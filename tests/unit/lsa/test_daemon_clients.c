/* Processes and the daemon: two thousand contexts of twenty of them, and somebody else in the daemon's place. */
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOB_UID 61235

#define CREDENTIALS 60 /* that the daemon keeps for a user */
static const char configuration[] = "answer_seconds = 60\nuser_credentials = 60\n";

static int begin(void **state)
{
    (void)state;
    loop_daemon_configure(configuration);
    loop_daemon_start();
    return 0;
}

#define PROCESSES 20
#define CONTEXTS 100 /* of each process: two thousand in all, each with a client's and a server's side */

struct many_contexts {
    CredHandle client_credential, server_credential;
    CtxtHandle client[CONTEXTS], server[CONTEXTS];
    unsigned char challenge[CONTEXTS][1024];
    ULONG challenge_len[CONTEXTS];
};

static bool contexts_begin(struct many_contexts *many)
{
    ULONG attributes;
    unsigned char token[1024];
    for (int i = 0; i < CONTEXTS; i++) {
        SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token}, in,
                  answer = {1024, SECBUFFER_TOKEN, many->challenge[i]};
        SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in},
                      answer_list = {SECBUFFER_VERSION, 1, &answer};
        if (InitializeSecurityContextA(&many->client_credential, NULL, NULL, 0, 0, 0, NULL, 0, &many->client[i],
                                       &out_list, &attributes, NULL) != SEC_I_CONTINUE_NEEDED)
            return false;
        in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, token};
        if (AcceptSecurityContext(&many->server_credential, NULL, &in_list, 0, 0, &many->server[i], &answer_list,
                                  &attributes, NULL) != SEC_I_CONTINUE_NEEDED)
            return false;
        many->challenge_len[i] = answer.cbBuffer;
    }
    return true;
}

static bool contexts_end(struct many_contexts *many)
{
    ULONG attributes;
    unsigned char token[1024];
    for (int i = 0; i < CONTEXTS; i++) {
        SecBuffer in = {many->challenge_len[i], SECBUFFER_TOKEN, many->challenge[i]},
                  out = {sizeof token, SECBUFFER_TOKEN, token};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
        if (InitializeSecurityContextA(NULL, &many->client[i], NULL, 0, 0, 0, &in_list, 0, NULL, &out_list, &attributes,
                                       NULL) != SEC_E_OK)
            return false;
        in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, token};
        if (AcceptSecurityContext(NULL, &many->server[i], &in_list, 0, 0, NULL, NULL, &attributes, NULL) != SEC_E_OK)
            return false;
        DeleteSecurityContext(&many->client[i]);
        DeleteSecurityContext(&many->server[i]);
    }
    return true;
}

/* A process: begins all of its own, says so, and ends them when all processes have said so. */
static int contexts_of_a_process(int told, int go)
{
    static struct many_contexts many;
    struct loop loop = {0};
    char byte = 'b';
    loop_acquire(&loop);
    many.client_credential = loop.client_credential;
    many.server_credential = loop.server_credential;
    if (loop.client_status != SEC_E_OK || loop.server_status != SEC_E_OK)
        return 1;
    if (!contexts_begin(&many))
        return 2;
    if (write(told, &byte, 1) != 1 || read(go, &byte, 1) != 0) /* its end is the word */
        return 3;
    if (!contexts_end(&many))
        return 4;
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    return 0;
}

/* Two thousand clients of twenty processes that have all begun and not yet ended. */
static void test_many_contexts(void **state)
{
    (void)state;
    int told[2], go[2], status;
    char byte;
    pid_t children[PROCESSES];
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            close(go[1]);
            close(told[0]);
            _exit(contexts_of_a_process(told[1], go[0]));
        }
    }
    close(told[1]);
    int n_begun = 0;
    while (n_begun < PROCESSES && read(told[0], &byte, 1) == 1)
        n_begun++;
    close(go[1]);
    for (int i = 0; i < PROCESSES; i++) {
        while (waitpid(children[i], &status, 0) < 0)
            ;
        assert_int_equal(status, 0);
    }
    assert_int_equal(n_begun, PROCESSES);
    close(told[0]);
    close(go[0]);
}

/* Somebody who is not root, in a directory where anybody may put a socket, is told nothing; root's directory says whom root lets. */
static void stranger_asked(mode_t mode, const char *word)
{
    char directory[100], path[108], extra[256], byte;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int told[2], status;
    snprintf(directory, sizeof directory, "%s/%o", loop_directory(), (unsigned)mode);
    snprintf(path, sizeof path, "%s/s", directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(chmod(directory, mode), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(pipe(told), 0);
    pid_t stranger = fork();
    if (stranger == 0) { /* whoever calls listen is whom the kernel names */
        if (setgid(BOB_UID) != 0 || setuid(BOB_UID) != 0 || listen(listener, 1) != 0 || write(told[1], "l", 1) != 1)
            _exit(99);
        int link = accept(listener, NULL, NULL);
        _exit(read(link, &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    snprintf(extra, sizeof extra, "[lsa]\nmode = daemon\nsocket = %s\nanswer_seconds = 20\n", path);
    loop_configure(extra);
    CredHandle credential;
    char package[] = "NTLM";
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL),
        SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(OpenSspiLastErrorText(), word));
    while (waitpid(stranger, &status, 0) < 0)
        ;
    assert_int_equal(status, word[0] == 'w' ? 0 : 0x100);
    close(listener);
    close(told[0]);
    close(told[1]);
    unlink(path);
    rmdir(directory);
    loop_daemon_configure(configuration);
}

static void test_stranger_in_its_place(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    stranger_asked(01777, "who is not root");
    stranger_asked(0775, "who is not root");
    stranger_asked(0755, "ended the connection");
}

static SECURITY_STATUS somebody_acquires(void)
{
    CredHandle credential;
    char package[] = "NTLM";
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (status == SEC_E_OK)
        FreeCredentialsHandle(&credential);
    return status;
}

/* Asks a daemon that answers later than anybody waits, so often, on the process's only connection. */
static void answers_come_late(int n)
{
    loop_daemon_configure("answer_seconds = 1\n");
    assert_int_equal(kill(lsa_daemon_pid(), SIGSTOP), 0);
    for (int i = 0; i < n; i++) {
        SECURITY_STATUS status = somebody_acquires();
        if (status != SEC_E_NO_AUTHENTICATING_AUTHORITY)
            (void)kill(lsa_daemon_pid(), SIGCONT);
        assert_int_equal(status, SEC_E_NO_AUTHENTICATING_AUTHORITY);
        assert_non_null(strstr(OpenSspiLastErrorText(), "in time"));
    }
    assert_int_equal(kill(lsa_daemon_pid(), SIGCONT), 0);
    loop_daemon_configure(configuration);
}

/* What the process has with the daemon, credentials got with a password too, stays; what the late answers name is given back. */
static void test_late_answers(void **state)
{
    (void)state;
    struct loop loop = {.keep_credentials = true};
    CredHandle others[CREDENTIALS - 3];
    char package[] = "NTLM";
    loop_acquire(&loop);
    assert_int_equal(loop.client_status, SEC_E_OK);
    assert_int_equal(loop.server_status, SEC_E_OK);
    for (int i = 0; i < CREDENTIALS - 3; i++)
        assert_int_equal(
            AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &others[i], NULL),
            SEC_E_OK);
    for (int n = 0; n < 3; n++) {
        answers_come_late(n);
        assert_true(loop_run(&loop));
        loop_end(&loop);
        SECURITY_STATUS status = somebody_acquires();
        for (int i = 0; i < 200 && status == SEC_E_INSUFFICIENT_MEMORY; i++) { /* a worker may have it still */
            usleep(10000);
            status = somebody_acquires();
        }
        assert_int_equal(status, SEC_E_OK);
    }
    for (int i = 0; i < CREDENTIALS - 3; i++)
        FreeCredentialsHandle(&others[i]);
    /* In a child, too, whether it or its parent asks first. */
    for (int parent_first = 0; parent_first < 2; parent_first++) {
        answers_come_late(1);
        int go[2], status;
        char byte;
        assert_int_equal(pipe(go), 0);
        pid_t child = fork();
        if (child == 0) {
            close(go[1]);
            _exit(read(go[0], &byte, 1) == 0 && loop_run(&loop) ? 0 : 1);
        }
        close(go[0]);
        if (parent_first) {
            assert_true(loop_run(&loop));
            loop_end(&loop);
        }
        close(go[1]);
        while (waitpid(child, &status, 0) < 0)
            ;
        assert_int_equal(status, 0);
        assert_true(loop_run(&loop));
        loop_end(&loop);
    }
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_contexts),
        cmocka_unit_test(test_stranger_in_its_place),
        cmocka_unit_test(test_late_answers),
    };
    return cmocka_run_group_tests(tests, begin, loop_teardown);
}
