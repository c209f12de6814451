#include "digest/package.h"

#include "digest/credential.h"
#include "digest/handshake.h"
#include "digest/question.h"
#include "digest/session.h"

static const struct package_authority digest_authority_table = {
    .acquire = digest_acquire,
    .release = digest_release,
    .initiate = digest_initiate,
    .accept = digest_accept,
    .accept_may_wait = digest_accept_may_wait,
    .abandon = digest_abandon,
    .query_credential = digest_query_credential,
    .query_handshake = digest_query_handshake,
    .answer = digest_answer,
};

/* Windows 10 reports 0x00800304: these and APPCONTAINER_CHECKS, which speaks of things that are not here. */
#define DIGEST_CAPABILITIES (SECPKG_FLAG_TOKEN_ONLY | SECPKG_FLAG_IMPERSONATION | SECPKG_FLAG_ACCEPT_WIN32_NAME)

const struct package digest_package = {
    .info =
        {
            .name = "WDigest",
            .comment = "Digest Authentication for Windows",
            .capabilities = DIGEST_CAPABILITIES,
            .rpc_id = 21,
            .max_token = DIGEST_TOKEN_MAX,
            .takes_identity = true,
            .tells_state = true, /* "QueryContextAttributes (Digest)" */
        },
    .authority = &digest_authority_table,
    .session = &digest_session_table,
};
