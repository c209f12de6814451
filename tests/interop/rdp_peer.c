/*
 * Just enough of RDP to reach CredSSP, on the public functions: X.224 with the negotiation of Network Level Authentication (MS-RDPBCGR 2.2.1.1,
 * 2.2.1.2), then the package's handshake. What RDP says inside is not read.
 *
 *   rdp_peer client PORT [option=value ...]      rdp_peer server [option=value ...]
 *   cert=FILE key=FILE target=SPN user=NAME domain=NAME password=WORDS packages=LIST connections=N tls=1.2|1.3
 *   package=TSSSP    the TLS connection by Schannel, and TSRequests through it by TSSSP
 *
 * The server prints "port N" first. Both print for each connection what became of it.
 * build: pkg
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <credssp.h>
#include <schannel.h>
#include <sspi.h>
#include <sspi_ext.h>
#include <wincrypt.h>

#include "peer_options.h"

#define ROOM ((size_t)1 << 17)
#define WAIT_MS 300000 /* a bound, never waited for */

static struct {
    const char *cert, *key, *target, *user, *domain, *password, *packages, *connections, *tls, *package;
} option = {.target = "TERMSRV/localhost", .domain = "", .password = "", .connections = "1"};

static bool is_client, is_bare;
static CredHandle credential;
static CtxtHandle context;
static CredHandle tls_credential; /* with TSSSP: the connection's own */
static CtxtHandle tls_context;
static unsigned char shown[8192]; /* the server's certificate as TSSSP takes it */
static ULONG shown_len;
static int sock = -1;
static unsigned char in[ROOM];
static size_t in_len;

static _Noreturn void die(const char *what, SECURITY_STATUS status)
{
    printf("cannot %s: 0x%08x %s\n", what, (unsigned)status, OpenSspiLastErrorText());
    fflush(stdout);
    exit(1);
}

static void options_read(int n, char **words)
{
    static const struct peer_option options[] = {
        {"cert", &option.cert},         {"key", &option.key},
        {"target", &option.target},     {"user", &option.user},
        {"domain", &option.domain},     {"password", &option.password},
        {"packages", &option.packages}, {"connections", &option.connections},
        {"tls", &option.tls},           {"package", &option.package},
    };
    const char *unknown = peer_options_read(options, sizeof options / sizeof options[0], n, words);
    if (unknown != NULL)
        die(unknown, 0);
}

static bool receive(size_t at_least)
{
    while (in_len < at_least) {
        struct pollfd wait = {.fd = sock, .events = POLLIN};
        if (poll(&wait, 1, WAIT_MS) <= 0)
            return false;
        ssize_t got = recv(sock, in + in_len, sizeof in - in_len, 0);
        if (got <= 0)
            return false;
        in_len += (size_t)got;
    }
    return true;
}

static void take(size_t len)
{
    memmove(in, in + len, in_len - len);
    in_len -= len;
}

static bool deliver(const void *data, size_t len)
{
    return len == 0 || send(sock, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A TPKT with an X.224 TPDU; true when its last eight bytes are a negotiation structure of this type that has the bits of HYBRID. */
static bool x224_take(unsigned char type)
{
    if (!receive(4) || in[0] != 3)
        return false;
    size_t len = (size_t)in[2] << 8 | in[3];
    if (len < 11 + 8 || len > sizeof in || !receive(len))
        return false;
    const unsigned char *last = in + len - 8;
    bool hybrid = last[0] == type && last[2] == 8 && (last[4] & 2) != 0;
    take(len);
    return hybrid;
}

static bool x224_client(void)
{
    static const unsigned char request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0};
    return deliver(request, sizeof request) && x224_take(2);
}

static bool x224_server(void)
{
    static const unsigned char confirm[] = {3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34,
                                            0, 2, 8, 8,  0,  2,    0, 0, 0}; /* Restricted Admin too */
    return x224_take(1) && deliver(confirm, sizeof confirm);
}

static SECURITY_STATUS step(bool first)
{
    SecBuffer from[2] = {{(ULONG)in_len, SECBUFFER_TOKEN, in}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer to = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc from_list = {SECBUFFER_VERSION, 2, from}, to_list = {SECBUFFER_VERSION, 1, &to};
    ULONG attributes;
    SECURITY_STATUS status;
    if (is_client)
        status = InitializeSecurityContextA(&credential, first ? NULL : &context, (char *)(uintptr_t)option.target,
                                            ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY |
                                                ISC_REQ_STREAM | ISC_REQ_ALLOCATE_MEMORY,
                                            0, 0, first ? NULL : &from_list, 0, &context, &to_list, &attributes, NULL);
    else
        status = AcceptSecurityContext(&credential, first ? NULL : &context, &from_list,
                                       ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM | ASC_REQ_EXTENDED_ERROR |
                                           ASC_REQ_ALLOCATE_MEMORY,
                                       0, &context, &to_list, &attributes, NULL);
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status;
    take(in_len - (from[1].BufferType == SECBUFFER_EXTRA ? from[1].cbBuffer : 0));
    if (to.cbBuffer > 0) {
        if (!deliver(to.pvBuffer, to.cbBuffer) && status >= 0)
            status = SEC_E_INTERNAL_ERROR;
        FreeContextBuffer(to.pvBuffer);
    }
    return status;
}

static SECURITY_STATUS handshake(void)
{
    bool first = true;
    SECURITY_STATUS status = SEC_E_INCOMPLETE_MESSAGE;
    for (int i = 0; i < 200; i++) {
        bool speaks = first && is_client;
        if (!speaks && (status == SEC_E_INCOMPLETE_MESSAGE || in_len == 0) && !receive(in_len + 1)) {
            printf("the peer went away\n");
            break;
        }
        status = step(first);
        if (status != SEC_E_INCOMPLETE_MESSAGE)
            first = false;
        if (status != SEC_I_CONTINUE_NEEDED && status != SEC_E_INCOMPLETE_MESSAGE)
            return status;
    }
    return SEC_E_INCOMPLETE_MESSAGE;
}

/* With TSSSP: the connection. */
static SECURITY_STATUS tls_step(bool first)
{
    SecBuffer from[2] = {{(ULONG)in_len, SECBUFFER_TOKEN, in}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer to = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc from_list = {SECBUFFER_VERSION, 2, from}, to_list = {SECBUFFER_VERSION, 1, &to};
    ULONG attributes;
    SECURITY_STATUS status;
    if (is_client)
        status = InitializeSecurityContextA(
            &tls_credential, first ? NULL : &tls_context, NULL,
            ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_MANUAL_CRED_VALIDATION, 0, 0,
            first ? NULL : &from_list, 0, &tls_context, &to_list, &attributes, NULL);
    else
        status = AcceptSecurityContext(&tls_credential, first ? NULL : &tls_context, &from_list,
                                       ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM | ASC_REQ_ALLOCATE_MEMORY, 0,
                                       &tls_context, &to_list, &attributes, NULL);
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status;
    take(in_len - (from[1].BufferType == SECBUFFER_EXTRA ? from[1].cbBuffer : 0));
    if (to.cbBuffer > 0) {
        if (!deliver(to.pvBuffer, to.cbBuffer))
            status = SEC_E_INTERNAL_ERROR;
        FreeContextBuffer(to.pvBuffer);
    }
    return status;
}

static SECURITY_STATUS tls_open(void)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (bool first = true; status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE;) {
        bool wants = first ? !is_client : status == SEC_E_INCOMPLETE_MESSAGE || in_len == 0;
        if (wants && !receive(in_len + 1))
            return SEC_E_INTERNAL_ERROR;
        status = tls_step(first);
        first = first && status == SEC_E_INCOMPLETE_MESSAGE;
    }
    PCCERT_CONTEXT certificate;
    if (status != SEC_E_OK ||
        QueryContextAttributesA(&tls_context,
                                is_client ? SECPKG_ATTR_REMOTE_CERT_CONTEXT : SECPKG_ATTR_LOCAL_CERT_CONTEXT,
                                &certificate) != SEC_E_OK)
        return status != SEC_E_OK ? status : SEC_E_INTERNAL_ERROR;
    shown_len = certificate->cbCertEncoded + 4;
    if (shown_len > sizeof shown)
        return SEC_E_INTERNAL_ERROR;
    for (unsigned i = 0; i < 4; i++)
        shown[i] = (unsigned char)(certificate->cbCertEncoded >> (8 * i));
    memcpy(shown + 4, certificate->pbCertEncoded, certificate->cbCertEncoded);
    CertFreeCertificateContext(certificate);
    return SEC_E_OK;
}

/* Adds a record's text to `text`; TLS' own messages go to its next step. */
static bool tls_read(unsigned char *text, size_t *len)
{
    for (;;) {
        SecBuffer buffers[4] = {{(ULONG)in_len, SECBUFFER_DATA, in}};
        SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
        SECURITY_STATUS status = in_len > 0 ? DecryptMessage(&tls_context, &list, 0, NULL) : SEC_E_INCOMPLETE_MESSAGE;
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!receive(in_len + 1))
                return false;
            continue;
        }
        if (status == SEC_I_RENEGOTIATE) {
            size_t extra = buffers[3].BufferType == SECBUFFER_EXTRA ? buffers[3].cbBuffer : 0;
            for (unsigned i = 1; i < 3; i++)
                if (buffers[i].BufferType == SECBUFFER_EXTRA)
                    extra = buffers[i].cbBuffer;
            take(in_len - extra);
            if (tls_step(false) < 0)
                return false;
            continue;
        }
        if (status != SEC_E_OK)
            return false;
        size_t extra = buffers[3].BufferType == SECBUFFER_EXTRA ? buffers[3].cbBuffer : 0;
        memcpy(text + *len, buffers[1].pvBuffer, buffers[1].cbBuffer);
        *len += buffers[1].cbBuffer;
        take(in_len - extra);
        return true;
    }
}

/* How long the TSRequest is that begins here; 0: not told yet. */
static size_t request_len(const unsigned char *text, size_t len)
{
    if (len < 2)
        return 0;
    size_t n = text[1] < 0x80 ? 0 : text[1] & 0x7f, value = n == 0 ? text[1] : 0;
    if (n > 3 || len < 2 + n)
        return 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | text[2 + i];
    return 2 + n + value;
}

static bool tls_write(const void *data, size_t len)
{
    static unsigned char room[32768];
    SecPkgContext_StreamSizes sizes;
    if (len == 0)
        return true;
    if (QueryContextAttributesA(&tls_context, SECPKG_ATTR_STREAM_SIZES, &sizes) != SEC_E_OK ||
        len > sizes.cbMaximumMessage || sizes.cbHeader + len + sizes.cbTrailer > sizeof room)
        return false;
    memcpy(room + sizes.cbHeader, data, len);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, room},
                            {(ULONG)len, SECBUFFER_DATA, room + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, room + sizes.cbHeader + len},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    return EncryptMessage(&tls_context, 0, &list, 0) == SEC_E_OK &&
           deliver(room, buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
}

static SECURITY_STATUS bare_step(bool first, const unsigned char *text, size_t len, bool shows)
{
    SecBuffer from[3] = {{(ULONG)len, SECBUFFER_TOKEN, (void *)(uintptr_t)text},
                         {shown_len, SECBUFFER_TOKEN | SECBUFFER_READONLY, shown},
                         {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer to = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc from_list = {SECBUFFER_VERSION, shows ? 3 : 1, from}, to_list = {SECBUFFER_VERSION, 1, &to};
    ULONG attributes;
    SECURITY_STATUS status;
    if (is_client)
        status = InitializeSecurityContextA(&credential, first ? NULL : &context, (char *)(uintptr_t)option.target,
                                            ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH | ISC_REQ_ALLOCATE_MEMORY, 0, 0,
                                            first ? NULL : &from_list, 0, &context, &to_list, &attributes, NULL);
    else
        status = AcceptSecurityContext(&credential, first ? NULL : &context, &from_list, ASC_REQ_ALLOCATE_MEMORY, 0,
                                       &context, &to_list, &attributes, NULL);
    if (to.cbBuffer > 0) {
        if (!tls_write(to.pvBuffer, to.cbBuffer) && status >= 0)
            status = SEC_E_INTERNAL_ERROR;
        FreeContextBuffer(to.pvBuffer);
    }
    return status;
}

static SECURITY_STATUS bare_handshake(void)
{
    static unsigned char text[ROOM];
    size_t len = 0;
    bool first = true, shows = true;
    SECURITY_STATUS status = tls_open();
    if (status == SEC_E_OK && is_client) {
        status = bare_step(true, NULL, 0, false);
        first = false;
    } else if (status == SEC_E_OK)
        status = SEC_I_CONTINUE_NEEDED;
    while (status == SEC_I_CONTINUE_NEEDED) {
        size_t whole;
        while ((whole = request_len(text, len)) == 0 || whole > len)
            if (len > ROOM / 2 || !tls_read(text, &len)) {
                printf("the peer went away\n");
                return SEC_E_INCOMPLETE_MESSAGE;
            }
        status = bare_step(first, text, whole, shows);
        memmove(text, text + whole, len - whole);
        len -= whole;
        first = shows = false;
    }
    return status;
}

static void wide_print(const char *name, const WCHAR *text)
{
    printf(" %s=", name);
    for (; text != NULL && *text != 0; text++)
        putchar((int)*text);
}

static void handed_print(void)
{
    SecPkgContext_ClientCreds creds;
    const WCHAR *user = NULL, *domain = NULL, *password = NULL;
    if (QueryContextAttributesA(&context, SECPKG_ATTR_CREDS, &creds) != SEC_E_OK)
        return;
    if (SspiEncodeAuthIdentityAsStrings(creds.AuthBuffer, &user, &domain, &password) == SEC_E_OK) {
        wide_print("user", user);
        wide_print("domain", domain);
        wide_print("password", password);
        SspiLocalFree((void *)(uintptr_t)user);
        SspiLocalFree((void *)(uintptr_t)domain);
        SspiLocalFree((void *)(uintptr_t)password);
    }
    FreeContextBuffer(creds.AuthBuffer);
}

static void connection_run(void)
{
    if (!(is_client ? x224_client() : x224_server())) {
        printf("no Network Level Authentication\n");
        return;
    }
    SECURITY_STATUS status = is_bare ? bare_handshake() : handshake();
    if (status != SEC_E_OK) {
        printf("failed 0x%08x %s\n", (unsigned)status, OpenSspiLastErrorText());
        return;
    }
    SecPkgContext_PackageInfoA package = {NULL};
    SecPkgContext_NamesA names = {NULL};
    (void)QueryContextAttributesA(&context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &package);
    (void)QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names);
    printf("established by %s names=%s", package.PackageInfo != NULL ? package.PackageInfo->Name : "?",
           names.sUserName != NULL ? names.sUserName : "?");
    if (!is_client)
        handed_print();
    printf("\n");
    FreeContextBuffer(package.PackageInfo);
    FreeContextBuffer(names.sUserName);
    /* Whoever refuses what came last closes; a server that takes it waits for RDP's first message. */
    struct pollfd wait = {.fd = sock, .events = POLLIN};
    if (is_client && poll(&wait, 1, 1000) > 0)
        printf("the server answered\n");
    (void)DeleteSecurityContext(&context);
    if (is_bare)
        (void)DeleteSecurityContext(&tls_context);
}

static void acquire(void)
{
    static char credssp[] = CREDSSP_NAME_A, tsssp[] = TS_SSP_NAME_A, schannel[] = SCHANNEL_NAME_A;
    char *package = is_bare ? tsssp : credssp;
    PCCERT_CONTEXT own = NULL;
    SECURITY_STATUS status =
        option.cert != NULL ? OpenSspiCertificateFromPem(option.cert, option.key, NULL, &own) : SEC_E_OK;
    if (status != SEC_E_OK)
        die("read the certificate", status);
    SCHANNEL_CRED tls = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = own != NULL ? 1 : 0, .paCred = &own};
    tls.grbitEnabledProtocols = option.tls == NULL               ? SP_PROT_TLS1_2 | SP_PROT_TLS1_3
                                : strcmp(option.tls, "1.2") == 0 ? SP_PROT_TLS1_2
                                                                 : SP_PROT_TLS1_3;
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof identity,
        .User = (unsigned char *)(uintptr_t)option.user,
        .UserLength = option.user != NULL ? (unsigned)strlen(option.user) : 0,
        .Domain = (unsigned char *)(uintptr_t)option.domain,
        .DomainLength = (unsigned)strlen(option.domain),
        .Password = (unsigned char *)(uintptr_t)option.password,
        .PasswordLength = (unsigned)strlen(option.password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)(uintptr_t)option.packages,
        .PackageListLength = option.packages != NULL ? (unsigned)strlen(option.packages) : 0,
    };
    CREDSSP_CRED cred = {.Type = CredsspPasswordCreds,
                         .pSchannelCred = is_client && option.tls == NULL ? NULL : &tls,
                         .pSpnegoCred = option.user != NULL ? &identity : NULL};
    status = AcquireCredentialsHandleA(NULL, package, is_client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                       &cred, NULL, NULL, &credential, NULL);
    if (status == SEC_E_OK && is_bare) {
        tls.dwFlags = is_client ? SCH_CRED_MANUAL_CRED_VALIDATION : 0;
        status = AcquireCredentialsHandleA(NULL, schannel, is_client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                           &tls, NULL, NULL, &tls_credential, NULL);
    }
    if (status != SEC_E_OK)
        die("acquire", status);
    if (own != NULL)
        CertFreeCertificateContext(own);
}

static void serve(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        die("listen", 0);
    printf("port %u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    for (int i = atoi(option.connections); i > 0; i--) {
        sock = accept(listener, NULL, NULL);
        if (sock < 0)
            break;
        in_len = 0;
        connection_run();
        fflush(stdout);
        close(sock);
    }
    close(listener);
}

int main(int argc, char **argv)
{
    is_client = argc > 2 && strcmp(argv[1], "client") == 0;
    if (!is_client && (argc < 2 || strcmp(argv[1], "server") != 0)) {
        fprintf(stderr, "rdp_peer client PORT | server, and options\n");
        return 2;
    }
    options_read(argc - (is_client ? 3 : 2), argv + (is_client ? 3 : 2));
    is_bare = option.package != NULL && strcmp(option.package, TS_SSP_NAME_A) == 0;
    acquire();
    if (is_client) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)atoi(argv[2]))};
        sock = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sock, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect", 0);
        connection_run();
        close(sock);
    } else
        serve();
    FreeCredentialsHandle(&credential);
    if (is_bare)
        FreeCredentialsHandle(&tls_credential);
    return 0;
}
