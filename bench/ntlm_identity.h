/* The user of the NTLM programs, for any SSPI header. */
#ifndef OPENSSPI_BENCH_NTLM_IDENTITY_H
#define OPENSSPI_BENCH_NTLM_IDENTITY_H

static void *ntlm_identity(void)
{
    static SEC_WINNT_AUTH_IDENTITY_A identity;
    identity.User = (void *)"alice";
    identity.UserLength = 5;
    identity.Domain = (void *)"EXAMPLE";
    identity.DomainLength = 7;
    identity.Password = (void *)"Password1!";
    identity.PasswordLength = 10;
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    return &identity;
}

#endif
