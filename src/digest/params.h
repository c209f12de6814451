/*
 * SECBUFFER_PKG_PARAMS as Digest gives them a meaning: a request's method, its URL, the hash of its body.
 */
#ifndef OPENSSPI_DIGEST_PARAMS_H
#define OPENSSPI_DIGEST_PARAMS_H

#include "digest/terms.h"
#include <sspi.h>

/* A buffer's text, without NULs at its end; `what` is the buffer's name for the cause. SEC_E_INVALID_TOKEN for control characters. */
SECURITY_STATUS digest_text(struct slice given, const char *what, struct slice *text);
#define DIGEST_PARAMS 3 /* that are such text */
/* The text of one of them; empty where there is none. */
SECURITY_STATUS digest_param(const struct slice *params, unsigned n_params, unsigned index, struct slice *text);
/* A request's method, which there has to be. SEC_E_INVALID_TOKEN, also for a colon in it, which no method has: with one a response would be over two
 * requests. */
SECURITY_STATUS digest_method_check(struct slice method);
/* The hash of a body as the caller gives it: hexadecimal digits of the algorithm's length, or nothing. SEC_E_INVALID_TOKEN. */
SECURITY_STATUS digest_entity_check(const struct digest_terms *terms, struct slice entity);
/* The first three buffers as a request, each of which may be empty ("MakeSignature"). SEC_E_INVALID_TOKEN. */
SECURITY_STATUS digest_request_read(const struct digest_terms *terms, const struct slice *params, unsigned n_params,
                                    struct digest_request *request);

#endif
