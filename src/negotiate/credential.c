#include "negotiate/credential.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/registry.h"
#include "core/trace.h"
#include "negotiate/spnego.h"
#include <stdio.h>
#include <string.h>

bool negotiate_is_unable(SECURITY_STATUS status)
{
    static const SECURITY_STATUS unable[] = {
        SEC_E_NO_CREDENTIALS,       SEC_E_UNKNOWN_CREDENTIALS,
        SEC_E_TARGET_UNKNOWN,       SEC_E_NO_AUTHENTICATING_AUTHORITY,
        SEC_E_UNSUPPORTED_FUNCTION, SEC_E_CONTEXT_EXPIRED,
        SEC_E_KDC_UNKNOWN_ETYPE,    SEC_E_TIME_SKEW,
        SEC_E_WRONG_PRINCIPAL,      SEC_E_INTERNAL_ERROR,
        SEC_E_INVALID_TOKEN,
    };
    for (size_t i = 0; i < COUNT_OF(unable); i++)
        if (unable[i] == status)
            return true;
    return false;
}

static void reason_append(char *text, const char *name, const char *reason)
{
    size_t len = strlen(text);
    snprintf(text + len, CAUSE_TEXT_MAX - len, "%s%s: %s", len > 0 ? "; " : "", name, reason);
}

void negotiate_cause_keep(char *text, const char *name)
{
    const char *cause = cause_text();
    reason_append(text, name, *cause != '\0' ? cause : "no reason given");
    cause_drop();
}

const struct negotiate_inner *negotiate_inner_of(const struct negotiate_credential *credential, struct slice oid)
{
    for (unsigned i = 0; i < credential->n_inner; i++)
        for (unsigned j = 0; j < PACKAGE_OIDS_MAX; j++)
            if (credential->inner[i].package->info.mech.oid[j].len > 0 &&
                slice_equal(credential->inner[i].package->info.mech.oid[j], oid))
                return &credential->inner[i];
    return NULL;
}

SECURITY_STATUS negotiate_mech_list(const struct negotiate_credential *credential, const struct negotiate_inner *first,
                                    struct writer *list)
{
    struct slice mechs[NEGOTIATE_INNER_MAX * PACKAGE_OIDS_MAX];
    unsigned n_mechs = 0;
    for (const struct negotiate_inner *inner = first; inner < credential->inner + credential->n_inner; inner++)
        for (unsigned i = 0; i < PACKAGE_OIDS_MAX && inner->package->info.mech.oid[i].len > 0; i++)
            mechs[n_mechs++] = inner->package->info.mech.oid[i];
    spnego_mech_list_write(list, mechs, n_mechs);
    return writer_finish(list) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* NULL, or why policy keeps the package out. */
static const char *policy_forbids(const struct acquire_request *request, const struct package *package)
{
    const char *name = package->info.name;
    if (identity_forbids(request->identity, name))
        return "the identity's package list leaves it out";
    return config_forbids_negotiating(request->config, name, identity_names(request->identity, name));
}

static SECURITY_STATUS inner_acquire(struct negotiate_credential *credential, const struct acquire_request *request,
                                     const struct package *package, int64_t *expiry)
{
    const char *forbidden = policy_forbids(request, package);
    struct negotiate_inner *inner = &credential->inner[credential->n_inner];
    int64_t ends = FILETIME_NEVER;
    if (forbidden != NULL) {
        reason_append(credential->missing, package->info.name, forbidden);
        return SEC_E_NO_CREDENTIALS;
    }
    struct acquire_request meant = *request;
    meant.package = package;
    SECURITY_STATUS status = package->authority->acquire != NULL
                                 ? package->authority->acquire(&meant, &inner->credential, &ends)
                                 : SEC_E_UNSUPPORTED_FUNCTION;
    if (status != SEC_E_OK) {
        reason_append(credential->unable, package->info.name, cause_text());
        negotiate_cause_keep(credential->missing, package->info.name);
        return status;
    }
    inner->package = package;
    inner->unable_len = strlen(credential->unable);
    credential->n_inner++;
    if (credential->n_inner == 1 || ends > *expiry)
        *expiry = ends; /* it can be used until the last of them ends */
    return SEC_E_OK;
}

/* All that there are and that policy allows. One of them is enough; but without memory nobody knows which are missing. */
static SECURITY_STATUS inner_acquire_all(struct negotiate_credential *credential, const struct acquire_request *request,
                                         int64_t *expiry)
{
    SECURITY_STATUS first = SEC_E_OK;
    const struct package *package;
    struct acquire_request inner = *request;
    inner.config = credential->config;
    for (size_t i = 0; (package = registry_at(i)) != NULL && credential->n_inner < NEGOTIATE_INNER_MAX; i++) {
        if (!package_is_negotiable(package))
            continue;
        SECURITY_STATUS status = inner_acquire(credential, &inner, package, expiry);
        require(status != SEC_E_INSUFFICIENT_MEMORY, status);
        if (status != SEC_E_OK && first == SEC_E_OK)
            first = status;
    }
    if (credential->missing[0] != '\0')
        TRACE("negotiate", "left out: %s", credential->missing);
    require(credential->n_inner > 0, cause_set(first != SEC_E_OK ? first : SEC_E_NO_CREDENTIALS,
                                               "no package is left to negotiate: %s", credential->missing));
    return SEC_E_OK;
}

static struct negotiate_credential *credential_make(const struct acquire_request *request)
{
    struct negotiate_credential *made = mem_zalloc(sizeof *made);
    require(made != NULL, NULL);
    unsigned seconds = request->config->negotiate_kdc_seconds;
    made->config = seconds != 0 && seconds < request->config->kerberos_kdc_seconds
                       ? config_with_kdc_seconds(request->config, seconds)
                       : config_retain(request->config);
    if (made->config != NULL)
        return made;
    negotiate_release(made);
    return NULL;
}

SECURITY_STATUS negotiate_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct negotiate_credential *acquired = credential_make(request);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = inner_acquire_all(acquired, request, expiry);
    if (status != SEC_E_OK) {
        negotiate_release(acquired);
        return status;
    }
    *credential = acquired;
    return SEC_E_OK;
}

SECURITY_STATUS negotiate_wrap(const struct acquire_request *request, struct credential *chosen, void **credential)
{
    const char *name = chosen->package->info.name;
    const char *forbidden = policy_forbids(request, chosen->package);
    require(package_is_negotiable(chosen->package) && forbidden == NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "there are credentials of %s alone, and %s", name,
                      forbidden != NULL ? forbidden : "Negotiate does not choose it"));
    struct negotiate_credential *made = credential_make(request);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    made->inner[0] = (struct negotiate_inner){
        .package = chosen->package, .credential = chosen->own, .held = credential_retain(chosen)};
    made->n_inner = 1;
    const struct package *package;
    for (size_t i = 0; (package = registry_at(i)) != NULL; i++)
        if (package != chosen->package && package_is_negotiable(package))
            reason_append(made->missing, package->info.name, "the impersonated client has none");
    *credential = made;
    return SEC_E_OK;
}

void *negotiate_part(void *credential, const struct package *package)
{
    const struct negotiate_credential *asked = credential;
    for (unsigned i = 0; i < asked->n_inner; i++)
        if (asked->inner[i].package == package)
            return asked->inner[i].credential;
    return NULL;
}

void negotiate_release(void *credential)
{
    struct negotiate_credential *released = credential;
    for (unsigned i = 0; i < released->n_inner; i++)
        if (released->inner[i].held != NULL)
            credential_put(released->inner[i].held);
        else
            released->inner[i].package->authority->release(released->inner[i].credential);
    config_release(released->config);
    mem_free(released);
}

SECURITY_STATUS negotiate_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    const struct negotiate_credential *asked = credential;
    SECURITY_STATUS answer = SEC_E_UNSUPPORTED_FUNCTION;
    for (unsigned i = 0; i < asked->n_inner; i++) {
        const struct negotiate_inner *inner = &asked->inner[i];
        struct attribute found = {0};
        if (inner->package->authority->query_credential == NULL)
            continue;
        SECURITY_STATUS status = inner->package->authority->query_credential(inner->credential, attribute, &found);
        if (status == SEC_E_OK && answer != SEC_E_OK) {
            *value = found;
            cause_drop();
        } else if (status == SEC_E_OK && attribute == SECPKG_CRED_ATTR_NAMES && value->names.text[0] == '\0')
            *value = found;                                             /* the first that knows a name */
        if (status == SEC_E_OK || answer == SEC_E_UNSUPPORTED_FUNCTION) /* of failures the first that says something */
            answer = status;
    }
    return answer;
}

SECURITY_STATUS negotiate_set_credential(void *credential, uint32_t attribute, const void *value, size_t len)
{
    struct negotiate_credential *changed = credential;
    SECURITY_STATUS answer = SEC_E_UNSUPPORTED_FUNCTION;
    for (unsigned i = 0; i < changed->n_inner; i++) {
        struct negotiate_inner *inner = &changed->inner[i];
        if (inner->package->authority->set_credential == NULL || inner->held != NULL) /* others have that one, too */
            continue;
        SECURITY_STATUS status = inner->package->authority->set_credential(inner->credential, attribute, value, len);
        if (answer != SEC_E_OK)
            answer = status;
    }
    return answer;
}

/* Whoever knows the account changes it: the first that can. One that was asked and said no has the last word on a known account, but its no and
 * "unknown here" are one status, so that the next is asked too. */
SECURITY_STATUS negotiate_change_password(const struct password_change *change)
{
    char causes[CAUSE_TEXT_MAX] = "";
    SECURITY_STATUS answer = SEC_E_UNSUPPORTED_FUNCTION;
    const struct package *package;
    bool decided = false;
    for (size_t i = 0; (package = registry_at(i)) != NULL; i++) {
        if (!package_is_negotiable(package) || package->authority->change_password == NULL)
            continue;
        SECURITY_STATUS status = package->authority->change_password(change);
        if (status == SEC_E_OK) {
            cause_drop();
            return status;
        }
        negotiate_cause_keep(causes, package->info.name);
        require(status != SEC_E_INSUFFICIENT_MEMORY, status);
        if (!decided)
            answer = status;
        decided = decided || !negotiate_is_unable(status);
    }
    return cause_set(answer, "%s", causes[0] != '\0' ? causes : "no package changes passwords");
}
