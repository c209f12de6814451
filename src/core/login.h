/*
 * Whom a package that proves passwords (NTLM, WDigest) speaks as, and how such names are written.
 */
#ifndef OPENSSPI_CORE_LOGIN_H
#define OPENSSPI_CORE_LOGIN_H

#include "core/package.h"

/* The identity that was given, or, where it names nobody or has no password, what the user file keeps of it in `kept`. *who is one of the two: with a
 * password, or IDENTITY_NAME where there is none for that name; NULL: nobody. SEC_E_UNKNOWN_CREDENTIALS for what proves itself otherwise; statuses of
 * user_file_find. */
SECURITY_STATUS login_choose(const char *package, const struct acquire_request *request, const struct identity *given,
                             struct identity *kept, const struct identity **who);
/* User and domain, "" where there is none; "DOMAIN\user" given as the user name alone names both. mem_free. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS login_names(const struct identity *identity, char **user, char **domain);
/* "domain\user", or "user" where the domain is empty; mem_free. */
char *login_full_name(const char *domain, const char *user);

#endif
