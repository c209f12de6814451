/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <signal.h>
#include <termios.h>
#include <unistd.h>
#endif

static void Usage(BOOL client)
{
    if (client)
        fputs(
            "usage: sockauth_client [-4 | -6] [-p PACKAGE] [-t TARGET] [-u [DOMAIN\\]USER] [-f FLAG,...] [-m TEXT]\n"
            "           [-c PFX] [-r PEM] [-w SECONDS] [HOST [PORT]]\n"
            "The password of -u is the value of SOCKAUTH_PASSWORD, or is asked for. Without -u: default credentials.\n",
            stderr);
    else
        fputs("usage: sockauth_server [-4 | -6] [-p PACKAGE] [-f FLAG,...] [-n CONNECTIONS] [-i] [-w SECONDS]\n"
              "           [-c PFX] [-r PEM] [-a SECONDS] [HOST [PORT]]\n"
              "-i impersonates each client; -a ends the server when nobody came for so long.\n",
              stderr);
    fputs(
        "Schannel: -c is the certificate with its key, whose password SOCKAUTH_PASSWORD is, -r the peer's authority.\n",
        stderr);
    fputs("Flags: delegate mutual_auth replay_detect sequence_detect confidentiality integrity identify ...\n", stderr);
}

static BOOL Number(const char *text, DWORD *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > 100000)
        return FALSE;
    *number = (DWORD)value;
    return TRUE;
}

/* One option and its value. */
static BOOL Take(struct options *options, BOOL client, char letter, const char *value)
{
    switch (letter) {
    case 'p':
        options->package = value;
        return TRUE;
    case 'f':
        return FlagsOf(client, value, &options->flags);
    case 'w':
        return Number(value, &options->patience) && options->patience > 0;
    case 'c':
        options->certificate = value;
        return TRUE;
    case 'r':
        options->authority = value;
        return TRUE;
    case 't':
        options->target = value;
        return client;
    case 'u':
        options->user = value;
        return client;
    case 'm':
        options->text = value;
        return client;
    case 'n':
        return Number(value, &options->connections) && !client;
    case 'a':
        return Number(value, &options->idle) && !client;
    default:
        return FALSE;
    }
}

BOOL ParseOptions(int argc, char **argv, BOOL client, struct options *options)
{
    *options = (struct options){
        .package = "NTLM", .port = "11720", .text = "Hello, is this line safe?", .patience = 10, .family = AF_UNSPEC};
    options->flags = client ? ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY |
                                  ISC_REQ_INTEGRITY | ISC_REQ_CONNECTION
                            : ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONFIDENTIALITY |
                                  ASC_REQ_INTEGRITY | ASC_REQ_CONNECTION;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *word = argv[i];
        if (strcmp(word, "-4") == 0) {
            options->family = AF_INET;
        } else if (strcmp(word, "-6") == 0) {
            options->family = AF_INET6;
        } else if (strcmp(word, "-i") == 0 && !client) {
            options->impersonate = TRUE;
        } else if (strlen(word) != 2 || i + 1 == argc || !Take(options, client, word[1], argv[i + 1])) {
            Usage(client);
            return FALSE;
        } else {
            i++;
        }
    }
    if (argc - i > 2) {
        Usage(client);
        return FALSE;
    }
    options->host = i < argc ? argv[i++] : options->family == AF_INET6 ? "::1" : "127.0.0.1";
    if (i < argc)
        options->port = argv[i];
    return TRUE;
}

#ifdef _WIN32

/* Reads a line without showing it when a person types it. */
static BOOL ReadHidden(char *line, size_t size)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode;
    if (!GetConsoleMode(input, &mode))
        return fgets(line, (int)size, stdin) != NULL;
    SetConsoleMode(input, mode & ~(DWORD)ENABLE_ECHO_INPUT);
    fputs("Password: ", stderr);
    BOOL good = fgets(line, (int)size, stdin) != NULL;
    SetConsoleMode(input, mode);
    fputc('\n', stderr);
    return good;
}

#else

static struct termios shown; /* how the terminal was before the question */

/* Who ends the program at its question gets his terminal back. */
static void ShowAgain(int number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    raise(number); /* as it came, once this has returned */
}

/* Reads a line without showing it when a person types it. */
static BOOL ReadHidden(char *line, size_t size)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT};
    struct sigaction give_back = {.sa_handler = ShowAgain, .sa_flags = (int)SA_RESETHAND};
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return fgets(line, (int)size, stdin) != NULL;
    struct termios silent = shown;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaction(ends[i], &give_back, NULL);
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_cc[VSUSP] = _POSIX_VDISABLE; /* nobody stops here: a shell that went on would see nothing typed */
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fputs("Password: ", stderr);
    BOOL good = fgets(line, (int)size, stdin) != NULL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        signal(ends[i], SIG_DFL);
    return good;
}

#endif

BOOL AskPassword(char *password, size_t size)
{
    const char *given = getenv("SOCKAUTH_PASSWORD");
    if (given != NULL) {
        if (strlen(given) >= size) {
            Complain("the password is too long");
            return FALSE;
        }
        memcpy(password, given, strlen(given) + 1);
        return TRUE;
    }
    if (!ReadHidden(password, size)) {
        Complain("no password");
        return FALSE;
    }
    password[strcspn(password, "\r\n")] = '\0';
    return TRUE;
}
