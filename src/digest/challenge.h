/*
 * Challenges: which one a client takes, and what a server writes.
 */
#ifndef OPENSSPI_DIGEST_CHALLENGE_H
#define OPENSSPI_DIGEST_CHALLENGE_H

#include "digest/handshake.h"

/* A server's challenge as a client takes it. */
struct challenge {
    struct directives directives;
    const struct digest_scheme *scheme;
    enum digest_qop qop;
    enum digest_cipher cipher;
    uint32_t peer_max;
    bool utf8, userhash, stale;
};
void challenge_release(struct challenge *challenge);
#define AUTO_CHALLENGE __attribute__((cleanup(challenge_release)))

/* The strongest of the challenges in a token that this client may answer. SEC_E_OK; SEC_E_INVALID_TOKEN; SEC_E_QOP_NOT_SUPPORTED;
 * SEC_E_UNSUPPORTED_FUNCTION. */
SECURITY_STATUS challenge_choose(const struct digest_handshake *handshake, struct slice token,
                                 struct challenge *challenge);

/* What a server's flags ask for: bit n is enum digest_qop n. */
unsigned challenge_qops(const struct digest_handshake *handshake);
/* Writes a challenge with a fresh nonce, which the handshake keeps. */
SECURITY_STATUS challenge_write(struct digest_handshake *handshake, bool stale, struct writer *token);

#endif
