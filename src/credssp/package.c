#include "credssp/package.h"

#include "credssp/credential.h"
#include "credssp/handshake.h"
#include "credssp/session.h"
#include <credssp.h>

static const struct package_authority credssp_authority_table = {
    .acquire = credssp_acquire,
    .release = credssp_release,
    .initiate = credssp_initiate,
    .accept = credssp_accept,
    .abandon = credssp_abandon,
    .query_credential = credssp_query_credential,
    .set_credential = credssp_set_credential,
    .query_handshake = credssp_query_handshake,
    .control = credssp_control,
};

/* Windows 10 reports 0x00810733; APPCONTAINER_CHECKS speaks of what Linux has not (docs/deviations.md). */
#define CREDSSP_CAPABILITIES                                                                             \
    (SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MULTI_REQUIRED | \
     SECPKG_FLAG_IMPERSONATION | SECPKG_FLAG_ACCEPT_WIN32_NAME | SECPKG_FLAG_STREAM | SECPKG_FLAG_MUTUAL_AUTH)
_Static_assert(CREDSSP_CAPABILITIES == 0x10733, "what Windows reports, without APPCONTAINER_CHECKS");

const struct package credssp_package = {
    .info =
        {
            .name = CREDSSP_NAME_A,
            .comment = "Microsoft CredSSP Security Provider",
            .capabilities = CREDSSP_CAPABILITIES,
            .rpc_id = 0xFFFF, /* SECPKG_ID_NONE: RPC does not know it */
            .max_token = CREDSSP_TOKEN_MAX,
            .identity_in = credssp_identity_in,
            .chooses = true,
        },
    .authority = &credssp_authority_table,
    .session = &credssp_session_table,
};

/* What Windows reports is 0x00810230; the bit left out is the same. */
#define TSSSP_CAPABILITIES \
    (SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MULTI_REQUIRED | SECPKG_FLAG_ACCEPT_WIN32_NAME | SECPKG_FLAG_MUTUAL_AUTH)
_Static_assert(TSSSP_CAPABILITIES == 0x10230, "what Windows reports, without APPCONTAINER_CHECKS");

const struct package tsssp_package = {
    .info =
        {
            .name = TS_SSP_NAME_A,
            .comment = "TS Service Security Package",
            .capabilities = TSSSP_CAPABILITIES,
            .rpc_id = 22,
            .max_token = TSSSP_TOKEN_MAX,
            .max_input = CREDSSP_TOKEN_MAX, /* of the same TSRequests */
            .identity_in = credssp_identity_in,
            .chooses = true,
        },
    .authority = &credssp_authority_table,
    .session = &credssp_session_table,
};
