/*
 * The authority in a daemon: credentials and handshakes whose `authority` table asks it (lsa/connection.h). What the daemon answers, its words for
 * failures too, is what the caller gets.
 */
#ifndef OPENSSPI_LSA_REMOTE_H
#define OPENSSPI_LSA_REMOTE_H

#include "lsa/authority.h"
#include "lsa/connection.h"

/* Is this something for a daemon? Files that the caller names are opened by the caller, who may; packages with structures of their own stay here. */
bool remote_can_acquire(const struct package *package, const struct acquire_request *request);
/* As authority.acquire. *not_here becomes true where a failure only means that the daemon has no such thing, or is not there, and this process may
 * look for itself. */
SECURITY_STATUS remote_acquire(const struct package *package, const struct acquire_request *request,
                               struct credential **credential, bool *not_here);
struct logon_proof;
/* A name and a password proved there. */
SECURITY_STATUS remote_prove(const struct logon_request *request, struct logon_proof *proof, bool *not_here);
/* What a reply says of a proof. */
SECURITY_STATUS remote_proof_read(const struct lsa_message *reply, struct logon_proof *proof);
/* As authority()->wrap, of a credential that remote_is. */
SECURITY_STATUS remote_wrap(const struct package *package, const struct acquire_request *request,
                            struct credential *chosen, struct credential **credential);
SECURITY_STATUS remote_change_password(const struct package *package, const struct password_change *change,
                                       bool *not_here);
SECURITY_STATUS remote_acquire_delegated(const struct package *package, const struct acquire_request *request,
                                         struct slice delegated, struct credential *service,
                                         struct credential **credential);
SECURITY_STATUS remote_acquire_s4u(const struct acquire_request *request, const char *user, struct credential *service,
                                   struct credential **credential);
/* Nobody is asked for private keys (certificates/kept_key.h), or by sessions for theirs (core/session.h), any more. Before there are threads. */
void remote_keys_withdraw(void);
void remote_questions_withdraw(void);
bool remote_is(const struct credential *credential);
/* The daemon that the configuration names; NULL with a cause when there cannot be one. */
struct lsa_daemon *remote_daemon(const struct config *config);
/* Asks what names nothing of the daemon's life, and appends that field of the reply to `answer`. It is the daemon behind "socket", whatever "mode"
 * says. */
SECURITY_STATUS remote_ask(struct writer *request, enum lsa_operation operation, enum lsa_field field,
                           struct writer *answer);
/* An identity's fields; NULL: none. */
void remote_identity_write(struct writer *request, const struct identity *identity);

#endif
