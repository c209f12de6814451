#include "core/prompt.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/as_process.h"
#include "core/cause.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define EXIT_MS 2000     /* what a program that has answered may take to end */
#define ANSWER_MS 120000 /* a person who does not answer must not hold a handshake for ever */

#define NOT_STARTED \
    127 /* POSIX, posix_spawn: how a child ends that could not become the program, where the call itself did not say so */

enum reading { READING_DONE, READING_ENDED, READING_FAILED, READING_INTERRUPTED };

/* The signal that a terminal makes of this character; 0: none. */
static int interrupt_of(const struct termios *terminal, char character)
{
    static const struct {
        size_t at;
        int number;
    } interrupts[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    if ((terminal->c_lflag & ISIG) == 0 || (unsigned char)character == _POSIX_VDISABLE)
        return 0;
    for (size_t i = 0; i < COUNT_OF(interrupts); i++)
        if (terminal->c_cc[interrupts[i].at] == (unsigned char)character)
            return interrupts[i].number;
    return 0;
}

/* One line from a descriptor, without its newline. READING_ENDED: there is none, and whoever had one is gone. READING_INTERRUPTED: it has
 * a character, the first of `line` then, which this terminal (NULL: none) would have made a signal. */
static enum reading line_read(int fd, const struct termios *terminal, char line[ANSWER_MAX])
{
    size_t len = 0;
    line[0] = '\0';
    while (len < ANSWER_MAX - 1) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, ANSWER_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        require(ready > 0, READING_FAILED);
        char byte;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || byte == '\n')
            return got > 0 || len > 0 ? READING_DONE : READING_ENDED;
        line[len++] = byte;
        line[len] = '\0';
        if (terminal != NULL && interrupt_of(terminal, byte) != 0) {
            line[0] = byte;
            return READING_INTERRUPTED;
        }
    }
    return READING_FAILED;
}

/* Waits for the child, a while if it has nothing more to say, and ends it. Its status, or -1: what it wrote is an answer only where it is known to
 * have ended well, for programs that fail may say so where the answer is read. */
static int child_end(pid_t child, bool done)
{
    int status = -1;
    for (unsigned turns = done ? EXIT_MS / 10 : 0; turns > 0; turns--) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            return status;
        if (ended < 0 && errno != EINTR) {
            (void)cause_set(SEC_E_NO_CREDENTIALS, "how the askpass program ended was not to be learned: this process "
                                                  "ignores SIGCHLD, or waits for all of its children elsewhere");
            return -1;
        }
        poll(NULL, 0, 10);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return -1;
}

enum answer { ANSWER_GIVEN, ANSWER_DECLINED, ANSWER_NOBODY };

static enum answer ask_program(const char *program, const char *question, char answer[ANSWER_MAX])
{
    int ends[2];
    pid_t child;
    posix_spawn_file_actions_t actions;
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)question, NULL};
    require(pipe2(ends, O_CLOEXEC) == 0, ANSWER_NOBODY);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failed = posix_spawn(&child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed != 0) {
        close(ends[0]);
        return ANSWER_NOBODY;
    }
    enum reading reading = line_read(ends[0], NULL, answer);
    bool answered = reading == READING_DONE;
    close(ends[0]);
    int status = child_end(child, reading != READING_FAILED);
    if (!answered && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
        return ANSWER_NOBODY;
    return answered && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ANSWER_GIVEN : ANSWER_DECLINED;
}

/* A secret is asked for only where nobody reads it on the terminal: success of tcsetattr may be of a part. Nor does the terminal make signals
 * meanwhile, which would end the process with the echo off; their characters end a line instead (VQUIT with the next newline: there are two
 * places). */
static bool echo_off(int fd, const struct termios *before)
{
    struct termios quiet = *before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
    if ((before->c_lflag & ISIG) != 0) {
        quiet.c_cc[VEOL] = before->c_cc[VINTR];
        quiet.c_cc[VEOL2] = before->c_cc[VSUSP];
    }
    bool off =
        tcsetattr(fd, TCSAFLUSH, &quiet) == 0 && tcgetattr(fd, &quiet) == 0 && (quiet.c_lflag & (ECHO | ISIG)) == 0;
    if (!off)
        tcsetattr(fd, TCSAFLUSH, before);
    return off;
}

/* To those to whom the terminal would have sent it. Any thread may take the process's: that this one stops with it, and does not ask on meanwhile,
 * it has its own, of which nothing is left when the process goes on. A handler is run once. */
static void signal_send(int number)
{
    struct sigaction disposition;
    sigset_t one, before;
    bool stops = number == SIGTSTP && sigaction(number, NULL, &disposition) == 0 &&
                 (disposition.sa_flags & SA_SIGINFO) == 0 && disposition.sa_handler == SIG_DFL;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    if (stops && sigismember(&before, number) == 0)
        raise(number);
    kill(0, number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* *signalled: which signal the answer was, sent by now; 0: none. */
static enum answer ask_terminal_once(const char *question, bool secret, char answer[ANSWER_MAX], int *signalled)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    *signalled = 0;
    require(fd >= 0, ANSWER_NOBODY);
    struct termios before;
    bool answered = false, terminal = tcgetattr(fd, &before) == 0 && (!secret || echo_off(fd, &before));
    if (terminal) {
        enum reading reading =
            write(fd, question, strlen(question)) > 0 ? line_read(fd, secret ? &before : NULL, answer) : READING_FAILED;
        answered = reading == READING_DONE;
        *signalled = reading == READING_INTERRUPTED ? interrupt_of(&before, answer[0]) : 0;
        tcsetattr(fd, TCSAFLUSH, &before);
        if (secret && write(fd, "\n", 1) < 0)
            answered = false;
    }
    bool ours = *signalled != 0 && tcgetpgrp(fd) == getpgrp();
    close(fd);
    if (ours)
        signal_send(*signalled); /* now that the terminal has its echo again */
    return answered ? ANSWER_GIVEN : terminal ? ANSWER_DECLINED : ANSWER_NOBODY;
}

/* Who stops the process does not decline: the question comes again when it goes on. */
static enum answer ask_terminal(const char *question, bool secret, char answer[ANSWER_MAX])
{
    int signalled;
    enum answer said;
    do
        said = ask_terminal_once(question, secret, answer, &signalled);
    while (signalled == SIGTSTP);
    return said;
}

static enum answer ask(const char *askpass, char *question, bool secret, char answer[ANSWER_MAX])
{
    answer[0] = '\0';
    text_calm(question, strlen(question));
    return askpass != NULL ? ask_program(askpass, question, answer) : ask_terminal(question, secret, answer);
}

static SECURITY_STATUS fill(const char *user, const char *domain, const char *password, struct identity *identity)
{
    AUTO_IDENTITY struct identity filled = {.has_password = true};
    require(utf8_valid(slice_of_text(user)) && utf8_valid(slice_of_text(password)),
            cause_set(SEC_E_NO_CREDENTIALS, "the answer was not valid UTF-8"));
    filled.user = mem_strdup(user);
    filled.domain = mem_strdup(domain != NULL ? domain : "");
    require(filled.user != NULL && filled.domain != NULL && utf16le_secret(&filled.password, password) == WIRE_OK,
            SEC_E_INSUFFICIENT_MEMORY);
    *identity = filled;
    filled = (struct identity){0};
    return SEC_E_OK;
}

SECURITY_STATUS prompt_ask(const struct prompt *prompt, struct identity *identity, bool *declined)
{
    AS_PROCESS_SCOPE; /* a program that is begun by a thread that impersonates would be its client's, with the way back to this process's user */
    char question[1024], name[ANSWER_MAX], password[ANSWER_MAX];
    SECURITY_STATUS nobody = SEC_E_NO_CREDENTIALS;
    const char *user = prompt->user;
    const char *whose = prompt->target != NULL && *prompt->target != '\0' ? prompt->target : "this server";
    const char *message = prompt->message != NULL ? prompt->message : "";
    const char *space = *message != '\0' ? " " : "";
    enum answer answer;
    if (user == NULL) {
        snprintf(question, sizeof question, "%.400s%sUser name for %.200s: ", message, space, whose);
        answer = ask(prompt->askpass, question, false, name);
        *declined = answer != ANSWER_NOBODY;
        require(answer == ANSWER_GIVEN, cause_set(nobody, "nobody answered the question for a user name"));
        user = name;
    }
    snprintf(question, sizeof question, "%.400s%sPassword of %.200s for %.200s: ", message, space, user, whose);
    answer = ask(prompt->askpass, question, true, password);
    *declined = answer != ANSWER_NOBODY;
    SECURITY_STATUS status = answer == ANSWER_GIVEN ? fill(user, prompt->domain, password, identity)
                                                    : cause_set(nobody, "nobody answered the question for a password");
    secret_wipe(password, sizeof password);
    return status;
}

SECURITY_STATUS prompt_identity(const char *askpass, const char *target, const char *user, const char *domain,
                                struct identity *identity)
{
    bool declined;
    return prompt_ask(&(struct prompt){.askpass = askpass, .target = target, .user = user, .domain = domain}, identity,
                      &declined);
}
