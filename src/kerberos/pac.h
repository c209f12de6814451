/*
 * The privilege attribute certificate (MS-PAC) that domain controllers put into tickets: who the client is and in which groups.
 *
 * Nothing here checks a signature. What a PAC says counts for something only once the authority has verified its server
 * signature with the service's own key (pac_verify.h); before that the decoder only promises to survive it.
 */
#ifndef OPENSSPI_KERBEROS_PAC_H
#define OPENSSPI_KERBEROS_PAC_H

#include "access/client_identity.h"

#define PAC_BUFFERS_MAX 64 /* MS-PAC 2.4 knows 19 types, each at most once; the rest is room for new ones */
#define PAC_GROUPS_MAX CLIENT_GROUPS_MAX /* in each of the three lists: no token could hold more */

/* MS-PAC 2.4: the ulType values read here. Others, known or not, are ignored. */
enum pac_type {
    PAC_LOGON_INFO = 1,
    PAC_SERVER_CHECKSUM = 6,
    PAC_KDC_CHECKSUM = 7,
    PAC_CLIENT_INFO = 10,
    PAC_UPN_DNS_INFO = 12,
    PAC_TICKET_CHECKSUM = 16,
    PAC_ATTRIBUTES_INFO = 17,
    PAC_REQUESTOR = 18,
    PAC_FULL_CHECKSUM = 19,
    PAC_TYPE_LAST = 19, /* the largest the specification names */
};

/* MS-PAC 2.5, UserFlags: the two that say which lists count. */
#define PAC_USER_EXTRA_SIDS 0x0020u
#define PAC_USER_RESOURCE_GROUPS 0x0200u

/* GROUP_MEMBERSHIP, MS-PAC 2.2.2 */
struct pac_group {
    uint32_t rid, attributes;
};

/* KERB_SID_AND_ATTRIBUTES, MS-PAC 2.2.1 */
struct pac_sid {
    struct sid sid;
    uint32_t attributes;
};

/* KERB_VALIDATION_INFO, MS-PAC 2.5. Times are FILETIMEs as they came: INT64_MAX is never, 0 not set. */
struct pac_logon_info {
    int64_t logon_time, logoff_time, kick_off_time;
    int64_t password_last_set, password_can_change, password_must_change;
    int64_t last_successful_logon, last_failed_logon;
    char *user_name, *domain_name,
        *logon_server; /* EffectiveName, LogonDomainName, LogonServer; UTF-8, "" when absent */
    /* UTF-16LE in the PAC, perhaps not well formed: nothing is decided by them. */
    struct slice full_name, logon_script, profile_path, home_directory, home_directory_drive;
    uint16_t logon_count, bad_password_count;
    uint32_t failed_logon_count;
    uint32_t user_id, primary_group_id, user_flags, user_account_control, sub_auth_status;
    bool has_domain_sid, has_resource_domain_sid;
    struct sid domain_sid, resource_domain_sid;
    struct pac_group *groups, *resource_groups; /* arrays of mem_zalloc_array, NULL when empty */
    struct pac_sid *extra_sids;
    size_t n_groups, n_resource_groups, n_extra_sids;
};

/* PAC_CLIENT_INFO, MS-PAC 2.7 */
struct pac_client_info {
    int64_t auth_time; /* of the initial ticket; must be the ticket's authtime */
    char *name;        /* must be the ticket's client name; kerberos_pac_verify compares both */
};

/* UPN_DNS_INFO, MS-PAC 2.10 */
struct pac_upn_info {
    uint32_t flags;
    bool constructed; /* the account has no userPrincipalName: the UPN is sAMAccountName@domain */
    bool extended;    /* sam_name and sid are there */
    char *upn, *dns_domain, *sam_name;
    struct sid sid;
};

/* PAC_SIGNATURE_DATA, MS-PAC 2.8 */
struct pac_signature {
    uint32_t type; /* krb5 checksum type, as unsigned: 0xffffff76 is HMAC-MD5 */
    struct slice checksum;
    bool has_rodc_id;
    uint16_t rodc_id;
};

/* What of the parts is there, has_* says. */
struct pac {
    bool has_logon_info, has_client_info, has_upn_info, has_requestor, has_attributes;
    bool has_server_checksum, has_kdc_checksum, has_ticket_checksum, has_full_checksum;
    struct pac_logon_info logon_info;
    struct pac_client_info client_info;
    struct pac_upn_info upn_info;
    struct sid requestor; /* PAC_REQUESTOR, MS-PAC 2.15 */
    uint32_t attributes;  /* PAC_ATTRIBUTES_INFO, MS-PAC 2.14: the first 32 flags */
    struct pac_signature server_checksum, kdc_checksum, ticket_checksum, full_checksum;
};

/* Decodes a whole PAC. Its slices borrow from `bytes`; its texts and lists are its own: release it. WIRE_BAD for anything out
 * of bounds, a part given twice, text that is not UTF-16, a limit passed, or no memory; then `pac` is untouched.
 * No part is demanded: an MIT KDC sends no PAC_LOGON_INFO, and what must be there is the authority's decision. */
MUST_USE enum wire_result pac_decode(struct slice bytes, struct pac *pac);
void pac_release(struct pac *pac);

/* The NDR of one PAC_LOGON_INFO buffer, on the same terms. */
MUST_USE enum wire_result pac_logon_info_decode(struct slice bytes, struct pac_logon_info *info);
void pac_logon_info_release(struct pac_logon_info *info);

/* Makes of a verified PAC what an access token is built from (MS-PAC 2.5, MS-KILE 3.4.5.3): the user's SID, and each
 * group of the account's domain, extra SID and resource group once. Lists whose flag is not set in UserFlags do not
 * count. Users and groups of this machine are not known here: uid and gids are -1. Well-known groups that every token
 * gets (Everyone, …) are the token's business.
 * WIRE_BAD without PAC_LOGON_INFO, without a user's SID, when another part of the PAC names another SID for the client,
 * past CLIENT_GROUPS_MAX groups, or without memory; then `identity` is untouched. Release it with
 * client_identity_release. */
MUST_USE enum wire_result pac_to_identity(const struct pac *pac, struct client_identity *identity);

#endif
