/* A process that changes its user, and the daemon: what its connections are worth then, those that a child inherits too. */
#include "lsa/protocol.h"
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <win32/winbase.h>

#define ALICE_UID 61234
#define LINKS_MAX 64

static const char configuration[] = "answer_seconds = 60\n";
static char daemon_path[108];

static int begin(void **state)
{
    (void)state;
    loop_daemon_configure(configuration);
    loop_daemon_start();
    snprintf(daemon_path, sizeof daemon_path, "%s", loop_daemon_socket());
    return 0;
}

/* The descriptors of this process that are connections to the daemon, as whoever breaks into it would find them. */
static unsigned links_find(int *links)
{
    unsigned n_links = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        struct sockaddr_un peer = {0};
        socklen_t len = sizeof peer;
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
            peer.sun_family == AF_UNIX && strcmp(peer.sun_path, daemon_path) == 0 && n_links < LINKS_MAX)
            links[n_links++] = fd;
    }
    if (directory != NULL)
        closedir(directory);
    return n_links;
}

static void limit_set(int fd, time_t seconds)
{
    const struct timeval limit = {.tv_sec = seconds};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* Asks on a connection itself for the logon sessions: does a reply come? False too where the daemon ends the connection. */
static bool is_answered(int fd)
{
    uint8_t reply[4096];
    AUTO_WRITER struct writer request = writer_growing(64);
    lsa_head_write(&request, LSA_LIST_SESSIONS, false, 7777);
    if (lsa_body_end(&request) != WIRE_OK)
        return true;
    limit_set(fd, 30);
    if (send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len ||
        recv(fd, reply, LSA_HEAD_LEN, MSG_WAITALL) <= 0)
        return false;
    (void)recv(fd, reply, reply[0] + 256u * reply[1], MSG_WAITALL);
    return true;
}

static bool one_is_answered(void)
{
    int links[LINKS_MAX];
    unsigned n_links = links_find(links), n_answered = 0;
    for (unsigned i = 0; i < n_links; i++)
        n_answered += is_answered(links[i]) ? 1 : 0;
    return n_answered > 0;
}

static int in_child(int (*run)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run());
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static struct loop loop;

static bool loop_goes(void)
{
    loop.keep_credentials = true;
    bool ran = loop_run(&loop);
    loop_end(&loop);
    return ran;
}

static int gives_root_up(void)
{
    int links[LINKS_MAX];
    loop_acquire(&loop);
    if (loop.client_status != SEC_E_OK || loop.server_status != SEC_E_OK || !loop_goes() || links_find(links) == 0)
        return 1;
    if (!is_answered(links[0])) /* root is, so that the test tells something */
        return 2;
    if (setgid(ALICE_UID) != 0 || setuid(ALICE_UID) != 0)
        return 99;
    if (one_is_answered())
        return 3;
    return 0;
}

/* Root's connections are nobody's once root is given up: the kernel tells of each message who sent it. */
static void test_root_given_up(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    assert_int_equal(in_child(gives_root_up), 0);
}

static int gives_root_up_and_goes_on(void)
{
    int links[LINKS_MAX];
    loop_acquire(&loop);
    if (!loop_goes())
        return 1;
    if (setgid(ALICE_UID) != 0 || setuid(ALICE_UID) != 0)
        return 99;
    if (!loop_goes()) /* credentials that it has stay its own */
        return 2;
    unsigned n_links = links_find(links);
    for (unsigned i = 0; i < n_links; i++) /* none of them is root's any more */
        if (!is_answered(links[i]))
            return 3;
    return n_links > 0 ? 0 : 4;
}

static void test_links_of_others_are_closed(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    assert_int_equal(in_child(gives_root_up_and_goes_on), 0);
}

/* Half a request by root, the other half by somebody else. */
static int sends_the_other_half(void)
{
    uint8_t head[LSA_HEAD_LEN];
    int links[LINKS_MAX];
    AUTO_WRITER struct writer request = writer_growing(64);
    lsa_head_write(&request, LSA_LIST_SESSIONS, false, 7777);
    loop_acquire(&loop);
    if (lsa_body_end(&request) != WIRE_OK || links_find(links) == 0)
        return 1;
    if (send(links[0], request.data, 5, MSG_NOSIGNAL) != 5)
        return 2;
    if (setgid(ALICE_UID) != 0 || setuid(ALICE_UID) != 0)
        return 99;
    if (send(links[0], request.data + 5, request.len - 5, MSG_NOSIGNAL) < 0)
        return 0; /* the daemon was quick */
    limit_set(links[0], 30);
    return recv(links[0], head, sizeof head, 0) > 0 ? 3 : 0;
}

static void test_half_a_request(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    for (int i = 0; i < 20; i++)
        assert_int_equal(in_child(sends_the_other_half), 0);
}

/* Descriptors that come with bytes stay outside. */
static void test_descriptors_are_not_taken(void **state)
{
    char directory[64];
    int links[LINKS_MAX], fds[2] = {0, 1};
    uint8_t half[4] = {0};
    unsigned n_fds[2] = {0, 0};
    (void)state;
    memset(&loop, 0, sizeof loop);
    loop_acquire(&loop);
    unsigned n_links = links_find(links);
    assert_true(n_links > 0);
    snprintf(directory, sizeof directory, "/proc/%d/fd", (int)lsa_daemon_pid());
    for (int round = 0; round < 2; round++) {
        DIR *open_ones = opendir(directory);
        if (open_ones == NULL)
            return; /* not ours to look at */
        while (readdir(open_ones) != NULL)
            n_fds[round]++;
        closedir(open_ones);
        if (round == 1)
            break;
        union {
            struct cmsghdr align;
            char room[CMSG_SPACE(sizeof fds)];
        } control = {0};
        struct iovec bytes = {half, sizeof half};
        struct msghdr message = {
            .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fds), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(header), fds, sizeof fds);
        assert_int_equal(sendmsg(links[0], &message, MSG_NOSIGNAL), sizeof half);
        /* The rest of a head of no body: a request that gets its reply, so that all was read. */
        AUTO_WRITER struct writer request = writer_growing(64);
        lsa_head_write(&request, LSA_LIST_SESSIONS, false, 7777);
        assert_int_equal(lsa_body_end(&request), WIRE_OK);
        assert_int_equal(send(links[0], request.data + 4, request.len - 4, MSG_NOSIGNAL), request.len - 4);
        uint8_t reply[512];
        limit_set(links[0], 30);
        assert_true(recv(links[0], reply, sizeof reply, 0) > LSA_HEAD_LEN);
    }
    assert_int_equal(n_fds[0], n_fds[1]);
    loop_end(&loop);
}

/* A child that gave root up reads no reply of its parent's, and asks nothing as it. */
static int told[2], go[2]; /* pipes */

static int child_listens(void)
{
    int links[LINKS_MAX];
    char byte = 'c';
    if (setgid(ALICE_UID) != 0 || setuid(ALICE_UID) != 0)
        return 99;
    unsigned n_links = links_find(links);                            /* before any call of the library's */
    if (write(told[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) /* meanwhile the parent has asked */
        return 1;
    if (n_links > 1)
        return 2;
    for (unsigned i = 0; i < n_links; i++)
        if (recv(links[i], &byte, 1, MSG_DONTWAIT) > 0)
            return 3;
    return one_is_answered() ? 4 : 0;
}

static void *others_ask(void *argument)
{
    struct loop *mine = argument;
    mine->keep_credentials = true;
    (void)loop_run(mine);
    loop_end(mine);
    return NULL;
}

static void test_child_reads_nothing(void **state)
{
    char byte;
    int status;
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    memset(&loop, 0, sizeof loop);
    loop_acquire(&loop);
    assert_true(loop_goes());
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(go), 0);
    for (int round = 0; round < 3; round++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            _exit(child_listens());
        assert_int_equal(read(told[0], &byte, 1), 1);
        assert_true(loop_goes());
        pthread_t threads[4]; /* each on a connection of its own */
        struct loop loops[4];
        for (int i = 0; i < 4; i++) {
            loops[i] =
                (struct loop){.client_credential = loop.client_credential, .server_credential = loop.server_credential};
            assert_int_equal(pthread_create(&threads[i], NULL, others_ask, &loops[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(loops[i].client_status, SEC_E_OK);
            assert_int_equal(loops[i].server_status, SEC_E_OK);
        }
        assert_int_equal(write(go[1], "g", 1), 1);
        while (waitpid(child, &status, 0) < 0)
            ;
        assert_int_equal(status, 0);
        assert_true(loop_goes());
    }
    for (int i = 0; i < 2; i++) {
        close(told[i]);
        close(go[i]);
    }
    loop.keep_credentials = false;
    loop_end(&loop);
}

/* What a child inherits lives as long as it does, its parent gone. */
static void test_parent_goes(void **state)
{
    int outcome[2];
    char byte = 0;
    (void)state;
    assert_int_equal(pipe(outcome), 0);
    fflush(NULL);
    pid_t parent = fork();
    if (parent == 0) {
        int end[2];
        memset(&loop, 0, sizeof loop);
        loop_acquire(&loop);
        if (!loop_goes() || pipe(end) != 0)
            _exit(1);
        pid_t child = fork();
        if (child == 0) {
            close(end[1]);
            if (read(end[0], &byte, 1) != 0)
                _exit(1);
            usleep(200000); /* the daemon has seen the parent's end */
            byte = loop_goes() ? 'y' : 'n';
            _exit(write(outcome[1], &byte, 1) == 1 ? 0 : 1);
        }
        _exit(child > 0 ? 0 : 1);
    }
    close(outcome[1]);
    assert_int_equal(read(outcome[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(outcome[0]);
    while (waitpid(parent, NULL, 0) < 0)
        ;
}

/* A thread that a host made somebody else by system calls, the real user still root: its requests are his, and root's are root's. */
static int thread_is_somebody_else(void)
{
    memset(&loop, 0, sizeof loop);
    loop_acquire(&loop);
    if (!loop_goes())
        return 1;
    for (int i = 0; i < 3; i++) {
        if (syscall(SYS_setresuid, -1, ALICE_UID, -1) != 0)
            return 99;
        if (!loop_goes())
            return 2;
        if (syscall(SYS_setresuid, -1, 0, -1) != 0)
            return 98;
        if (!loop_goes())
            return 3;
    }
    return one_is_answered() ? 0 : 4;
}

static void test_thread_of_another_user(void **state)
{
    (void)state;
    if (getuid() == 0)
        assert_int_equal(in_child(thread_is_somebody_else), 0);
}

/* What is asked of a handshake under way is asked as the process, whose daemon it is, whoever the thread acts as: here nobody else reaches the
 * socket. */
struct answers {
    SECURITY_STATUS client, server, completed;
};

static struct answers answers_of(CtxtHandle *client, CtxtHandle *server)
{
    SecPkgContext_NegotiationInfoW info[2] = {{0}};
    unsigned char token[16] = {0};
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    struct answers got;
    got.client = QueryContextAttributesW(client, SECPKG_ATTR_NEGOTIATION_INFO, &info[0]);
    got.server = QueryContextAttributesW(server, SECPKG_ATTR_NEGOTIATION_INFO, &info[1]);
    got.completed = CompleteAuthToken(server, &list);
    for (int i = 0; i < 2; i++)
        if (info[i].PackageInfo != NULL)
            FreeContextBuffer(info[i].PackageInfo);
    return got;
}

static void test_asked_by_who_impersonates(void **state)
{
    static unsigned char there[LOOP_TOKEN_MAX], back[LOOP_TOKEN_MAX];
    struct loop halves = {.package = "Negotiate"};
    CtxtHandle client, server;
    ULONG attributes;
    SecBuffer to_server = {sizeof there, SECBUFFER_TOKEN, there}, to_client = {sizeof back, SECBUFFER_TOKEN, back};
    SecBufferDesc request = {SECBUFFER_VERSION, 1, &to_server}, answer = {SECBUFFER_VERSION, 1, &to_client};
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    loop_acquire(&halves);
    assert_int_equal(InitializeSecurityContextA(&halves.client_credential, NULL, NULL, 0, 0, 0, NULL, 0, &client,
                                                &request, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(
        AcceptSecurityContext(&halves.server_credential, NULL, &request, 0, 0, &server, &answer, &attributes, NULL),
        SEC_I_CONTINUE_NEEDED);
    const struct answers expected = answers_of(&client, &server);
    assert_int_equal(expected.server, SEC_E_OK);
    assert_int_equal(expected.completed, SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(chmod(daemon_path, 0700), 0);
    assert_true(ImpersonateAnonymousToken(GetCurrentThread()));
    assert_int_not_equal(geteuid(), 0);
    const struct answers got = answers_of(&client, &server);
    assert_int_not_equal(geteuid(), 0);
    assert_true(RevertToSelf());
    assert_int_equal(chmod(daemon_path, 0777), 0);
    assert_int_equal(got.client, expected.client);
    assert_int_equal(got.server, expected.server);
    assert_int_equal(got.completed, expected.completed);
    halves.client = client;
    halves.server = server;
    loop_end(&halves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root_given_up),          cmocka_unit_test(test_links_of_others_are_closed),
        cmocka_unit_test(test_half_a_request),         cmocka_unit_test(test_descriptors_are_not_taken),
        cmocka_unit_test(test_child_reads_nothing),    cmocka_unit_test(test_parent_goes),
        cmocka_unit_test(test_thread_of_another_user), cmocka_unit_test(test_asked_by_who_impersonates),
    };
    return cmocka_run_group_tests(tests, begin, loop_teardown);
}
