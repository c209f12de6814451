#include "support/lsa_daemon.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child, parent;

bool lsa_daemon_wanted(void)
{
    return getenv("OPENSSPI_TEST_LSAD") != NULL;
}

static char section_socket[108];

const char *lsa_daemon_section(const char *directory)
{
    static char text[256];
    const char *mode = getenv("OPENSSPI_TEST_LSA_MODE");
    if (!lsa_daemon_wanted())
        return "";
    snprintf(section_socket, sizeof section_socket, "%s/lsa.sock", directory);
    snprintf(text, sizeof text, "\n[lsa]\nmode = %s\nsocket = %s\n", mode != NULL ? mode : "daemon", section_socket);
    return text;
}

void lsa_daemon_ensure(void)
{
    if (lsa_daemon_wanted() && child == 0)
        lsa_daemon_start(section_socket);
}

/* It listens before it is ready: only then its handler of SIGTERM stands. */
static bool answers(const char *path)
{
    static const uint8_t greeting[] = {0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint8_t reply;
    assert(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) == (ssize_t)sizeof greeting &&
                    recv(fd, &reply, 1, 0) == 1;
    close(fd);
    return answered;
}

static void stop_at_exit(void)
{
    if (getpid() == parent)
        lsa_daemon_stop();
}

void lsa_daemon_start(const char *socket)
{
    const char *program = getenv("OPENSSPI_TEST_LSAD");
    int status;
    assert(child == 0);
    if (program == NULL || program[0] == '\0')
        program = OPENSSPI_LSAD;
    if (parent == 0)
        atexit(stop_at_exit);
    parent = getpid();
    /* Not fork: that would take all the library's locks, more than ThreadSanitizer can count. setpriv has the daemon end with the test. */
    char *const argv[] = {(char *)"setpriv", (char *)"--pdeathsig", (char *)"KILL", (char *)program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (getenv("OPENSSPI_TEST_LOUD") == NULL)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int spawned = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    assert(spawned == 0);
    for (int turn = 0; turn < 60000 && !answers(socket); turn++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            fprintf(stderr, "%s ended with 0x%x\n", program, (unsigned)status);
            abort();
        }
        usleep(10000);
    }
    assert(answers(socket));
}

static void end(int number)
{
    int status = 0;
    if (child == 0)
        return;
    kill(child, number);
    while (waitpid(child, &status, 0) < 0)
        ;
    child = 0;
    /* A sanitizer's finding in the daemon is one of the test. */
    if (number == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        fprintf(stderr, "the daemon ended with 0x%x\n", (unsigned)status);
        abort();
    }
}

void lsa_daemon_stop(void)
{
    end(SIGTERM);
}

void lsa_daemon_kill(void)
{
    end(SIGKILL);
}

pid_t lsa_daemon_pid(void)
{
    return child;
}
