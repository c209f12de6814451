/* SPDX-License-Identifier: MIT */
#include "sign_on.h"
#include "code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGEST_HTTP 0x10000000 /* the documented ASC_REQ_HTTP, which sspi.h does not name */

bool GateIsDigest(const struct gate *gate, size_t scheme)
{
    return strcasecmp(gate->scheme[scheme], "Digest") == 0;
}

static bool SchemeAdd(struct gate *gate, const char *name, size_t len, const struct gate_options *options)
{
    size_t at = gate->n_schemes;
    if (at == SCHEMES_MAX || len == 0 || len >= sizeof gate->scheme[0])
        return false;
    memcpy(gate->scheme[at], name, len);
    char digest[] = "WDigest"; /* the other schemes are called like their packages */
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        (char *)(ULONG_PTR)options->principal, GateIsDigest(gate, at) ? digest : gate->scheme[at], SECPKG_CRED_INBOUND,
        NULL, NULL, NULL, NULL, &gate->credentials[at], NULL);
    if (status != SEC_E_OK) {
        fprintf(stderr, "httpauth: %s: %s\n", gate->scheme[at], StatusText(status));
        return false;
    }
    gate->n_schemes++;
    return true;
}

bool GateOpen(struct gate *gate, const struct gate_options *options)
{
    *gate = (struct gate){.flags = ASC_REQ_ALLOCATE_MEMORY, .proxied = options->binding == BINDING_PROXY};
    if (options->binding == BINDING_ALLOWED)
        gate->flags |= ASC_REQ_ALLOW_MISSING_BINDINGS;
    if (options->binding == BINDING_PROXY)
        gate->flags |= ASC_REQ_PROXY_BINDINGS;
    gate->digest_flags = ASC_REQ_ALLOCATE_MEMORY | DIGEST_HTTP;
    if (options->certificate != NULL && options->binding == BINDING_REQUIRED)
        gate->digest_flags |= ASC_REQ_PROXY_BINDINGS; /* with Digest: bindings have to be there */
    snprintf(gate->realm, sizeof gate->realm, "%s", options->realm != NULL ? options->realm : "");
    if (options->certificate != NULL && options->binding != BINDING_OFF) {
        SECURITY_STATUS status = OpenSspiBindingsFromCertificateFileA(options->certificate, &gate->bindings);
        if (status != SEC_E_OK) {
            fprintf(stderr, "httpauth: %s\n", StatusText(status));
            return false;
        }
    }
    for (const char *at = options->schemes; *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (!SchemeAdd(gate, at, len, options))
            return false;
        at += len + (at[len] == ',');
    }
    return gate->n_schemes > 0;
}

void GateClose(struct gate *gate)
{
    while (gate->n_schemes > 0)
        FreeCredentialsHandle(&gate->credentials[--gate->n_schemes]);
    FreeContextBuffer(gate->bindings.Bindings);
    gate->bindings.Bindings = NULL;
}

static void ContextDrop(struct guest *guest)
{
    if (guest->has_context)
        DeleteSecurityContext(&guest->context);
    guest->has_context = false;
}

void GuestForget(struct guest *guest)
{
    struct visitor *visitor = &guest->visitor;
    ContextDrop(guest);
    free(visitor->user);
    free(visitor->package);
    free(visitor->target);
    FreeContextBuffer(visitor->identity);
    visitor->user = visitor->package = visitor->target = NULL;
    visitor->identity = NULL;
    guest->in = false;
}

void GuestServed(const struct gate *gate, struct guest *guest, bool shared)
{
    if (guest->in && (shared || gate->proxied || strcmp(guest->visitor.package, "NTLM") != 0))
        GuestForget(guest);
}

/* UTF-16 to UTF-8; what is not valid becomes a question mark. */
static char *Narrow(const SEC_WCHAR *wide)
{
    size_t n = 0, len = 0;
    while (wide[n] != 0)
        n++;
    char *text = malloc(3 * n + 1);
    for (size_t i = 0; text != NULL && i < n; i++) {
        unsigned c = wide[i];
        if (c >= 0xd800 && c < 0xdc00 && wide[i + 1] >= 0xdc00 && wide[i + 1] < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (wide[++i] - 0xdc00u);
            text[len++] = (char)(0xf0 | c >> 18);
            text[len++] = (char)(0x80 | (c >> 12 & 63));
            text[len++] = (char)(0x80 | (c >> 6 & 63));
            text[len++] = (char)(0x80 | (c & 63));
        } else if (c >= 0xd800 && c < 0xe000) {
            text[len++] = '?';
        } else if (c < 0x80) {
            text[len++] = (char)c;
        } else if (c < 0x800) {
            text[len++] = (char)(0xc0 | c >> 6);
            text[len++] = (char)(0x80 | (c & 63));
        } else {
            text[len++] = (char)(0xe0 | c >> 12);
            text[len++] = (char)(0x80 | (c >> 6 & 63));
            text[len++] = (char)(0x80 | (c & 63));
        }
    }
    if (text != NULL)
        text[len] = '\0';
    return text;
}

/* Who it is, asked of the context once it is whole. */
static bool VisitorFill(struct guest *guest, const char *scheme, ULONG granted)
{
    struct visitor *visitor = &guest->visitor;
    SecPkgContext_NamesA names;
    SecPkgContext_NegotiationInfoA chosen;
    SecPkgContext_ClientSpecifiedTarget target;
    visitor->scheme = scheme;
    visitor->flags = granted;
    if (QueryContextAttributesA(&guest->context, SECPKG_ATTR_NAMES, &names) != SEC_E_OK)
        return false;
    visitor->user = strdup(names.sUserName);
    FreeContextBuffer(names.sUserName);
    if (QueryContextAttributesA(&guest->context, SECPKG_ATTR_NEGOTIATION_INFO, &chosen) != SEC_E_OK)
        return false;
    visitor->package = strdup(chosen.PackageInfo->Name);
    FreeContextBuffer(chosen.PackageInfo);
    if (QueryContextAttributesW(&guest->context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target) == SEC_E_OK) {
        visitor->target = Narrow(target.sTargetName);
        FreeContextBuffer(target.sTargetName);
    }
    if (OpenSspiQueryClientIdentity(&guest->context, &visitor->identity) != SEC_E_OK)
        visitor->identity = NULL;
    return visitor->user != NULL && visitor->package != NULL;
}

static SECURITY_STATUS Step(const struct gate *gate, struct guest *guest, SecBufferDesc *input, SecBuffer *out,
                            ULONG *granted)
{
    SecBufferDesc output = {SECBUFFER_VERSION, 1, out};
    CredHandle credentials = gate->credentials[guest->scheme];
    ULONG flags = GateIsDigest(gate, guest->scheme) ? gate->digest_flags : gate->flags;
    SECURITY_STATUS status =
        AcceptSecurityContext(&credentials, guest->has_context ? &guest->context : NULL, input, flags,
                              SECURITY_NETWORK_DREP, &guest->context, &output, granted, NULL);
    guest->has_context = guest->has_context || status >= 0;
    return status;
}

static SECURITY_STATUS TokenStep(const struct gate *gate, struct guest *guest, unsigned char *data, size_t len,
                                 SecBuffer *out, ULONG *granted)
{
    SecBuffer given[2] = {{(ULONG)len, SECBUFFER_TOKEN, data},
                          {gate->bindings.BindingsLength, SECBUFFER_CHANNEL_BINDINGS, gate->bindings.Bindings}};
    SecBufferDesc input = {SECBUFFER_VERSION, gate->bindings.Bindings != NULL ? 2 : 1, given};
    return Step(gate, guest, &input, out, granted);
}

/* Digest: the response as text, method, URI, no body, the realm in UTF-16, bindings. */
static SECURITY_STATUS DigestStep(const struct gate *gate, struct guest *guest, const char *text,
                                  const struct question *question, SecBuffer *out, ULONG *granted)
{
    SEC_WCHAR realm[sizeof gate->realm];
    ULONG n = 0;
    for (; gate->realm[n] != '\0'; n++)
        realm[n] = (unsigned char)gate->realm[n];
    const char *texts[] = {text, question->method, question->uri, ""};
    SecBuffer given[6];
    for (int i = 0; i < 4; i++)
        given[i] = (SecBuffer){(ULONG)strlen(texts[i]), i == 0 ? SECBUFFER_TOKEN : SECBUFFER_PKG_PARAMS,
                               (void *)(ULONG_PTR)texts[i]};
    given[4] = (SecBuffer){n * (ULONG)sizeof realm[0], SECBUFFER_PKG_PARAMS, realm};
    given[5] = (SecBuffer){gate->bindings.BindingsLength, SECBUFFER_CHANNEL_BINDINGS, gate->bindings.Bindings};
    SecBufferDesc input = {SECBUFFER_VERSION, gate->bindings.Bindings != NULL ? 6 : 5, given};
    return Step(gate, guest, &input, out, granted);
}

static char *DigestLine(const char *before, const SecBuffer *out)
{
    size_t size = strlen(before) + out->cbBuffer + 1;
    char *line = malloc(size);
    if (line != NULL)
        snprintf(line, size, "%s%.*s", before, (int)out->cbBuffer, (const char *)out->pvBuffer);
    return line;
}

char *GateOffer(const struct gate *gate, size_t scheme)
{
    if (!GateIsDigest(gate, scheme))
        return strdup(gate->scheme[scheme]);
    static const struct question nothing = {"", ""};
    struct guest guest = {.scheme = scheme};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    ULONG granted = 0;
    SECURITY_STATUS status = DigestStep(gate, &guest, "", &nothing, &out, &granted);
    char *line = status == SEC_I_CONTINUE_NEEDED ? DigestLine("Digest ", &out) : NULL;
    if (out.pvBuffer != NULL)
        FreeContextBuffer(out.pvBuffer);
    ContextDrop(&guest); /* the challenge says itself that it is ours: nothing need be remembered */
    return line;
}

static char *TokenLine(const char *scheme, const SecBuffer *out)
{
    char *code = uuencode(out->pvBuffer, out->cbBuffer), *line = NULL;
    size_t size = code != NULL ? strlen(scheme) + strlen(code) + 2 : 0;
    if (code != NULL && (line = malloc(size)) != NULL)
        snprintf(line, size, "%s %s", scheme, code);
    free(code);
    return line;
}

static enum verdict Converse(const struct gate *gate, struct guest *guest, const char *header,
                             const struct question *question, char **token, const char **why)
{
    static _Thread_local unsigned char data[TOKEN_MAX];
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    ULONG granted = 0;
    size_t len = sizeof data;
    bool digest = GateIsDigest(gate, guest->scheme);
    if (!digest && !uudecode(header, strlen(header), data, &len)) {
        *why = "what was sent is not base64, or too long";
        return VERDICT_OUT;
    }
    SECURITY_STATUS status = digest ? DigestStep(gate, guest, header, question, &out, &granted)
                                    : TokenStep(gate, guest, data, len, &out, &granted);
    if (status < 0)
        *why = StatusText(status);
    else if (out.cbBuffer > 0)
        *token = digest ? DigestLine(status == SEC_E_OK ? "" : "Digest ", &out)
                        : TokenLine(gate->scheme[guest->scheme], &out);
    bool lost = status >= 0 && out.cbBuffer > 0 && *token == NULL;
    if (out.pvBuffer != NULL)
        FreeContextBuffer(out.pvBuffer);
    if (status == SEC_I_CONTINUE_NEEDED && *token != NULL)
        return VERDICT_MORE;
    if (status == SEC_E_OK && !lost && VisitorFill(guest, gate->scheme[guest->scheme], granted)) {
        ContextDrop(guest);
        guest->in = true;
        return VERDICT_IN;
    }
    if (status >= 0)
        *why = "the sign-on cannot go on";
    free(*token);
    *token = NULL;
    return VERDICT_OUT;
}

static bool SchemeFind(const struct gate *gate, const char *header, size_t *scheme)
{
    for (size_t i = 0; i < gate->n_schemes; i++) {
        size_t len = strlen(gate->scheme[i]);
        if (strncasecmp(header, gate->scheme[i], len) == 0 && header[len] == ' ') {
            *scheme = i;
            return true;
        }
    }
    return false;
}

enum verdict GuestKnock(const struct gate *gate, struct guest *guest, const char *header,
                        const struct question *question, char **token, const char **why)
{
    size_t scheme;
    *token = NULL;
    *why = NULL;
    if (header == NULL) { /* who is in stays in; who stops half-way begins again */
        if (guest->in)
            return VERDICT_IN;
        GuestForget(guest);
        return VERDICT_OUT;
    }
    if (!SchemeFind(gate, header, &scheme)) {
        GuestForget(guest);
        *why = "a sign-on of a kind that was not offered";
        return VERDICT_OUT;
    }
    if (guest->in || (guest->has_context && (scheme != guest->scheme || GateIsDigest(gate, scheme))))
        GuestForget(guest); /* somebody else, or another way; Digest's responses stand each alone */
    guest->scheme = scheme;
    header += strlen(gate->scheme[scheme]);
    header += strspn(header, " ");
    enum verdict verdict = Converse(gate, guest, header, question, token, why);
    if (verdict == VERDICT_OUT)
        GuestForget(guest);
    return verdict;
}
