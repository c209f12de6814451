#include "digest/credential.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/login.h"
#include "core/prompt.h"
#include <string.h>

void digest_login_release(struct digest_login *login)
{
    mem_free(login->user);
    mem_free(login->domain);
    secret_release(&login->password);
    *login = (struct digest_login){0};
}

/* RFC 7616 3.4.2 and RFC 2831 2.1.2 put a colon behind the name: a name with one could be read as another name and another password. */
static SECURITY_STATUS name_check(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f && *at != ':',
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a user or domain name of Digest has no control characters and no "
                                                     "colon"));
    return SEC_E_OK;
}

static SECURITY_STATUS login_fill(const struct identity *identity, struct digest_login *login)
{
    char *password = NULL;
    require(!identity->password_is_hash,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "Digest needs the password itself, not its NT hash"));
    try(login_names(identity, &login->user, &login->domain));
    try(name_check(login->domain));
    try(name_check(login->user));
    require(utf16le_to_text(secret_slice(&identity->password), &password) == WIRE_OK,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the password is no text, and Digest hashes text"));
    bool kept = secret_set(&login->password, password, strlen(password));
    secret_free_text(password);
    return kept ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS outbound_fill(struct digest_credential *credential, const struct acquire_request *request)
{
    const struct identity *who;
    AUTO_IDENTITY struct identity kept = {0};
    try(login_choose("Digest", request, request->identity, &kept, &who));
    credential->has_login = who != NULL;
    credential->needs_password = identity_kind(who) == IDENTITY_NAME; /* goes as an empty one unless the step may ask */
    return who != NULL ? login_fill(who, &credential->login) : SEC_E_OK;
}

SECURITY_STATUS digest_schemes_offered(const struct config *config, const struct digest_scheme **offered,
                                       size_t *n_offered)
{
    const struct config_list *wanted = &config->digest_algorithms;
    bool chosen[DIGEST_SCHEMES] = {false};
    *n_offered = 0;
    for (unsigned i = 0; i < wanted->n_items; i++) {
        bool found = false;
        for (size_t k = 0; k < DIGEST_SCHEMES; k++)
            if (text_equal_fold(wanted->item[i], digest_scheme_at(k)->name))
                found = chosen[k] = true;
        require(found, cause_set(SEC_E_CANNOT_INSTALL,
                                 "algorithms in [digest] takes MD5, SHA-256 and SHA-512-256, each alone or with "
                                 "-sess behind it, not \"%.64s\"",
                                 wanted->item[i]));
    }
    for (size_t k = DIGEST_SCHEMES; k-- > 0;)
        if (wanted->n_items > 0 ? chosen[k] : strcmp(digest_scheme_at(k)->name, "SHA-256") == 0)
            offered[(*n_offered)++] = digest_scheme_at(k);
    return SEC_E_OK;
}

static SECURITY_STATUS credential_fill(struct digest_credential *credential, const struct acquire_request *request)
{
    const struct config *config = request->config;
    const struct digest_login *login = &credential->login;
    if ((request->use & SECPKG_CRED_OUTBOUND) != 0)
        try(outbound_fill(credential, request));
    if ((request->use & SECPKG_CRED_INBOUND) != 0) {
        try(digest_schemes_offered(config, credential->offered, &credential->n_offered));
        try(accounts_open_configured(config, &credential->accounts));
    }
    credential->full_name = credential->has_login ? login_full_name(login->domain, login->user) : mem_strdup("");
    return credential->full_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS digest_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct digest_credential *acquired = secret_block_alloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    acquired->config = config_retain(request->config);
    SECURITY_STATUS status = credential_fill(acquired, request);
    if (status != SEC_E_OK) {
        digest_release(acquired);
        return status;
    }
    *credential = acquired;
    *expiry = FILETIME_NEVER;
    return SEC_E_OK;
}

void digest_release(void *credential)
{
    struct digest_credential *released = credential;
    digest_login_release(&released->login);
    mem_free(released->full_name);
    accounts_close(released->accounts);
    config_release(released->config);
    secret_block_free(released, sizeof *released);
}

SECURITY_STATUS digest_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Digest credentials have no attribute %u", (unsigned)attribute));
    value->names.text = ((const struct digest_credential *)credential)->full_name;
    return SEC_E_OK;
}

SECURITY_STATUS digest_login_prompt(const struct digest_credential *credential, const char *target,
                                    struct digest_login *login)
{
    AUTO_IDENTITY struct identity answer = {0};
    const struct digest_login *known = credential->has_login ? &credential->login : NULL;
    try(prompt_identity(credential->config->askpass, target, known != NULL ? known->user : NULL,
                        known != NULL ? known->domain : NULL, &answer));
    return login_fill(&answer, login);
}
