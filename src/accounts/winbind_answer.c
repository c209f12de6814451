#include "accounts/winbind_answer.h"

#include "accounts/account_fields.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include <string.h>

#define AUTHORITY_OF_ASSERTIONS 18 /* S-1-18: how the domain came to know the client (MS-DTYP 2.4.2.4) */

/* Half of a name that we put together of two, or of a path that others make of it, would be another's. */
static bool name_is_plain(const char *name)
{
    return strpbrk(name, "\\/") == NULL && !field_has_control(slice_of(name, strlen(name)), '\0');
}

/* The domain of this name, or that of the store where winbind does not list it: then *named is NULL. */
static SECURITY_STATUS domain_check(const struct winbind_domains *domains, const struct winbind_asked *asked,
                                    const char *dns_domain, const char *domain, const struct winbind_domain **named)
{
    SECURITY_STATUS denied = SEC_E_LOGON_DENIED;
    AUTO_FREE char *key = text_upper(domain);
    AUTO_FREE char *dns_key = text_upper(dns_domain != NULL ? dns_domain : "");
    require(key != NULL && dns_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(*key != '\0' && !text_equal_fold(domain, domains->computer) && strcmp(key, "BUILTIN") != 0,
            cause_set(denied, "winbind says that the client is an account of this computer itself"));
    const struct winbind_domain *wanted = winbind_domain_find(domains, asked->domain_key),
                                *only = asked->only_key != NULL ? winbind_domain_find(domains, asked->only_key) : NULL;
    *named = winbind_domain_find(domains, key);
    if (*named == NULL && asked->only_key != NULL && only == NULL) {
        require(
            strcmp(asked->only_key, key) == 0 || strcmp(asked->only_key, dns_key) == 0,
            cause_set(denied, "asked about an account of %.64s, winbind named one of %.64s", asked->only_key, domain));
        return SEC_E_OK;
    }
    require(*named != NULL,
            cause_set(denied, "winbind names an account of %.64s, a domain that it does not list", domain));
    require(asked->only_key == NULL || *named == only,
            cause_set(denied, "asked about an account of %.64s, winbind named one of %.64s", asked->only_key, domain));
    require(
        *asked->domain_key == '\0' || *named == wanted,
        cause_set(denied, "asked about an account of %.64s, winbind named one of %.64s", asked->domain_key, domain));
    return SEC_E_OK;
}

/* Of a domain that winbind does not list nothing vouches for the NetBIOS name: the client's is what the store says, which the administrator wrote. */
static SECURITY_STATUS domain_name_hold(const struct winbind_asked *asked, const struct winbind_domain *named,
                                        struct account *account)
{
    AUTO_FREE char *key = named == NULL ? text_upper(account->domain) : NULL;
    require(named == NULL, SEC_E_OK);
    require(key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(strcmp(key, asked->only_key) != 0, SEC_E_OK);
    char *ours = mem_strdup(asked->only_key);
    require(ours != NULL, SEC_E_INSUFFICIENT_MEMORY);
    mem_free(account->domain);
    account->domain = ours;
    return SEC_E_OK;
}

static SECURITY_STATUS sid_check(const struct winbind_domains *domains, const struct winbind_domain *named,
                                 const struct sid *user)
{
    const struct winbind_domain *owner = winbind_domain_of_sid(domains, user);
    struct sid domain;
    bool is_account = sid_domain(user, &domain) == WIRE_OK && !winbind_sid_is_local(domains, user);
    bool fits = owner != NULL ? owner == named : named == NULL || named->sid.revision == 0;
    require(is_account && fits,
            cause_set(SEC_E_LOGON_DENIED, "the client's SID, as winbind gives it, is not one of its domain"));
    return SEC_E_OK;
}

static bool group_is_a_domains(const struct winbind_domains *domains, const struct sid *group)
{
    static const uint8_t asserts[6] = {0, 0, 0, 0, 0, AUTHORITY_OF_ASSERTIONS};
    struct sid domain;
    if (memcmp(group->authority, asserts, sizeof asserts) == 0)
        return true;
    return sid_domain(group, &domain) == WIRE_OK && !winbind_sid_is_local(domains, group);
}

static void groups_filter(const struct winbind_domains *domains, struct account *account)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < account->n_groups; i++)
        if (group_is_a_domains(domains, &account->groups[i].sid))
            account->groups[n_kept++] = account->groups[i];
    if (n_kept < account->n_groups)
        TRACE("winbind", "%s: %zu groups of this computer's are left out", account->name, account->n_groups - n_kept);
    account->n_groups = n_kept;
}

SECURITY_STATUS winbind_answer_check(const struct winbind_domains *domains, const struct winbind_asked *asked,
                                     const char *dns_domain, struct account *account)
{
    const struct winbind_domain *named = NULL;
    require(name_is_plain(account->name),
            cause_set(SEC_E_LOGON_DENIED, "the client's name, as winbind gives it, is none"));
    try(domain_check(domains, asked, dns_domain, account->domain, &named));
    try(sid_check(domains, named, &account->sid));
    try(domain_name_hold(asked, named, account));
    groups_filter(domains, account);
    return SEC_E_OK;
}
