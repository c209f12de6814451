/* KERB_VALIDATION_INFO (MS-PAC 2.5): fields where they stand, then what their pointers defer, in the same order. */
#include "kerberos/pac.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "wire/ndr.h"

#define SESSION_KEY_LEN 16       /* USER_SESSION_KEY; zero in Kerberos */
#define GROUP_LEN 8              /* RelativeId, Attributes */
#define SID_AND_ATTRIBUTES_LEN 8 /* referent id, Attributes; the SID is deferred */
#define N_RESERVED1 2

enum {
    EFFECTIVE_NAME,
    FULL_NAME,
    LOGON_SCRIPT,
    PROFILE_PATH,
    HOME_DIRECTORY,
    HOME_DRIVE,
    LOGON_SERVER,
    DOMAIN_NAME,
    N_STRINGS
};

/* What the fixed part says about the deferred one. */
struct deferred {
    struct ndr_string strings[N_STRINGS];
    uint32_t n_groups, n_extra_sids, n_resource_groups;
    bool groups, domain_sid, extra_sids, resource_domain_sid, resource_groups;
};

static enum wire_result times_read(struct ndr *ndr, struct pac_logon_info *info)
{
    try(ndr_filetime(ndr, &info->logon_time));
    try(ndr_filetime(ndr, &info->logoff_time));
    try(ndr_filetime(ndr, &info->kick_off_time));
    try(ndr_filetime(ndr, &info->password_last_set));
    try(ndr_filetime(ndr, &info->password_can_change));
    return ndr_filetime(ndr, &info->password_must_change);
}

/* A count and the pointer to its array: they tell of nothing or of something together. */
static enum wire_result count_read(struct ndr *ndr, uint32_t *count, bool *present)
{
    try(ndr_u32(ndr, count));
    try(ndr_pointer(ndr, present));
    require(*count <= PAC_GROUPS_MAX && (*present || *count == 0), WIRE_BAD);
    return WIRE_OK;
}

/* From LogonTime to GroupIds. */
static enum wire_result account_read(struct ndr *ndr, struct pac_logon_info *info, struct deferred *deferred)
{
    try(times_read(ndr, info));
    for (size_t i = EFFECTIVE_NAME; i <= HOME_DRIVE; i++)
        try(ndr_string_header(ndr, &deferred->strings[i]));
    try(ndr_u16(ndr, &info->logon_count));
    try(ndr_u16(ndr, &info->bad_password_count));
    try(ndr_u32(ndr, &info->user_id));
    try(ndr_u32(ndr, &info->primary_group_id));
    return count_read(ndr, &deferred->n_groups, &deferred->groups);
}

/* From UserFlags to ResourceGroupIds. */
static enum wire_result domain_read(struct ndr *ndr, struct pac_logon_info *info, struct deferred *deferred)
{
    struct slice session_key;
    uint32_t reserved;

    try(ndr_u32(ndr, &info->user_flags));
    try(ndr_bytes(ndr, SESSION_KEY_LEN, &session_key));
    try(ndr_string_header(ndr, &deferred->strings[LOGON_SERVER]));
    try(ndr_string_header(ndr, &deferred->strings[DOMAIN_NAME]));
    try(ndr_pointer(ndr, &deferred->domain_sid));
    for (size_t i = 0; i < N_RESERVED1; i++)
        try(ndr_u32(ndr, &reserved));
    try(ndr_u32(ndr, &info->user_account_control));
    try(ndr_u32(ndr, &info->sub_auth_status));
    try(ndr_filetime(ndr, &info->last_successful_logon));
    try(ndr_filetime(ndr, &info->last_failed_logon));
    try(ndr_u32(ndr, &info->failed_logon_count));
    try(ndr_u32(ndr, &reserved));
    try(count_read(ndr, &deferred->n_extra_sids, &deferred->extra_sids));
    try(ndr_pointer(ndr, &deferred->resource_domain_sid));
    return count_read(ndr, &deferred->n_resource_groups, &deferred->resource_groups);
}

/* RPC_SID (MS-DTYP 2.4.2.3): a conformant structure, so the count of its array stands before it (C706 14.3.7.1). */
static enum wire_result sid_body(struct ndr *ndr, struct sid *sid)
{
    struct sid read;
    uint32_t max_count;

    try(ndr_u32(ndr, &max_count));
    try(sid_read(&ndr->reader, &read));
    require(max_count == read.n_subauthorities, WIRE_BAD);
    *sid = read;
    return WIRE_OK;
}

static enum wire_result optional_sid_body(struct ndr *ndr, bool present, struct sid *sid, bool *has_sid)
{
    if (present)
        try(sid_body(ndr, sid));
    *has_sid = present;
    return WIRE_OK;
}

static enum wire_result groups_body(struct ndr *ndr, bool present, uint32_t count, struct pac_group **groups,
                                    size_t *n_groups)
{
    AUTO_FREE struct pac_group *read = NULL;

    if (!present)
        return WIRE_OK;
    try(ndr_array(ndr, count, PAC_GROUPS_MAX, GROUP_LEN));
    if (count == 0)
        return WIRE_OK;
    read = mem_zalloc_array(count, sizeof(read[0]));
    require(read != NULL, WIRE_BAD);
    for (size_t i = 0; i < count; i++) {
        try(ndr_u32(ndr, &read[i].rid));
        try(ndr_u32(ndr, &read[i].attributes));
    }
    *groups = STEAL(read);
    *n_groups = count;
    return WIRE_OK;
}

/* All elements, then all their SIDs. */
static enum wire_result extra_sids_body(struct ndr *ndr, bool present, uint32_t count, struct pac_logon_info *info)
{
    AUTO_FREE struct pac_sid *read = NULL;
    bool has_sid;

    if (!present)
        return WIRE_OK;
    try(ndr_array(ndr, count, PAC_GROUPS_MAX, SID_AND_ATTRIBUTES_LEN));
    if (count == 0)
        return WIRE_OK;
    read = mem_zalloc_array(count, sizeof(read[0]));
    require(read != NULL, WIRE_BAD);
    for (size_t i = 0; i < count; i++) {
        try(ndr_pointer(ndr, &has_sid));
        require(has_sid, WIRE_BAD);
        try(ndr_u32(ndr, &read[i].attributes));
    }
    for (size_t i = 0; i < count; i++)
        try(sid_body(ndr, &read[i].sid));
    info->extra_sids = STEAL(read);
    info->n_extra_sids = count;
    return WIRE_OK;
}

static enum wire_result text_body(struct ndr *ndr, const struct ndr_string *string, char **text)
{
    struct slice utf16;

    try(ndr_string_body(ndr, string, &utf16));
    return utf16le_to_text(utf16, text);
}

static enum wire_result deferred_read(struct ndr *ndr, const struct deferred *deferred, struct pac_logon_info *info)
{
    const struct ndr_string *strings = deferred->strings;

    try(text_body(ndr, &strings[EFFECTIVE_NAME], &info->user_name));
    try(ndr_string_body(ndr, &strings[FULL_NAME], &info->full_name));
    try(ndr_string_body(ndr, &strings[LOGON_SCRIPT], &info->logon_script));
    try(ndr_string_body(ndr, &strings[PROFILE_PATH], &info->profile_path));
    try(ndr_string_body(ndr, &strings[HOME_DIRECTORY], &info->home_directory));
    try(ndr_string_body(ndr, &strings[HOME_DRIVE], &info->home_directory_drive));
    try(groups_body(ndr, deferred->groups, deferred->n_groups, &info->groups, &info->n_groups));
    try(text_body(ndr, &strings[LOGON_SERVER], &info->logon_server));
    try(text_body(ndr, &strings[DOMAIN_NAME], &info->domain_name));
    try(optional_sid_body(ndr, deferred->domain_sid, &info->domain_sid, &info->has_domain_sid));
    try(extra_sids_body(ndr, deferred->extra_sids, deferred->n_extra_sids, info));
    try(optional_sid_body(ndr, deferred->resource_domain_sid, &info->resource_domain_sid,
                          &info->has_resource_domain_sid));
    return groups_body(ndr, deferred->resource_groups, deferred->n_resource_groups, &info->resource_groups,
                       &info->n_resource_groups);
}

/* Whatever of it was read before a failure is in `info`. */
static enum wire_result fields_read(struct slice bytes, struct pac_logon_info *info)
{
    struct deferred deferred = {0};
    struct ndr ndr;
    bool present;

    try(ndr_open(bytes, &ndr));
    /* What is serialized is a pointer to the structure (MS-PAC 2.5). */
    try(ndr_pointer(&ndr, &present));
    require(present, WIRE_BAD);
    try(account_read(&ndr, info, &deferred));
    try(domain_read(&ndr, info, &deferred));
    try(deferred_read(&ndr, &deferred, info));
    return ndr_end(&ndr);
}

enum wire_result pac_logon_info_decode(struct slice bytes, struct pac_logon_info *info)
{
    struct pac_logon_info read = {0};

    if (fields_read(bytes, &read) != WIRE_OK) {
        pac_logon_info_release(&read);
        return WIRE_BAD;
    }
    *info = read;
    return WIRE_OK;
}

void pac_logon_info_release(struct pac_logon_info *info)
{
    if (info == NULL)
        return;
    mem_free(info->user_name);
    mem_free(info->domain_name);
    mem_free(info->logon_server);
    mem_free(info->groups);
    mem_free(info->resource_groups);
    mem_free(info->extra_sids);
    *info = (struct pac_logon_info){0};
}
