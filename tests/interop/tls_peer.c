/*
 * A TLS or DTLS peer on the public functions, for the interop tests: a client that sends a line and prints what comes back until the peer closes, or
 * a server that sends every line back (and answers GET with a page) until its client closes.
 *
 *   tls_peer client PORT [option=value ...]      tls_peer server [option=value ...]
 *   ca=FILE cert=FILE key=FILE name=HOST tls=1.2|1.3|dtls text=WORDS alpn=NAME mutual=1 connections=N renegotiate=1
 *   flags=NUMBER (of the credential)   later=1 (asks the client for its certificate in a later handshake only)
 *   tickets=N,N,... (session ticket keys made of these numbers)   srtp=N (an SRTP protection profile)
 *   leaves=1 (a client whose text says quit does not wait for the peer's end)
 *
 * The server prints "port N" first. Both print "connected VERSION SUITE" for each connection, and what they received.
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

#include <schannel.h>
#include <sspi.h>
#include <sspi_ext.h>
#include <wincrypt.h>

#include "peer_options.h"

#define ROOM ((size_t)1 << 17)
#define WAIT_MS 300000    /* a bound, never waited for */
#define RECORD_OF_DATA 23 /* the first byte of a record of application data */

static struct {
    const char *ca, *cert, *key, *name, *tls, *text, *alpn, *mutual, *connections, *renegotiate, *flags, *later,
        *tickets, *srtp, *leaves;
} option = {.name = "server.test", .text = "hello", .connections = "1", .flags = "0"};

static bool is_client, is_datagram;
static CredHandle credential;
static CtxtHandle context;
static bool has_context, is_connected;
static int sock = -1;
static unsigned char in[ROOM];
static size_t in_len;
static struct sockaddr_in peer;

static _Noreturn void fail(const char *what, SECURITY_STATUS status)
{
    printf("failed %s 0x%08x %s\n", what, (unsigned)status, OpenSspiLastErrorText());
    fflush(stdout);
    exit(1);
}

static void options_read(int n, char **words)
{
    static const struct peer_option options[] = {
        {"ca", &option.ca},
        {"cert", &option.cert},
        {"key", &option.key},
        {"name", &option.name},
        {"tls", &option.tls},
        {"text", &option.text},
        {"alpn", &option.alpn},
        {"mutual", &option.mutual},
        {"connections", &option.connections},
        {"renegotiate", &option.renegotiate},
        {"flags", &option.flags},
        {"later", &option.later},
        {"tickets", &option.tickets},
        {"srtp", &option.srtp},
        {"leaves", &option.leaves},
    };
    const char *unknown = peer_options_read(options, sizeof options / sizeof options[0], n, words);
    if (unknown != NULL)
        fail(unknown, 0);
}

static DWORD protocols(void)
{
    if (option.tls == NULL)
        return SP_PROT_TLS1_2 | SP_PROT_TLS1_3;
    if (strcmp(option.tls, "1.2") == 0)
        return SP_PROT_TLS1_2;
    return strcmp(option.tls, "1.3") == 0 ? SP_PROT_TLS1_3 : SP_PROT_DTLS1_2;
}

static void acquire(void)
{
    PCCERT_CONTEXT own = NULL, authority = NULL;
    HCERTSTORE roots = NULL;
    SECURITY_STATUS status;
    if (option.cert != NULL && (status = OpenSspiCertificateFromPem(option.cert, option.key, NULL, &own)) != SEC_E_OK)
        fail("certificate", status);
    if (option.ca != NULL) {
        if ((status = OpenSspiCertificateFromPem(option.ca, NULL, NULL, &authority)) != SEC_E_OK)
            fail("authority", status);
        roots = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
        if (!CertAddCertificateContextToStore(roots, authority, CERT_STORE_ADD_ALWAYS, NULL))
            fail("store", 0);
    }
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = own != NULL,
                          .paCred = &own,
                          .hRootStore = roots,
                          .grbitEnabledProtocols = protocols(),
                          .dwFlags = (DWORD)strtoul(option.flags, NULL, 0)};
    char package[] = "Schannel";
    status = AcquireCredentialsHandleA(NULL, package, is_client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                       &cred, NULL, NULL, &credential, NULL);
    if (status != SEC_E_OK)
        fail("acquire", status);
    CertFreeCertificateContext(own);
    CertFreeCertificateContext(authority);
    CertCloseStore(roots, 0);
}

/* Keys that every server of this option has alike. */
static void tickets_share(void)
{
    SecPkgCred_SessionTicketKey key[4];
    SecPkgCred_SessionTicketKeys keys = {.pSessionTicketKeys = key};
    memset(key, 0, sizeof key);
    for (const char *at = option.tickets; at != NULL && keys.cSessionTicketKeys < 4; keys.cSessionTicketKeys++) {
        SecPkgCred_SessionTicketKey *made = &key[keys.cSessionTicketKeys];
        made->KeyingMaterialSize = sizeof made->KeyingMaterial;
        memset(made->KeyId, atoi(at), sizeof made->KeyId);
        memset(made->KeyingMaterial, 0x40 + atoi(at), sizeof made->KeyingMaterial);
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    SECURITY_STATUS status =
        SetCredentialsAttributesA(&credential, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys);
    if (status != SEC_E_OK)
        fail("tickets", status);
}

static void send_all(const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = is_datagram && !is_client ? sendto(sock, at, len, 0, (struct sockaddr *)&peer, sizeof peer)
                                                 : send(sock, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            fail("send", 0);
        at += sent;
        len -= (size_t)sent;
    }
}

/* More bytes, or a datagram; false when the peer closed, or, of a datagram, nothing came. */
static bool receive_more(int wait_ms)
{
    struct pollfd ready = {.fd = sock, .events = POLLIN};
    socklen_t peer_len = sizeof peer;
    if (poll(&ready, 1, wait_ms) != 1)
        return false;
    ssize_t len = is_datagram && !is_client
                      ? recvfrom(sock, in + in_len, ROOM - in_len, 0, (struct sockaddr *)&peer, &peer_len)
                      : recv(sock, in + in_len, ROOM - in_len, 0);
    if (len <= 0)
        return false;
    in_len += (size_t)len;
    return true;
}

static SECURITY_STATUS step(bool input)
{
    unsigned char alpn[64];
    unsigned short srtp[2] = {sizeof srtp[1], (unsigned short)(option.srtp != NULL ? atoi(option.srtp) : 0)};
    SecBuffer from[5] = {{(ULONG)in_len, SECBUFFER_TOKEN, in}, {0, SECBUFFER_EMPTY, NULL}},
              to = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc from_list = {SECBUFFER_VERSION, 2, from}, to_list = {SECBUFFER_VERSION, 1, &to};
    ULONG attributes;
    if (!has_context && option.alpn != NULL) {
        uint32_t size = 7 + (uint32_t)strlen(option.alpn), ext = SecApplicationProtocolNegotiationExt_ALPN;
        uint16_t list = (uint16_t)(size - 6);
        memcpy(alpn, &size, 4);
        memcpy(alpn + 4, &ext, 4);
        memcpy(alpn + 8, &list, 2);
        alpn[10] = (unsigned char)strlen(option.alpn);
        memcpy(alpn + 11, option.alpn, alpn[10]);
        from[from_list.cBuffers++] = (SecBuffer){size + 4, SECBUFFER_APPLICATION_PROTOCOLS, alpn};
        input = true;
    }
    if (!has_context && option.srtp != NULL) {
        from[from_list.cBuffers++] = (SecBuffer){sizeof srtp, SECBUFFER_SRTP_PROTECTION_PROFILES, srtp};
        input = true;
    }
    if (is_datagram && !is_client)
        from[from_list.cBuffers++] = (SecBuffer){sizeof peer, SECBUFFER_EXTRA, &peer};
    SECURITY_STATUS status;
    if (is_client)
        status = InitializeSecurityContextA(&credential, has_context ? &context : NULL, (char *)(uintptr_t)option.name,
                                            ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_EXTENDED_ERROR | ISC_REQ_STREAM |
                                                (option.cert == NULL ? ISC_REQ_USE_SUPPLIED_CREDS : 0),
                                            0, 0, input ? &from_list : NULL, 0, &context, &to_list, &attributes, NULL);
    else
        status = AcceptSecurityContext(
            &credential, has_context ? &context : NULL, input ? &from_list : NULL,
            ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_EXTENDED_ERROR | ASC_REQ_STREAM |
                (option.mutual != NULL || (option.later != NULL && is_connected) ? ASC_REQ_MUTUAL_AUTH : 0),
            0, &context, &to_list, &attributes, NULL);
    has_context = has_context || status >= 0;
    if (to.cbBuffer > 0 && to.pvBuffer != NULL) {
        char cause[600];
        snprintf(cause, sizeof cause, "%s", OpenSspiLastErrorText());
        send_all(to.pvBuffer, to.cbBuffer);
        FreeContextBuffer(to.pvBuffer);
        if (status < 0)
            printf("failed step 0x%08x %s\n", (unsigned)status, cause), fflush(stdout), exit(1);
    }
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status;
    if (status < 0)
        fail("step", status);
    if (input) {
        size_t extra = from[1].BufferType == SECBUFFER_EXTRA ? from[1].cbBuffer : 0;
        memmove(in, in + in_len - extra, extra);
        in_len = extra;
    }
    return status;
}

static void seal_and_send(const char *text, size_t len)
{
    static unsigned char record[20000];
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(&context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status != SEC_E_OK || len > sizes.cbMaximumMessage)
        fail("sizes", status);
    memcpy(record + sizes.cbHeader, text, len);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                            {(ULONG)len, SECBUFFER_DATA, record + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + len},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    status = EncryptMessage(&context, 0, &list, 0);
    if (status != SEC_E_OK)
        fail("encrypt", status);
    send_all(record, (size_t)buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
}

static void control(DWORD type)
{
    SecBuffer buffer = {sizeof type, SECBUFFER_TOKEN, &type};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status = ApplyControlToken(&context, &list);
    if (status != SEC_E_OK)
        fail("control", status);
}

static void got(const unsigned char *text, size_t len)
{
    static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npage!\n";
    printf("received %.*s\n", (int)len, (const char *)text);
    fflush(stdout);
    if (is_client)
        return;
    if (len > 4 && memcmp(text, "GET ", 4) == 0)
        seal_and_send(page, sizeof page - 1);
    else
        seal_and_send((const char *)text, len);
}

static void client_name(void)
{
    SecPkgContext_NamesA names;
    if (is_client || QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names) != SEC_E_OK)
        return;
    printf("client %s\n", names.sUserName);
    FreeContextBuffer(names.sUserName);
}

/* Opens one record, where there is a whole one, and takes what is in it. SEC_E_INCOMPLETE_MESSAGE: there is not. */
static SECURITY_STATUS record_open(void)
{
    SecBuffer buffers[4] = {{(ULONG)in_len, SECBUFFER_DATA, in}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = in_len > 0 ? DecryptMessage(&context, &list, 0, NULL) : SEC_E_INCOMPLETE_MESSAGE;
    if (status == SEC_E_INCOMPLETE_MESSAGE || status == SEC_I_CONTEXT_EXPIRED)
        return status;
    if (is_datagram && status == SEC_E_OUT_OF_SEQUENCE) { /* one that came twice */
        in_len = 0;
        return status;
    }
    if (status < 0)
        fail("decrypt", status);
    size_t extra = 0;
    for (int i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_DATA && buffers[i].cbBuffer > 0)
            got(buffers[i].pvBuffer, buffers[i].cbBuffer);
        if (buffers[i].BufferType == SECBUFFER_EXTRA)
            extra = buffers[i].cbBuffer;
    }
    memmove(in, in + in_len - extra, extra);
    in_len = extra;
    return status;
}

/* A step; but what the peer had sent before it knew that TLS 1.2 negotiates anew comes amid that, and is text. */
static SECURITY_STATUS step_or_text(void)
{
    if (!is_connected || is_datagram || in_len == 0 || in[0] != RECORD_OF_DATA)
        return step(true);
    SECURITY_STATUS status = record_open();
    if (status == SEC_I_RENEGOTIATE)
        return step(true);
    return status == SEC_E_OK ? SEC_I_CONTINUE_NEEDED : status;
}

static void handshake(void)
{
    SECURITY_STATUS status = is_client && !has_context ? step(false) : SEC_I_CONTINUE_NEEDED;
    for (int turns = 0; status != SEC_E_OK && turns < 200; turns++) {
        if (status == SEC_I_MESSAGE_FRAGMENT) {
            status = step(false);
            continue;
        }
        if (in_len == 0 || status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!receive_more(is_datagram ? 1000 : WAIT_MS)) {
                if (!is_datagram)
                    fail("handshake cut off", 0);
                if (has_context)
                    status = step(false); /* send the flight again */
                continue;
            }
        }
        status = step_or_text();
    }
    if (status != SEC_E_OK)
        fail("handshake", status);
}

/* Until the peer closes; true when it said so. */
static bool messages(void)
{
    for (;;) {
        SECURITY_STATUS status = record_open();
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!receive_more(WAIT_MS))
                return false;
            continue;
        }
        if (status == SEC_I_CONTEXT_EXPIRED)
            return true;
        if (status == SEC_E_OUT_OF_SEQUENCE)
            continue;
        if (status == SEC_I_RENEGOTIATE) {
            printf("renegotiating\n");
            if (step(true) != SEC_E_OK)
                handshake();
            client_name();
            printf("renegotiated\n");
            fflush(stdout);
        }
        if (is_client && strstr((const char *)option.text, "quit") != NULL && in_len == 0) {
            control(SCHANNEL_SHUTDOWN);
            (void)step(false);
            if (option.leaves != NULL)
                return false;
        }
    }
}

static void connected(void)
{
    SecPkgContext_CipherInfo info;
    SecPkgContext_ApplicationProtocol protocol;
    char suite[SZ_ALG_MAX_SIZE];
    SECURITY_STATUS status = QueryContextAttributesA(&context, SECPKG_ATTR_CIPHER_INFO, &info);
    if (status != SEC_E_OK)
        fail("info", status);
    for (size_t i = 0; i < sizeof suite; i++)
        suite[i] = (char)info.szCipherSuite[i];
    printf("connected 0x%04x %s\n", (unsigned)info.dwProtocol, suite);
    if (QueryContextAttributesA(&context, SECPKG_ATTR_APPLICATION_PROTOCOL, &protocol) == SEC_E_OK &&
        protocol.ProtocolIdSize > 0)
        printf("protocol %.*s\n", protocol.ProtocolIdSize, (const char *)protocol.ProtocolId);
    client_name();
    SecPkgContext_SrtpParameters srtp;
    if (QueryContextAttributesA(&context, SECPKG_ATTR_SRTP_PARAMETERS, &srtp) == SEC_E_OK)
        printf("srtp %u\n", srtp.ProtectionProfile);
    fflush(stdout);
}

static void converse(void)
{
    handshake();
    connected();
    is_connected = true;
    if (option.renegotiate != NULL) {
        control(SCHANNEL_RENEGOTIATE);
        if (step(false) != SEC_E_OK)
            handshake();
        client_name();
        fflush(stdout);
    }
    if (is_client)
        seal_and_send(option.text, strlen(option.text));
    bool ended = messages();
    printf(ended ? "closed\n" : "cut off\n");
    if (ended) {
        control(SCHANNEL_SHUTDOWN);
        (void)step(false);
    }
    fflush(stdout);
    DeleteSecurityContext(&context);
    has_context = is_connected = false;
    in_len = 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof at;
    is_client = argc > 2 && strcmp(argv[1], "client") == 0;
    options_read(argc - (is_client ? 3 : 2), argv + (is_client ? 3 : 2));
    is_datagram = option.tls != NULL && strcmp(option.tls, "dtls") == 0;
    acquire();
    if (option.tickets != NULL)
        tickets_share();
    int type = is_datagram ? SOCK_DGRAM : SOCK_STREAM, listener = socket(AF_INET, type, 0);
    if (is_client) {
        sock = listener;
        at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
        if (connect(sock, (struct sockaddr *)&at, sizeof at) != 0)
            fail("connect", 0);
        converse();
        return 0;
    }
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &at_len) != 0 || (!is_datagram && listen(listener, 5) != 0))
        fail("listen", 0);
    printf("port %u\n", ntohs(at.sin_port));
    fflush(stdout);
    for (long i = strtol(option.connections, NULL, 10); i > 0; i--) {
        sock = is_datagram ? listener : accept(listener, NULL, NULL);
        converse();
        if (!is_datagram)
            close(sock);
    }
    FreeCredentialsHandle(&credential);
    return 0;
}
