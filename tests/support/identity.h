/*
 * A name and a password as AcquireCredentialsHandle takes them.
 */
#ifndef OPENSSPI_TESTS_IDENTITY_H
#define OPENSSPI_TESTS_IDENTITY_H

#include <sspi.h>
#include <stdint.h>
#include <string.h>

/* In UTF-8. Each may be NULL; they have to live as long as the identity. */
static inline SEC_WINNT_AUTH_IDENTITY_A identity_of(const char *user, const char *domain, const char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){
        .User = (unsigned char *)(uintptr_t)user,
        .UserLength = user != NULL ? (ULONG)strlen(user) : 0,
        .Domain = (unsigned char *)(uintptr_t)domain,
        .DomainLength = domain != NULL ? (ULONG)strlen(domain) : 0,
        .Password = (unsigned char *)(uintptr_t)password,
        .PasswordLength = password != NULL ? (ULONG)strlen(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
}

#endif
