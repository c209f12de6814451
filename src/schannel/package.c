#include "schannel/package.h"

#include "schannel/connection.h"
#include "schannel/credential.h"
#include "schannel/session.h"

static const struct package_authority schannel_authority_table = {
    .acquire = schannel_acquire,
    .release = schannel_release,
    .initiate = schannel_initiate,
    .accept = schannel_accept,
    .abandon = schannel_abandon,
    .query_credential = schannel_query_credential,
    .set_credential = schannel_set_credential,
    .query_handshake = schannel_query_handshake,
    .set_handshake = schannel_set_handshake,
    .control = schannel_control,
    .forget = session_cache_forget,
};

/* Windows 10 reports 0x004107B3; its APPCONTAINER_PASSTHROUGH speaks of what Linux has not (docs/deviations.md). */
#define SCHANNEL_CAPABILITIES                                                                                      \
    (SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MULTI_REQUIRED |           \
     SECPKG_FLAG_EXTENDED_ERROR | SECPKG_FLAG_IMPERSONATION | SECPKG_FLAG_ACCEPT_WIN32_NAME | SECPKG_FLAG_STREAM | \
     SECPKG_FLAG_MUTUAL_AUTH)
_Static_assert(SCHANNEL_CAPABILITIES == 0x107B3, "the floor that programs test for");

#define SCHANNEL_PACKAGE(NAME)                                                      \
    {                                                                               \
        .info =                                                                     \
            {                                                                       \
                .name = (NAME),                                                     \
                .comment = "Schannel Security Package",                             \
                .capabilities = SCHANNEL_CAPABILITIES,                              \
                .rpc_id = UNISP_RPC_ID,                                             \
                .max_token = 24576,                                                 \
            },                                                                      \
        .authority = &schannel_authority_table, .session = &schannel_session_table, \
    }

const struct package schannel_package = SCHANNEL_PACKAGE(SCHANNEL_NAME_A);
const struct package schannel_unified_package = SCHANNEL_PACKAGE(UNISP_NAME_A);
const struct package schannel_default_package = SCHANNEL_PACKAGE(DEFAULT_TLS_SSP_NAME_A);
