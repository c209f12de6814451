/*
 * One client and one server of any package, a thread, through exported functions alone. The environment says who they are:
 * TRUTH_USER, TRUTH_PASSWORD (none: the client's default credentials); TRUTH_CERT and TRUTH_KEY (PEM) for TLS, of server and client. The program sets
 * package, domain and target.
 */
#ifndef OPENSSPI_TRUTH_WORLD_H
#define OPENSSPI_TRUTH_WORLD_H

#include "truth.h"

#include <credssp.h>
#include <schannel.h>
#include <wincrypt.h>

#define WIRE_MAX 65536
#define STEPS_MAX 100
#define DATAGRAMS_MAX 64
/* What each handshake asks for that is not about a flag. */
#define ASKED_CLIENT                                                                                 \
    (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | \
     ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE)
#define ASKED_SERVER (ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)

struct side {
    const char *role;
    CredHandle credential;
    CtxtHandle context;
    int there; /* a context */
    SECURITY_STATUS status;
    ULONG attributes;
    unsigned char got[WIRE_MAX]; /* bytes for this side that it has not taken */
    ULONG got_len;
    ULONG datagrams[DATAGRAMS_MAX]; /* DTLS: their lengths, in turn */
    unsigned datagrams_len;
};

static _Thread_local char *package, *domain, *target;
static _Thread_local DWORD protocols;                                         /* of TLS */
static _Thread_local int sasl;                                                /* by the Sasl functions */
static _Thread_local void (*on_the_wire)(unsigned char *bytes, ULONG length); /* may change what is sent */
static _Thread_local struct side client = {.role = "client"}, server = {.role = "server"};

static char *given(const char *name)
{
    const char *value = getenv(name);
    return (char *)(uintptr_t)value;
}

static int is_tls(void)
{
    return strcmp(package, "Schannel") == 0 || strcmp(package, "Default TLS SSP") == 0 ||
           strcmp(package, UNISP_NAME_A) == 0;
}

static int is_credssp(void)
{
    return strcmp(package, CREDSSP_NAME_A) == 0 || strcmp(package, "TSSSP") == 0;
}

static int is_tsssp(void)
{
    return strcmp(package, "TSSSP") == 0;
}

static int is_stream(void)
{
    return is_tls() || (is_credssp() && !is_tsssp());
}

static SCHANNEL_CRED tls_cred(int for_server)
{
    static _Thread_local PCCERT_CONTEXT certificate;
    if (certificate == NULL &&
        OpenSspiCertificateFromPem(given("TRUTH_CERT"), given("TRUTH_KEY"), NULL, &certificate) != SEC_E_OK)
        broken("certificate");
    return (SCHANNEL_CRED){.dwVersion = SCHANNEL_CRED_VERSION,
                           .cCreds = for_server || is_tls(),
                           .paCred = &certificate,
                           .grbitEnabledProtocols = protocols,
                           .dwFlags = for_server ? 0 : SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS};
}

/* The credential of one side; the exported function is the caller's choice, W or A. */
static SECURITY_STATUS acquire(struct side *side, int wide_function)
{
    ULONG use = side == &client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND;
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        .User = (unsigned char *)given("TRUTH_USER"),
        .Domain = (unsigned char *)domain,
        .Password = (unsigned char *)given("TRUTH_PASSWORD"),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    SCHANNEL_CRED tls;
    CREDSSP_CRED both = {.Type = use == SECPKG_CRED_OUTBOUND ? CredsspPasswordCreds : CredsspSchannelCreds};
    void *data = NULL;
    if (identity.User != NULL) {
        identity.UserLength = (ULONG)strlen((char *)identity.User);
        identity.DomainLength = identity.Domain != NULL ? (ULONG)strlen((char *)identity.Domain) : 0;
        identity.PasswordLength = identity.Password != NULL ? (ULONG)strlen((char *)identity.Password) : 0;
        if (use == SECPKG_CRED_OUTBOUND)
            data = &identity;
    }
    if (is_tls() || is_credssp())
        tls = tls_cred(side == &server);
    if (is_tls())
        data = &tls;
    if (is_credssp()) {
        both.pSchannelCred = &tls;
        both.pSpnegoCred = data;
        data = &both;
    }
    return wide_function
               ? AcquireCredentialsHandleW(NULL, wide(package), use, NULL, data, NULL, NULL, &side->credential, NULL)
               : AcquireCredentialsHandleA(NULL, package, use, NULL, data, NULL, NULL, &side->credential, NULL);
}

static SECURITY_STATUS call(struct side *side, ULONG flags, int wide_function, SecBufferDesc *in, SecBufferDesc *out)
{
    CtxtHandle *old = side->there ? &side->context : NULL, *new = &side->context;
    ULONG drep = SECURITY_NATIVE_DREP;
    if (side == &server)
        return sasl ? SaslAcceptSecurityContext(&side->credential, old, in, flags, drep, new, out, &side->attributes,
                                                NULL)
                    : AcceptSecurityContext(&side->credential, old, in, flags, drep, new, out, &side->attributes, NULL);
    if (wide_function)
        return sasl ? SaslInitializeSecurityContextW(&side->credential, old, wide(target), flags, 0, drep, in, 0, new,
                                                     out, &side->attributes, NULL)
                    : InitializeSecurityContextW(&side->credential, old, wide(target), flags, 0, drep, in, 0, new, out,
                                                 &side->attributes, NULL);
    return sasl ? SaslInitializeSecurityContextA(&side->credential, old, target, flags, 0, drep, in, 0, new, out,
                                                 &side->attributes, NULL)
                : InitializeSecurityContextA(&side->credential, old, target, flags, 0, drep, in, 0, new, out,
                                             &side->attributes, NULL);
}

static int is_dtls(void)
{
    return (protocols & SP_PROT_DTLS1_2) != 0;
}

static void send(struct side *to, const SecBuffer *out)
{
    if (out->pvBuffer == NULL || out->cbBuffer == 0)
        return;
    if (to->got_len + out->cbBuffer > WIRE_MAX || to->datagrams_len == DATAGRAMS_MAX)
        broken("too much for one handshake");
    memcpy(to->got + to->got_len, out->pvBuffer, out->cbBuffer);
    if (on_the_wire != NULL)
        on_the_wire(to->got + to->got_len, out->cbBuffer);
    to->got_len += out->cbBuffer;
    to->datagrams[to->datagrams_len++] = out->cbBuffer;
}

static void taken(struct side *side, ULONG length)
{
    memmove(side->got, side->got + length, side->got_len - length);
    side->got_len -= length;
    if (side->datagrams_len > 0)
        memmove(side->datagrams, side->datagrams + 1, --side->datagrams_len * sizeof *side->datagrams);
    if (!is_dtls())
        side->datagrams_len = 0;
}

/* TSSSP: both sides show the server's certificate with their first token. */
static SecBuffer shown_certificate(void)
{
    static _Thread_local unsigned char room[8192];
    SCHANNEL_CRED own = tls_cred(1);
    PCCERT_CONTEXT certificate = own.paCred[0];
    uint32_t length = certificate->cbCertEncoded;
    if (length > sizeof room - sizeof length)
        broken("a long certificate");
    memcpy(room, &length, sizeof length);
    memcpy(room + sizeof length, certificate->pbCertEncoded, length);
    return (SecBuffer){(ULONG)(sizeof length + length), SECBUFFER_TOKEN, room};
}

/* One step with what came, one datagram of DTLS; what comes out goes to the other side. */
static void step(struct side *side, struct side *other, ULONG flags, int wide_function)
{
    static _Thread_local unsigned char room[WIRE_MAX];
    static char address[] = "192.0.2.1:4433";
    int allocates = (flags & ISC_REQ_ALLOCATE_MEMORY) != 0;
    ULONG length = is_dtls() && side->datagrams_len > 0 ? side->datagrams[0] : side->got_len;
    do {
        unsigned short srtp[] = {2, 1}; /* bytes of the list, and a profile */
        SecBuffer in[4] = {{length, SECBUFFER_TOKEN, side->got},
                           {0, SECBUFFER_EMPTY, NULL},
                           {sizeof srtp, SECBUFFER_SRTP_PROTECTION_PROFILES, srtp},
                           {sizeof address - 1, SECBUFFER_EXTRA, address}};
        SecBuffer out = {allocates ? 0 : sizeof room, SECBUFFER_TOKEN, allocates ? NULL : room};
        if (is_tsssp())
            in[1] = shown_certificate();
        SecBufferDesc in_list = {SECBUFFER_VERSION, !is_dtls() ? 2 : side == &server ? 4 : 3, in};
        SecBufferDesc first_list = {SECBUFFER_VERSION, 1, &in[2]}, *first = is_dtls() ? &first_list : NULL;
        SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out};
        int first_of_client = side == &client && !side->there && side->got_len == 0;
        int rest = side->status == SEC_I_MESSAGE_FRAGMENT;
        side->status = call(side, flags, wide_function, first_of_client ? first : rest ? NULL : &in_list, &out_list);
        if (side->status == SEC_E_INCOMPLETE_MESSAGE)
            return;
        side->there = side->there || side->status >= 0;
        if (!rest)
            taken(side, length - (in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0));
        send(other, &out);
        if (allocates && out.pvBuffer != NULL)
            FreeContextBuffer(out.pvBuffer);
    } while (side->status == SEC_I_MESSAGE_FRAGMENT);
}

static int goes_on(const struct side *side)
{
    return !side->there || side->status == SEC_I_CONTINUE_NEEDED || side->status == SEC_I_INCOMPLETE_CREDENTIALS ||
           side->status == SEC_E_INCOMPLETE_MESSAGE;
}

static void forget(void)
{
    struct side *sides[] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->there)
            DeleteSecurityContext(&sides[i]->context);
        sides[i]->there = 0;
        sides[i]->got_len = 0;
        sides[i]->datagrams_len = 0;
        sides[i]->status = SEC_I_CONTINUE_NEEDED;
        sides[i]->attributes = 0;
    }
}

/* A whole handshake; SEC_E_OK, or the first refusal. `server_first`: DIGEST-MD5, where the client is asked before it speaks. */
static SECURITY_STATUS handshake(ULONG client_flags, ULONG server_flags, int wide_function)
{
    forget();
    if (is_tls())
        server_flags |= ASC_REQ_MUTUAL_AUTH; /* a certificate of the client's */
    int server_first = strcmp(package, "WDigest") == 0 && !(client_flags & ISC_REQ_USE_HTTP_STYLE);
    for (int i = 0; i < STEPS_MAX && (goes_on(&client) || goes_on(&server)); i++) {
        if (goes_on(&client) && (!server_first || i > 0) && (client.got_len > 0 || !client.there || sasl))
            step(&client, &server, client_flags, wide_function);
        if (client.status < 0 && client.status != SEC_E_INCOMPLETE_MESSAGE)
            return client.status;
        /* A datagram of NTLM's begins with nothing: the server is told so. */
        if (goes_on(&server) && (server.got_len > 0 || i == 0 || sasl))
            step(&server, &client, server_flags, wide_function);
        if (server.status < 0 && server.status != SEC_E_INCOMPLETE_MESSAGE)
            return server.status;
    }
    return goes_on(&client) || goes_on(&server) ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

#endif
