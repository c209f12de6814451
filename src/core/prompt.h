/*
 * Asking the user, only ever under ISC_REQ_PROMPT_FOR_CREDS.
 */
#ifndef OPENSSPI_CORE_PROMPT_H
#define OPENSSPI_CORE_PROMPT_H

#include "core/identity.h"
#include <sspi.h>

/* Asks for a password, and for the user name where `user` is NULL. With `askpass` by that program, run once a question with the question as its
 * argument, answering with one line on its standard output; else at the process's terminal, without echo. SEC_E_OK; SEC_E_NO_CREDENTIALS when there is nobody to ask or no
 * answer came within two minutes. */
SECURITY_STATUS prompt_identity(const char *askpass, const char *target, const char *user, const char *domain,
                                struct identity *identity);

#endif
