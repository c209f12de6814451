/*
 * build: pkg
 *
 * functions USER DOMAIN PASSWORD MODULE CERT: calls the functions of sspi.h, secext.h, ntsecapi.h and sspi_ext.h that work on no context. MODULE is a
 * shared object with packages, CERT a PEM file.
 */
#include "truth.h"

#include <ntsecapi.h>
#include <secext.h>
#include <wincrypt.h>

static void packages(const char *module, const char *certificate)
{
    ULONG count = 0;
    PSecPkgInfoW list_w = NULL;
    PSecPkgInfoA list_a = NULL;
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options};
    char path[512];
    snprintf(path, sizeof path, "%s", module);
    said("EnumerateSecurityPackagesW", EnumerateSecurityPackagesW(&count, &list_w));
    FreeContextBuffer(list_w);
    said("EnumerateSecurityPackagesA", EnumerateSecurityPackagesA(&count, &list_a));
    said("FreeContextBuffer", FreeContextBuffer(list_a));
    said("AddSecurityPackageA", AddSecurityPackageA(path, &options));
    said("DeleteSecurityPackageA", DeleteSecurityPackageA(path));
    said("AddSecurityPackageW", AddSecurityPackageW(wide(path), &options));
    said("DeleteSecurityPackageW", DeleteSecurityPackageW(wide(path)));
    did("InitSecurityInterfaceW", InitSecurityInterfaceW() != NULL);
    did("InitSecurityInterfaceA", InitSecurityInterfaceA() != NULL);
    did("OpenSspiVersion", OpenSspiVersion()[0] != '\0');
    did("OpenSspiLastErrorText", OpenSspiLastErrorText() != NULL);
    did("OpenSspiStatusName", strcmp(OpenSspiStatusName(SEC_E_LOGON_DENIED), "SEC_E_LOGON_DENIED") == 0);
    OpenSspiSetLastError(5);
    did("OpenSspiSetLastError", OpenSspiLastError() == 5);
    did("OpenSspiLastError", OpenSspiLastError() == 5);
    HLOCAL block = OpenSspiLocalAlloc(7);
    did("OpenSspiLocalAlloc", block != NULL);
    did("OpenSspiLocalSize", OpenSspiLocalSize(block) == 7);
    OpenSspiLocalFree(block);
    SecPkgContext_Bindings bindings;
    char pem[512];
    snprintf(pem, sizeof pem, "%s", certificate);
    said("OpenSspiBindingsFromCertificateFileA", OpenSspiBindingsFromCertificateFileA(pem, &bindings));
    FreeContextBuffer(bindings.Bindings);
    said("OpenSspiBindingsFromCertificateFileW", OpenSspiBindingsFromCertificateFileW(wide(pem), &bindings));
    FreeContextBuffer(bindings.Bindings);
    PCCERT_CONTEXT context = NULL;
    if (OpenSspiCertificateFromPem(pem, NULL, NULL, &context) != SEC_E_OK)
        broken(pem);
    said("OpenSspiBindingsFromCertificate",
         OpenSspiBindingsFromCertificate(context->pbCertEncoded, context->cbCertEncoded, &bindings));
    FreeContextBuffer(bindings.Bindings);
    CertFreeCertificateContext(context);
    said("OpenSspiBindingsFromTlsUnique", OpenSspiBindingsFromTlsUnique("twelve bytes", 12, &bindings));
    FreeContextBuffer(bindings.Bindings);
    said("OpenSspiBindingsFromTlsExporter",
         OpenSspiBindingsFromTlsExporter("thirty-two bytes of an exporter.", 32, &bindings));
    FreeContextBuffer(bindings.Bindings);
}

static void sasl(void)
{
    LPWSTR list_w = NULL;
    LPSTR list_a = NULL;
    ULONG count = 0;
    PSecPkgInfoW info_w = NULL;
    PSecPkgInfoA info_a = NULL;
    char name[] = "GSSAPI";
    SecBuffer mechanism = {sizeof name - 1, SECBUFFER_TOKEN, name};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &mechanism};
    said("SaslEnumerateProfilesW", SaslEnumerateProfilesW(&list_w, &count));
    FreeContextBuffer(list_w);
    said("SaslEnumerateProfilesA", SaslEnumerateProfilesA(&list_a, &count));
    FreeContextBuffer(list_a);
    said("SaslGetProfilePackageW", SaslGetProfilePackageW(wide(name), &info_w));
    FreeContextBuffer(info_w);
    said("SaslGetProfilePackageA", SaslGetProfilePackageA(name, &info_a));
    FreeContextBuffer(info_a);
    said("SaslIdentifyPackageW", SaslIdentifyPackageW(&input, &info_w));
    FreeContextBuffer(info_w);
    said("SaslIdentifyPackageA", SaslIdentifyPackageA(&input, &info_a));
    FreeContextBuffer(info_a);
}

/* Does this identity, of whatever form ours have, hold the text somewhere? */
static int holds(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, const SEC_WCHAR *text)
{
    const SEC_WINNT_AUTH_IDENTITY_EX2 *known = identity;
    size_t len = 0;
    while (text[len] != 0)
        len++;
    len *= sizeof *text;
    for (size_t at = 0; at + len <= known->cbStructureLength; at++)
        if (memcmp((const unsigned char *)identity + at, text, len) == 0)
            return 1;
    return 0;
}

static void identities(const char *user, const char *domain, const char *password)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL, copy = NULL, read = NULL, without = NULL;
    PCWSTR texts[3] = {NULL, NULL, NULL};
    BOOLEAN same_user = 0, same = 0;
    ULONG length = 0, type = 0, blob_length = 0;
    char *packed = NULL;
    PWSTR host = NULL;
    PCWSTR target = NULL, name = NULL;
    PUCHAR blob = NULL;
    int save = 0;
    said("SspiEncodeStringsAsAuthIdentity",
         SspiEncodeStringsAsAuthIdentity(wide(user), wide(domain), wide(password), &identity));
    said("SspiEncodeAuthIdentityAsStrings", SspiEncodeAuthIdentityAsStrings(identity, &texts[0], &texts[1], &texts[2]));
    int freed = 0;
    for (int i = 0; i < 3; i++) {
        SspiLocalFree((PVOID)(uintptr_t)texts[i]);
        freed += is_gone((PVOID)(uintptr_t)texts[i]);
    }
    did("SspiLocalFree", freed == 3);
    said("SspiValidateAuthIdentity", SspiValidateAuthIdentity(identity));
    said("SspiCopyAuthIdentity", SspiCopyAuthIdentity(identity, &copy));
    said("SspiCompareAuthIdentities", SspiCompareAuthIdentities(identity, copy, &same_user, &same));
    said("SspiMarshalAuthIdentity", SspiMarshalAuthIdentity(identity, &length, &packed));
    said("SspiUnmarshalAuthIdentity", SspiUnmarshalAuthIdentity(length, packed, &read));
    SspiLocalFree(packed);
    said("SspiExcludePackage", SspiExcludePackage(identity, wide("NTLM"), &without));
    said("SspiGetTargetHostName", SspiGetTargetHostName(wide("HTTP/www.example.test"), &host));
    SspiLocalFree(host);
    did("SspiIsPromptingNeeded", SspiIsPromptingNeeded((ULONG)SEC_E_NO_CREDENTIALS));
    said("SspiEncryptAuthIdentity", SspiEncryptAuthIdentity(copy));
    did("SspiIsAuthIdentityEncrypted", SspiIsAuthIdentityEncrypted(copy));
    said("SspiDecryptAuthIdentity", SspiDecryptAuthIdentity(copy));
    said("SspiEncryptAuthIdentityEx", SspiEncryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, copy));
    said("SspiDecryptAuthIdentityEx", SspiDecryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, copy));
    said("SspiPrepareForCredRead", SspiPrepareForCredRead(identity, wide("host"), &type, &target));
    SspiLocalFree((PVOID)(uintptr_t)target);
    said("SspiPrepareForCredWrite",
         SspiPrepareForCredWrite(identity, wide("host"), &type, &target, &name, &blob, &blob_length));
    SspiLocalFree((PVOID)(uintptr_t)target);
    SspiLocalFree((PVOID)(uintptr_t)name);
    SspiLocalFree(blob);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE typed = NULL;
    said("SspiPromptForCredentialsA",
         (SECURITY_STATUS)SspiPromptForCredentialsA("HTTP/www.example.test", NULL, 0, "NTLM", NULL, &typed, &save, 0));
    SspiFreeAuthIdentity(typed);
    typed = NULL;
    said("SspiPromptForCredentialsW", (SECURITY_STATUS)SspiPromptForCredentialsW(wide("HTTP/www.example.test"), NULL, 0,
                                                                                 wide("NTLM"), NULL, &typed, &save, 0));
    SspiFreeAuthIdentity(typed);
    said("SspiGetCredUIContext", SspiGetCredUIContext(NULL, NULL, NULL, NULL, NULL));
    said("SspiUpdateCredentials", SspiUpdateCredentials(NULL, NULL, 0, NULL));
    said("SspiUnmarshalCredUIContext", SspiUnmarshalCredUIContext(NULL, 0, NULL));
    int before = holds(copy, wide(password));
    SspiZeroAuthIdentity(copy);
    did("SspiZeroAuthIdentity", before && !holds(copy, wide(password)));
    SspiFreeAuthIdentity(copy);
    SspiFreeAuthIdentity(read);
    SspiFreeAuthIdentity(without);
    SspiFreeAuthIdentity(identity);
    did("SspiFreeAuthIdentity", is_gone(copy) && is_gone(identity));
}

static void names(void)
{
    SEC_WCHAR wide_text[256];
    char text[256];
    ULONG length = sizeof text;
    did("GetUserNameExA", GetUserNameExA(NameSamCompatible, text, &length));
    length = 256;
    did("GetUserNameExW", GetUserNameExW(NameSamCompatible, wide_text, &length));
    length = sizeof text;
    did("GetComputerObjectNameA", GetComputerObjectNameA(NameSamCompatible, text, &length));
    length = 256;
    did("GetComputerObjectNameW", GetComputerObjectNameW(NameSamCompatible, wide_text, &length));
    length = sizeof text;
    did("TranslateNameA", TranslateNameA("EXAMPLE\\daemon", NameSamCompatible, NameUserPrincipal, text, &length));
    length = 256;
    did("TranslateNameW",
        TranslateNameW(wide("EXAMPLE\\daemon"), NameSamCompatible, NameUserPrincipal, wide_text, &length));
}

static void authority(const char *user, const char *domain, const char *password)
{
    HANDLE lsa = NULL, process = NULL, token = NULL;
    LSA_OPERATIONAL_MODE mode;
    char package[] = MSV1_0_PACKAGE_NAME, us[] = "truth";
    LSA_STRING name = {sizeof package - 1, sizeof package, package}, origin = {sizeof us - 1, sizeof us, us};
    ULONG number = 0, length = 0, count = 0;
    NTSTATUS sub = 0;
    PVOID answer = NULL, profile = NULL;
    QUOTA_LIMITS quotas;
    TOKEN_SOURCE source = {"truth", {0, 0}};
    LUID id = {0, 0};
    PLUID sessions = NULL;
    struct {
        MSV1_0_INTERACTIVE_LOGON logon;
        SEC_WCHAR texts[3][64];
    } asked = {.logon = {.MessageType = MsV1_0InteractiveLogon}};
    const char *const texts[3] = {domain, user, password};
    PUNICODE_STRING const strings[3] = {&asked.logon.LogonDomainName, &asked.logon.UserName, &asked.logon.Password};
    for (int i = 0; i < 3; i++) {
        memcpy(asked.texts[i], wide(texts[i]), 2 * strlen(texts[i]));
        *strings[i] = (UNICODE_STRING){(USHORT)(2 * strlen(texts[i])), (USHORT)(2 * strlen(texts[i])), asked.texts[i]};
    }
    said("LsaConnectUntrusted", LsaConnectUntrusted(&lsa));
    said("LsaLookupAuthenticationPackage", LsaLookupAuthenticationPackage(lsa, &name, &number));
    said("LsaRegisterLogonProcess", LsaRegisterLogonProcess(&origin, &process, &mode));
    NTSTATUS status = LsaLogonUser(process, &origin, Interactive, number, &asked, sizeof asked, NULL, &source, &profile,
                                   &length, &id, &token, &quotas, &sub);
    said("LsaLogonUser", status != 0 ? status : sub);
    said("LsaFreeReturnBuffer", LsaFreeReturnBuffer(profile));
    said("LsaEnumerateLogonSessions", LsaEnumerateLogonSessions(&count, &sessions));
    PSECURITY_LOGON_SESSION_DATA data = NULL;
    said("LsaGetLogonSessionData", LsaGetLogonSessionData(count > 0 ? &sessions[0] : &id, &data));
    LsaFreeReturnBuffer(data);
    LsaFreeReturnBuffer(sessions);
    char negotiate[] = "Negotiate";
    LSA_STRING negotiate_name = {sizeof negotiate - 1, sizeof negotiate, negotiate};
    ULONG message = NegEnumPackagePrefixes;
    if (LsaLookupAuthenticationPackage(lsa, &negotiate_name, &number) != 0)
        broken("Negotiate");
    status = LsaCallAuthenticationPackage(lsa, number, &message, sizeof message, &answer, &length, &sub);
    said("LsaCallAuthenticationPackage", status != 0 ? status : sub);
    LsaFreeReturnBuffer(answer);
    did("LsaNtStatusToWinError", LsaNtStatusToWinError((NTSTATUS)0xC000006D) == 1326);
    said("LsaInsertProtectedProcessAddress", LsaInsertProtectedProcessAddress(us, sizeof us));
    said("LsaRemoveProtectedProcessAddress", LsaRemoveProtectedProcessAddress(us, sizeof us));
    OpenSspiCloseHandle(token);
    said("LsaDeregisterLogonProcess", LsaDeregisterLogonProcess(process));
    LsaDeregisterLogonProcess(lsa);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    packages(argv[4], argv[5]);
    sasl();
    identities(argv[1], argv[2], argv[3]);
    names();
    authority(argv[1], argv[2], argv[3]);
    return 0;
}
