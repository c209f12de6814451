/*
 * The authority in this process.
 */
#ifndef OPENSSPI_LSA_LOCAL_H
#define OPENSSPI_LSA_LOCAL_H

#include "lsa/authority.h"

extern const struct authority local_authority;

/* Entries of it that hold for whoever answers: they ask the credential's own table, or take what a session says. */
SECURITY_STATUS local_step(struct context *context, const struct step_in *in, struct step_out *out);
SECURITY_STATUS local_complete(struct context *context, struct slice_mut token, struct step_out *out);
SECURITY_STATUS local_control(struct context *context, struct slice token);
SECURITY_STATUS local_set_context(struct context *context, uint32_t attribute, const void *value, size_t len);
SECURITY_STATUS local_query_credential(const struct credential *credential, uint32_t attribute,
                                       struct attribute *value);
SECURITY_STATUS local_set_credential(struct credential *credential, uint32_t attribute, const void *value, size_t len);
SECURITY_STATUS local_client_token(const struct session *session, struct credential *service,
                                   const struct config *config, const struct token **token);

#endif
