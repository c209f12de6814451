#include "credssp/policy.h"

#include "core/cause.h"
#include <string.h>

static int lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

/* Without memory to allocate, so that a deny list never fails to meet its target. Host names in SPNs are ASCII. */
static bool equal_fold(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool policy_matches(const char *pattern, const char *target)
{
    const char *star = strchr(pattern, '*');
    size_t len = strlen(target);
    if (star == NULL)
        return strlen(pattern) == len && equal_fold(pattern, target, len);
    size_t before = (size_t)(star - pattern), after = strlen(star + 1);
    return len >= before + after && equal_fold(pattern, target, before) &&
           equal_fold(star + 1, target + (len - after), after);
}

static bool listed(const struct config_list *list, const char *target)
{
    for (unsigned i = 0; target != NULL && i < list->n_items; i++)
        if (policy_matches(list->item[i], target))
            return true;
    return false;
}

struct lists {
    const struct config_list *allow, *allow_unproved, *deny;
    const char *name;
};

static struct lists lists_of(const struct config *config, enum credssp_source source)
{
    if (source == CREDSSP_SOURCE_SAVED)
        return (struct lists){&config->credssp_allow_saved, &config->credssp_allow_saved_ntlm,
                              &config->credssp_deny_saved, "saved"};
    return (struct lists){&config->credssp_allow_fresh, &config->credssp_allow_fresh_ntlm, &config->credssp_deny_fresh,
                          "fresh"};
}

SECURITY_STATUS policy_allows(const struct config *config, enum credssp_source source, const char *target)
{
    struct lists lists = lists_of(config, source);
    const char *name = target != NULL ? target : "(no target)";
    require(!listed(lists.deny, target),
            cause_set(SEC_E_DELEGATION_POLICY, "deny_%s in [credssp] names \"%.128s\"", lists.name, name));
    require(listed(lists.allow, target) || listed(lists.allow_unproved, target),
            cause_set(SEC_E_DELEGATION_POLICY,
                      "neither allow_%s nor allow_%s_ntlm in [credssp] names \"%.128s\": nothing is handed over",
                      lists.name, lists.name, name));
    return SEC_E_OK;
}

SECURITY_STATUS policy_allows_proved(const struct config *config, enum credssp_source source, const char *target,
                                     bool server_authenticated)
{
    struct lists lists = lists_of(config, source);
    const char *name = target != NULL ? target : "(no target)";
    bool allowed = server_authenticated ? listed(lists.allow, target) || listed(lists.allow_unproved, target)
                                        : listed(lists.allow_unproved, target);
    require(allowed, cause_set(SEC_E_POLICY_NLTM_ONLY,
                               "allow_%s_ntlm in [credssp] does not name \"%.128s\", for which neither Kerberos nor a "
                               "trusted certificate vouches",
                               lists.name, name));
    return SEC_E_OK;
}
