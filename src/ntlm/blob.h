/*
 * What an NTLMv2 response says besides its proof (NTLMv2_CLIENT_CHALLENGE, MS-NLMP 2.2.2.7), and what a server holds it to (3.2.5.1.2).
 */
#ifndef OPENSSPI_NTLM_BLOB_H
#define OPENSSPI_NTLM_BLOB_H

#include "core/config.h"
#include "ntlm/messages.h"
#include <sspi.h>

struct ntlm_blob {
    struct ntlm_av av;
    struct slice pairs; /* with the end pair; in the response */
    uint64_t timestamp; /* of the pairs, or where they have none the blob's own */
    char *target;       /* what the client meant, or NULL; mem_free */
};

/* Reads a response of more than 24 bytes into an empty struct. SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS ntlm_blob_read(struct slice nt_response, struct ntlm_blob *blob);
/* Was it made now, as far as clocks agree? SEC_E_TIME_SKEW. */
SECURITY_STATUS ntlm_blob_check_time(const struct config *config, const struct ntlm_blob *blob);
/* Service binding: may this server be what the client meant (NULL: it did not say)? SEC_E_WRONG_PRINCIPAL. */
SECURITY_STATUS ntlm_check_service(const struct config *config, const char *target);
/* Text of a client's, `what` being its name for the cause. SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS ntlm_text_take(uint32_t charset, struct slice bytes, const char *what, char **text);

#endif
