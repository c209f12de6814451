/*
 * Handles of tokens, with the rights that each was opened for.
 */
#ifndef OPENSSPI_ACCESS_TOKEN_HANDLE_H
#define OPENSSPI_ACCESS_TOKEN_HANDLE_H

#include "access/token.h"
#include "core/handle.h"

/* TOKEN_* of winnt.h */
#define TOKEN_RIGHT_DUPLICATE 0x2u
#define TOKEN_RIGHT_IMPERSONATE 0x4u
#define TOKEN_RIGHT_QUERY 0x8u
#define TOKEN_RIGHT_QUERY_SOURCE 0x10u
#define TOKEN_RIGHTS_ALL 0xF01FFu

struct token_opened {
    const struct token *token;
    uint32_t rights;
};

/* Takes over one reference of the token, also on failure. Generic rights and MAXIMUM_ALLOWED become what they stand for. SEC_E_INSUFFICIENT_MEMORY.
 * */
SECURITY_STATUS token_handle_create(const struct token *token, uint32_t rights, SecHandle *handle);
/* The token behind a HANDLE, held while `ref` is (AUTO_HANDLE). SEC_E_INVALID_HANDLE. */
SECURITY_STATUS token_handle_get(const void *handle, struct handle_ref *ref, const struct token_opened **opened);

#endif
