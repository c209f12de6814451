/*
 * Asking the user, only ever under ISC_REQ_PROMPT_FOR_CREDS.
 */
#ifndef OPENSSPI_CORE_PROMPT_H
#define OPENSSPI_CORE_PROMPT_H

#include "core/identity.h"
#include <sspi.h>

struct prompt {
    const char *askpass;       /* or NULL: the process's terminal */
    const char *target;        /* what the credentials are for, or NULL */
    const char *user, *domain; /* the user name is asked where it is NULL */
    const char *message;       /* put before each question, or NULL */
};

/* prompt_identity with words of the caller's. *declined tells, where it answers SEC_E_NO_CREDENTIALS, whether there was somebody to ask. Control
 * characters in what is shown become question marks: names come from peers. */
SECURITY_STATUS prompt_ask(const struct prompt *prompt, struct identity *identity, bool *declined);

/* Asks for a password, and for the user name where `user` is NULL. With `askpass` by that program, run once a question with the question as its
 * argument, answering with one line on its standard output; else at the process's terminal, without echo. The keys that interrupt or stop a program
 * do so there once the echo is back, also quoted ones: a password has none of their letters. SEC_E_OK; SEC_E_NO_CREDENTIALS when there is nobody to
 * ask, no answer came within two minutes, or the program did not end with 0, or nobody knows how: the process ignores SIGCHLD (SA_NOCLDWAIT too), or
 * another part of it reaped the program. */
SECURITY_STATUS prompt_identity(const char *askpass, const char *target, const char *user, const char *domain,
                                struct identity *identity);

#endif
