#include "ntlm/credential.h"

#include "base/memory.h"
#include "base/reader.h"
#include "core/cause.h"
#include "core/login.h"
#include "core/prompt.h"
#include "crypto/ntlm_response.h"
#include <string.h>

void ntlm_login_release(struct ntlm_login *login)
{
    mem_free(login->user);
    mem_free(login->domain);
    mem_free(login->full_name);
    secret_wipe(login, sizeof *login);
}

static SECURITY_STATUS login_fill(const struct identity *identity, struct ntlm_login *login)
{
    try(login_names(identity, &login->user, &login->domain));
    login->full_name = login_full_name(login->domain, login->user);
    require(login->full_name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (identity->password_is_hash) {
        require(identity->password.len == sizeof login->nt_hash.bytes,
                cause_set(SEC_E_INVALID_TOKEN, "an NT hash of %zu bytes", identity->password.len));
        memcpy(login->nt_hash.bytes, identity->password.data, sizeof login->nt_hash.bytes);
    } else {
        ntlm_nt_hash(secret_slice(&identity->password), &login->nt_hash);
        login->has_lm_hash = ntlm_lm_hash(secret_slice(&identity->password), &login->lm_hash);
    }
    require(ntlm_v2_key(&login->nt_hash, login->user, login->domain, &login->v2_key) == WIRE_OK,
            SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

static SECURITY_STATUS outbound_fill(struct ntlm_credential *credential, const struct acquire_request *request)
{
    bool of_session = identity_kind(request->identity) == IDENTITY_DEFAULT && request->session_identity != NULL;
    const struct identity *given = of_session ? request->session_identity : request->identity, *who;
    AUTO_IDENTITY struct identity kept = {0};
    try(login_choose("NTLM", request, given, &kept, &who));
    credential->has_login = who != NULL;
    credential->lease = of_session ? lease_retain(request->session_lease) : NULL;
    credential->needs_password = identity_kind(who) == IDENTITY_NAME; /* goes as an empty one unless the step may ask */
    return who != NULL ? login_fill(who, &credential->login) : SEC_E_OK;
}

static SECURITY_STATUS credential_fill(struct ntlm_credential *credential, const struct acquire_request *request)
{
    const struct config *config = request->config;
    if ((request->use & SECPKG_CRED_OUTBOUND) != 0)
        try(outbound_fill(credential, request));
    if ((request->use & SECPKG_CRED_INBOUND) != 0) {
        struct account_host host;
        try(accounts_open_configured(config, &credential->accounts));
        (void)accounts_host(credential->accounts, true, &host); /* the first challenge shall know it */
        cause_drop();
    }
    return SEC_E_OK;
}

SECURITY_STATUS ntlm_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct ntlm_credential *acquired = secret_block_alloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    acquired->config = config_retain(request->config);
    SECURITY_STATUS status = credential_fill(acquired, request);
    if (status != SEC_E_OK) {
        ntlm_release(acquired);
        return status;
    }
    *credential = acquired;
    *expiry = FILETIME_NEVER;
    return SEC_E_OK;
}

/* "kept" of a login: a version, the NT hash, user and domain as UTF-8, each with its length in two bytes. It stays in this process. */
#define KEPT_VERSION 1
#define KEPT_NAME_MAX 4096

static void text_write(struct writer *writer, const char *text)
{
    writer_u16le(writer, (uint16_t)strlen(text));
    writer_bytes(writer, text, strlen(text));
}

SECURITY_STATUS ntlm_keep(void *credential, struct secret *kept)
{
    const struct ntlm_credential *proved = credential;
    const struct ntlm_login *login = &proved->login;
    require(proved->has_login && !proved->needs_password && strlen(login->user) <= KEPT_NAME_MAX &&
                strlen(login->domain) <= KEPT_NAME_MAX,
            cause_set(SEC_E_NO_CREDENTIALS, "there is no login to keep"));
    size_t size = 1 + sizeof login->nt_hash.bytes + 4 + strlen(login->user) + strlen(login->domain);
    AUTO_WRITER struct writer writer = writer_growing(size); /* wiped when it is released */
    writer_u8(&writer, KEPT_VERSION);
    writer_bytes(&writer, login->nt_hash.bytes, sizeof login->nt_hash.bytes);
    text_write(&writer, login->user);
    text_write(&writer, login->domain);
    bool set = writer_finish(&writer) == WIRE_OK && secret_set(kept, writer.data, writer.len);
    return set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static enum wire_result text_read(struct reader *reader, struct slice *text)
{
    uint16_t len;
    enum wire_result result = reader_u16le(reader, &len);
    return result == WIRE_OK ? reader_bytes(reader, len, text) : result;
}

SECURITY_STATUS ntlm_acquire_kept(const struct acquire_request *request, struct slice kept, void *service,
                                  void **credential, int64_t *expiry)
{
    AUTO_IDENTITY struct identity identity = {.has_password = true, .password_is_hash = true};
    struct reader reader = reader_of(kept);
    struct slice hash, user, domain;
    uint8_t version;
    (void)service;
    require(reader_u8(&reader, &version) == WIRE_OK && version == KEPT_VERSION &&
                reader_bytes(&reader, sizeof(struct key16), &hash) == WIRE_OK && text_read(&reader, &user) == WIRE_OK &&
                text_read(&reader, &domain) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "what was kept of an NTLM logon is damaged"));
    identity.user = mem_dup(user.data, user.len);
    identity.domain = mem_dup(domain.data, domain.len);
    require(identity.user != NULL && identity.domain != NULL && secret_set(&identity.password, hash.data, hash.len),
            SEC_E_INSUFFICIENT_MEMORY);
    const struct acquire_request own = {.config = request->config, .use = request->use, .identity = &identity};
    return ntlm_acquire(&own, credential, expiry);
}

void ntlm_release(void *credential)
{
    struct ntlm_credential *released = credential;
    ntlm_login_release(&released->login);
    lease_put(released->lease);
    accounts_close(released->accounts);
    config_release(released->config);
    secret_block_free(released, sizeof *released);
}

SECURITY_STATUS ntlm_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "NTLM credentials have no attribute %u", (unsigned)attribute));
    const struct ntlm_credential *asked = credential;
    value->names.text = asked->has_login ? asked->login.full_name : "";
    return SEC_E_OK;
}

SECURITY_STATUS ntlm_login_prompt(const struct ntlm_credential *credential, const char *target,
                                  struct ntlm_login *login)
{
    AUTO_IDENTITY struct identity answer = {0};
    const char *user = credential->has_login ? credential->login.user : NULL;
    try(prompt_identity(credential->config->askpass, target, user,
                        credential->has_login ? credential->login.domain : NULL, &answer));
    return login_fill(&answer, login);
}

SECURITY_STATUS ntlm_change_password(const struct password_change *change)
{
    struct accounts *accounts;
    try(accounts_open_configured(change->config, &accounts));
    const struct digest_realms realms = digest_realms_configured(change->config);
    SECURITY_STATUS status =
        account_change_password(accounts, change->user, change->domain != NULL ? change->domain : "",
                                change->old_password, change->new_password, &realms);
    accounts_close(accounts);
    return status;
}
