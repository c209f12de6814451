#include "peer.h"

#include "base/memory.h"
#include "base/reader.h"

#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <credssp.h>
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>
#include <strings.h>
#include <wincrypt.h>

#define MESSAGE_MAX 16384

static const struct {
    const char *name;
    ULONG client, server, client_granted, server_granted;
} flag_names[] = {
    {"delegate", ISC_REQ_DELEGATE, ASC_REQ_DELEGATE, ISC_RET_DELEGATE, ASC_RET_DELEGATE},
    {"mutual_auth", ISC_REQ_MUTUAL_AUTH, ASC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH, ASC_RET_MUTUAL_AUTH},
    {"replay_detect", ISC_REQ_REPLAY_DETECT, ASC_REQ_REPLAY_DETECT, ISC_RET_REPLAY_DETECT, ASC_RET_REPLAY_DETECT},
    {"sequence_detect", ISC_REQ_SEQUENCE_DETECT, ASC_REQ_SEQUENCE_DETECT, ISC_RET_SEQUENCE_DETECT,
     ASC_RET_SEQUENCE_DETECT},
    {"confidentiality", ISC_REQ_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY,
     ASC_RET_CONFIDENTIALITY},
    {"use_session_key", ISC_REQ_USE_SESSION_KEY, ASC_REQ_USE_SESSION_KEY, ISC_RET_USE_SESSION_KEY,
     ASC_RET_USE_SESSION_KEY},
    {"use_dce_style", ISC_REQ_USE_DCE_STYLE, ASC_REQ_USE_DCE_STYLE, ISC_RET_USED_DCE_STYLE, ASC_RET_USED_DCE_STYLE},
    {"connection", ISC_REQ_CONNECTION, ASC_REQ_CONNECTION, ISC_RET_CONNECTION, ASC_RET_CONNECTION},
    {"extended_error", ISC_REQ_EXTENDED_ERROR, ASC_REQ_EXTENDED_ERROR, ISC_RET_EXTENDED_ERROR, ASC_RET_EXTENDED_ERROR},
    {"stream", ISC_REQ_STREAM, ASC_REQ_STREAM, ISC_RET_STREAM, ASC_RET_STREAM},
    {"integrity", ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY, ISC_RET_INTEGRITY, ASC_RET_INTEGRITY},
    {"identify", ISC_REQ_IDENTIFY, ASC_REQ_IDENTIFY, ISC_RET_IDENTIFY, ASC_RET_IDENTIFY},
    {"null_session", ISC_REQ_NULL_SESSION, ASC_REQ_ALLOW_NULL_SESSION, ISC_RET_NULL_SESSION, ASC_RET_NULL_SESSION},
    {"no_integrity", ISC_REQ_NO_INTEGRITY, 0, 0, 0},
};

int peer_flags_parse(const char *text, bool client, ULONG *flags)
{
    *flags = 0;
    if (strcmp(text, "none") == 0)
        return CLI_OK;
    while (*text != '\0') {
        char word[40] = "";
        size_t len = strcspn(text, ","), i;
        snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : 0), text);
        for (char *at = word; *at != '\0'; at++)
            if (*at == '-')
                *at = '_';
        const char *name =
            strncasecmp(word, "ISC_REQ_", 8) == 0 || strncasecmp(word, "ASC_REQ_", 8) == 0 ? word + 8 : word;
        for (i = 0; i < COUNT_OF(flag_names); i++)
            if (strcasecmp(name, flag_names[i].name) == 0)
                break;
        if (i == COUNT_OF(flag_names)) {
            cli_misuse("there is no flag \"%.*s\"; there are:", (int)len, text);
            for (i = 0; i < COUNT_OF(flag_names); i++)
                fprintf(stderr, " %s", flag_names[i].name);
            fputc('\n', stderr);
            return CLI_USAGE;
        }
        *flags |= client ? flag_names[i].client : flag_names[i].server;
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return CLI_OK;
}

enum cli_side peer_side(const struct peer *peer)
{
    return peer->stream && !peer->credssp ? SIDE_CERTIFICATE : peer->client ? SIDE_CLIENT : SIDE_SERVER;
}

static int acquire(struct peer *peer, void *identity)
{
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)(uintptr_t)peer->package,
                                                       peer->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
                                                       identity, NULL, NULL, &peer->credential, NULL);
    peer->has_credential = status == SEC_E_OK;
    return cli_sspi_status_of("cannot get credentials", status, peer_side(peer));
}

/* Who we are to be, with the password that is asked for; `user` and `password` must live as long. */
static int user_identity(const char *user, struct secret *password, SEC_WINNT_AUTH_IDENTITY_A *identity)
{
    const char *separator = strchr(user, '\\'), *name = separator == NULL ? user : separator + 1;
    int code = cli_password_ask(user, password);
    if (code != CLI_OK)
        return code;
    *identity = (SEC_WINNT_AUTH_IDENTITY_A){.User = (unsigned char *)(uintptr_t)name,
                                            .UserLength = (ULONG)strlen(name),
                                            .Domain = separator == NULL ? NULL : (unsigned char *)(uintptr_t)user,
                                            .DomainLength = separator == NULL ? 0 : (ULONG)(separator - user),
                                            .Password = password->data,
                                            .PasswordLength = (ULONG)password->len,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    return CLI_OK;
}

static int acquire_user(struct peer *peer, const char *user)
{
    AUTO_SECRET struct secret password = {0};
    SEC_WINNT_AUTH_IDENTITY_A identity;
    int code = user_identity(user, &password, &identity);
    return code == CLI_OK ? acquire(peer, &identity) : code;
}

/* CredSSP takes the channel's credential and who signs on inside it. */
static int acquire_credssp(struct peer *peer, const struct cli_options *options, SCH_CREDENTIALS *tls)
{
    AUTO_SECRET struct secret password = {0};
    SEC_WINNT_AUTH_IDENTITY_A identity;
    CREDSSP_CRED credential = {.Type = CredsspPasswordCreds, .pSchannelCred = tls};
    if (options->user != NULL) {
        int code = user_identity(options->user, &password, &identity);
        if (code != CLI_OK)
            return code;
        credential.pSpnegoCred = &identity;
    }
    return acquire(peer, &credential);
}

static int acquire_tls(struct peer *peer, const struct cli_options *options)
{
    PCCERT_CONTEXT certificate = NULL;
    HCERTSTORE roots = NULL;
    SCH_CREDENTIALS credential = {.dwVersion = SCH_CREDENTIALS_VERSION};
    int code = CLI_OK;
    if (options->key != NULL && options->certificate == NULL)
        return cli_misuse("--key is the key of a --certificate, which is missing");
    if (!peer->client && options->certificate == NULL)
        return cli_misuse("a TLS server needs --certificate FILE (and --key FILE)");
    if (options->certificate != NULL) {
        SECURITY_STATUS status = OpenSspiCertificateFromPem(
            options->certificate, options->key == NULL ? options->certificate : options->key, NULL, &certificate);
        code = cli_sspi_status_of(options->certificate, status, SIDE_CERTIFICATE);
        credential.cCreds = 1;
        credential.paCred = &certificate;
    }
    if (code == CLI_OK && options->ca != NULL) {
        roots = CertOpenStore(CERT_STORE_PROV_FILENAME_A, X509_ASN_ENCODING, 0,
                              CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG, options->ca);
        credential.hRootStore = roots;
        if (roots == NULL)
            code = cli_fail("%s: no certificates can be read from it: %s", options->ca, OpenSspiLastErrorText());
    }
    if (options->insecure)
        credential.dwFlags |= SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_SERVERNAME_CHECK;
    else if (peer->client)
        credential.dwFlags |= SCH_CRED_AUTO_CRED_VALIDATION;
    if (code == CLI_OK)
        code = peer->credssp ? acquire_credssp(peer, options, &credential) : acquire(peer, &credential);
    if (certificate != NULL)
        CertFreeCertificateContext(certificate);
    if (roots != NULL)
        CertCloseStore(roots, 0);
    return code;
}

static int open_any(struct peer *peer, const struct cli_options *options, bool client, ULONG default_flags)
{
    PSecPkgInfoA info;
    peer->package = options->package == NULL ? "Negotiate" : options->package;
    peer->client = client;
    peer->target = options->target;
    peer->wanted = default_flags;
    if (options->flags != NULL)
        try(peer_flags_parse(options->flags, client, &peer->wanted));
    peer->insists = client && options->flags != NULL && (peer->wanted & ISC_REQ_MUTUAL_AUTH) != 0;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)(uintptr_t)peer->package, &info);
    if (status != SEC_E_OK)
        return cli_sspi_status(peer->package, status);
    peer->stream = (info->fCapabilities & SECPKG_FLAG_STREAM) != 0;
    FreeContextBuffer(info);
    peer->wanted |= ISC_REQ_ALLOCATE_MEMORY; /* the same bit on both sides */
    peer->credssp = strcasecmp(peer->package, CREDSSP_NAME_A) == 0;
    if (peer->credssp && !client)
        peer->wanted |= ASC_REQ_EXTENDED_ERROR; /* clients are told why */
    else if (peer->stream && !peer->credssp)
        peer->wanted |= client ? ISC_REQ_EXTENDED_ERROR : ASC_REQ_EXTENDED_ERROR; /* as an alert */
    if (strcasecmp(peer->package, TS_SSP_NAME_A) == 0)
        return cli_misuse("TSSSP is for a TLS connection that a program has already; --package CREDSSP makes one");
    if (peer->stream)
        peer->wanted |= client ? ISC_REQ_STREAM : ASC_REQ_STREAM;
    else if (options->certificate != NULL || options->key != NULL)
        return cli_misuse("%s takes no certificate; that is for --package Schannel", peer->package);
    if (peer->stream && !peer->credssp && options->user != NULL)
        return cli_misuse("%s takes no user: who we are says --certificate", peer->package);
    if (peer->stream)
        return acquire_tls(peer, options);
    return options->user != NULL ? acquire_user(peer, options->user) : acquire(peer, NULL);
}

int peer_open(struct peer *peer, const struct cli_options *options, bool client, ULONG default_flags)
{
    /* Its server speaks first, and both sides need the request that they speak of. */
    if (options->package != NULL && strcasecmp(options->package, "WDigest") == 0)
        return cli_misuse("WDigest signs requests of HTTP; \"sspi get --package Digest\" speaks it");
    return open_any(peer, options, client, default_flags);
}

int peer_open_http(struct peer *peer, const struct cli_options *options, ULONG default_flags)
{
    return open_any(peer, options, true, default_flags);
}

void peer_forget(struct peer *peer)
{
    if (peer->has_context)
        DeleteSecurityContext(&peer->context);
    peer->has_context = false;
}

void peer_close(struct peer *peer)
{
    peer_forget(peer);
    if (peer->has_credential)
        FreeCredentialsHandle(&peer->credential);
    peer->has_credential = false;
}

static SECURITY_STATUS call_package(struct peer *peer, SecBufferDesc *in, SecBufferDesc *out)
{
    PCtxtHandle former = peer->has_context ? &peer->context : NULL;
    if (peer->client)
        return InitializeSecurityContextA(&peer->credential, former, (SEC_CHAR *)(uintptr_t)peer->target, peer->wanted,
                                          0, SECURITY_NATIVE_DREP, former == NULL && peer->bindings == NULL ? NULL : in,
                                          0, &peer->context, out, &peer->granted, NULL);
    return AcceptSecurityContext(&peer->credential, former, in, peer->wanted, SECURITY_NATIVE_DREP, &peer->context, out,
                                 &peer->granted, NULL);
}

SECURITY_STATUS peer_step(struct peer *peer, struct slice in, SecBuffer *token, size_t *n_extra)
{
    *token = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    *n_extra = 0;
    SecBuffer in_buffers[3] = {{(ULONG)in.len, SECBUFFER_TOKEN, (void *)(uintptr_t)in.data},
                               {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, peer->stream ? 2 : 1, in_buffers},
                  out_list = {SECBUFFER_VERSION, 1, token};
    if (peer->bindings != NULL)
        in_buffers[in_list.cBuffers++] =
            (SecBuffer){(ULONG)peer->bindings->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, peer->bindings->Bindings};
    SECURITY_STATUS status = call_package(peer, &in_list, &out_list);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) {
        cli_fail("the server asks for a certificate (--certificate); going on without one");
        peer->wanted |= ISC_REQ_USE_SUPPLIED_CREDS;
        in_buffers[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        status = call_package(peer, &in_list, &out_list);
    }
    if (status >= 0)
        peer->has_context = true;
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SECURITY_STATUS completed = CompleteAuthToken(&peer->context, &out_list);
        status = completed != SEC_E_OK ? completed : status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    }
    if (peer->stream && in_buffers[1].BufferType == SECBUFFER_EXTRA)
        *n_extra = in_buffers[1].cbBuffer;
    return status;
}

SECURITY_STATUS peer_ready(struct peer *peer)
{
    if (peer->stream)
        return QueryContextAttributesA(&peer->context, SECPKG_ATTR_STREAM_SIZES, &peer->stream_sizes);
    return QueryContextAttributesA(&peer->context, SECPKG_ATTR_SIZES, &peer->sizes);
}

bool peer_proved(const struct peer *peer)
{
    return !peer->insists || peer->stream || (peer->granted & ISC_RET_MUTUAL_AUTH) != 0;
}

int peer_unproved(void)
{
    cli_fail("the server did not authenticate itself; \"--flags none\" does not ask for it");
    return CLI_REFUSED;
}

bool peer_seals(const struct peer *peer)
{
    return (peer->granted & ISC_RET_CONFIDENTIALITY) != 0; /* the same bit on both sides */
}

bool peer_signs(const struct peer *peer)
{
    return (peer->granted & (peer->client ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY)) != 0;
}

static void describe_flags(const struct peer *peer)
{
    fputs("flags:   ", stderr);
    for (size_t i = 0; i < COUNT_OF(flag_names); i++)
        if ((peer->granted & (peer->client ? flag_names[i].client_granted : flag_names[i].server_granted)) != 0)
            fprintf(stderr, " %s", flag_names[i].name);
    fputc('\n', stderr);
}

void peer_describe(struct peer *peer)
{
    SecPkgContext_NegotiationInfoA negotiated;
    SecPkgContext_NamesA names;
    SecPkgContext_NativeNamesA native;
    SecPkgContext_KeyInfoA key;
    if (QueryContextAttributesA(&peer->context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiated) == SEC_E_OK) {
        cli_tell("package:", negotiated.PackageInfo->Name);
        FreeContextBuffer(negotiated.PackageInfo);
    } else {
        cli_tell("package:", peer->package);
    }
    if (peer->credssp &&
        QueryContextAttributesA(&peer->context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &negotiated) == SEC_E_OK) {
        cli_tell("inside:", negotiated.PackageInfo->Name);
        FreeContextBuffer(negotiated.PackageInfo);
    }
    if (QueryContextAttributesA(&peer->context, SECPKG_ATTR_NATIVE_NAMES, &native) == SEC_E_OK) {
        cli_tell("client:", native.sClientName);
        cli_tell("server:", native.sServerName);
        FreeContextBuffer(native.sClientName);
        FreeContextBuffer(native.sServerName);
    } else if (QueryContextAttributesA(&peer->context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK) {
        cli_tell("user:", names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    describe_flags(peer);
    if (QueryContextAttributesA(&peer->context, SECPKG_ATTR_KEY_INFO, &key) == SEC_E_OK) {
        fprintf(stderr, "cipher:   %s, %u bits\n", key.sEncryptAlgorithmName, (unsigned)key.KeySize);
        FreeContextBuffer(key.sSignatureAlgorithmName);
        FreeContextBuffer(key.sEncryptAlgorithmName);
    }
}

SECURITY_STATUS peer_protect(struct peer *peer, struct slice text, struct writer *sealed)
{
    bool seal = peer_seals(peer);
    ULONG token_max = seal ? peer->sizes.cbSecurityTrailer : peer->sizes.cbMaxSignature;
    ULONG padding_max = seal && peer->sizes.cbBlockSize > 1 ? peer->sizes.cbBlockSize : 0;
    uint8_t room[2 * MESSAGE_MAX];
    if (text.len > MESSAGE_MAX || (size_t)token_max + padding_max > MESSAGE_MAX)
        return SEC_E_BUFFER_TOO_SMALL;
    uint8_t *data = room + token_max;
    memcpy(data, text.data, text.len);
    SecBuffer buffers[3] = {{token_max, SECBUFFER_TOKEN, room},
                            {(ULONG)text.len, SECBUFFER_DATA, data},
                            {padding_max, SECBUFFER_PADDING, data + text.len}};
    SecBufferDesc list = {SECBUFFER_VERSION, padding_max > 0 ? 3 : 2, buffers};
    SECURITY_STATUS status =
        seal ? EncryptMessage(&peer->context, 0, &list, 0) : MakeSignature(&peer->context, 0, &list, 0);
    if (status != SEC_E_OK)
        return status;
    writer_u32be(sealed, buffers[0].cbBuffer);
    writer_bytes(sealed, room, buffers[0].cbBuffer);
    writer_bytes(sealed, data, text.len + (padding_max > 0 ? buffers[2].cbBuffer : 0));
    return writer_finish(sealed) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS peer_unprotect(struct peer *peer, struct slice sealed, struct writer *text)
{
    struct reader reader = reader_of(sealed);
    uint32_t token_len;
    struct slice token;
    uint8_t room[2 * MESSAGE_MAX + 4];
    if (sealed.len > sizeof(room) || reader_u32be(&reader, &token_len) != WIRE_OK ||
        reader_bytes(&reader, token_len, &token) != WIRE_OK)
        return SEC_E_INVALID_TOKEN;
    /* The functions work in place. A sealed message is one STREAM: where the padding begins, the package knows. */
    struct slice rest = reader_rest(&reader);
    memcpy(room, token.data, token.len);
    memcpy(room + token.len, rest.data, rest.len);
    bool seal = peer_seals(peer);
    SecBuffer buffers[2] = {{(ULONG)(token.len + rest.len), SECBUFFER_STREAM, room}, {0, SECBUFFER_DATA, NULL}};
    if (!seal) {
        buffers[0] = (SecBuffer){(ULONG)token.len, SECBUFFER_TOKEN, room};
        buffers[1] = (SecBuffer){(ULONG)rest.len, SECBUFFER_DATA, room + token.len};
    }
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status =
        seal ? DecryptMessage(&peer->context, &list, 0, NULL) : VerifySignature(&peer->context, &list, 0, NULL);
    if (status != SEC_E_OK)
        return status;
    writer_bytes(text, buffers[1].pvBuffer, buffers[1].cbBuffer);
    return writer_finish(text) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
