/*
 * Default credentials from a file of lines "DOMAIN:user:password", as gss-ntlmssp reads them from NTLM_USER_FILE.
 */
#ifndef OPENSSPI_CORE_USER_FILE_H
#define OPENSSPI_CORE_USER_FILE_H

#include "core/identity.h"
#include <sspi.h>

#define USER_FILE_MAX ((size_t)1 << 20)

/* Finds the first line that fits: `user` and `domain`, or `user` alone, or `principal`, where given, in this order; else the first line, of
 * `domain` where that is given. A name alone is looked for as it is, and then, where it is "DOMAIN\user" or "user@domain", in that domain.
 * An empty DOMAIN in the file fits every domain. SEC_E_OK; SEC_E_NO_CREDENTIALS when there is no such line or `path` is NULL; SEC_E_INTERNAL_ERROR
 * when the file cannot be read, is readable by others, or a line is damaged (the cause names it). */
SECURITY_STATUS user_file_find(const char *path, const char *principal, const char *user, const char *domain,
                               struct identity *identity);
/* The same over text in memory, by user and domain (data NULL: not given); `name` stands for the file in causes. */
SECURITY_STATUS user_file_search(const char *name, struct slice text, struct slice user, struct slice domain,
                                 struct identity *identity);

#endif
