/*
 * build: pkg
 *
 * tokens USER DOMAIN PASSWORD: calls every function of tokens, SIDs and descriptors (win32/), as root.
 */
#include "truth.h"

#include <win32/processthreadsapi.h>
#include <win32/sddl.h>
#include <win32/securitybaseapi.h>
#include <win32/winbase.h>

static const char descriptor_text[] = "O:BAG:BAD:(A;;GA;;;WD)";

static void sids(void)
{
    SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    PSID sid = NULL, read = NULL;
    BYTE room[SECURITY_MAX_SID_SIZE], copy[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof room;
    char *text = NULL;
    SEC_WCHAR *wide_text = NULL;
    did("AllocateAndInitializeSid", AllocateAndInitializeSid(&nt, 2, 32, 544, 0, 0, 0, 0, 0, 0, &sid));
    did("IsValidSid", IsValidSid(sid));
    did("GetLengthSid", GetLengthSid(sid) == 16);
    did("GetSidLengthRequired", GetSidLengthRequired(2) == 16);
    did("GetSidIdentifierAuthority", GetSidIdentifierAuthority(sid)->Value[5] == 5);
    did("GetSidSubAuthority", *GetSidSubAuthority(sid, 1) == 544);
    did("GetSidSubAuthorityCount", *GetSidSubAuthorityCount(sid) == 2);
    did("CreateWellKnownSid", CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, room, &length));
    did("IsWellKnownSid", IsWellKnownSid(room, WinBuiltinAdministratorsSid));
    did("EqualSid", EqualSid(sid, room));
    did("EqualPrefixSid", EqualPrefixSid(sid, room));
    did("CopySid", CopySid(sizeof copy, copy, sid) && EqualSid(copy, sid));
    did("InitializeSid", InitializeSid(copy, &nt, 1));
    did("ConvertSidToStringSidA", ConvertSidToStringSidA(sid, &text) && strcmp(text, "S-1-5-32-544") == 0);
    did("ConvertSidToStringSidW", ConvertSidToStringSidW(sid, &wide_text) && wide_text[0] == 'S');
    OpenSspiLocalFree(wide_text);
    did("ConvertStringSidToSidA", ConvertStringSidToSidA(text, &read) && EqualSid(read, sid));
    did("OpenSspiLocalFree", OpenSspiLocalFree(read) == NULL);
    did("ConvertStringSidToSidW", ConvertStringSidToSidW(wide(text), &read));
    OpenSspiLocalFree(read);
    OpenSspiLocalFree(text);
    did("FreeSid", FreeSid(sid) == NULL);
}

static void names(const char *user)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    char name[64], domain[64];
    SEC_WCHAR wide_name[64], wide_domain[64];
    DWORD length = sizeof sid, name_length = 64, domain_length = 64;
    SID_NAME_USE use;
    char asked[128];
    snprintf(asked, sizeof asked, "EXAMPLE\\%s", user);
    did("LookupAccountNameA", LookupAccountNameA(NULL, asked, sid, &length, domain, &domain_length, &use));
    domain_length = 64;
    did("LookupAccountSidA",
        LookupAccountSidA(NULL, sid, name, &name_length, domain, &domain_length, &use) && strcmp(name, user) == 0);
    name_length = domain_length = 64;
    did("LookupAccountSidW", LookupAccountSidW(NULL, sid, wide_name, &name_length, wide_domain, &domain_length, &use));
    length = sizeof sid;
    domain_length = 64;
    did("LookupAccountNameW", LookupAccountNameW(NULL, wide(asked), sid, &length, wide_domain, &domain_length, &use));
}

static void descriptors(HANDLE token)
{
    PSECURITY_DESCRIPTOR descriptor = NULL, again = NULL;
    char *text = NULL;
    SEC_WCHAR *wide_text = NULL;
    GENERIC_MAPPING mapping = {1, 2, 4, 7};
    PRIVILEGE_SET privileges;
    DWORD privileges_length = sizeof privileges, granted = 0, mask = GENERIC_READ;
    BOOL allowed = FALSE;
    SECURITY_INFORMATION parts = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    did("ConvertStringSecurityDescriptorToSecurityDescriptorA",
        ConvertStringSecurityDescriptorToSecurityDescriptorA(descriptor_text, SDDL_REVISION_1, &descriptor, NULL));
    did("ConvertStringSecurityDescriptorToSecurityDescriptorW",
        ConvertStringSecurityDescriptorToSecurityDescriptorW(wide(descriptor_text), SDDL_REVISION_1, &again, NULL));
    OpenSspiLocalFree(again);
    did("ConvertSecurityDescriptorToStringSecurityDescriptorA",
        ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, parts, &text, NULL) &&
            strcmp(text, descriptor_text) == 0);
    did("ConvertSecurityDescriptorToStringSecurityDescriptorW",
        ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, parts, &wide_text, NULL));
    did("IsValidSecurityDescriptor", IsValidSecurityDescriptor(descriptor));
    did("GetSecurityDescriptorLength", GetSecurityDescriptorLength(descriptor) > 20);
    MapGenericMask(&mask, &mapping);
    did("MapGenericMask", mask == 1);
    did("AccessCheck",
        AccessCheck(descriptor, token, 1, &mapping, &privileges, &privileges_length, &granted, &allowed) && allowed);
    OpenSspiLocalFree(text);
    OpenSspiLocalFree(wide_text);
    OpenSspiLocalFree(descriptor);
}

static void logons(const char *user, const char *domain, const char *password)
{
    HANDLE token = NULL;
    did("LogonUserA", LogonUserA(user, domain, password, LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token));
    OpenSspiCloseHandle(token);
    did("LogonUserW",
        LogonUserW(wide(user), wide(domain), wide(password), LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token));
    did("OpenSspiCloseHandle", OpenSspiCloseHandle(token));
    did("LogonUserExA", LogonUserExA(user, domain, password, LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT,
                                     &token, NULL, NULL, NULL, NULL));
    OpenSspiCloseHandle(token);
    did("LogonUserExW", LogonUserExW(wide(user), wide(domain), wide(password), LOGON32_LOGON_INTERACTIVE,
                                     LOGON32_PROVIDER_DEFAULT, &token, NULL, NULL, NULL, NULL));
    OpenSspiCloseHandle(token);
}

static void tokens(const char *user, const char *domain, const char *password)
{
    HANDLE process = NULL, thread = NULL, client = NULL, copy = NULL;
    BYTE room[4096], everyone[SECURITY_MAX_SID_SIZE];
    DWORD length = 0, sid_length = sizeof everyone;
    BOOL member = FALSE;
    did("OpenProcessToken", OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &process));
    did("GetTokenInformation", GetTokenInformation(process, TokenUser, room, sizeof room, &length));
    did("DuplicateToken", DuplicateToken(process, SecurityImpersonation, &copy));
    if (!CreateWellKnownSid(WinWorldSid, NULL, everyone, &sid_length))
        broken("everyone");
    did("CheckTokenMembership", CheckTokenMembership(copy, everyone, &member) && member);
    descriptors(copy);
    OpenSspiCloseHandle(copy);
    if (!LogonUserA(user, domain, password, LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &client))
        broken("logon");
    did("DuplicateTokenEx",
        DuplicateTokenEx(client, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &copy));
    did("ImpersonateLoggedOnUser", ImpersonateLoggedOnUser(client));
    did("OpenThreadToken", OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &thread));
    did("RevertToSelf", RevertToSelf());
    did("SetThreadToken", SetThreadToken(NULL, copy) && SetThreadToken(NULL, NULL));
    did("ImpersonateAnonymousToken", ImpersonateAnonymousToken(GetCurrentThread()));
    RevertToSelf();
    OpenSspiCloseHandle(thread);
    OpenSspiCloseHandle(copy);
    OpenSspiCloseHandle(client);
    OpenSspiCloseHandle(process);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    sids();
    names(argv[1]);
    logons(argv[1], argv[2], argv[3]);
    tokens(argv[1], argv[2], argv[3]);
    return 0;
}
