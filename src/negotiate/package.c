#include "negotiate/package.h"

#include "negotiate/credential.h"
#include "negotiate/handshake.h"
#include "negotiate/session.h"

static const struct package_authority negotiate_authority_table = {
    .acquire = negotiate_acquire,
    .release = negotiate_release,
    .initiate = negotiate_initiate,
    .accept = negotiate_accept,
    .accept_may_wait = negotiate_accept_may_wait,
    .abandon = negotiate_abandon,
    .query_credential = negotiate_query_credential,
    .set_credential = negotiate_set_credential,
    .query_handshake = negotiate_query_handshake,
    .complete = negotiate_complete,
    .change_password = negotiate_change_password,
    .wrap = negotiate_wrap,
    .part = negotiate_part,
};

/* Windows 10 reports 0x00883BB3. Its low half is the floor that programs test for; RESTRICTED_TOKENS and APPCONTAINER_CHECKS speak of things that
 * are not here (docs/deviations.md). */
#define NEGOTIATE_CAPABILITIES                                                                                         \
    (SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MULTI_REQUIRED |               \
     SECPKG_FLAG_EXTENDED_ERROR | SECPKG_FLAG_IMPERSONATION | SECPKG_FLAG_ACCEPT_WIN32_NAME | SECPKG_FLAG_NEGOTIABLE | \
     SECPKG_FLAG_GSS_COMPATIBLE | SECPKG_FLAG_LOGON)

const struct package negotiate_package = {
    .info =
        {
            .name = "Negotiate",
            .comment = "Microsoft Package Negotiator",
            .capabilities = NEGOTIATE_CAPABILITIES,
            .rpc_id = 9,
            .max_token = 48256,
            .takes_identity = true,
            .chooses = true,
        },
    .authority = &negotiate_authority_table,
    .session = &negotiate_session_table,
};
