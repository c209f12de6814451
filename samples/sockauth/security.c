/* SPDX-License-Identifier: MIT */
#include "security.h"
#include "collect.h"
#include "options.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 256  /* of a user, a domain, a password */
#define TOKEN_LEN_BYTES 4 /* in front of a protected message: the length of its signature or trailer */

struct session {
    BOOL has_context;
    CtxtHandle context;
    ULONG flags; /* granted */
    SecPkgContext_Sizes sizes;
};

static struct {
    PSecurityFunctionTableA table;
    PSecurityFunctionTableW wide; /* for what has no A form */
    BOOL client, has_credentials;
    CredHandle credentials;
    char name[NAME_MAX_LEN];
    ULONG token_max;
    const char *target;
    ULONG wanted;
} package;

/* Splits DOMAIN\user. Other forms (user@realm, user) are left to the package. */
static BOOL SplitUser(const char *whole, char *domain, char *user)
{
    const char *separator = strchr(whole, '\\');
    size_t domain_len = separator != NULL ? (size_t)(separator - whole) : 0;
    const char *name = separator != NULL ? separator + 1 : whole;
    if (domain_len >= NAME_MAX_LEN || strlen(name) >= NAME_MAX_LEN)
        return FALSE;
    memcpy(domain, whole, domain_len);
    domain[domain_len] = '\0';
    memcpy(user, name, strlen(name) + 1);
    return TRUE;
}

static SECURITY_STATUS Acquire(SEC_WINNT_AUTH_IDENTITY_A *identity)
{
    TimeStamp expiry;
    SECURITY_STATUS status = package.table->AcquireCredentialsHandleA(
        NULL, package.name, package.client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL, identity, NULL, NULL,
        &package.credentials, &expiry);
    package.has_credentials = status == SEC_E_OK;
    if (status != SEC_E_OK)
        ComplainStatus("AcquireCredentialsHandle", status);
    return status;
}

static BOOL AcquireForUser(const char *whole)
{
    char domain[NAME_MAX_LEN], user[NAME_MAX_LEN], password[NAME_MAX_LEN];
    if (!SplitUser(whole, domain, user)) {
        Complain("the user's name is too long");
        return FALSE;
    }
    if (!AskPassword(password, sizeof password))
        return FALSE;
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        .User = (unsigned char *)user,
        .UserLength = (ULONG)strlen(user),
        .Domain = domain[0] != '\0' ? (unsigned char *)domain : NULL,
        .DomainLength = (ULONG)strlen(domain),
        .Password = (unsigned char *)password,
        .PasswordLength = (ULONG)strlen(password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    SECURITY_STATUS status = Acquire(&identity);
    Wipe(password, sizeof password);
    return status == SEC_E_OK;
}

BOOL InitPackage(const struct options *options, BOOL client)
{
    package.client = client;
    package.target = options->target;
    package.wanted = options->flags;
    package.table = InitSecurityInterfaceA();
    package.wide = InitSecurityInterfaceW();
    if (package.table == NULL || package.wide == NULL || strlen(options->package) >= sizeof package.name) {
        Complain("there is no security package %s", options->package);
        return FALSE;
    }
    memcpy(package.name, options->package, strlen(options->package) + 1);

    PSecPkgInfoA info;
    SECURITY_STATUS status = package.table->QuerySecurityPackageInfoA(package.name, &info);
    if (status != SEC_E_OK) {
        ComplainStatus("QuerySecurityPackageInfo", status);
        return FALSE;
    }
    package.token_max = info->cbMaxToken < MESSAGE_MAX ? info->cbMaxToken : MESSAGE_MAX;
    Say("%-10s %s (%s), tokens of up to %lu bytes", "package", info->Name, info->Comment,
        (unsigned long)info->cbMaxToken);
    package.table->FreeContextBuffer(info);
    return client && options->user != NULL ? AcquireForUser(options->user) : Acquire(NULL) == SEC_E_OK;
}

void TermPackage(void)
{
    if (package.has_credentials)
        package.table->FreeCredentialHandle(&package.credentials);
    package.has_credentials = FALSE;
}

BOOL InitSession(DWORD key)
{
    if (CollectAdd(key, sizeof(struct session)) != NULL)
        return TRUE;
    Complain("no memory for a session");
    return FALSE;
}

void TermSession(DWORD key)
{
    struct session *session = CollectGet(key);
    if (session != NULL && session->has_context)
        package.table->DeleteSecurityContext(&session->context);
    CollectRemove(key);
}

/* After each step, on either side: finish the token where the package asks for that, and keep the context. */
static SECURITY_STATUS AfterStep(struct session *session, SECURITY_STATUS status, SecBufferDesc *out,
                                 struct message *to)
{
    /* A failed first step makes no context; a failed later one leaves the context to be deleted. */
    if (status >= 0)
        session->has_context = TRUE;
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SECURITY_STATUS completed = package.table->CompleteAuthToken(&session->context, out);
        if (completed < 0)
            status = completed;
        else
            status = status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    }
    if (status >= 0)
        to->len = out->pBuffers[0].cbBuffer;
    return status;
}

static void SayStep(const struct message *in, const struct message *out, SECURITY_STATUS status)
{
    Say("%-10s token of %lu bytes in, %lu bytes out: %s", "step", in != NULL ? (unsigned long)in->len : 0,
        (unsigned long)out->len, StatusName(status));
}

SECURITY_STATUS GenClientContext(DWORD key, const struct message *in, struct message *out)
{
    struct session *session = CollectGet(key);
    SecBuffer in_buffer = {in != NULL ? in->len : 0, SECBUFFER_TOKEN, in != NULL ? (void *)in->data : NULL};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBuffer out_buffer = {package.token_max, SECBUFFER_TOKEN, out->data};
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out_buffer};
    TimeStamp expiry;

    out->kind = MESSAGE_TOKEN;
    out->len = 0;
    SECURITY_STATUS status = package.table->InitializeSecurityContextA(
        &package.credentials, session->has_context ? &session->context : NULL, (SEC_CHAR *)package.target,
        package.wanted, 0, SECURITY_NETWORK_DREP, in != NULL ? &in_list : NULL, 0, &session->context, &out_list,
        &session->flags, &expiry);
    if (status < 0)
        ComplainStatus("InitializeSecurityContext", status);
    status = AfterStep(session, status, &out_list, out);
    SayStep(in, out, status);
    return status;
}

SECURITY_STATUS GenServerContext(DWORD key, const struct message *in, struct message *out)
{
    struct session *session = CollectGet(key);
    SecBuffer in_buffer = {in->len, SECBUFFER_TOKEN, (void *)in->data};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBuffer out_buffer = {package.token_max, SECBUFFER_TOKEN, out->data};
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out_buffer};
    TimeStamp expiry;

    out->kind = MESSAGE_TOKEN;
    out->len = 0;
    SECURITY_STATUS status = package.table->AcceptSecurityContext(
        &package.credentials, session->has_context ? &session->context : NULL, &in_list, package.wanted,
        SECURITY_NETWORK_DREP, &session->context, &out_list, &session->flags, &expiry);
    if (status < 0)
        ComplainStatus("AcceptSecurityContext", status);
    status = AfterStep(session, status, &out_list, out);
    SayStep(in, out, status);
    return status;
}

/* The attributes that tell who and how; a package need not know all of them. */
static void SayAttributes(struct session *session)
{
    SecPkgContext_NegotiationInfoA negotiated;
    if (package.table->QueryContextAttributesA(&session->context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiated) ==
        SEC_E_OK) {
        Say("%-10s %s", "chosen", negotiated.PackageInfo->Name);
        package.table->FreeContextBuffer(negotiated.PackageInfo);
    }

    SecPkgContext_NamesA names;
    SECURITY_STATUS status = package.table->QueryContextAttributesA(&session->context, SECPKG_ATTR_NAMES, &names);
    if (status == SEC_E_OK) {
        SayText("user", names.sUserName, strlen(names.sUserName));
        package.table->FreeContextBuffer(names.sUserName);
    } else {
        Say("%-10s not known: %s", "user", StatusName(status));
    }

    if (!package.client) {
        /* SecPkgContext_ClientSpecifiedTarget, which mingw-w64 does not declare; always of WCHAR. */
        struct {
            SEC_WCHAR *sTargetName;
        } target;
        status = package.wide->QueryContextAttributesW(&session->context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target);
        if (status == SEC_E_OK) {
            SayWide("target", target.sTargetName);
            package.table->FreeContextBuffer(target.sTargetName);
        } else {
            Say("%-10s not known: %s", "target", StatusName(status));
        }
    }

    SecPkgContext_KeyInfoA key;
    if (package.table->QueryContextAttributesA(&session->context, SECPKG_ATTR_KEY_INFO, &key) == SEC_E_OK) {
        Say("%-10s %lu bits; signs with %s, seals with %s", "key", (unsigned long)key.KeySize,
            key.sSignatureAlgorithmName, key.sEncryptAlgorithmName);
        package.table->FreeContextBuffer(key.sSignatureAlgorithmName);
        package.table->FreeContextBuffer(key.sEncryptAlgorithmName);
    }
}

BOOL DescribeSession(DWORD key)
{
    struct session *session = CollectGet(key);
    SayAttributes(session);
    if (session->flags == 0) {
        /* Wine's NTLM tells them only here, and only to the W form. */
        SecPkgContext_Flags flags;
        if (package.wide->QueryContextAttributesW(&session->context, SECPKG_ATTR_FLAGS, &flags) == SEC_E_OK)
            session->flags = flags.Flags;
    }
    SayFlags(package.client, session->flags);

    /* The bits of these have the same values in ISC_REQ_, ISC_RET_, ASC_REQ_ and ASC_RET_. */
    ULONG must = package.wanted & (ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH);
    if (package.client && (session->flags & must) != must) {
        Complain("the context is weaker than what was asked for");
        return FALSE;
    }
    SECURITY_STATUS status =
        package.table->QueryContextAttributesA(&session->context, SECPKG_ATTR_SIZES, &session->sizes);
    if (status != SEC_E_OK) {
        ComplainStatus("QueryContextAttributes(SIZES)", status);
        return FALSE;
    }
    Say("%-10s signature %lu, trailer %lu, block %lu bytes", "sizes", (unsigned long)session->sizes.cbMaxSignature,
        (unsigned long)session->sizes.cbSecurityTrailer, (unsigned long)session->sizes.cbBlockSize);
    return TRUE;
}

void DescribeClient(DWORD key)
{
    struct session *session = CollectGet(key);
    HANDLE token;
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    if (package.table->QuerySecurityContextToken != NULL)
        status = package.table->QuerySecurityContextToken(&session->context, &token);
    if (status == SEC_E_OK)
        SayToken(token);
    else
        Say("%-10s none: %s", "token", StatusName(status));
}

SECURITY_STATUS ImpersonateContext(DWORD key)
{
    struct session *session = CollectGet(key);
    return package.table->ImpersonateSecurityContext(&session->context);
}

SECURITY_STATUS RevertContext(DWORD key)
{
    struct session *session = CollectGet(key);
    return package.table->RevertSecurityContext(&session->context);
}

BOOL SessionSeals(DWORD key)
{
    const struct session *session = CollectGet(key);
    return (session->flags & ISC_RET_CONFIDENTIALITY) != 0; /* ASC_RET_CONFIDENTIALITY is the same bit */
}

BOOL SessionSigns(DWORD key)
{
    const struct session *session = CollectGet(key);
    ULONG integrity = package.client ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY;
    return (session->flags & (integrity | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT)) != 0;
}

/*
 * The content of a protected message: the length of the token in four bytes, the token (the signature, or the trailer of
 * EncryptMessage), the text or what became of it, and the padding of a block cipher.
 */
SECURITY_STATUS ProtectText(DWORD key, const char *text, size_t len, struct message *message)
{
    struct session *session = CollectGet(key);
    BOOL seal = message->kind == MESSAGE_SEALED;
    ULONG token_max = seal ? session->sizes.cbSecurityTrailer : session->sizes.cbMaxSignature;
    ULONG padding_max = seal && session->sizes.cbBlockSize > 1 ? session->sizes.cbBlockSize : 0;
    if (token_max > MESSAGE_MAX / 4 || padding_max > MESSAGE_MAX / 4 || len > MESSAGE_MAX / 4) {
        Complain("the text is too long for a message");
        return SEC_E_BUFFER_TOO_SMALL;
    }

    BYTE *token = message->data + TOKEN_LEN_BYTES, *data = token + token_max, *padding = data + len;
    memcpy(data, text, len);
    SecBuffer buffers[3] = {
        {token_max, SECBUFFER_TOKEN, token},
        {(ULONG)len, SECBUFFER_DATA, data},
        {padding_max, SECBUFFER_PADDING, padding},
    };
    SecBufferDesc list = {SECBUFFER_VERSION, padding_max > 0 ? 3 : 2, buffers};
    SECURITY_STATUS status = seal ? package.table->EncryptMessage(&session->context, 0, &list, 0)
                                  : package.table->MakeSignature(&session->context, 0, &list, 0);
    if (status != SEC_E_OK) {
        ComplainStatus(seal ? "EncryptMessage" : "MakeSignature", status);
        return status;
    }

    /* The token may be shorter than its buffer: close the gap. */
    ULONG token_len = buffers[0].cbBuffer, padding_len = padding_max > 0 ? buffers[2].cbBuffer : 0;
    memmove(token + token_len, data, len);
    memmove(token + token_len + len, padding, padding_len);
    PutNumber(message->data, token_len);
    message->len = TOKEN_LEN_BYTES + token_len + (DWORD)len + padding_len;
    return SEC_E_OK;
}

SECURITY_STATUS UnprotectText(DWORD key, struct message *message, const char **text, size_t *len)
{
    struct session *session = CollectGet(key);
    BOOL sealed = message->kind == MESSAGE_SEALED;
    DWORD token_len = message->len >= TOKEN_LEN_BYTES ? GetNumber(message->data) : 0;
    if (message->len < TOKEN_LEN_BYTES || token_len > message->len - TOKEN_LEN_BYTES) {
        Complain("the message is too short");
        return SEC_E_INVALID_TOKEN;
    }
    BYTE *token = message->data + TOKEN_LEN_BYTES;
    SecBuffer buffers[2] = {
        {token_len, SECBUFFER_TOKEN, token},
        {message->len - TOKEN_LEN_BYTES - token_len, SECBUFFER_DATA, token + token_len},
    };
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG quality = 0;
    SECURITY_STATUS status = sealed ? package.table->DecryptMessage(&session->context, &list, 0, &quality)
                                    : package.table->VerifySignature(&session->context, &list, 0, &quality);
    if (status != SEC_E_OK) {
        ComplainStatus(sealed ? "DecryptMessage" : "VerifySignature", status);
        return status;
    }
    *text = buffers[1].pvBuffer;
    *len = buffers[1].cbBuffer;
    return SEC_E_OK;
}
