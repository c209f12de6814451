/*
 * `sspi get`: a page behind Negotiate, NTLM or Digest. libcurl fetches, we sign on. libcurl makes a new connection whenever the former one is gone,
 * so each request says what it may go over: a token only over a connection whose certificate is the one that it is bound to, and in the middle of a
 * handshake only over that handshake's.
 */
#include "challenges.h"
#include "peer.h"

#include "base/base64.h"
#include "base/memory.h"

#include <curl/curl.h>
#include <sspi_ext.h>
#include <string.h>
#include <strings.h>

#define LEGS_MAX 8
#define BODY_MAX (64U << 20)
#define CHALLENGES_MAX 64 /* of one answer; those of Digest are put together */
#define BEGINNINGS_MAX 4  /* of a server whose certificates change, as when it gets a new one just now */

enum route { ROUTE_ANY, ROUTE_CERTIFICATE /* connections with the certificate that is known */, ROUTE_CONNECTION };

struct page {
    CURL *curl;
    const struct cli_options *options;
    struct writer head, body;
    char challenge[64]; /* scheme that we answer */
    char *token;        /* what the server said after it, or NULL; all of Digest's challenges, one after another */
    char *info;         /* Authentication-Info, or NULL */
    bool offered;       /* the server offers the scheme */
    unsigned n_challenges;
    char offers[256];          /* all schemes, for the message */
    struct writer certificate; /* the server's in the connection that is open, as DER; empty without TLS */
    enum route route;          /* what the next request may go over; libcurl had another one, and it was not sent: */
    bool tls, fresh /* connection */, other_connection, other_certificate;
};

static bool is_digest(const struct page *page)
{
    return strcasecmp(page->challenge, "Digest") == 0;
}

static size_t take(char *data, size_t size, size_t n, void *context)
{
    struct writer *writer = context;
    if (writer->len + size * n > BODY_MAX)
        return 0;
    writer_bytes(writer, data, size * n);
    return writer->failed ? 0 : size * n;
}

/* Of Digest's challenges all are answered by one, which the package chooses. */
static void take_challenge(struct page *page, const struct challenge *challenge)
{
    size_t at = strlen(page->offers), len = challenge->scheme.len;
    const char *scheme = (const char *)challenge->scheme.data;
    snprintf(page->offers + at, sizeof(page->offers) - at, "%s%.*s", at > 0 ? ", " : "", (int)(len < 40 ? len : 40),
             scheme);
    if (len != strlen(page->challenge) || strncasecmp(scheme, page->challenge, len) != 0)
        return;
    page->offered = true;
    char *former = page->token;
    page->token = challenge->rest.len > 0 ? mem_dup(challenge->rest.data, challenge->rest.len) : NULL;
    if (former != NULL && page->token != NULL && is_digest(page)) {
        size_t size = strlen(former) + strlen(page->token) + sizeof ", Digest ";
        char *both = mem_zalloc(size);
        if (both != NULL)
            snprintf(both, size, "%s, Digest %s", former, page->token);
        mem_free(page->token);
        page->token = both;
    }
    mem_free(former);
}

static size_t take_head(char *data, size_t size, size_t n, void *context)
{
    static const char name[] = "WWW-Authenticate:", info[] = "Authentication-Info:";
    struct page *page = context;
    struct challenge challenge;
    size_t len = size * n, skip = sizeof(name) - 1;
    if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0) {
        /* Another answer begins. */
        writer_release(&page->head);
        page->head = writer_growing(1024);
        page->offered = false;
        page->n_challenges = 0;
        page->offers[0] = '\0';
        mem_free(page->token);
        mem_free(page->info);
        page->token = page->info = NULL;
    }
    if (len > skip && strncasecmp(data, name, skip) == 0)
        for (struct slice list = slice_of(data + skip, len - skip);
             page->n_challenges < CHALLENGES_MAX && challenge_next(&list, &challenge); page->n_challenges++)
            take_challenge(page, &challenge);
    if (len > sizeof(info) - 1 && strncasecmp(data, info, sizeof(info) - 1) == 0) {
        mem_free(page->info);
        page->info = mem_dup(data + sizeof(info) - 1, len - (sizeof(info) - 1));
    }
    return take(data, size, n, &page->head);
}

static void tell_answer(const struct page *page, long answer)
{
    char text[sizeof(page->offers) + 64];
    snprintf(text, sizeof(text), "%ld, offers %s", answer, page->offers[0] == '\0' ? "nothing" : page->offers);
    cli_tell("answer:", text);
}

static bool certificate_read(CURL *curl, struct writer *der)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    AUTO_WRITER struct writer letters = writer_growing(4096);
    struct curl_certinfo *info = NULL;
    const char *pem = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs == 0)
        return false;
    for (struct curl_slist *each = info->certinfo[0]; each != NULL; each = each->next)
        if (strncmp(each->data, "Cert:", 5) == 0)
            pem = strstr(each->data, begin);
    const char *stop = pem == NULL ? NULL : strstr(pem, end);
    if (stop == NULL)
        return false;
    for (const char *at = pem + sizeof(begin) - 1; at < stop; at++)
        if (*at != '\n' && *at != '\r')
            writer_u8(&letters, (uint8_t)*at);
    return writer_finish(&letters) == WIRE_OK && base64_read(writer_slice_of(&letters), der) == WIRE_OK &&
           writer_finish(der) == WIRE_OK;
}

/* libcurl is about to connect. */
static int connection_begins(void *context, curl_socket_t socket, curlsocktype purpose)
{
    struct page *page = context;
    (void)socket;
    (void)purpose;
    page->fresh = true;
    page->other_connection = page->route == ROUTE_CONNECTION;
    return page->other_connection ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
}

/* The connection stands, and nothing of the request was sent. */
static int request_begins(void *context, char *there, char *here, int port_there, int port_here)
{
    struct page *page = context;
    (void)there;
    (void)here;
    (void)port_there;
    (void)port_here;
    if (!page->fresh)
        return CURL_PREREQFUNC_OK;
    struct writer shown = writer_growing(4096);
    if (page->tls && !certificate_read(page->curl, &shown))
        shown.len = 0; /* nothing is bound to it: bindings_make fails */
    page->other_certificate =
        page->route == ROUTE_CERTIFICATE && !slice_equal(writer_slice_of(&shown), writer_slice_of(&page->certificate));
    writer_release(&page->certificate);
    page->certificate = shown;
    page->fresh = false;
    return page->other_certificate ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* One request, with our token where there is one. *answer receives the HTTP status, and stays where there was no answer. */
static int ask(struct page *page, const char *authorization, long *answer)
{
    struct curl_slist *headers = NULL;
    writer_release(&page->body);
    page->body = writer_growing(4096);
    curl_easy_setopt(page->curl, CURLOPT_WRITEDATA, &page->body);
    if (authorization != NULL)
        headers = curl_slist_append(NULL, authorization);
    curl_easy_setopt(page->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(page->curl);
    curl_easy_setopt(page->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code == CURLE_OK) {
        curl_easy_getinfo(page->curl, CURLINFO_RESPONSE_CODE, answer);
        if (page->options->verbose)
            tell_answer(page, *answer);
        return CLI_OK;
    }
    if (page->other_connection)
        return cli_fail("the server closed the connection in the middle of the sign-on");
    if (page->other_certificate)
        return CLI_FAILED; /* sign_on begins again */
    cli_fail("%s: %s", page->options->operand[0], curl_easy_strerror(code));
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        cli_fail("the server's certificate is not trusted: give its authority with --ca FILE");
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_OPERATION_TIMEDOUT
               ? CLI_UNREACHABLE
           : code == CURLE_PEER_FAILED_VERIFICATION ? CLI_REFUSED
                                                    : CLI_FAILED;
}

/* The bindings of the server's certificate (tls-server-end-point), where there is TLS. */
static int bindings_make(const struct page *page, SecPkgContext_Bindings *bindings)
{
    if (!page->tls)
        return CLI_OK;
    if (page->certificate.len == 0)
        return cli_fail("libcurl does not tell the server's certificate, which the handshake must be bound to");
    return cli_sspi_status(
        "no channel bindings can be made of the server's certificate",
        OpenSspiBindingsFromCertificate(page->certificate.data, (ULONG)page->certificate.len, bindings));
}

/* Our next token as a header line. */
static int answer_make(struct page *page, struct peer *peer, struct writer *line, SECURITY_STATUS *status)
{
    AUTO_WRITER struct writer in = writer_growing(4096);
    SecBuffer token;
    size_t n_extra;
    if (page->token != NULL && base64_read(slice_of_text(page->token), &in) != WIRE_OK)
        return cli_fail("the server's token is no base64");
    *status = peer_step(peer, writer_slice_of(&in), &token, &n_extra);
    if (page->options->verbose)
        fprintf(stderr, "step: %zu bytes in, %u bytes out, %s\n", in.len, (unsigned)token.cbBuffer,
                cli_status_name(*status));
    if (*status < 0)
        return cli_sspi_status_of("the handshake failed", *status, SIDE_CLIENT);
    writer_release(line);
    *line = writer_growing(token.cbBuffer * 2 + 64);
    writer_bytes(line, "Authorization: ", 15);
    writer_slice(line, slice_of_text(page->challenge));
    writer_u8(line, ' ');
    base64_write(line, slice_of(token.pvBuffer, token.cbBuffer));
    writer_u8(line, 0);
    if (token.pvBuffer != NULL)
        FreeContextBuffer(token.pvBuffer);
    return writer_finish(line) == WIRE_OK ? CLI_OK : cli_fail("out of memory");
}

static int token_sign_on(struct page *page, struct peer *peer, long *answer)
{
    AUTO_WRITER struct writer line = writer_growing(64);
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (unsigned leg = 0; leg < LEGS_MAX && *answer == 401; leg++) {
        if (leg > 0 && (page->token == NULL || status == SEC_E_OK)) {
            cli_fail("the server did not accept the sign-on; its log says why. User, password, and whether the account "
                     "may see this page?");
            return CLI_REFUSED;
        }
        try(answer_make(page, peer, &line, &status));
        page->route = leg == 0 ? ROUTE_CERTIFICATE : ROUTE_CONNECTION;
        try(ask(page, (const char *)line.data, answer));
    }
    if (*answer == 401)
        return cli_fail("the handshake does not end");
    /* A last token authenticates the server. */
    if (page->token != NULL && status == SEC_I_CONTINUE_NEEDED)
        try(answer_make(page, peer, &line, &status));
    bool proved = status == SEC_E_OK || (peer->wanted & ISC_REQ_MUTUAL_AUTH) == 0;
    return proved && peer_proved(peer) ? CLI_OK : peer_unproved();
}

/* These authorities alone: libcurl may have been built with a folder of others, which stays in force beside a file. */
static int ca_set(CURL *curl, const char *file)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    if (code == CURLE_NOT_BUILT_IN || code == CURLE_UNKNOWN_OPTION) /* its TLS library takes no folders */
        code = CURLE_OK;
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    return code == CURLE_OK ? CLI_OK : cli_fail("libcurl does not take --ca: %s", curl_easy_strerror(code));
}

static int page_set(struct page *page, const struct cli_options *options)
{
    int64_t seconds = 30;
    if (options->timeout != NULL)
        try(cli_number("timeout", options->timeout, &seconds));
    curl_easy_setopt(page->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(page->curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(page->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                     1L); /* what a proxy says is no answer of the server's */
    curl_easy_setopt(page->curl, CURLOPT_HEADERDATA, page);
    curl_easy_setopt(page->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(page->curl, CURLOPT_HTTP_VERSION,
                     (long)CURL_HTTP_VERSION_1_1); /* connections, not streams, sign on */
    curl_easy_setopt(page->curl, CURLOPT_CONNECTTIMEOUT, (long)seconds);
    curl_easy_setopt(page->curl, CURLOPT_TIMEOUT, (long)seconds);
    curl_easy_setopt(page->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(page->curl, CURLOPT_CERTINFO, 1L);
    if (curl_easy_setopt(page->curl, CURLOPT_SOCKOPTFUNCTION, connection_begins) != CURLE_OK ||
        curl_easy_setopt(page->curl, CURLOPT_SOCKOPTDATA, page) != CURLE_OK ||
        curl_easy_setopt(page->curl, CURLOPT_PREREQFUNCTION, request_begins) != CURLE_OK ||
        curl_easy_setopt(page->curl, CURLOPT_PREREQDATA, page) != CURLE_OK)
        return cli_fail("this libcurl does not tell when it connects");
    curl_easy_setopt(page->curl, CURLOPT_NOBODY, options->head ? 1L : 0L);
    if (options->ca != NULL)
        try(ca_set(page->curl, options->ca));
    if (options->insecure) {
        curl_easy_setopt(page->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(page->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (curl_easy_setopt(page->curl, CURLOPT_URL, options->operand[0]) != CURLE_OK)
        return cli_fail("out of memory");
    return CLI_OK;
}

/* The service's name, and what the request's first line asks for. */
static int target_of(const char *url, char target[300], struct writer *uri, bool *tls)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL, *path = NULL, *query = NULL;
    int code = CLI_OK;
    if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        code = cli_misuse("\"%s\" is no URL: give http://HOST/PATH or https://HOST/PATH", url);
    else if (curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
        /* libcurl would send it unasked, and everybody who lists processes sees it. */
        code = cli_misuse("the URL holds a user name or a password: give the user with --user, and the password when "
                          "it is asked for");
    else {
        snprintf(target, 300, "HTTP/%s", host);
        *tls = strcasecmp(scheme, "https") == 0;
        writer_slice(uri, slice_of_text(path));
        if (curl_url_get(parts, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
            writer_u8(uri, '?');
            writer_slice(uri, slice_of_text(query));
        }
        writer_u8(uri, 0);
        code = writer_finish(uri) == WIRE_OK ? CLI_OK : cli_fail("out of memory");
    }
    curl_free(scheme);
    curl_free(user);
    curl_free(host);
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(parts);
    return code;
}

/* Digest's answer to the server's challenges, as a header line. */
static int digest_answer(struct page *page, struct peer *peer, char *uri, struct writer *line)
{
    char *method = (char *)(uintptr_t)(page->options->head ? "HEAD" : "GET");
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL},
              in[5] = {{(ULONG)strlen(page->token), SECBUFFER_TOKEN, page->token},
                       {(ULONG)strlen(method), SECBUFFER_PKG_PARAMS, method},
                       {0, SECBUFFER_PKG_PARAMS, NULL},
                       {(ULONG)strlen(peer->target), SECBUFFER_TARGET_HOST, (void *)(uintptr_t)peer->target}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 4, in}, out_list = {SECBUFFER_VERSION, 1, &out};
    if (peer->bindings != NULL)
        in[in_list.cBuffers++] =
            (SecBuffer){(ULONG)peer->bindings->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, peer->bindings->Bindings};
    peer_forget(peer);
    SECURITY_STATUS status =
        InitializeSecurityContextA(&peer->credential, NULL, uri, ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_USE_HTTP_STYLE, 0, 0,
                                   &in_list, 0, &peer->context, &out_list, &peer->granted, NULL);
    peer->has_context = status >= 0;
    if (status < 0)
        return cli_sspi_status_of("the handshake failed", status, SIDE_CLIENT);
    writer_release(line);
    *line = writer_growing(out.cbBuffer + 64);
    writer_slice(line, slice_of_text("Authorization: Digest "));
    writer_bytes(line, out.pvBuffer, out.cbBuffer);
    writer_u8(line, 0);
    FreeContextBuffer(out.pvBuffer);
    return writer_finish(line) == WIRE_OK ? CLI_OK : cli_fail("out of memory");
}

static int digest_sign_on(struct page *page, struct peer *peer, char *uri, long *answer)
{
    AUTO_WRITER struct writer line = writer_growing(64);
    bool stale = true;
    page->route = ROUTE_CERTIFICATE; /* a nonce is the server's, not its connection's */
    for (unsigned leg = 0; leg < 3 && *answer == 401 && stale && page->token != NULL; leg++) {
        try(digest_answer(page, peer, uri, &line));
        try(ask(page, (const char *)line.data, answer));
        stale = page->token != NULL &&
                (strcasestr(page->token, "stale=true") != NULL || strcasestr(page->token, "stale=\"true\"") != NULL);
    }
    if (*answer == 401) {
        cli_fail("the server did not accept the sign-on; its log says why. User, password, and whether the account "
                 "may see this page?");
        return CLI_REFUSED;
    }
    if (page->info == NULL) /* servers need not prove themselves */
        return peer->insists ? peer_unproved() : CLI_OK;
    SecBuffer proof = {(ULONG)strcspn(page->info, "\r\n"), SECBUFFER_TOKEN, page->info};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &proof};
    return cli_sspi_status("the server did not prove itself", VerifySignature(&peer->context, &list, 0, NULL));
}

/* With the bindings of the connection that is open. Where libcurl has to make another, whose certificate is another one, all begins again. */
static int sign_on(struct page *page, struct peer *peer, char *uri, long *answer)
{
    for (unsigned beginnings = 0; beginnings < BEGINNINGS_MAX; beginnings++) {
        SecPkgContext_Bindings bindings = {0};
        page->other_certificate = false;
        int code = bindings_make(page, &bindings);
        peer->bindings = bindings.Bindings != NULL ? &bindings : NULL;
        if (code == CLI_OK)
            code = is_digest(page) ? digest_sign_on(page, peer, uri, answer) : token_sign_on(page, peer, answer);
        peer->bindings = NULL;
        if (bindings.Bindings != NULL)
            FreeContextBuffer(bindings.Bindings);
        if (!page->other_certificate)
            return code;
        if (page->options->verbose)
            fputs("the next connection shows another certificate: the sign-on begins again\n", stderr);
        peer_forget(peer);
    }
    return cli_fail("the server closes each connection, and shows another certificate in the next one");
}

static int fetch(struct page *page, const struct cli_options *options, long *answer)
{
    AUTO_PEER struct peer peer = {0};
    AUTO_WRITER struct writer uri = writer_growing(256);
    char target[300];
    ULONG named = 0;
    if (options->flags != NULL)
        try(peer_flags_parse(options->flags, true, &named));
    try(target_of(options->operand[0], target, &uri, &page->tls));
    try(page_set(page, options));
    try(ask(page, NULL, answer));
    if (*answer != 401) /* a page for everybody */
        return (named & ISC_REQ_MUTUAL_AUTH) != 0 ? peer_unproved() : CLI_OK;
    if (!page->offered) {
        cli_fail("the server offers %s, not %s; name another with --package",
                 page->offers[0] == '\0' ? "nothing" : page->offers, page->challenge);
        return CLI_REFUSED;
    }
    struct cli_options meant = *options;
    if (is_digest(page))
        meant.package = "WDigest";
    try(peer_open_http(&peer, &meant, ISC_REQ_MUTUAL_AUTH));
    if (strcasecmp(page->challenge, "NTLM") == 0 && options->flags == NULL)
        peer.wanted &= ~(ULONG)ISC_REQ_MUTUAL_AUTH;
    if (peer.target == NULL)
        peer.target = target;
    return sign_on(page, &peer, (char *)uri.data, answer);
}

static int get_run(const struct cli_options *options)
{
    struct page page = {.options = options, .head = writer_growing(1024), .body = writer_growing(4096)};
    const char *package = options->package == NULL ? "Negotiate" : options->package;
    long answer = 0;
    if (strcasecmp(package, "WDigest") == 0)
        package = "Digest"; /* the scheme's name is another than the package's */
    if (strcasecmp(package, "Negotiate") != 0 && strcasecmp(package, "NTLM") != 0 && strcasecmp(package, "Digest") != 0)
        return cli_misuse(
            "HTTP knows --package Negotiate, NTLM and Digest; Kerberos is what Negotiate takes where it can");
    snprintf(page.challenge, sizeof(page.challenge), "%s", package);
    page.curl = curl_easy_init();
    int code = page.curl == NULL ? cli_fail("libcurl does not start") : fetch(&page, options, &answer);
    const struct writer *what = options->head ? &page.head : &page.body;
    if (code == CLI_OK && what->len > 0)
        cli_show(writer_slice_of(what));
    if (code == CLI_OK && answer >= 400)
        code = answer == 403 || answer == 401 ? (cli_fail("the server answers %ld", answer), CLI_REFUSED)
                                              : cli_fail("the server answers %ld", answer);
    else if (code == CLI_OK && answer >= 300)
        code = cli_fail(
            "the server answers %ld: the page is elsewhere (--head shows where); redirects are not followed", answer);
    writer_release(&page.head);
    writer_release(&page.body);
    writer_release(&page.certificate);
    mem_free(page.token);
    mem_free(page.info);
    curl_easy_cleanup(page.curl);
    return code;
}

static const struct cli_command commands[] = {
    {"", "URL",
     "Gets a page from a server that asks for Negotiate, NTLM or Digest, bound to its TLS certificate; prints it",
     OPTION_PACKAGE | OPTION_USER | OPTION_TARGET | OPTION_FLAGS | OPTION_CA | OPTION_TIMEOUT | OPTION_HEAD, 1, 1,
     get_run},
};

const struct cli_family cli_get = {"get", "a page behind Negotiate, NTLM or Digest", commands, 1};
