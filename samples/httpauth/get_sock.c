/* SPDX-License-Identifier: MIT */
#include "get_sock.h"
#include "code.h"
#include "reply.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUESTS_MAX 12 /* of one document: no package needs as many steps */

struct channel {
    int socket;
    SSL_CTX *context;
    SSL *tls;
    struct wire wire;
};

static void Complain(const char *what, const char *why)
{
    fprintf(stderr, "httpget: %s: %s\n", what, why);
}

static void ComplainTls(const char *what)
{
    char text[256];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
    Complain(what, text);
    ERR_clear_error();
}

static long Receive(void *opaque, char *data, size_t size)
{
    struct channel *channel = opaque;
    if (channel->tls == NULL)
        return (long)recv(channel->socket, data, size, 0);
    int got = SSL_read(channel->tls, data, (int)size);
    if (got > 0)
        return got;
    /* anybody can end TCP; only the server can end TLS */
    long end = SSL_get_error(channel->tls, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    ERR_clear_error();
    return end;
}

static bool Send(struct channel *channel, const char *data, size_t len)
{
    if (channel->tls != NULL)
        return SSL_write(channel->tls, data, (int)len) == (int)len;
    while (len > 0) {
        ssize_t sent = send(channel->socket, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void Close(struct channel *channel)
{
    SSL_free(channel->tls);
    SSL_CTX_free(channel->context);
    if (channel->socket >= 0)
        close(channel->socket);
    channel->tls = NULL;
    channel->context = NULL;
    channel->socket = -1;
}

static int Connect(const struct request *request)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct timeval patience = {.tv_sec = request->patience};
    int one = -1, code = getaddrinfo(request->host, request->port, &wanted, &found);
    if (code != 0) {
        Complain(request->host, gai_strerror(code));
        return -1;
    }
    for (const struct addrinfo *at = found; at != NULL && one < 0; at = at->ai_next) {
        one = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (one < 0)
            continue;
        setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(one, at->ai_addr, at->ai_addrlen) != 0) {
            close(one);
            one = -1;
        }
    }
    freeaddrinfo(found);
    if (one < 0)
        Complain(request->host, "nobody answers there");
    return one;
}

/* A certificate for the name in the URL, or for the address where that is one. */
static bool NameExpected(SSL *tls, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1)
        return true;
    return SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1;
}

static bool TlsBegin(struct channel *channel, const struct request *request)
{
    channel->context = SSL_CTX_new(TLS_client_method());
    if (channel->context == NULL)
        return false;
    SSL_CTX_set_verify(channel->context, request->any_certificate ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    int loaded = request->authority != NULL ? SSL_CTX_load_verify_locations(channel->context, request->authority, NULL)
                                            : SSL_CTX_set_default_verify_paths(channel->context);
    channel->tls = loaded == 1 ? SSL_new(channel->context) : NULL;
    return channel->tls != NULL && NameExpected(channel->tls, request->host) &&
           SSL_set_fd(channel->tls, channel->socket) == 1 && SSL_connect(channel->tls) == 1;
}

/* The server's certificate binds the sign-on to this channel: who relays it shows another one. */
static bool Bind(const struct channel *channel, const struct auth_options *options, struct auth *auth)
{
    unsigned char *der = NULL;
    X509 *certificate = SSL_get1_peer_certificate(channel->tls);
    int len = certificate != NULL ? i2d_X509(certificate, &der) : -1;
    bool good = len > 0 && AuthInit(auth, options, der, (size_t)len);
    OPENSSL_free(der);
    X509_free(certificate);
    return good;
}

static bool Open(struct channel *channel, const struct request *request, const struct auth_options *options,
                 struct auth *auth)
{
    AuthTerminate(auth);
    Close(channel);
    channel->wire = (struct wire){.receive = Receive, .channel = channel};
    channel->socket = Connect(request);
    if (channel->socket < 0)
        return false;
    if (request->tls && !TlsBegin(channel, request)) {
        ComplainTls("TLS");
        return false;
    }
    return request->tls && !request->unbound ? Bind(channel, options, auth) : AuthInit(auth, options, NULL, 0);
}

static bool Ask(struct channel *channel, const struct request *request, struct auth *auth)
{
    size_t size = (size_t)TOKEN_MAX * 2;
    char *text = malloc(size);
    if (text == NULL)
        return false;
    bool usual = strcmp(request->port, request->tls ? "443" : "80") == 0;
    int len = snprintf(text, size, "GET %s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUser-Agent: httpget\r\nAccept: */*\r\n",
                       request->path, request->ipv6_literal ? "[" : "", request->host, request->ipv6_literal ? "]" : "",
                       usual ? "" : ":", usual ? "" : request->port);
    bool good = len > 0 && (size_t)len < size;
    if (good && auth->token != NULL)
        good = AddAuthorizationHeader(auth, text + len, size - (size_t)len);
    if (good && request->verbose)
        fprintf(stderr, "> GET %s%s%s\n", request->path, auth->scheme[0] != '\0' ? ", by " : "", auth->scheme);
    size_t whole = strlen(text);
    good = good && whole + 3 <= size;
    if (good) {
        memcpy(text + whole, "\r\n", 3);
        good = Send(channel, text, whole + 2);
    }
    free(text);
    if (!good)
        Complain("the request", "cannot be sent");
    return good;
}

/* After a 401: the next token is ready, or there is no way on. */
static bool Answer(struct auth *auth, const struct reply *reply)
{
    char scheme[16];
    const char *token = "";
    bool stale = IsDigest(auth) && DigestIsStale(reply->challenges, reply->n_challenges);
    if (auth->scheme[0] == '\0' || stale) {
        if (ValidateAuthenticationMethods(auth, reply->challenges, reply->n_challenges, scheme) == NULL) {
            Complain("the server", "asks for a sign-on of another kind");
            return false;
        }
        if (!InitAuthorizationHeader(auth, scheme))
            return false;
    } else {
        token = FindToken(auth->scheme, reply->challenges, reply->n_challenges);
        if (!IsInAuthorizationSequence(auth) || token == NULL || *token == '\0') {
            Complain(auth->scheme, "the server refuses");
            return false;
        }
    }
    SECURITY_STATUS status =
        IsDigest(auth) ? DigestConverse(auth, reply->challenges, reply->n_challenges) : AuthConverse(auth, token);
    if (status < 0 || auth->token == NULL) {
        Complain(auth->scheme, StatusText(status));
        return false;
    }
    return true;
}

/* The last token may come with the document: by it the server proves that it is the one that was meant. */
static bool Proven(struct auth *auth, const struct reply *reply)
{
    if (IsDigest(auth)) { /* not every server says something */
        SECURITY_STATUS right = reply->info != NULL ? DigestProof(auth, reply->info) : SEC_E_OK;
        if (right != SEC_E_OK)
            Complain("the server did not prove who it is", StatusText(right));
        return right == SEC_E_OK;
    }
    if (auth->scheme[0] == '\0' || !IsInAuthorizationSequence(auth))
        return true;
    const char *token = FindToken(auth->scheme, reply->challenges, reply->n_challenges);
    SECURITY_STATUS status = token != NULL && *token != '\0' ? AuthConverse(auth, token) : SEC_E_MUTUAL_AUTH_FAILED;
    if (status == SEC_E_OK)
        return true;
    Complain("the server did not prove who it is", StatusText(status));
    return false;
}

static bool Document(struct channel *channel, const struct request *request, struct reply *reply, struct auth *auth,
                     FILE *to)
{
    bool good = reply->status >= 200 && reply->status < 300;
    if (!good)
        fprintf(stderr, "httpget: the server answers %d %s\n", reply->status, reply->reason);
    if (good && !Proven(auth, reply))
        return false;
    if (request->verbose && auth->scheme[0] != '\0')
        fprintf(stderr, "httpget: signed on by %s\n", auth->scheme);
    if (!ReplyBody(&channel->wire, reply, good ? to : NULL)) {
        Complain("the document", "ends too early, or cannot be written");
        return false;
    }
    return good;
}

static bool Converse(struct channel *channel, const struct request *request, const struct auth_options *options,
                     struct auth *auth, FILE *to)
{
    struct reply reply = {0};
    bool good = Open(channel, request, options, auth), more = good;
    for (int i = 0; more && i < REQUESTS_MAX; i++) {
        good = more = false;
        if (!Ask(channel, request, auth))
            break;
        if (!ReplyRead(&channel->wire, request->verbose, &reply)) {
            Complain("the server", "hung up, or does not speak HTTP");
        } else if (reply.status != 401) {
            good = Document(channel, request, &reply, auth, to);
        } else {
            more = ReplyBody(&channel->wire, &reply, NULL) || !reply.keeps;
            if (more && !reply.keeps) { /* a sign-on that has begun is this connection's */
                more = auth->scheme[0] == '\0' && Open(channel, request, options, auth);
                if (!more)
                    Complain("the server", "ends the connection in the middle of the sign-on");
            }
            more = more && Answer(auth, &reply);
        }
        ReplyFree(&reply);
    }
    if (more)
        Complain("the server", "goes on asking");
    ReplyFree(&reply);
    return good;
}

bool HttpGetSocket(const struct request *request, const struct auth_options *options, FILE *to)
{
    struct channel channel = {.socket = -1};
    struct auth auth = {0};
    bool good = Converse(&channel, request, options, &auth, to);
    AuthTerminate(&auth);
    Close(&channel);
    return good;
}
