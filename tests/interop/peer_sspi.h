/*
 * The commands of peer_line.h through a table of SSPI functions: included by one program per implementation, after its
 * headers.
 */
#ifndef OPENSSPI_TESTS_INTEROP_PEER_SSPI_H
#define OPENSSPI_TESTS_INTEROP_PEER_SSPI_H

#include "peer_line.h"

static SecurityFunctionTableA *table;
/* What the program adds: accounts for a server's fresh context, and commands of its own. */
static bool (*server_prepare)(CtxtHandle *context);
static bool (*command_more)(const struct line *line);
static const char *(*cause)(void);

static CredHandle credential;
static CtxtHandle context;
static bool is_server, has_context;
static bool
    is_sized; /* not NTLM by itself: sizes are asked for, padding is given, bindings go with the first message */
static char package[32] = "NTLM";
static char *target;
static unsigned char token_room[65536];
static struct bytes error_token; /* what a failed step gave for the peer: borrows token_room */
static ULONG asked, granted, sent, received;
static struct bytes bindings;

static void fail(SECURITY_STATUS status, const char *what)
{
    reply("error 0x%08x %s: %s", (unsigned)status, what, cause != NULL ? cause() : "");
}

static ULONG flags_of(const struct line *line)
{
    static const struct {
        const char *word;
        ULONG client, server;
    } known[] = {
        {"integrity", ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY},
        {"confidentiality", ISC_REQ_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY},
        {"replay", ISC_REQ_REPLAY_DETECT, ASC_REQ_REPLAY_DETECT},
        {"sequence", ISC_REQ_SEQUENCE_DETECT, ASC_REQ_SEQUENCE_DETECT},
        {"connection", ISC_REQ_CONNECTION, ASC_REQ_CONNECTION},
        {"datagram", ISC_REQ_DATAGRAM, ASC_REQ_DATAGRAM},
        {"identify", ISC_REQ_IDENTIFY, ASC_REQ_IDENTIFY},
        {"mutual", ISC_REQ_MUTUAL_AUTH, ASC_REQ_MUTUAL_AUTH},
        {"dce", ISC_REQ_USE_DCE_STYLE, ASC_REQ_USE_DCE_STYLE},
        {"deleg", ISC_REQ_DELEGATE, ASC_REQ_DELEGATE},
        {"session-key", ISC_REQ_USE_SESSION_KEY, ASC_REQ_USE_SESSION_KEY},
        {"prompt", ISC_REQ_PROMPT_FOR_CREDS, 0},
        {"extended", ISC_REQ_EXTENDED_ERROR, ASC_REQ_EXTENDED_ERROR},
#ifdef ASC_REQ_ALLOW_NULL_SESSION
        {"null-session", 0, ASC_REQ_ALLOW_NULL_SESSION},
#endif
#ifdef ASC_REQ_ALLOW_MISSING_BINDINGS
        {"missing-bindings", 0, ASC_REQ_ALLOW_MISSING_BINDINGS},
#endif
    };
    ULONG flags = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (line_flag(line, known[i].word))
            flags |= is_server ? known[i].server : known[i].client;
    return flags;
}

static void bindings_take(const char *hex)
{
    if (hex == NULL)
        return;
    struct bytes data = bytes_read(hex);
    SEC_CHANNEL_BINDINGS head;
    memset(&head, 0, sizeof head);
    head.cbApplicationDataLength = (ULONG)data.len;
    head.dwApplicationDataOffset = sizeof head;
    bindings.len = sizeof head + data.len;
    bindings.data = calloc(1, bindings.len);
    if (bindings.data == NULL)
        abort();
    memcpy(bindings.data, &head, sizeof head);
    memcpy(bindings.data + sizeof head, data.data, data.len);
    free(data.data);
}

static SECURITY_STATUS credential_acquire(const struct line *line)
{
    const char *user = line_value(line, "user"), *domain = line_value(line, "domain");
    const char *password = line_value(line, "password");
    SEC_WINNT_AUTH_IDENTITY_A identity;
    memset(&identity, 0, sizeof identity);
    if (user != NULL) {
        identity.User = (void *)(uintptr_t)user;
        identity.UserLength = (ULONG)strlen(user);
    }
    if (domain != NULL) {
        identity.Domain = (void *)(uintptr_t)domain;
        identity.DomainLength = (ULONG)strlen(domain);
    }
    if (password != NULL) {
        identity.Password = (void *)(uintptr_t)password;
        identity.PasswordLength = (ULONG)strlen(password);
    }
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    return table->AcquireCredentialsHandleA((void *)(uintptr_t)line_value(line, "principal"), package,
                                            is_server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
                                            user != NULL ? &identity : NULL, NULL, NULL, &credential, NULL);
}

/* One call of ISC or ASC; `token` NULL in a client's first. */
static SECURITY_STATUS step_call(const struct bytes *token, SecBufferDesc *out)
{
    SecBuffer in[2];
    SecBufferDesc list = {SECBUFFER_VERSION, 0, in};
    memset(in, 0, sizeof in);
    if (token != NULL) {
        in[0].cbBuffer = (ULONG)token->len;
        in[0].BufferType = SECBUFFER_TOKEN;
        in[0].pvBuffer = token->data;
        list.cBuffers = 1;
    }
    if (bindings.data != NULL && (token != NULL || is_sized)) {
        SecBuffer *more = &in[list.cBuffers++];
        more->cbBuffer = (ULONG)bindings.len;
        more->BufferType = SECBUFFER_CHANNEL_BINDINGS;
        more->pvBuffer = bindings.data;
    }
    CtxtHandle *now = has_context ? &context : NULL;
    if (is_server)
        return table->AcceptSecurityContext(&credential, now, &list, asked, SECURITY_NATIVE_DREP, &context, out,
                                            &granted, NULL);
    return table->InitializeSecurityContextA(&credential, now, target, asked, 0, SECURITY_NATIVE_DREP,
                                             list.cBuffers > 0 ? &list : NULL, 0, &context, out, &granted, NULL);
}

static void step(const struct bytes *token)
{
    SecBuffer out = {sizeof token_room, SECBUFFER_TOKEN, token_room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    bool first = !has_context;
    SECURITY_STATUS status = step_call(token, &list);
    has_context = has_context || status >= 0;
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SECURITY_STATUS completed = table->CompleteAuthToken(&context, &list);
        status = completed != SEC_E_OK ? completed : status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    }
    if (status >= 0 && first && is_server && server_prepare != NULL && !server_prepare(&context))
        status = SEC_E_INTERNAL_ERROR;
    if (status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED)
        reply_bytes(status == SEC_E_OK ? "done" : "token", token_room, out.cbBuffer);
    else
        fail(status, is_server ? "AcceptSecurityContext" : "InitializeSecurityContext");
    error_token = (struct bytes){token_room, status < 0 && out.cbBuffer < sizeof token_room ? out.cbBuffer : 0};
}

static void step_again(void)
{
    if (has_context)
        table->DeleteSecurityContext(&context);
    has_context = false;
    if (is_server)
        reply("ok");
    else
        step(NULL);
}

static void start(const struct line *line)
{
    is_server = line_is(line, "server");
    asked = flags_of(line);
    const char *name = line_value(line, "target"), *named = line_value(line, "package");
    snprintf(package, sizeof package, "%s", named != NULL ? named : "NTLM");
    is_sized = strcmp(package, "NTLM") != 0;
    target = name != NULL ? strdup(name) : NULL;
    bindings_take(line_value(line, "bindings"));
    SECURITY_STATUS status = credential_acquire(line);
    if (status != SEC_E_OK)
        fail(status, "AcquireCredentialsHandle");
    else if (is_server)
        reply("ok");
    else
        step(NULL);
}

/* Of Kerberos they depend on the encryption type. */
static SecPkgContext_Sizes sizes(void)
{
    SecPkgContext_Sizes known = {0, SIGNATURE_LEN, 0, SIGNATURE_LEN};
    if (is_sized)
        table->QueryContextAttributesA(&context, SECPKG_ATTR_SIZES, &known);
    return known;
}

static void message_sign(struct bytes text)
{
    unsigned char signature[64];
    SecBuffer buffers[2] = {{(ULONG)text.len, SECBUFFER_DATA, text.data},
                            {sizeof signature, SECBUFFER_TOKEN, signature}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    buffers[1].cbBuffer = sizes().cbMaxSignature;
    SECURITY_STATUS status = table->MakeSignature(&context, 0, &list, sent);
    sent += status == SEC_E_OK;
    if (status == SEC_E_OK)
        reply_bytes("mic", signature, buffers[1].cbBuffer);
    else
        fail(status, "MakeSignature");
}

static void message_verify(struct bytes text, struct bytes mic)
{
    SecBuffer buffers[2] = {{(ULONG)text.len, SECBUFFER_DATA, text.data}, {(ULONG)mic.len, SECBUFFER_TOKEN, mic.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    SECURITY_STATUS status = table->VerifySignature(&context, &list, received, &qop);
    received += status == SEC_E_OK;
    if (status == SEC_E_OK)
        reply("ok");
    else
        fail(status, "VerifySignature");
    free(mic.data);
}

#define PADDING_MAX 16

static void message_protect(struct bytes text, ULONG qop)
{
    ULONG token_len = sizes().cbSecurityTrailer;
    unsigned char *all = calloc(1, token_len + text.len + PADDING_MAX);
    if (all == NULL)
        abort();
    memcpy(all + token_len, text.data, text.len);
    SecBuffer buffers[3] = {{token_len, SECBUFFER_TOKEN, all},
                            {(ULONG)text.len, SECBUFFER_DATA, all + token_len},
                            {PADDING_MAX, SECBUFFER_PADDING, all + token_len + text.len}};
    SecBufferDesc list = {SECBUFFER_VERSION, is_sized ? 3 : 2, buffers};
    SECURITY_STATUS status = table->EncryptMessage(&context, qop, &list, sent);
    sent += status == SEC_E_OK;
    size_t padding = is_sized ? buffers[2].cbBuffer : 0, gap = token_len - buffers[0].cbBuffer;
    if (status != SEC_E_OK) {
        fail(status, "EncryptMessage");
    } else if (strcmp(package, "WDigest") == 0) { /* text, padding, signature (RFC 2831 2.4) */
        unsigned char signature[256];
        size_t len = buffers[0].cbBuffer;
        memcpy(signature, all, len);
        memmove(all, all + token_len, text.len + padding);
        memcpy(all + text.len + padding, signature, len);
        reply_bytes("sealed", all, text.len + padding + len);
    } else {
        memmove(all + gap, all, buffers[0].cbBuffer);
        reply_bytes("sealed", all + gap, buffers[0].cbBuffer + text.len + padding);
    }
    free(all);
}

static void message_seal(struct bytes text)
{
    message_protect(text, 0);
}

static void message_wrap(struct bytes text)
{
    message_protect(text, 0x80000001); /* SECQOP_WRAP_NO_ENCRYPT, which WinPR does not name */
}

/* The whole message in one buffer, as applications do that frame it themselves. */
static void message_unseal_stream(struct bytes all)
{
    SecBuffer buffers[2] = {{(ULONG)all.len, SECBUFFER_STREAM, all.data}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    SECURITY_STATUS status = table->DecryptMessage(&context, &list, received, &qop);
    received += status == SEC_E_OK;
    if (status == SEC_E_OK)
        reply_bytes("plain", buffers[1].pvBuffer, buffers[1].cbBuffer);
    else
        fail(status, "DecryptMessage");
}

static void message_unseal(struct bytes all)
{
    if (is_sized) {
        message_unseal_stream(all);
        return;
    }
    if (all.len < SIGNATURE_LEN) {
        fail(SEC_E_INVALID_TOKEN, "shorter than a signature");
        return;
    }
    SecBuffer buffers[2] = {{SIGNATURE_LEN, SECBUFFER_TOKEN, all.data},
                            {(ULONG)(all.len - SIGNATURE_LEN), SECBUFFER_DATA, all.data + SIGNATURE_LEN}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    SECURITY_STATUS status = table->DecryptMessage(&context, &list, received, &qop);
    received += status == SEC_E_OK;
    if (status == SEC_E_OK)
        reply_bytes("plain", buffers[1].pvBuffer, buffers[1].cbBuffer);
    else
        fail(status, "DecryptMessage");
}

static bool message_command(const struct line *line)
{
    static const struct {
        const char *word;
        void (*run)(struct bytes);
    } known[] = {{"sign", message_sign}, {"seal", message_seal}, {"wrap", message_wrap}, {"unseal", message_unseal}};
    struct bytes text = bytes_read(line_word(line, 1));
    bool done = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !done; i++)
        if (line_is(line, known[i].word)) {
            known[i].run(text);
            done = true;
        }
    if (!done && line_is(line, "verify")) {
        message_verify(text, bytes_read(line_word(line, 2)));
        done = true;
    }
    free(text.data);
    return done;
}

#define PARTS 4 /* head, text, tail, token */

static void dce_message(const struct line *line)
{
    bool seals = line_is(line, "dseal");
    unsigned char signature[256];
    struct bytes part[PARTS];
    for (int i = 0; i < PARTS; i++)
        part[i] = bytes_read(line_word(line, i + 1));
    SecBuffer buffers[PARTS];
    for (int i = 0; i < PARTS; i++)
        buffers[i] = (SecBuffer){(ULONG)part[i].len, SECBUFFER_DATA, part[i].data};
    buffers[0].BufferType = buffers[2].BufferType = SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM;
    buffers[3].BufferType = SECBUFFER_TOKEN;
    if (seals) {
        buffers[3].cbBuffer = sizes().cbSecurityTrailer;
        buffers[3].pvBuffer = signature;
    }
    SecBufferDesc list = {SECBUFFER_VERSION, PARTS, buffers};
    ULONG qop = 0;
    SECURITY_STATUS status =
        seals ? table->EncryptMessage(&context, 0, &list, 0) : table->DecryptMessage(&context, &list, 0, &qop);
    if (status != SEC_E_OK)
        fail(status, seals ? "EncryptMessage" : "DecryptMessage");
    else if (seals)
        reply_two("dsealed", signature, buffers[3].cbBuffer, part[1].data, part[1].len);
    else
        reply_bytes("plain", buffers[1].pvBuffer, buffers[1].cbBuffer);
    for (int i = 0; i < PARTS; i++)
        free(part[i].data);
}

static void command(const struct line *line)
{
    if (line_is(line, "client") || line_is(line, "server")) {
        start(line);
    } else if (line_is(line, "token")) {
        struct bytes token = bytes_read(line_word(line, 1));
        step(&token);
        free(token.data);
    } else if (line_is(line, "again")) {
        step_again();
    } else if (line_is(line, "errortoken")) {
        reply_bytes("token", error_token.data, error_token.len);
    } else if (line_is(line, "dseal") || line_is(line, "dunseal")) {
        dce_message(line);
    } else if (line_is(line, "seq")) {
        sent = received = (ULONG)strtoul(line_word(line, 1) != NULL ? line_word(line, 1) : "0", NULL, 10);
        reply("ok");
    } else if (line_is(line, "attributes")) {
        reply("attributes 0x%08x", (unsigned)granted);
    } else if (!message_command(line) && (command_more == NULL || !command_more(line))) {
        reply("error 0 unknown command");
    }
}

static int commands_run(void)
{
    struct line line;
    alarm(1200); /* a helper never outlives its test */
    while (line_read(&line))
        command(&line);
    if (has_context)
        table->DeleteSecurityContext(&context);
    table->FreeCredentialsHandle(&credential);
    free(bindings.data);
    free(target);
    return 0;
}

#endif
