/*
 * An established Digest context: responses to later requests (HTTP), or protected messages (SASL).
 */
#ifndef OPENSSPI_DIGEST_SESSION_H
#define OPENSSPI_DIGEST_SESSION_H

#include "core/package.h"
#include "digest/terms.h"

/* Digest's part of a session record: the terms, and what the security authority sealed of them where terms->asks; a context that moves writes the
 * state of its counts and ciphers behind them. */
void digest_session_seed_write(struct writer *own, const struct digest_terms *terms, struct slice sealed);

/* SIZES and KEY_INFO, which need no session. */
SECURITY_STATUS digest_attribute(bool http, enum digest_qop qop, enum digest_cipher cipher,
                                 const struct digest_scheme *scheme, uint32_t attribute, struct attribute *value);

extern const struct package_session digest_session_table;

#endif
