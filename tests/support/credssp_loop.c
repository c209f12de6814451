#include "support/credssp_loop.h"

#include <assert.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <win32/sddl.h>
#include <win32/winbase.h>

static char package_name[] = CREDSSP_NAME_A;

void credssp_configure(const char *more)
{
    char text[512];
    int len =
        snprintf(text, sizeof text, "[ntlm]\ntargets = server.test\n[negotiate]\npackages = NTLM\n[credssp]\n%s", more);
    assert(len > 0 && (size_t)len < sizeof text);
    loop_configure(text);
}

struct loop_pair *credssp_pair(void)
{
    struct loop_pair *pair = pair_new();
    pair->client.target = "TERMSRV/server.test";
    pair->client.flags |= ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH;
    return pair;
}

static SECURITY_STATUS acquire(struct side *side, SCHANNEL_CRED *tls, void *identity)
{
    CREDSSP_CRED cred = {
        .Type = identity != NULL ? CredsspPasswordCreds : CredsspSchannelCreds,
        .pSchannelCred = tls,
        .pSpnegoCred = identity,
    };
    return AcquireCredentialsHandleA(NULL, package_name, side->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND,
                                     NULL, &cred, NULL, NULL, &side->credential, NULL);
}

SECURITY_STATUS credssp_client_acquire(struct side *side, const struct credssp_who *who, DWORD protocols,
                                       DWORD tls_flags)
{
    struct credssp_who meant = who != NULL ? *who : (struct credssp_who){0};
    const char *user = meant.user != NULL ? meant.user : "alice";
    const char *domain = meant.domain != NULL ? meant.domain : "EXAMPLE";
    const char *password = meant.password != NULL ? meant.password : "Password1!";
    HCERTSTORE roots = pki_store(pki_authority());
    SCHANNEL_CRED tls = {
        .dwVersion = SCHANNEL_CRED_VERSION,
        .hRootStore = roots,
        .grbitEnabledProtocols = tls_protocols(protocols, tls_flags),
        .dwFlags = tls_flags,
    };
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof identity,
        .User = (unsigned char *)(uintptr_t)user,
        .UserLength = (unsigned)strlen(user),
        .Domain = (unsigned char *)(uintptr_t)domain,
        .DomainLength = (unsigned)strlen(domain),
        .Password = (unsigned char *)(uintptr_t)password,
        .PasswordLength = (unsigned)strlen(password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)(uintptr_t)meant.packages,
        .PackageListLength = meant.packages != NULL ? (unsigned)strlen(meant.packages) : 0,
    };
    if (meant.unproved) {
        identity.User = (unsigned char *)(uintptr_t)meant.user;
        identity.UserLength = meant.user != NULL ? identity.UserLength : 0;
        identity.Domain = (unsigned char *)(uintptr_t)meant.domain;
        identity.DomainLength = meant.domain != NULL ? identity.DomainLength : 0;
        identity.Password = NULL;
        identity.PasswordLength = 0;
    }
    SECURITY_STATUS status = acquire(side, &tls, meant.none ? NULL : &identity);
    CertCloseStore(roots, 0);
    return status;
}

SECURITY_STATUS credssp_server_acquire(struct side *side, DWORD protocols)
{
    PCCERT_CONTEXT context = pki_context(pki_server(), pki_authority(), false);
    SCHANNEL_CRED tls = {
        .dwVersion = SCHANNEL_CRED_VERSION,
        .cCreds = 1,
        .paCred = &context,
        .grbitEnabledProtocols = tls_protocols(protocols, 0),
    };
    SECURITY_STATUS status = acquire(side, &tls, NULL);
    CertFreeCertificateContext(context);
    return status;
}

const char *credssp_roots(void)
{
    static char lines[256];
    char path[128];
    if (loop_directory()[0] == '\0')
        loop_configure(NULL); /* makes the directory */
    snprintf(path, sizeof path, "%s/roots.pem", loop_directory());
    FILE *file = fopen(path, "w");
    assert(file != NULL);
    PEM_write_X509(file, pki_authority()->x509);
    fclose(file);
    snprintf(lines, sizeof lines, "[certificates]\nroot = %s\n", path);
    return lines;
}

struct loop_pair *credssp_established(void)
{
    struct loop_pair *pair = credssp_pair();
    if (credssp_client_acquire(&pair->client, NULL, 0, 0) == SEC_E_OK &&
        credssp_server_acquire(&pair->server, 0) == SEC_E_OK && pair_run(pair))
        return pair;
    pair_free(pair);
    return NULL;
}

bool credssp_token_is_of_ntlm(CtxtHandle *server)
{
    HANDLE token = NULL;
    PSID ntlm = NULL;
    BOOL member = FALSE;
    TOKEN_SOURCE source;
    DWORD len;
    assert(QuerySecurityContextToken(server, &token) == SEC_E_OK);
    assert(ConvertStringSidToSidA("S-1-5-64-10", &ntlm)); /* "NTLM Authentication" */
    assert(CheckTokenMembership(token, ntlm, &member));
    assert(GetTokenInformation(token, TokenSource, &source, sizeof source, &len));
    LocalFree(ntlm);
    CloseHandle(token);
    return member && memcmp(source.SourceName, "NTLM\0\0\0\0", 8) == 0;
}
