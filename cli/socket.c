/* Connections of `sspi connect` and `sspi listen`. */
#include "socket.h"

#include "cli.h"

#include "base/time.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Of digits alone, which getaddrinfo would take modulo 65536. Names of services are its own to judge. */
static bool port_is(const char *port, unsigned long least)
{
    unsigned long number = strtoul(port, NULL, 10);
    return port[strspn(port, "0123456789")] != '\0' || (*port != '\0' && number >= least && number <= UINT16_MAX);
}

int socket_address(const char *text, const char *default_host, char host[256], char port[32])
{
    const char *colon = strrchr(text, ':'), *start = text;
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    if (colon == NULL && default_host == NULL)
        return cli_misuse("\"%s\" names no port: give HOST:PORT", text);
    if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
        start++;
        len -= 2;
    }
    if (len >= 256 || strlen(colon == NULL ? text : colon + 1) >= 32)
        return cli_misuse("\"%s\" is too long for HOST:PORT", text);
    snprintf(host, 256, "%.*s", (int)len, start);
    if (len == 0)
        snprintf(host, 256, "%s", default_host == NULL ? "localhost" : default_host);
    snprintf(port, 32, "%s", colon == NULL ? text : colon + 1);
    if (!port_is(port, default_host == NULL ? 1 : 0))
        return cli_misuse("\"%s\" is no port: they go up to %u", port, UINT16_MAX);
    return CLI_OK;
}

static int resolve(const char *host, const char *port, bool passive, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
    int error = getaddrinfo(host, port, &hints, list);
    if (error == 0)
        return CLI_OK;
    if (error == EAI_SERVICE)
        return cli_misuse("\"%s\" is no port, nor the name of one", port);
    cli_fail("cannot find %s port %s: %s", host, port, gai_strerror(error));
    return CLI_UNREACHABLE;
}

int socket_dial(const char *host, const char *port, int64_t seconds, int *socket_out)
{
    struct addrinfo *list;
    struct timeval patience = {.tv_sec = (time_t)seconds};
    int file = -1;
    try(resolve(host, port, false, &list));
    for (struct addrinfo *each = list; each != NULL && file < 0; each = each->ai_next) {
        file = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (file < 0)
            continue;
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(file, each->ai_addr, each->ai_addrlen) != 0) {
            int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
            close(file);
            file = -1;
            errno = error;
        }
    }
    freeaddrinfo(list);
    *socket_out = file;
    if (file >= 0)
        return CLI_OK;
    cli_fail("cannot connect to %s port %s: %s; is \"sspi listen %s\", or another server, running there?", host, port,
             strerror(errno), port);
    return CLI_UNREACHABLE;
}

int socket_listen(const char *host, const char *port, int *listener)
{
    struct addrinfo *list;
    int file = -1, one = 1;
    try(resolve(host, port, true, &list));
    for (struct addrinfo *each = list; each != NULL && file < 0; each = each->ai_next) {
        file = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (file < 0)
            continue;
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(file, each->ai_addr, each->ai_addrlen) != 0 || listen(file, 1) != 0) {
            int error = errno;
            close(file);
            file = -1;
            errno = error;
        }
    }
    freeaddrinfo(list);
    *listener = file;
    return file >= 0 ? CLI_OK : cli_fail("cannot listen on %s port %s: %s", host, port, strerror(errno));
}

int socket_accept(int listener, int64_t seconds, int *socket_out)
{
    struct pollfd entry = {.fd = listener, .events = POLLIN};
    uint64_t until = monotonic_ms() + (uint64_t)seconds * 1000, left;
    int ready, file = -1;
    do {
        uint64_t now = monotonic_ms();
        left = now < until ? until - now : 0;
        ready = poll(&entry, 1, seconds == 0 ? -1 : left > INT_MAX ? INT_MAX : (int)left);
        if (ready > 0)
            file = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    } while ((ready == 0 && left > INT_MAX) || ((ready < 0 || (ready > 0 && file < 0)) && errno == EINTR));
    *socket_out = file;
    if (ready == 0) {
        cli_fail("nobody came within %lld second%s (--timeout)", (long long)seconds, seconds == 1 ? "" : "s");
        return CLI_UNREACHABLE;
    }
    return file >= 0 ? CLI_OK : cli_fail("cannot accept a connection: %s", strerror(errno));
}
