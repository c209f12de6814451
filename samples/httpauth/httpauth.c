/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* strcasestr */
#include "httpauth.h"
#include "code.h"

#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 256
#define DIGEST_MAX 4096

BOOL AuthInit(struct auth *auth, const struct auth_options *options, const unsigned char *certificate, size_t len)
{
    *auth = (struct auth){.options = options};
    if (certificate == NULL)
        return TRUE;
    SECURITY_STATUS status = OpenSspiBindingsFromCertificate(certificate, (ULONG)len, &auth->bindings);
    if (status != SEC_E_OK)
        fprintf(stderr, "httpget: the server's certificate: %s\n", StatusText(status));
    return status == SEC_E_OK;
}

void AuthTerminate(struct auth *auth)
{
    TerminateAuthorizationHeader(auth);
    if (auth->bindings.Bindings != NULL)
        FreeContextBuffer(auth->bindings.Bindings);
    *auth = (struct auth){0};
}

void TerminateAuthorizationHeader(struct auth *auth)
{
    if (auth->has_context)
        DeleteSecurityContext(&auth->context);
    if (auth->has_credentials)
        FreeCredentialsHandle(&auth->credentials);
    free(auth->token);
    auth->token = NULL;
    auth->has_context = auth->has_credentials = auth->done = FALSE;
    auth->scheme[0] = '\0';
}

BOOL IsInAuthorizationSequence(const struct auth *auth)
{
    return auth->scheme[0] != '\0' && !auth->done;
}

BOOL IsDigest(const struct auth *auth)
{
    return strcasecmp(auth->scheme, "Digest") == 0;
}

/* The names of the schemes are the names of the packages, but for Digest's. */
static SECURITY_STATUS Acquire(struct auth *auth)
{
    char domain[NAME_MAX_LEN] = "", digest[] = "WDigest";
    char *package = IsDigest(auth) ? digest : auth->scheme;
    const char *user = auth->options->user, *slash = user != NULL ? strchr(user, '\\') : NULL;
    if (user == NULL)
        return AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                         &auth->credentials, NULL);
    if (slash != NULL) {
        if ((size_t)(slash - user) >= sizeof domain)
            return SEC_E_UNKNOWN_CREDENTIALS;
        memcpy(domain, user, (size_t)(slash - user));
        user = slash + 1;
    }
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        .User = (unsigned char *)(ULONG_PTR)user,
        .UserLength = (ULONG)strlen(user),
        .Domain = domain[0] != '\0' ? (unsigned char *)domain : NULL,
        .DomainLength = (ULONG)strlen(domain),
        .Password = (unsigned char *)(ULONG_PTR)auth->options->password,
        .PasswordLength = (ULONG)strlen(auth->options->password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    return AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                     &auth->credentials, NULL);
}

BOOL InitAuthorizationHeader(struct auth *auth, const char *scheme)
{
    TerminateAuthorizationHeader(auth);
    snprintf(auth->scheme, sizeof auth->scheme, "%s", scheme);
    SECURITY_STATUS status = Acquire(auth);
    auth->has_credentials = status == SEC_E_OK;
    if (status != SEC_E_OK)
        fprintf(stderr, "httpget: %s: %s\n", scheme, StatusText(status));
    return status == SEC_E_OK;
}

const char *FindToken(const char *scheme, const char *const *offered, size_t n_offered)
{
    size_t len = strlen(scheme);
    for (size_t i = 0; i < n_offered; i++)
        if (strncasecmp(offered[i], scheme, len) == 0 && strchr(" \t", offered[i][len]) != NULL) /* or the end */
            return offered[i] + len + strspn(offered[i] + len, " \t");
    return NULL;
}

const char *ValidateAuthenticationMethods(const struct auth *auth, const char *const *offered, size_t n_offered,
                                          char scheme[16])
{
    for (const char *at = auth->options->schemes; *at != '\0'; at += *at == ',') {
        size_t len = strcspn(at, ",");
        if (len > 0 && len < 16) {
            memcpy(scheme, at, len);
            scheme[len] = '\0';
            if (FindToken(scheme, offered, n_offered) != NULL)
                return scheme;
        }
        at += len;
    }
    return NULL;
}

BOOL AddAuthorizationHeader(struct auth *auth, char *line, size_t size)
{
    if (auth->token == NULL)
        return FALSE;
    int len = snprintf(line, size, "Authorization: %s %s\r\n", auth->scheme, auth->token);
    free(auth->token);
    auth->token = NULL;
    return len > 0 && (size_t)len < size;
}

static SECURITY_STATUS Step(struct auth *auth, unsigned char *in, size_t in_len, SecBuffer *out)
{
    SecBuffer given[2] = {{(ULONG)in_len, SECBUFFER_TOKEN, in},
                          {auth->bindings.BindingsLength, SECBUFFER_CHANNEL_BINDINGS, auth->bindings.Bindings}};
    SecBufferDesc input = {SECBUFFER_VERSION, auth->bindings.Bindings != NULL ? 2 : 1, given};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, out};
    ULONG granted = 0, asked = ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY;
    if (auth->options->delegate)
        asked |= ISC_REQ_DELEGATE;
    SECURITY_STATUS status = InitializeSecurityContextA(
        &auth->credentials, auth->has_context ? &auth->context : NULL, (char *)(ULONG_PTR)auth->options->target, asked,
        0, SECURITY_NETWORK_DREP, &input, 0, &auth->context, &output, &granted, NULL);
    auth->has_context = auth->has_context || status >= 0;
    return status;
}

SECURITY_STATUS AuthConverse(struct auth *auth, const char *text)
{
    static unsigned char in[TOKEN_MAX];
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    size_t len = sizeof in;
    if (!uudecode(text, strlen(text), in, &len))
        return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = Step(auth, in, len, &out);
    free(auth->token);
    auth->token = status >= 0 && out.cbBuffer > 0 ? uuencode(out.pvBuffer, out.cbBuffer) : NULL;
    auth->done = status == SEC_E_OK;
    if (out.pvBuffer != NULL)
        FreeContextBuffer(out.pvBuffer);
    return status;
}

/* All that the server says of Digest, one challenge after another. */
static BOOL Challenges(const char *const *offered, size_t n_offered, char *text, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < n_offered; i++) {
        const char *value = FindToken("Digest", &offered[i], 1);
        if (value == NULL)
            continue;
        int more = snprintf(text + len, size - len, "%sDigest %s", len > 0 ? ", " : "", value);
        if (more < 0 || (size_t)more >= size - len)
            return FALSE;
        len += (size_t)more;
    }
    return len > 0;
}

BOOL DigestIsStale(const char *const *offered, size_t n_offered)
{
    const char *value = FindToken("Digest", offered, n_offered);
    return value != NULL && (strcasestr(value, "stale=true") != NULL || strcasestr(value, "stale=\"true\"") != NULL);
}

SECURITY_STATUS DigestConverse(struct auth *auth, const char *const *offered, size_t n_offered)
{
    char text[DIGEST_MAX], method[] = "GET", *target = (char *)(ULONG_PTR)auth->options->target;
    if (!Challenges(offered, n_offered, text, sizeof text))
        return SEC_E_INVALID_TOKEN;
    SecBuffer given[5] = {{(ULONG)strlen(text), SECBUFFER_TOKEN, text},
                          {(ULONG)strlen(method), SECBUFFER_PKG_PARAMS, method},
                          {0, SECBUFFER_PKG_PARAMS, NULL}, /* there is no body */
                          {(ULONG)strlen(target), SECBUFFER_TARGET_HOST, target},
                          {auth->bindings.BindingsLength, SECBUFFER_CHANNEL_BINDINGS, auth->bindings.Bindings}};
    SecBufferDesc input = {SECBUFFER_VERSION, auth->bindings.Bindings != NULL ? 5 : 4, given};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted = 0;
    SECURITY_STATUS status = InitializeSecurityContextA(&auth->credentials, NULL, (char *)(ULONG_PTR)auth->options->uri,
                                                        ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_USE_HTTP_STYLE, 0, 0, &input,
                                                        0, &auth->context, &output, &granted, NULL);
    auth->has_context = status >= 0;
    auth->done = status == SEC_E_OK;
    free(auth->token);
    auth->token = status >= 0 && out.cbBuffer > 0 ? strndup(out.pvBuffer, out.cbBuffer) : NULL;
    if (out.pvBuffer != NULL)
        FreeContextBuffer(out.pvBuffer);
    return status;
}

SECURITY_STATUS DigestProof(struct auth *auth, const char *info)
{
    SecBuffer given = {(ULONG)strlen(info), SECBUFFER_TOKEN, (void *)(ULONG_PTR)info};
    SecBufferDesc proof = {SECBUFFER_VERSION, 1, &given};
    return VerifySignature(&auth->context, &proof, 0, NULL);
}
