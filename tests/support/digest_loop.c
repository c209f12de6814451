#include "support/digest_loop.h"

#include "accounts/admin.h"
#include "base/utf16.h"
#include "crypto/ntlm_response.h"
#include "support/identity.h"
#include "support/lsa_daemon.h"
#include "support/place.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[PLACE_LEN], database[128];

static void account_put(struct account_admin *admin, const char *name, const char *password, uint32_t flags)
{
    struct writer utf16 = writer_growing(64);
    struct key16 hash;
    assert(utf16le_write(&utf16, password) == WIRE_OK);
    ntlm_nt_hash(writer_slice_of(&utf16), &hash);
    const struct account_spec spec = {
        .name = name,
        .domain = "EXAMPLE",
        .nt_hash = &hash,
        .password = writer_slice_of(&utf16),
        .flags = flags,
        .expires = FILETIME_NEVER,
        .uid = -1,
        .gid = -1,
    };
    SECURITY_STATUS status = account_admin_add(admin, &spec);
    assert(status == SEC_E_OK);
    (void)status;
    writer_release(&utf16);
}

static void database_make(void)
{
    static const char *const names[] = {DIGEST_REALM, "other"};
    const struct digest_realms realms = {names, 2, "EXAMPLE"};
    struct account_admin *admin = NULL;
    SECURITY_STATUS status = account_admin_open(database, true, &admin);
    assert(status == SEC_E_OK);
    (void)status;
    account_admin_digest(admin, &realms);
    account_put(admin, "alice", "Password1!", 0);
    account_put(admin, "J\303\244s\303\270n", "Geheim\303\274", 0);
    account_put(admin, "disabled", "Password1!", ACCOUNT_DISABLED);
    account_admin_digest(admin, NULL);
    account_put(admin, "undigested", "Password1!", 0);
    account_admin_close(admin);
}

void digest_configure(const char *extra)
{
    char text[4096];
    if (place_make(directory)) {
        snprintf(database, sizeof database, "%s/accounts.db", directory);
        database_make();
    }
    snprintf(text, sizeof text,
             "%s[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
             "dns_domain = example.test\n[accounts]\nstores = sqlite:%s\n[digest]\nrealms = " DIGEST_REALM
             ", other\n%s",
             lsa_daemon_section(directory), database, extra != NULL ? extra : "");
    place_configure(directory, text);
    lsa_daemon_ensure();
}

void digest_cleanup(void)
{
    if (lsa_daemon_wanted())
        lsa_daemon_stop();
    place_remove(directory);
}

const char *digest_database(void)
{
    return database;
}

void digest_client(struct digest_side *side, const char *user, const char *domain, const char *password)
{
    user = user != NULL ? user : "alice";
    domain = domain != NULL ? domain : "";
    password = password != NULL ? password : "Password1!";
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of(user, domain, password);
    char name[] = "WDigest";
    side->acquired = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                               &side->credential, NULL);
    side->has_credential = side->acquired == SEC_E_OK;
}

#define CHANNEL                                                                               \
    {                                                                                         \
        .cbApplicationDataLength = 8, .dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS) \
    }
const struct digest_channel digest_channel = {CHANNEL, "channel1"};
const struct digest_channel digest_other_channel = {CHANNEL, "channel2"};

void digest_server(struct digest_side *side)
{
    char name[] = "WDigest";
    side->acquired =
        AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &side->credential, NULL);
    side->has_credential = side->acquired == SEC_E_OK;
}

bool digest_sides(struct digest_side *client, struct digest_side *server, const char *extra)
{
    digest_side_end(client);
    digest_side_end(server);
    digest_configure(extra);
    digest_client(client, NULL, NULL, NULL);
    digest_server(server);
    return client->has_credential && server->has_credential;
}

void digest_forget(struct digest_side *side)
{
    if (side->has_context)
        DeleteSecurityContext(&side->context);
    side->has_context = false;
    side->token[0] = '\0';
}

void digest_side_end(struct digest_side *side)
{
    digest_forget(side);
    if (side->has_credential)
        FreeCredentialsHandle(&side->credential);
    side->has_credential = false;
}

static SecBuffer text_buffer(ULONG type, const char *text)
{
    return (SecBuffer){text != NULL ? (ULONG)strlen(text) : 0, type, (void *)(uintptr_t)text};
}

static SECURITY_STATUS step_end(struct digest_side *side, SECURITY_STATUS status, const SecBuffer *out)
{
    side->token[status >= 0 ? out->cbBuffer : 0] = '\0';
    if (status >= 0)
        side->has_context = true;
    return status;
}

SECURITY_STATUS digest_initiate_step(struct digest_side *side, const struct digest_call *call, const char *token)
{
    char copy[DIGEST_TOKEN + 1] = "";
    if (token != NULL)
        snprintf(copy, sizeof copy, "%s", token);
    SecBuffer in[5] = {text_buffer(SECBUFFER_TOKEN, copy), text_buffer(SECBUFFER_PKG_PARAMS, call->method),
                       text_buffer(SECBUFFER_PKG_PARAMS, call->entity),
                       text_buffer(SECBUFFER_TARGET_HOST, call->service)};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 4, in};
    if (call->bindings != NULL) {
        in[4] = (SecBuffer){call->bindings_len, SECBUFFER_CHANNEL_BINDINGS, (void *)(uintptr_t)call->bindings};
        in_list.cBuffers = 5;
    }
    SecBuffer out = {DIGEST_TOKEN, SECBUFFER_TOKEN, side->token};
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out};
    return step_end(side,
                    InitializeSecurityContextA(&side->credential, side->has_context ? &side->context : NULL,
                                               (char *)(uintptr_t)call->target, call->flags, 0, 0, &in_list, 0,
                                               &side->context, &out_list, &side->attributes, NULL),
                    &out);
}

SECURITY_STATUS digest_accept_step(struct digest_side *side, const struct digest_call *call, const char *token)
{
    char copy[DIGEST_TOKEN + 1] = "";
    uint16_t *realm = NULL;
    size_t n_units = 0;
    if (token != NULL)
        snprintf(copy, sizeof copy, "%s", token);
    if (call->realm != NULL && utf16_from_text(call->realm, &realm, &n_units) != WIRE_OK)
        return SEC_E_INSUFFICIENT_MEMORY;
    SecBuffer in[6] = {text_buffer(SECBUFFER_TOKEN, copy),
                       text_buffer(SECBUFFER_PKG_PARAMS, call->method),
                       text_buffer(SECBUFFER_PKG_PARAMS, call->uri),
                       text_buffer(SECBUFFER_PKG_PARAMS, call->entity),
                       {(ULONG)(2 * n_units), SECBUFFER_PKG_PARAMS, realm}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 5, in};
    if (call->bindings != NULL) {
        in[5] = (SecBuffer){call->bindings_len, SECBUFFER_CHANNEL_BINDINGS, (void *)(uintptr_t)call->bindings};
        in_list.cBuffers = 6;
    }
    SecBuffer out = {DIGEST_TOKEN, SECBUFFER_TOKEN, side->token};
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status =
        AcceptSecurityContext(&side->credential, side->has_context ? &side->context : NULL, &in_list, call->flags, 0,
                              &side->context, &out_list, &side->attributes, NULL);
    free(realm);
    return step_end(side, status, &out);
}

SECURITY_STATUS digest_http_run(struct digest_side *client, struct digest_side *server, const struct digest_call *call,
                                const struct digest_call *server_call)
{
    SECURITY_STATUS status = digest_accept_step(server, server_call, NULL);
    if (status != SEC_I_CONTINUE_NEEDED)
        return status;
    status = digest_initiate_step(client, call, server->token);
    if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED)
        return status;
    bool proof_due = status == SEC_I_CONTINUE_NEEDED;
    status = digest_accept_step(server, server_call, client->token);
    return status == SEC_E_OK && proof_due ? digest_initiate_step(client, call, server->token) : status;
}

SECURITY_STATUS digest_sasl_run(struct digest_side *client, struct digest_side *server, ULONG client_flags,
                                ULONG server_flags)
{
    const struct digest_call ours = {.flags = client_flags, .target = "ldap/server.example.test"};
    const struct digest_call theirs = {.flags = server_flags};
    SECURITY_STATUS mine = digest_initiate_step(client, &ours, NULL), peers = SEC_I_CONTINUE_NEEDED;
    for (int legs = 0; legs < 6 && mine >= 0 && (mine != SEC_E_OK || peers != SEC_E_OK); legs++) {
        if (peers != SEC_E_OK)
            peers = digest_accept_step(server, &theirs, client->token);
        if (peers < 0)
            return peers;
        if (mine != SEC_E_OK)
            mine = digest_initiate_step(client, &ours, server->token);
    }
    return mine != SEC_E_OK ? mine : peers;
}

SECURITY_STATUS digest_sign(struct digest_side *side, const char *method, const char *uri, const char *entity,
                            char token[DIGEST_TOKEN + 1])
{
    SecBuffer buffers[5] = {text_buffer(SECBUFFER_TOKEN, NULL),
                            text_buffer(SECBUFFER_PKG_PARAMS, method),
                            text_buffer(SECBUFFER_PKG_PARAMS, uri),
                            text_buffer(SECBUFFER_PKG_PARAMS, entity),
                            {DIGEST_TOKEN, SECBUFFER_PADDING, token}};
    SecBufferDesc list = {SECBUFFER_VERSION, 5, buffers};
    SECURITY_STATUS status = MakeSignature(&side->context, 0, &list, 0);
    token[status == SEC_E_OK ? buffers[4].cbBuffer : 0] = '\0';
    return status;
}

SECURITY_STATUS digest_verify(struct digest_side *side, const char *method, const char *uri, const char *entity,
                              const char *token)
{
    SecBuffer buffers[4] = {text_buffer(SECBUFFER_TOKEN, token), text_buffer(SECBUFFER_PKG_PARAMS, method),
                            text_buffer(SECBUFFER_PKG_PARAMS, uri), text_buffer(SECBUFFER_PKG_PARAMS, entity)};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    return VerifySignature(&side->context, &list, 0, NULL);
}

/* Where the value of a directive begins and ends, quotes included. */
static const char *value_find(const char *token, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    for (const char *at = token; (at = strstr(at, name)) != NULL; at += name_len) {
        if ((at != token && at[-1] != ',' && at[-1] != ' ') || at[name_len] != '=')
            continue;
        const char *value = at + name_len + 1;
        const char *end = *value == '"' ? strchr(value + 1, '"') : NULL;
        *len = end != NULL ? (size_t)(end + 1 - value) : strcspn(value, ",");
        return value;
    }
    return NULL;
}

bool digest_alter(char token[DIGEST_TOKEN + 1], const char *name, const char *value)
{
    char changed[DIGEST_TOKEN + 1]; /* what is longer is cut off, and no token any more */
    size_t len = 0;
    const char *at = value_find(token, name, &len);
    if (at == NULL)
        return false;
    if (value != NULL) {
        bool quoted = *at == '"';
        snprintf(changed, sizeof changed, "%.*s%s%s%s%s", (int)(at - token), token, quoted ? "\"" : "", value,
                 quoted ? "\"" : "", at + len);
    } else {
        size_t head = (size_t)(at - token) - strlen(name) - 1;
        const char *rest = at + len;
        if (head == 0 && *rest == ',')
            rest++;
        snprintf(changed, sizeof changed, "%.*s%s", (int)(head > 0 ? head - 1 : 0), token, rest);
    }
    memcpy(token, changed, sizeof changed);
    return true;
}

bool digest_value(const char *token, const char *name, char *value, size_t size)
{
    size_t len = 0;
    const char *at = value_find(token, name, &len);
    if (at == NULL)
        return false;
    if (*at == '"') {
        at++;
        len -= 2;
    }
    snprintf(value, size, "%.*s", (int)len, at);
    return true;
}
