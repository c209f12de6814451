/*
 * The access token of a context's client.
 */
#ifndef OPENSSPI_API_CONTEXT_TOKEN_H
#define OPENSSPI_API_CONTEXT_TOKEN_H

#include "access/token.h"
#include "core/objects.h"

/* One reference of the client's token, made when first asked for; token_release it. SEC_E_NO_IMPERSONATION when there is none. */
SECURITY_STATUS context_token(struct context *context, const struct token **token);
/* The handle that stays the context's (SECPKG_ATTR_ACCESS_TOKEN). */
SECURITY_STATUS context_token_shown(struct context *context, void **handle);

#endif
