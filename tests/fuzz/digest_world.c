#include "fuzz/digest_world.h"

#include "accounts/admin.h"
#include "crypto/ntlm_response.h"
#include "support/place.h"

#include <stdio.h>
#include <string.h>

static void database_make(const char *path)
{
    static const char *const names[] = {"realm"};
    static const char password[] = "P\0a\0s\0s\0w\0o\0r\0d\0001\0!"; /* and the NUL that ends it */
    const struct digest_realms realms = {names, 1, "EXAMPLE"};
    struct slice utf16 = slice_of(password, sizeof password);
    struct key16 hash;
    struct account_admin *admin = NULL;
    ntlm_nt_hash(utf16, &hash);
    const struct account_spec spec = {.name = "alice",
                                      .domain = "EXAMPLE",
                                      .nt_hash = &hash,
                                      .password = utf16,
                                      .expires = FILETIME_NEVER,
                                      .uid = -1,
                                      .gid = -1};
    MUST(account_admin_open(path, true, &admin) == SEC_E_OK);
    account_admin_digest(admin, &realms);
    MUST(account_admin_add(admin, &spec) == SEC_E_OK);
    account_admin_close(admin);
}

void digest_world_configure(void)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "%s/accounts.db", world_directory());
    database_make(path);
    snprintf(text, sizeof text,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
             "[accounts]\nstores = sqlite:%s\nlockout_threshold = 0\n"
             "[digest]\nrealms = realm\nalgorithms = MD5, MD5-sess, SHA-256, SHA-512-256-sess\nallow_no_qop = yes\n",
             path);
    place_configure(world_directory(), text);
}

CredHandle digest_world_credential(ULONG use)
{
    return world_credential_of("WDigest", use);
}

struct given {
    SecBuffer buffers[5];
    SecBufferDesc list;
    uint8_t *copy;
};

static void given_fill(struct given *given, struct slice token, bool initiate)
{
    static char method[] = "GET", uri[] = "/page";
    given->copy = malloc(token.len + (token.len == 0));
    MUST(given->copy != NULL);
    memcpy(given->copy, token.data != NULL ? token.data : (const uint8_t *)"", token.len);
    given->buffers[0] = (SecBuffer){(ULONG)token.len, SECBUFFER_TOKEN, given->copy};
    given->buffers[1] = (SecBuffer){3, SECBUFFER_PKG_PARAMS, method};
    given->buffers[2] = (SecBuffer){initiate ? 0 : 5, SECBUFFER_PKG_PARAMS, initiate ? NULL : uri};
    given->list = (SecBufferDesc){SECBUFFER_VERSION, 3, given->buffers};
}

SECURITY_STATUS digest_world_initiate(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in,
                                      uint8_t *out, ULONG *out_len)
{
    struct given given;
    static char http[] = "/page", sasl[] = "ldap/server";
    bool first = context->dwLower == 0 && context->dwUpper == 0;
    SecBuffer answer = {WORLD_TOKEN_MAX, SECBUFFER_TOKEN, out};
    SecBufferDesc answers = {SECBUFFER_VERSION, 1, &answer};
    ULONG granted = 0;
    given_fill(&given, in, true);
    SECURITY_STATUS status =
        InitializeSecurityContextA(credential, first ? NULL : context, (flags & DIGEST_WORLD_HTTP) != 0 ? http : sasl,
                                   flags, 0, 0, &given.list, 0, context, &answers, &granted, NULL);
    free(given.copy);
    *out_len = status >= 0 ? answer.cbBuffer : 0;
    return status;
}

SECURITY_STATUS digest_world_accept(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in,
                                    uint8_t *out, ULONG *out_len)
{
    struct given given;
    bool first = context->dwLower == 0 && context->dwUpper == 0;
    SecBuffer answer = {WORLD_TOKEN_MAX, SECBUFFER_TOKEN, out};
    SecBufferDesc answers = {SECBUFFER_VERSION, 1, &answer};
    ULONG granted = 0;
    given_fill(&given, in, false);
    SECURITY_STATUS status = AcceptSecurityContext(credential, first ? NULL : context, &given.list, flags, 0, context,
                                                   &answers, &granted, NULL);
    free(given.copy);
    *out_len = status >= 0 ? answer.cbBuffer : 0;
    return status;
}
