/*
 * What an established HTTP context wants of its key: the response over a later request, or a verdict on one that came. Whoever has the key answers:
 * the session itself, or the daemon that kept it (docs/lsa-protocol.md). A question is about the context's own nonce, realm and name, which are part
 * of what the daemon sealed: nobody has other texts hashed with a key.
 */
#ifndef OPENSSPI_DIGEST_QUESTION_H
#define OPENSSPI_DIGEST_QUESTION_H

#include "digest/terms.h"
#include <sspi.h>

struct digest_question {
    bool check; /* is `response` right? Else: make one */
    bool
        counts; /* a server's check: the session takes the count, and where the response is right the nonce is to take it too */
    uint32_t nc;
    struct digest_request request; /* method and URI of a request; of what a server proves itself with the URI */
    struct slice cnonce;           /* the client's nonce that a server heard; a client has its own in its terms */
    struct slice response;         /* hexadecimal digits */
};

/* By whoever has the key. SEC_E_OK: the response is right, or `hex` has one. SEC_E_MESSAGE_ALTERED: it is wrong. Of counts SEC_E_OUT_OF_SEQUENCE (a
 * replay), SEC_E_CONTEXT_EXPIRED (the nonce is another process's, stale or forgotten). SEC_E_INVALID_TOKEN: this is no question for these terms. */
SECURITY_STATUS digest_question_answer(const struct digest_terms *terms, const struct digest_question *question,
                                       char hex[DIGEST_HEX_MAX]);

/* What is sealed for later questions: the terms with their key. */
void digest_kept_write(struct writer *kept, const struct digest_terms *terms);
/* Asks whoever sealed it; as digest_question_answer, and the statuses of session_ask (core/session.h). */
SECURITY_STATUS digest_question_ask(struct slice sealed, const struct digest_question *question,
                                    char hex[DIGEST_HEX_MAX]);
/* The authority's side: package_authority.answer. */
SECURITY_STATUS digest_answer(struct slice kept, struct slice asked, struct writer *answer);

#endif
