/* SPDX-License-Identifier: MIT */
/* httpauth_server: a page that only those see who sign on, over libmicrohttpd. */
#include "page.h"
#include "sign_on.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_ROOM \
    ((size_t)256 * 1024) /* of one connection: a token of Kerberos' longest in base64, and room to spare */
#define CONNECTIONS_MAX 1000
#define CONNECTIONS_PER_ADDRESS_MAX 200
#define IDLE_SECONDS 30
#define FILE_MAX_LEN (1024L * 1024)

struct options {
    struct gate_options gate;
    const char *address, *key;
    unsigned port, threads, idle_seconds;
};

static struct gate gate;
static bool secure, bound;

static void Log(const char *what, const char *who, const char *why)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    printf("httpauth: %s", what);
    for (; *who != '\0'; who++) /* names come from outside: one line stays one line */
        putchar((unsigned char)*who < 0x20 || *who == 0x7f ? '?' : *who);
    printf("%s%s\n", why[0] != '\0' ? ", " : "", why);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

static struct MHD_Response *ResponseOf(struct text *text, const char *type)
{
    if (text->failed || text->data == NULL) {
        TextFree(text);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        TextFree(text);
        return NULL;
    }
    static const char *const headers[][2] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action "
                                    "'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
    };
    MHD_add_response_header(response, "Content-Type", type);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    return response;
}

static enum MHD_Result Send(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO; /* no memory: the connection ends */
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result SendMessage(struct MHD_Connection *connection, unsigned status, const char *title,
                                   const char *sentence)
{
    struct text text = {0};
    PageMessage(&text, title, sentence);
    return Send(connection, status, ResponseOf(&text, "text/html; charset=utf-8"));
}

static enum MHD_Result SendStyle(struct MHD_Connection *connection)
{
    struct text text = {0};
    TextPut(&text, page_style);
    return Send(connection, MHD_HTTP_OK, ResponseOf(&text, "text/css; charset=utf-8"));
}

/* One header a challenge: many clients read no more of it. */
static void OfferAdd(struct MHD_Response *response, size_t scheme)
{
    static const char between[] = ", Digest ";
    char *offer = GateOffer(&gate, scheme);
    for (char *at = offer, *next; at != NULL; at = next) {
        next = strstr(at, between);
        if (next != NULL) {
            *next = '\0';
            next += 2;
        }
        MHD_add_response_header(response, "WWW-Authenticate", at);
    }
    free(offer);
}

/* 401: with the next token alone while a sign-on goes on, else with the names of the schemes. */
static enum MHD_Result SendChallenge(struct MHD_Connection *connection, const char *token)
{
    struct text text = {0};
    PageMessage(
        &text, "Please sign on",
        "This page is for those who sign on with Negotiate, NTLM or Digest. The browser does not try, or was refused.");
    struct MHD_Response *response = ResponseOf(&text, "text/html; charset=utf-8");
    if (response != NULL && token != NULL)
        MHD_add_response_header(response, "WWW-Authenticate", token);
    for (size_t i = 0; response != NULL && token == NULL && i < gate.n_schemes; i++)
        OfferAdd(response, i);
    return Send(connection, MHD_HTTP_UNAUTHORIZED, response);
}

static enum MHD_Result SendVisitor(struct MHD_Connection *connection, const char *path, const struct visitor *visitor,
                                   const char *token)
{
    struct text text = {0};
    bool json = strcmp(path, "/who.json") == 0, page = strcmp(path, "/") == 0;
    if (json)
        PageVisitorJson(&text, visitor, secure, bound);
    else if (page)
        PageVisitor(&text, visitor, secure, bound);
    else
        PageMessage(&text, "Not here", "There is / for people and /who.json for programs.");
    struct MHD_Response *response = ResponseOf(&text, json ? "application/json" : "text/html; charset=utf-8");
    if (response != NULL && token != NULL)
        MHD_add_response_header(
            response, strcmp(visitor->package, "WDigest") == 0 ? "Authentication-Info" : "WWW-Authenticate", token);
    return Send(connection, json || page ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
}

/* A proxy says so of itself. What it uses one connection for is not one user's. */
static bool CameByProxy(struct MHD_Connection *connection)
{
    static const char *const names[] = {"Via", "Forwarded", "X-Forwarded-For"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]) != NULL)
            return true;
    return false;
}

static enum MHD_Result Protected(struct MHD_Connection *connection, struct guest *guest, const char *path,
                                 const struct question *question)
{
    char *token = NULL;
    const char *why = NULL;
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    enum verdict verdict = GuestKnock(&gate, guest, header, question, &token, &why);
    enum MHD_Result result;
    if (verdict == VERDICT_IN) {
        if (header != NULL)
            Log("signed on: ", guest->visitor.user, guest->visitor.package);
        result = SendVisitor(connection, path, &guest->visitor, token);
        GuestServed(&gate, guest, CameByProxy(connection));
    } else {
        if (why != NULL)
            Log("refused: ", why, "");
        result = SendChallenge(connection, token);
    }
    free(token);
    return result;
}

/* A request. */
struct arrival {
    bool seen;
    char uri[];
};

static enum MHD_Result Handle(void *closure, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
    struct arrival *arrival = *state;
    (void)closure, (void)version, (void)upload;
    if (arrival == NULL)
        return MHD_NO;    /* no memory */
    if (!arrival->seen) { /* the header alone: the body, if there is one, is still to come */
        arrival->seen = true;
        return MHD_YES;
    }
    if (*upload_len > 0) { /* nothing here takes a body */
        *upload_len = 0;
        return MHD_YES;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info != NULL ? info->socket_context : NULL;
    if (guest == NULL)
        return MHD_NO;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return SendMessage(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Not so", "This server only shows pages.");
    if (strcmp(path, "/style.css") == 0)
        return SendStyle(connection);
    return Protected(connection, guest, path, &(struct question){method, arrival->uri});
}

/* Begins a request, with its URI as it was sent: `path` has lost its escapes and its query. */
static void *Arrive(void *closure, const char *uri, struct MHD_Connection *connection)
{
    (void)closure, (void)connection;
    size_t size = strlen(uri) + 1;
    struct arrival *arrival = calloc(1, sizeof *arrival + size);
    if (arrival != NULL)
        memcpy(arrival->uri, uri, size);
    return arrival;
}

static void Leave(void *closure, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)closure, (void)connection, (void)code;
    free(*state);
    *state = NULL;
}

static void Connection(void *closure, struct MHD_Connection *connection, void **guest,
                       enum MHD_ConnectionNotificationCode code)
{
    (void)closure, (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *guest = calloc(1, sizeof(struct guest));
    } else if (*guest != NULL) {
        GuestForget(*guest);
        free(*guest);
        *guest = NULL;
    }
}

static char *FileRead(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = NULL;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < FILE_MAX_LEN)
        text = calloc(1, (size_t)status.st_size + 1);
    if (text != NULL && read(fd, text, (size_t)status.st_size) != status.st_size) {
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (text == NULL)
        fprintf(stderr, "httpauth: %s: cannot be read\n", path);
    return text;
}

static struct MHD_Daemon *Listen(const struct options *options, const char *certificate, const char *key)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    unsigned use = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(ULONG_PTR)certificate},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(ULONG_PTR)key},
                                   {MHD_OPTION_END, 0, NULL}};
    if (inet_pton(AF_INET, options->address, &place.sin_addr) != 1) {
        fprintf(stderr, "httpauth: %s: not an IPv4 address\n", options->address);
        return NULL;
    }
    if (certificate != NULL)
        use |= MHD_USE_TLS;
    return MHD_start_daemon(use, (uint16_t)options->port, NULL, NULL, Handle, NULL, MHD_OPTION_SOCK_ADDR, &place,
                            MHD_OPTION_NOTIFY_CONNECTION, Connection, NULL, MHD_OPTION_URI_LOG_CALLBACK, Arrive, NULL,
                            MHD_OPTION_NOTIFY_COMPLETED, Leave, NULL, MHD_OPTION_THREAD_POOL_SIZE, options->threads,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_ROOM, MHD_OPTION_ARRAY,
                            certificate != NULL ? tls : &tls[2], MHD_OPTION_END);
}

static int Serve(const struct options *options)
{
    sigset_t ends;
    int number;
    char *certificate = options->gate.certificate != NULL ? FileRead(options->gate.certificate) : NULL;
    char *key = options->key != NULL ? FileRead(options->key) : NULL;
    if ((options->gate.certificate != NULL && certificate == NULL) || (options->key != NULL && key == NULL)) {
        free(certificate);
        free(key);
        return 1;
    }
    sigemptyset(&ends); /* before the threads: they inherit it */
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    struct MHD_Daemon *daemon = Listen(options, certificate, key);
    if (daemon != NULL) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
        printf("httpauth: listens on %s://%s:%u/\n", secure ? "https" : "http", options->address, info->port);
        fflush(stdout);
        sigwait(&ends, &number);
        MHD_stop_daemon(daemon);
    } else
        fprintf(stderr, "httpauth: cannot listen on %s port %u\n", options->address, options->port);
    if (key != NULL)
        explicit_bzero(key, strlen(key));
    free(certificate);
    free(key);
    return daemon != NULL ? 0 : 1;
}

static void Usage(void)
{
    fputs(
        "usage: httpauth_server [-a ADDRESS] [-p PORT] [-s SCHEME,...] [-n PRINCIPAL] [-r REALM] [-t THREADS]\n"
        "           [-w SECONDS] [-c CERTIFICATE.pem -k KEY.pem [-b required|allowed|proxy|off]]\n"
        "-s  what to sign on by (Negotiate,NTLM); Digest too, where it is named\n"
        "-n  the principal whose key the server has (any of its keytab)\n"
        "-r  Digest's realm (the first of the configuration's)\n"
        "-w  how long a connection may be silent (30)\n"
        "-b  whether sign-ons must be bound to the TLS connection (required); allowed lets in who knows no bindings,\n"
        "    proxy is for a server behind one that ends TLS, off compares nothing\n",
        stderr);
}

static bool Number(const char *text, unsigned most, unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *number = (unsigned)value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= most;
}

static bool BindingOf(const char *word, enum binding *binding)
{
    static const char *const words[] = {"required", "allowed", "proxy", "off"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) {
            *binding = (enum binding)i;
            return true;
        }
    return false;
}

static bool ParseOptions(int argc, char **argv, struct options *options)
{
    int letter;
    bool good = true;
    while (good && (letter = getopt(argc, argv, "a:p:s:n:r:t:w:c:k:b:")) != -1)
        switch (letter) {
        case 'a':
            options->address = optarg;
            break;
        case 'p':
            good = Number(optarg, 65535, &options->port);
            break;
        case 's':
            options->gate.schemes = optarg;
            break;
        case 'n':
            options->gate.principal = optarg;
            break;
        case 'r':
            options->gate.realm = optarg;
            break;
        case 't':
            good = Number(optarg, 256, &options->threads) && options->threads > 0;
            break;
        case 'w':
            good = Number(optarg, 3600, &options->idle_seconds) && options->idle_seconds > 0;
            break;
        case 'c':
            options->gate.certificate = optarg;
            break;
        case 'k':
            options->key = optarg;
            break;
        case 'b':
            good = BindingOf(optarg, &options->gate.binding);
            break;
        default:
            good = false;
        }
    return good && optind == argc && (options->gate.certificate != NULL) == (options->key != NULL);
}

int main(int argc, char **argv)
{
    struct options options = {.gate = {.schemes = "Negotiate,NTLM"},
                              .address = "127.0.0.1",
                              .port = 8080,
                              .threads = 4,
                              .idle_seconds = IDLE_SECONDS};
    if (!ParseOptions(argc, argv, &options)) {
        Usage();
        return 2;
    }
    secure = options.gate.certificate != NULL;
    bound = secure && options.gate.binding == BINDING_REQUIRED;
    bool open = GateOpen(&gate, &options.gate);
    int code = open ? Serve(&options) : 1;
    GateClose(&gate);
    return code;
}
