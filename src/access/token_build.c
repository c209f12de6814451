#include "access/token_build.h"

#include "access/name_service.h"
#include "access/well_known.h"
#include "access/winbind.h"
#include "base/memory.h"
#include "core/cause.h"
#include <string.h>

#define GROUPS_ADDED 9 /* at most so many stand below */
#define ANONYMOUS_USER "nobody"

SECURITY_IMPERSONATION_LEVEL token_level_of_flags(uint32_t flags)
{
    if ((flags & ASC_RET_NULL_SESSION) != 0)
        return SecurityAnonymous;
    if ((flags & ASC_RET_IDENTIFY) != 0)
        return SecurityIdentification;
    return (flags & ASC_RET_DELEGATE) != 0 ? SecurityDelegation : SecurityImpersonation;
}

static void source_set(struct token_facts *facts, const char *package)
{
    size_t len = strlen(package);
    memcpy(facts->source, package, len < TOKEN_SOURCE_LEN ? len : TOKEN_SOURCE_LEN);
}

/* The "@" before a principal's realm: the last that no backslash takes for a letter (krb5_unparse_name). NULL where there is none. */
static const char *realm_mark(const char *principal)
{
    const char *found = NULL;
    for (const char *at = principal; *at != '\0'; at++)
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '@')
            found = at;
    return found;
}

/* "DOMAIN\user" and "user@REALM" in their parts. In Kerberos' names, which are all of the second kind, a backslash escapes; it stays in the
 * account. */
static SECURITY_STATUS names_set(struct token_facts *facts, const struct token_request *request)
{
    bool principal = strcmp(request->package, "Kerberos") == 0;
    const char *client = request->client != NULL ? request->client : "";
    const char *slash = principal ? NULL : strchr(client, '\\');
    const char *at = principal ? realm_mark(client) : strrchr(client, '@');
    facts->domain = mem_strdup(request->authority);
    require(facts->domain != NULL || request->authority == NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (*client == '\0')
        return SEC_E_OK;
    if (slash == NULL && at != NULL) {
        facts->account = mem_dup(client, (size_t)(at - client));
        facts->principal = mem_strdup(client);
        require(facts->principal != NULL, SEC_E_INSUFFICIENT_MEMORY);
    } else
        facts->account = mem_strdup(slash != NULL ? slash + 1 : client);
    return facts->account != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static void usual_groups_add(struct token_facts *facts, const struct token_request *request)
{
    static const struct sid came_in[] = {
        [TOKEN_LOGON_NETWORK] = SID_OF(5, 2),
        [TOKEN_LOGON_INTERACTIVE] = SID_OF(5, 4),
        [TOKEN_LOGON_BATCH] = SID_OF(5, 3),
        [TOKEN_LOGON_SERVICE] = SID_OF(5, 6),
    };
    static const struct {
        const char *package;
        struct sid sid;
    } proved_by[] = {{"NTLM", SID_OF(5, 64, 10)}, {"WDigest", SID_OF(5, 64, 21)}};
    if (!facts->anonymous) { /* EveryoneIncludesAnonymous is off on Windows since XP */
        token_facts_put(facts, &WELL_KNOWN_EVERYONE, GROUP_USUAL);
        token_facts_put(facts, &WELL_KNOWN_USERS, GROUP_USUAL);
    }
    token_facts_put(facts, &came_in[request->logon], GROUP_USUAL);
    if (!facts->anonymous) {
        token_facts_put(facts, &WELL_KNOWN_AUTHENTICATED_USERS, GROUP_USUAL);
        token_facts_put(facts, &WELL_KNOWN_THIS_ORGANIZATION, GROUP_USUAL);
        for (size_t i = 0; i < COUNT_OF(proved_by); i++)
            if (strcmp(request->package, proved_by[i].package) == 0)
                token_facts_put(facts, &proved_by[i].sid, GROUP_USUAL);
    }
    token_facts_put(facts, &facts->logon_sid, GROUP_USUAL | GROUP_LOGON_ID);
}

/* A client that no SID names is the Unix user that it is mapped to. */
static SECURITY_STATUS unix_sids_set(struct token_facts *facts, const char *package)
{
    const struct unix_ids *ids = &facts->unix_ids;
    require(ids->known || facts->account != NULL,
            cause_set(SEC_E_NO_IMPERSONATION,
                      "%s says nothing of an account that its client has; certificates are not mapped to accounts",
                      package));
    require(ids->known, cause_set(SEC_E_NO_IMPERSONATION,
                                  "%s came without SIDs (a ticket without a Windows PAC), and no Unix user is it by "
                                  "name_domains in [access]",
                                  facts->account));
    facts->user = SID_OF_UID(ids->uid);
    facts->primary_group = SID_OF_GID(ids->gid);
    /* Room for them is not in the facts yet. */
    struct token_group *groups = mem_zalloc_array(ids->n_groups + 1 + GROUPS_ADDED, sizeof groups[0]);
    require(groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
    mem_free(facts->groups);
    facts->groups = groups;
    token_facts_add(facts, &facts->primary_group, GROUP_USUAL);
    for (size_t i = 0; i < ids->n_groups; i++)
        token_facts_add(facts, &SID_OF_GID(ids->groups[i]), GROUP_USUAL);
    return SEC_E_OK;
}

static SECURITY_STATUS client_ids_set(struct token_facts *facts, const struct client_identity *identity,
                                      const struct config *config)
{
    if (facts->anonymous) {
        const char *user = config->access_anonymous_user != NULL ? config->access_anonymous_user : ANONYMOUS_USER;
        try(name_service_user(user, &facts->unix_ids));
        unix_ids_root_refuse(config, &facts->unix_ids);
        return SEC_E_OK;
    }
    return unix_ids_find(config, identity, facts->account, facts->domain, &facts->unix_ids);
}

static SECURITY_STATUS client_facts(const struct token_request *request, const struct client_identity *identity,
                                    const struct config *config, struct token_facts *facts)
{
    source_set(facts, request->package);
    facts->expiry = request->expiry;
    facts->anonymous = identity->anonymous;
    try(names_set(facts, request));
    try(client_ids_set(facts, identity, config));
    if (identity->user.revision == 0)
        try(unix_sids_set(facts, request->package));
    else {
        facts->user = identity->user;
        facts->primary_group = client_primary_group(identity);
        for (size_t i = 0; i < identity->n_groups; i++)
            token_facts_add(facts, &identity->groups[i].sid, identity->groups[i].attributes);
    }
    if (facts->anonymous)
        facts->logon_id = LUID_ANONYMOUS;
    usual_groups_add(facts, request);
    return SEC_E_OK;
}

static SECURITY_STATUS token_finish(struct token_facts *facts, SECURITY_STATUS status, bool primary,
                                    SECURITY_IMPERSONATION_LEVEL level, const struct behalf *behalf,
                                    const struct token **token)
{
    if (status != SEC_E_OK) {
        token_facts_release(facts);
        return status;
    }
    const struct token *made = token_new(facts, primary, level, behalf);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *token = made;
    return SEC_E_OK;
}

SECURITY_STATUS token_of_client(const struct token_request *request, const struct config *config,
                                const struct token **token)
{
    struct client_identity identity = {.uid = -1, .gid = -1};
    struct token_facts *facts = NULL;
    if (request->identity.len > 0)
        require(client_identity_read(request->identity, &identity) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the client's identity in the session record is damaged"));
    SECURITY_STATUS status = token_facts_new(identity.n_groups + 1 + GROUPS_ADDED, &facts);
    if (status == SEC_E_OK) {
        status = client_facts(request, &identity, config, facts);
        SECURITY_IMPERSONATION_LEVEL level = identity.anonymous ? SecurityAnonymous : request->level;
        status = token_finish(facts, status, request->primary, level, request->behalf, token);
    }
    client_identity_release(&identity);
    return status;
}

SECURITY_STATUS token_of_nobody(const struct config *config, const struct token **token)
{
    struct token_facts *facts;
    try(token_facts_new(GROUPS_ADDED, &facts));
    const struct client_identity identity = {.user = SID_OF(5, 7), .uid = -1, .gid = -1, .anonymous = true};
    const struct token_request request = {.package = "OpenSSPI",
                                          .client = "NT AUTHORITY\\ANONYMOUS LOGON",
                                          .authority = "NT AUTHORITY",
                                          .expiry = facts->expiry};
    SECURITY_STATUS status = client_facts(&request, &identity, config, facts);
    return token_finish(facts, status, false, SecurityAnonymous, NULL, token);
}

/* What winbind calls this process's user and groups goes beside the Unix names of them. */
static SECURITY_STATUS process_sids(const struct config *config, const struct unix_ids *ids, struct token_facts *facts)
{
    facts->user = SID_OF_UID(ids->uid);
    facts->primary_group = SID_OF_GID(ids->gid);
    if (config->access_winbind) {
        struct sid sid = {0};
        try(winbind_sid_of_uid(config, ids->uid, &sid));
        if (sid.revision != 0) {
            facts->user = sid;
            token_facts_add(facts, &SID_OF_UID(ids->uid), GROUP_USUAL);
        }
    }
    token_facts_add(facts, &facts->primary_group, GROUP_USUAL);
    for (size_t i = 0; i < ids->n_groups; i++) {
        struct sid sid = {0};
        token_facts_add(facts, &SID_OF_GID(ids->groups[i]), GROUP_USUAL);
        if (config->access_winbind)
            try(winbind_sid_of_gid(config, ids->groups[i], &sid));
        if (sid.revision != 0)
            token_facts_add(facts, &sid, GROUP_USUAL);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS process_facts(const struct config *config, struct token_facts *facts)
{
    struct unix_ids ids = facts->unix_ids;
    source_set(facts, "OpenSSPI");
    try(token_facts_of_process(facts));
    facts->domain = mem_strdup(config->computer);
    require(facts->domain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(name_service_user_name(ids.uid, &facts->account, NULL));
    try(process_sids(config, &ids, facts));
    token_facts_put(facts, &WELL_KNOWN_EVERYONE, GROUP_USUAL);
    token_facts_put(facts, &WELL_KNOWN_USERS, GROUP_USUAL);
    if (ids.uid == 0) /* who asks whether it is an administrator means this */
        token_facts_put(facts, &WELL_KNOWN_ADMINISTRATORS, GROUP_USUAL);
    token_facts_put(facts, &WELL_KNOWN_LOCAL, GROUP_USUAL);
    token_facts_put(facts, &WELL_KNOWN_AUTHENTICATED_USERS, GROUP_USUAL);
    token_facts_put(facts, &facts->logon_sid, GROUP_USUAL | GROUP_LOGON_ID);
    return SEC_E_OK;
}

SECURITY_STATUS token_of_process(const struct config *config, const struct token **token)
{
    struct unix_ids ids = {0};
    struct token_facts *facts = NULL;
    try(unix_ids_of_thread(&ids));
    SECURITY_STATUS status = token_facts_new(2 * ids.n_groups + 2 + GROUPS_ADDED, &facts);
    if (status != SEC_E_OK) {
        unix_ids_release(&ids);
        return status;
    }
    facts->unix_ids = ids;
    return token_finish(facts, process_facts(config, facts), true, SecurityAnonymous, NULL, token);
}
