/*
 * The binary interface in figures, held by the compiler: sizes and offsets of 64-bit Windows, in the layout that
 * security package modules on 64-bit Linux share. It builds or it does not; running it says nothing more.
 */
#define SCHANNEL_USE_BLACKLISTS
#include <stddef.h>

#include <security.h>
#include <schannel.h>
#include <credssp.h>
#include <ntsecapi.h>

#ifdef __cplusplus
#define CHECK(condition) static_assert(condition, #condition)
#else
#define CHECK(condition) _Static_assert(condition, #condition)
#endif
#define SIZE(type, size) CHECK(sizeof(type) == (size))
#define AT(type, member, offset) CHECK(offsetof(type, member) == (offset))
#define WIDTH(type, member, size) CHECK(sizeof(((type *)0)->member) == (size))

/* Scalars. */
SIZE(ULONG, 4);
SIZE(LONG, 4);
SIZE(DWORD, 4);
SIZE(SECURITY_STATUS, 4);
SIZE(NTSTATUS, 4);
SIZE(BOOLEAN, 1);
SIZE(BOOL, 4);
SIZE(WCHAR, 2);
SIZE(SEC_WCHAR, 2);
SIZE(SEC_CHAR, 1);
SIZE(HANDLE, 8);
SIZE(ULONG_PTR, 8);
CHECK((ULONG)-1 > 0);
CHECK((LONG)-1 < 0);
CHECK(SEC_E_INSUFFICIENT_MEMORY < 0);
CHECK(SEC_I_CONTINUE_NEEDED > 0);
CHECK(sizeof(OPENSSPI_WIDE("NTLM")) == 10);

/* Times and handles. */
SIZE(TimeStamp, 8);
SIZE(SECURITY_INTEGER, 8);
AT(TimeStamp, LowPart, 0);
AT(TimeStamp, HighPart, 4);
AT(TimeStamp, QuadPart, 0);
AT(TimeStamp, u.LowPart, 0);
AT(TimeStamp, u.HighPart, 4);
WIDTH(TimeStamp, LowPart, 4);
WIDTH(TimeStamp, HighPart, 4);
WIDTH(TimeStamp, QuadPart, 8);
SIZE(SecHandle, 16);
SIZE(CredHandle, 16);
SIZE(CtxtHandle, 16);
AT(SecHandle, dwLower, 0);
AT(SecHandle, dwUpper, 8);

/* Buffers. */
SIZE(SecBuffer, 16);
AT(SecBuffer, cbBuffer, 0);
AT(SecBuffer, BufferType, 4);
AT(SecBuffer, pvBuffer, 8);
SIZE(SecBufferDesc, 16);
AT(SecBufferDesc, ulVersion, 0);
AT(SecBufferDesc, cBuffers, 4);
AT(SecBufferDesc, pBuffers, 8);
SIZE(SEC_CHANNEL_BINDINGS, 32);

/* Packages. */
SIZE(SecPkgInfoA, 32);
SIZE(SecPkgInfoW, 32);
AT(SecPkgInfoW, fCapabilities, 0);
AT(SecPkgInfoW, wVersion, 4);
AT(SecPkgInfoW, wRPCID, 6);
AT(SecPkgInfoW, cbMaxToken, 8);
AT(SecPkgInfoW, Name, 16);
AT(SecPkgInfoW, Comment, 24);
AT(SecPkgInfoA, fCapabilities, 0);
AT(SecPkgInfoA, wVersion, 4);
AT(SecPkgInfoA, wRPCID, 6);
AT(SecPkgInfoA, cbMaxToken, 8);
AT(SecPkgInfoA, Name, 16);
AT(SecPkgInfoA, Comment, 24);

/* Identities. */
#define IDENTITY(type)            \
    SIZE(type, 48);               \
    AT(type, User, 0);            \
    AT(type, UserLength, 8);      \
    AT(type, Domain, 16);         \
    AT(type, DomainLength, 24);   \
    AT(type, Password, 32);       \
    AT(type, PasswordLength, 40); \
    AT(type, Flags, 44)
IDENTITY(SEC_WINNT_AUTH_IDENTITY_A);
IDENTITY(SEC_WINNT_AUTH_IDENTITY_W);

#define IDENTITY_EX(type)         \
    SIZE(type, 72);               \
    AT(type, Version, 0);         \
    AT(type, Length, 4);          \
    AT(type, User, 8);            \
    AT(type, UserLength, 16);     \
    AT(type, Domain, 24);         \
    AT(type, DomainLength, 32);   \
    AT(type, Password, 40);       \
    AT(type, PasswordLength, 48); \
    AT(type, Flags, 52);          \
    AT(type, PackageList, 56);    \
    AT(type, PackageListLength, 64)
IDENTITY_EX(SEC_WINNT_AUTH_IDENTITY_EXA);
IDENTITY_EX(SEC_WINNT_AUTH_IDENTITY_EXW);
SIZE(SEC_WINNT_AUTH_IDENTITY_EX2, 48);

/* Attributes and credentials. */
SIZE(SecPkgContext_Sizes, 16);
SIZE(SecPkgContext_StreamSizes, 20);
SIZE(SecPkgContext_SessionKey, 16);
SIZE(SecPkgContext_KeyInfoA, 32);
SIZE(SecPkgContext_KeyInfoW, 32);
SIZE(SecPkgContext_NegotiationInfoA, 16);
SIZE(SecPkgContext_NegotiationInfoW, 16);
SIZE(SecPkgContext_Bindings, 16);
SIZE(SecPkgContext_ConnectionInfo, 28);
SIZE(SCHANNEL_CRED, 80);

/* The function tables. */
#define TABLE(type, X)                           \
    SIZE(type, 264);                             \
    AT(type, dwVersion, 0);                      \
    AT(type, EnumerateSecurityPackages##X, 8);   \
    AT(type, QueryCredentialsAttributes##X, 16); \
    AT(type, AcquireCredentialsHandle##X, 24);   \
    AT(type, FreeCredentialsHandle, 32);         \
    AT(type, Reserved2, 40);                     \
    AT(type, InitializeSecurityContext##X, 48);  \
    AT(type, AcceptSecurityContext, 56);         \
    AT(type, CompleteAuthToken, 64);             \
    AT(type, DeleteSecurityContext, 72);         \
    AT(type, ApplyControlToken, 80);             \
    AT(type, QueryContextAttributes##X, 88);     \
    AT(type, ImpersonateSecurityContext, 96);    \
    AT(type, RevertSecurityContext, 104);        \
    AT(type, MakeSignature, 112);                \
    AT(type, VerifySignature, 120);              \
    AT(type, FreeContextBuffer, 128);            \
    AT(type, QuerySecurityPackageInfo##X, 136);  \
    AT(type, Reserved3, 144);                    \
    AT(type, Reserved4, 152);                    \
    AT(type, ExportSecurityContext, 160);        \
    AT(type, ImportSecurityContext##X, 168);     \
    AT(type, AddCredentials##X, 176);            \
    AT(type, Reserved8, 184);                    \
    AT(type, QuerySecurityContextToken, 192);    \
    AT(type, EncryptMessage, 200);               \
    AT(type, DecryptMessage, 208);               \
    AT(type, SetContextAttributes##X, 216);      \
    AT(type, SetCredentialsAttributes##X, 224);  \
    AT(type, ChangeAccountPassword##X, 232);     \
    AT(type, Reserved9, 240);                    \
    AT(type, QueryContextAttributesEx##X, 248);  \
    AT(type, QueryCredentialsAttributesEx##X, 256)
TABLE(SecurityFunctionTableA, A);
TABLE(SecurityFunctionTableW, W);

int main(void)
{
    /* A member named without its letter is reached through the macro, and FreeCredentialHandle is an alias. */
    SecurityFunctionTable table = {0};
    return table.AcquireCredentialsHandle != NULL || table.FreeCredentialHandle != NULL;
}
