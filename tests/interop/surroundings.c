/*
 * build: internal
 *
 * surroundings: what the environment chose, a line each: "roots" and how many certificates the system's store ROOT has, "tickets" and whose the
 * default ticket cache is, "prompt" and the answer to a question for a password.
 */
#include <sspi.h>
#include <wincrypt.h>

#include <stdio.h>

static void roots(void)
{
    unsigned n_roots = 0;
    HCERTSTORE store = CertOpenSystemStoreA(0, "ROOT");
    PCCERT_CONTEXT each = NULL;
    while (store != NULL && (each = CertEnumCertificatesInStore(store, each)) != NULL)
        n_roots++;
    if (store != NULL)
        CertCloseStore(store, 0);
    printf("roots %u\n", n_roots);
}

static void tickets(void)
{
    char package[] = "Kerberos";
    CredHandle credential;
    SecPkgCredentials_NamesA names = {NULL};
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (status == SEC_E_OK) {
        status = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names);
        FreeCredentialsHandle(&credential);
    }
    printf("tickets %s (0x%08x)\n", status == SEC_E_OK ? names.sUserName : "-", (unsigned)status);
    FreeContextBuffer(names.sUserName);
}

static void prompt(void)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    ULONG error = SspiPromptForCredentialsA("HTTP/server", NULL, 0, "NTLM", NULL, &identity, NULL, 0);
    printf("prompt 0x%08x\n", (unsigned)error);
    SspiFreeAuthIdentity(identity);
}

int main(void)
{
    roots();
    tickets();
    prompt();
    return 0;
}
