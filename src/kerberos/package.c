#include "kerberos/package.h"

#include "kerberos/behalf.h"
#include "kerberos/cache.h"
#include "kerberos/credential.h"
#include "kerberos/handshake.h"
#include "kerberos/session.h"
#include "kerberos/settings.h"

static const struct package_authority kerberos_authority_table = {
    .acquire = kerberos_acquire,
    .release = kerberos_release,
    .initiate = kerberos_initiate,
    .accept = kerberos_accept,
    .abandon = kerberos_abandon,
    .only_computes = kerberos_only_computes,
    .accept_may_wait = kerberos_accept_may_wait,
    .query_credential = kerberos_query_credential,
    .set_credential = kerberos_set_credential,
    .query_handshake = kerberos_query_handshake,
    .change_password = kerberos_change_password,
    .acquire_delegated = kerberos_delegated_acquire,
    .keep = kerberos_keep,
    .acquire_s4u = kerberos_s4u_acquire,
    .tickets = kerberos_tickets,
};

/* Windows 10 reports 0x028F3BBF, of which 0x73BBF is the floor that programs test for. Clear here: RESTRICTED_TOKENS, APPCONTAINER_CHECKS and
 * APPLY_LOOPBACK (docs/deviations.md). */
#define KERBEROS_CAPABILITIES 0x00073BBFu

static const uint8_t request_start[] = {0x6e}; /* AP-REQ is [APPLICATION 14] (RFC 4120 5.5.1) */

const struct package kerberos_package = {
    .info =
        {
            .name = "Kerberos",
            .comment = "Microsoft Kerberos V1.0",
            .capabilities = KERBEROS_CAPABILITIES,
            .rpc_id = 16,
            .max_token = KERBEROS_TOKEN_MAX,
            .takes_identity = true,
            /* the name that was a slip stays the first */
            .mech = {.oid = {{krb_oid_ms, sizeof krb_oid_ms}, {krb_oid, sizeof krb_oid}},
                     .raw_start = {request_start, sizeof request_start}},
        },
    .authority = &kerberos_authority_table,
    .session = &kerberos_session_table,
};
