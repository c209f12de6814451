#include "kerberos/package.h"

#include "kerberos/behalf.h"
#include "kerberos/credential.h"
#include "kerberos/handshake.h"
#include "kerberos/session.h"

static const struct package_authority kerberos_authority_table = {
    .acquire = kerberos_acquire,
    .release = kerberos_release,
    .initiate = kerberos_initiate,
    .accept = kerberos_accept,
    .abandon = kerberos_handshake_free,
    .query_credential = kerberos_query_credential,
    .query_handshake = kerberos_query_handshake,
    .change_password = kerberos_change_password,
    .acquire_delegated = kerberos_delegated_acquire,
    .acquire_s4u = kerberos_s4u_acquire,
};

/* Windows 10 reports 0x028F3BBF, of which 0x73BBF is the floor that programs test for. Clear here: RESTRICTED_TOKENS, APPCONTAINER_CHECKS and
 * APPLY_LOOPBACK (docs/deviations.md). */
#define KERBEROS_CAPABILITIES 0x00073BBFu

const struct package kerberos_package = {
    .info =
        {
            .name = "Kerberos",
            .comment = "Microsoft Kerberos V1.0",
            .capabilities = KERBEROS_CAPABILITIES,
            .rpc_id = 16,
            .max_token = 48000,
            .takes_identity = true,
        },
    .authority = &kerberos_authority_table,
    .session = &kerberos_session_table,
};
