#include "server.h"

#include "api/api.h"
#include "core/cause.h"
#include "lsa/authority.h"
#include "lsa/connection.h"
#include "lsa/seal.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PASSED_FD 3 /* sd_listen_fds(3) */

/* A socket that systemd opened for us, or -1. */
static int socket_passed(void)
{
    const char *pid = getenv("LISTEN_PID"), *n_fds = getenv("LISTEN_FDS");
    struct stat status;
    if (pid == NULL || n_fds == NULL || strtol(pid, NULL, 10) != (long)getpid() || strtol(n_fds, NULL, 10) != 1)
        return -1;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    if (fstat(FIRST_PASSED_FD, &status) != 0 || !S_ISSOCK(status.st_mode) ||
        fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return FIRST_PASSED_FD;
}

/* A socket that a former daemon left behind goes; one that somebody serves stays. */
static bool place_clear(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* one too busy to accept is there */
    bool served =
        fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return !served && unlink(address->sun_path) == 0;
}

/* Where others may put a socket, they can be in this daemon's place, and clients would not trust it. */
static bool place_is_safe(const char *path, const char *user)
{
    const struct passwd *other = user != NULL ? getpwnam(user) : NULL; /* before there are threads */
    return lsa_directory_is_safe(path, other != NULL ? other->pw_uid : geteuid());
}

/* Daemons that start at once take the place one after the other: what one finds left behind is not what another has just made. The file is the
 * daemon's alone, so nobody else can hold it. -1: it cannot be had, as errno says. */
static int place_lock(const char *lock)
{
    for (;;) {
        struct stat held, there;
        int fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        if (fstat(fd, &held) == 0 && stat(lock, &there) == 0 && held.st_ino == there.st_ino &&
            held.st_dev == there.st_dev)
            return fd;
        close(fd); /* of one that has gone since */
    }
}

/* Under the lock. A socket that listens, for others would take one that does not for left behind; -1: errno says why. */
static int socket_listen(const struct sockaddr_un *address, struct stat *made)
{
    if (!place_clear(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0); /* everybody may connect; the kernel tells who it is */
    bool listens = fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
                   listen(fd, SERVER_BACKLOG) == 0 && lstat(address->sun_path, made) == 0;
    int error = errno;
    umask(mask);
    if (!listens && fd >= 0)
        close(fd);
    errno = error;
    return listens ? fd : -1;
}

static int socket_make(const char *path, const char *user, struct stat *made)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char lock[sizeof address.sun_path + sizeof ".lock"];
    if (strlen(path) >= sizeof address.sun_path) {
        log_line("%s: too long for a socket", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)snprintf(lock, sizeof lock, "%s.lock", path);
    if (!place_is_safe(path, user)) {
        log_line("%s: its directory has to be there, be root's or the daemon's, and nobody else may write in it", path);
        return -1;
    }
    int lock_fd = place_lock(lock), fd = lock_fd >= 0 ? socket_listen(&address, made) : -1;
    if (fd < 0)
        log_line("%s: %s", path, errno == EADDRINUSE ? "somebody serves it, or it is no socket" : strerror(errno));
    if (lock_fd >= 0) {
        (void)unlink(lock);
        close(lock_fd);
    }
    return fd;
}

/* Not another daemon's, which has taken the place since. */
static void socket_remove(const char *path, const struct stat *own)
{
    struct stat now;
    bool there = lstat(path, &now) == 0;
    if (!there && errno == ENOENT)
        return;
    /* Where it cannot even be looked at, it stays as well. */
    if (!there || (now.st_ino == own->st_ino && now.st_dev == own->st_dev && unlink(path) != 0))
        log_line("%s: stays: %s", path, strerror(errno));
}

/* sd_notify(3): one datagram. */
static void ready_tell(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (fd >= 0) {
        (void)sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
        close(fd);
    }
}

/* What a process may have of its own is not what this daemon gives to others: no default tickets, no default files. */
static void defaults_forget(void)
{
    (void)setenv("KRB5CCNAME", "MEMORY:opensspi-lsad-nobody", 1);
    (void)setenv("KRB5_CLIENT_KTNAME", "MEMORY:opensspi-lsad-nobody", 1);
    unsetenv("OPENSSPI_NTLM_USER_FILE");
    unsetenv("NTLM_USER_FILE");
    unsetenv("SSPI_ASKPASS");
}

static bool configure(struct server *server, const struct config *config)
{
    char workers[16];
    server->limits = (struct limits){.connections = config->lsa_connections,
                                     .user_connections = config->lsa_user_connections,
                                     .user_contexts = config->lsa_user_contexts,
                                     .user_credentials = config->lsa_user_credentials,
                                     .workers = config->lsa_workers};
    (void)snprintf(workers, sizeof workers, "%u", config->lsa_workers);
    return setenv("UV_THREADPOOL_SIZE", workers, 1) == 0;
}

/* `user`: whom to become where the configuration says nothing. */
static int serve(const struct config *config, const char *user)
{
    static struct server server;
    if (config->lsa_user != NULL)
        user = config->lsa_user;
    const char *path = config->lsa_socket != NULL ? config->lsa_socket : LSA_SOCKET_DEFAULT;
    bool locked = false;
    int fd = socket_passed();
    bool made = fd < 0;
    struct stat own;
    if (made && (fd = socket_make(path, user, &own)) < 0)
        return EXIT_FAILURE;
    bool ready = configure(&server, config) && sandbox_enter(user, &locked) && seal_start();
    if (ready)
        keys_check(config); /* said before anybody can ask */
    ready = ready && server_listen(&server, fd);
    if (ready) {
        log_line("serving %s as user %lu, %u workers, memory %s", path, (unsigned long)geteuid(), config->lsa_workers,
                 locked ? "locked" : "not locked (LimitMEMLOCK=infinity lets it be)");
        ready_tell();
        server_run(&server);
    } else
        log_line("cannot start");
    if (made)
        socket_remove(path, &own);
    return ready ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const char *user)
{
    const struct config *config = NULL;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    (void)setvbuf(stderr, NULL, _IOLBF, 0);
    config_for_daemon();
    authority_embed();
    defaults_forget();
    api_start();
    if (config_get(&config) != SEC_E_OK) {
        log_line("%s", cause_text());
        return EXIT_FAILURE;
    }
    int code = serve(config, user);
    uv_library_shutdown(); /* by itself libuv ends its threads after OpenSSL's end, which then keeps what it has for them */
    config_release(config);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("opensspi-lsad (OpenSSPI) " OPENSSPI_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: opensspi-lsad [--user NAME]\n\nThe security authority for this computer's processes; [lsa] of the "
             "configuration says where and how.\n\n"
             "  --user NAME   whom to become where \"user\" in [lsa] names nobody, when root starts it\n"
             "  --version     its version");
        return EXIT_SUCCESS;
    }
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--user") != 0)) {
        fputs("usage: opensspi-lsad [--user NAME | --help | --version]\n", stderr);
        return 2;
    }
    return run(argc == 3 ? argv[2] : NULL);
}
