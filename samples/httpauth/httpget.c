/* SPDX-License-Identifier: MIT */
/* httpget: gets one document, and signs on when the server asks for it. */
#include "get_sock.h"
#include "code.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void Usage(void)
{
    fputs("usage: httpget [-s SCHEME,...] [-t TARGET] [-u [DOMAIN\\]USER] [-d] [-c AUTHORITY.pem | -k] [-b] [-w "
          "SECONDS]\n"
          "           [-o FILE] [-v] URL\n"
          "-s  what to sign on by, in this order (Negotiate,NTLM); Digest too, where it is named\n"
          "-t  the service's name (HTTP/ and the URL's host)\n"
          "-u  who; the password is the value of HTTPGET_PASSWORD, or is asked for. Without -u: who is signed on "
          "already\n"
          "-d  lends the server the user's credentials\n"
          "-c  who may sign the server's certificate; -k takes any certificate, and is bound to it all the same\n"
          "-b  does not bind the sign-on to the TLS connection\n"
          "-v  shows the headers\n",
          stderr);
}

/* http://host[:port][/path], https likewise, an IPv6 address in brackets. */
static bool ParseUrl(const char *url, struct request *request)
{
    const char *at = url;
    request->tls = strncmp(url, "https://", 8) == 0;
    if (!request->tls && strncmp(url, "http://", 7) != 0)
        return false;
    at += request->tls ? 8 : 7;
    request->ipv6_literal = *at == '[';
    at += request->ipv6_literal;
    size_t len = strcspn(at, request->ipv6_literal ? "]" : ":/?#");
    if (len == 0 || len >= sizeof request->host || memchr(at, '@', len) != NULL)
        return false;
    memcpy(request->host, at, len);
    at += len;
    if (request->ipv6_literal && *at++ != ']')
        return false;
    snprintf(request->port, sizeof request->port, "%s", request->tls ? "443" : "80");
    if (*at == ':') {
        len = strspn(++at, "0123456789");
        if (len == 0 || len > 5)
            return false;
        memcpy(request->port, at, len);
        request->port[len] = '\0';
        at += len;
    }
    len = strcspn(at, "#");
    if (len >= sizeof request->path - 1 || (len > 0 && *at != '/' && *at != '?'))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)at[i] <= ' ' || at[i] == 0x7f)
            return false;
    snprintf(request->path, sizeof request->path, "%s%.*s", *at == '/' ? "" : "/", (int)len, at);
    return true;
}

static struct termios shown; /* how the terminal was before the question */

/* Who ends the program at its question gets his terminal back. */
static void ShowAgain(int number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    raise(number); /* as it came, once this has returned */
}

static bool AskUnseen(char *password, size_t size)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT};
    struct sigaction give_back = {.sa_handler = ShowAgain, .sa_flags = (int)SA_RESETHAND};
    struct termios silent = shown;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaction(ends[i], &give_back, NULL);
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_cc[VSUSP] = _POSIX_VDISABLE; /* nobody stops here: a shell that went on would see nothing typed */
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fputs("Password: ", stderr);
    bool good = fgets(password, (int)size, stdin) != NULL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        signal(ends[i], SIG_DFL);
    return good;
}

static bool ReadPassword(char *password, size_t size)
{
    const char *given = getenv("HTTPGET_PASSWORD");
    if (given != NULL)
        return (size_t)snprintf(password, size, "%s", given) < size;
    bool good =
        tcgetattr(STDIN_FILENO, &shown) == 0 ? AskUnseen(password, size) : fgets(password, (int)size, stdin) != NULL;
    password[good ? strcspn(password, "\r\n") : 0] = '\0';
    return good;
}

static bool ParseOptions(int argc, char **argv, struct request *request, struct auth_options *options,
                         const char **file)
{
    int letter;
    while ((letter = getopt(argc, argv, "s:t:u:dc:kbw:o:v")) != -1)
        switch (letter) {
        case 's':
            options->schemes = optarg;
            break;
        case 't':
            options->target = optarg;
            break;
        case 'u':
            options->user = optarg;
            break;
        case 'd':
            options->delegate = TRUE;
            break;
        case 'c':
            request->authority = optarg;
            break;
        case 'k':
            request->any_certificate = true;
            break;
        case 'b':
            request->unbound = true;
            break;
        case 'w':
            request->patience = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            *file = optarg;
            break;
        case 'v':
            request->verbose = true;
            break;
        default:
            return false;
        }
    return argc - optind == 1 && request->patience > 0 && ParseUrl(argv[optind], request);
}

int main(int argc, char **argv)
{
    static char password[256], target[300];
    struct request request = {.patience = 30};
    struct auth_options options = {.schemes = "Negotiate,NTLM", .password = password};
    const char *file = NULL;
    signal(SIGPIPE, SIG_IGN);
    if (!ParseOptions(argc, argv, &request, &options, &file)) {
        Usage();
        return 2;
    }
    if (options.target == NULL) {
        snprintf(target, sizeof target, "HTTP/%s", request.host);
        options.target = target;
    }
    if (options.user != NULL && !ReadPassword(password, sizeof password)) {
        fputs("httpget: no password, or one that is too long\n", stderr);
        return 1;
    }
    options.uri = request.path;
    FILE *to = file != NULL ? fopen(file, "wb") : stdout;
    if (to == NULL) {
        perror(file);
        return 1;
    }
    bool good = HttpGetSocket(&request, &options, to);
    explicit_bzero(password, sizeof password);
    if (fflush(to) != 0 || (file != NULL && fclose(to) != 0)) {
        perror(file != NULL ? file : "stdout");
        good = false;
    }
    return good ? 0 : 1;
}
