#include "ntlm/package.h"

#include "ntlm/credential.h"
#include "ntlm/handshake.h"
#include "ntlm/response.h"
#include "ntlm/session.h"

static const struct package_authority ntlm_authority_table = {
    .acquire = ntlm_acquire,
    .release = ntlm_release,
    .initiate = ntlm_initiate,
    .accept = ntlm_accept,
    .accept_may_wait = ntlm_accept_may_wait,
    .abandon = ntlm_abandon,
    .query_credential = ntlm_query_credential,
    .query_handshake = ntlm_query_handshake,
    .change_password = ntlm_change_password,
    .prove_response = ntlm_prove_response,
    .keep = ntlm_keep,
    .acquire_delegated = ntlm_acquire_kept,
};

/* Windows 10 reports 0x02882B37. Its low half is the floor that programs test for; of its high half, RESTRICTED_TOKENS, APPCONTAINER_CHECKS and
 * APPLY_LOOPBACK speak of things that are not here. Datagram contexts work; Windows has them too, and no DATAGRAM here. */
#define NTLM_CAPABILITIES                                                                                              \
    (SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_TOKEN_ONLY | SECPKG_FLAG_CONNECTION |                   \
     SECPKG_FLAG_MULTI_REQUIRED | SECPKG_FLAG_IMPERSONATION | SECPKG_FLAG_ACCEPT_WIN32_NAME | SECPKG_FLAG_NEGOTIABLE | \
     SECPKG_FLAG_LOGON)

static const uint8_t oid_ntlm[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                   0x82, 0x37, 0x02, 0x02, 0x0a}; /* 1.3.6.1.4.1.311.2.2.10 */
static const uint8_t message_start[] = "NTLMSSP";                 /* with its NUL */

const struct package ntlm_package = {
    .info =
        {
            .name = "NTLM",
            .comment = "NTLM Security Package",
            .capabilities = NTLM_CAPABILITIES,
            .rpc_id = 10,
            .max_token = NTLM_MESSAGE_MAX,
            .takes_identity = true,
            .mech = {.oid = {{oid_ntlm, sizeof oid_ntlm}}, .raw_start = {message_start, sizeof message_start}},
        },
    .authority = &ntlm_authority_table,
    .session = &ntlm_session_table,
};
