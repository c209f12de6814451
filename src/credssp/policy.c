#include "credssp/policy.h"

#include "core/cause.h"
#include "core/target.h"
#include <string.h>

/* A text in up to three pieces: without memory to allocate, so that a deny list never fails to meet its target. Host names in SPNs are ASCII. */
struct name {
    struct slice piece[3];
    size_t len;
};

static struct name name_of(struct slice first, struct slice second, struct slice third)
{
    return (struct name){{first, second, third}, first.len + second.len + third.len};
}

static int letter_at(const struct name *name, size_t at)
{
    unsigned i = 0;
    for (; i < 2 && at >= name->piece[i].len; i++)
        at -= name->piece[i].len;
    uint8_t letter = name->piece[i].data[at];
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

/* Each `*` first takes nothing, and one more whenever what follows it does not fit: only the last one can be to blame. */
static bool name_matches(const struct name *pattern, const struct name *target)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < target->len) {
        if (p < pattern->len && letter_at(pattern, p) == '*') {
            star = p++;
            from = t;
        } else if (p < pattern->len && letter_at(pattern, p) == letter_at(target, t)) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else
            return false;
    }
    while (p < pattern->len && letter_at(pattern, p) == '*')
        p++;
    return p == pattern->len;
}

/* The ways to write one target, or one pattern: as it is, and with its host in its plain form, with port and instance and without. */
enum name_form { NAME_WRITTEN, NAME_PLAIN, NAME_HOST, NAME_FORMS };

static void name_forms(const char *text, struct name forms[NAME_FORMS])
{
    const struct slice none = {0};
    struct slice host = target_parse(text).host;
    struct slice service = slice_of(text, (size_t)((const char *)host.data - text));
    struct slice rest = slice_of_text((const char *)host.data + host.len);
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    forms[NAME_WRITTEN] = name_of(slice_of_text(text), none, none);
    forms[NAME_PLAIN] = name_of(service, host, rest);
    forms[NAME_HOST] = name_of(service, host, slice_of(rest.data, rest.len > 0 && rest.data[0] == ']' ? 1 : 0));
}

/* As it is written, and by the host that TLS and Kerberos will ask for: `*` must not take a host in, and what stands behind it for the pattern. */
static bool is_allowed_by(const char *pattern, const char *target)
{
    struct name of_pattern[NAME_FORMS], of_target[NAME_FORMS];
    struct target parts = target_parse(target);
    name_forms(pattern, of_pattern);
    name_forms(target, of_target);
    return target_has_host(&parts) && name_matches(&of_pattern[NAME_WRITTEN], &of_target[NAME_WRITTEN]) &&
           name_matches(&of_pattern[NAME_HOST], &of_target[NAME_HOST]);
}

/* In any way to write it: a port, an instance or a dot at the end must not lead out of the list. */
static bool is_denied_by(const char *pattern, const char *target)
{
    struct name of_pattern[NAME_FORMS], of_target[NAME_FORMS];
    name_forms(pattern, of_pattern);
    name_forms(target, of_target);
    for (unsigned p = NAME_WRITTEN; p <= NAME_PLAIN; p++)
        for (unsigned t = 0; t < NAME_FORMS; t++)
            if (name_matches(&of_pattern[p], &of_target[t]))
                return true;
    return false;
}

static bool listed(const struct config_list *list, const char *target,
                   bool (*matches)(const char *pattern, const char *target))
{
    for (unsigned i = 0; target != NULL && i < list->n_items; i++)
        if (matches(list->item[i], target))
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
    require(!listed(lists.deny, target, is_denied_by),
            cause_set(SEC_E_DELEGATION_POLICY, "deny_%s in [credssp] names \"%.128s\"", lists.name, name));
    require(listed(lists.allow, target, is_allowed_by) || listed(lists.allow_unproved, target, is_allowed_by),
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
    bool allowed = listed(lists.allow_unproved, target, is_allowed_by) ||
                   (server_authenticated && listed(lists.allow, target, is_allowed_by));
    require(allowed, cause_set(SEC_E_POLICY_NLTM_ONLY,
                               "allow_%s_ntlm in [credssp] does not name \"%.128s\", for which neither Kerberos nor a "
                               "trusted certificate vouches",
                               lists.name, name));
    return SEC_E_OK;
}
