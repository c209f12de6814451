#include <sspi.h>

/* Each table is one for all callers, and never changed here: InitSecurityInterface gives the same pointer on every call. Reserved3 and Reserved4 are
 * the slots where NT 4.0 had SealMessage and UnsealMessage, and callers of that age still find them there. Sources fill the table by position, since
 * members share their names with A/W macros. */

/* clang-format off */
#define TABLE(LETTER)                                           \
    {                                                           \
        SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,            \
        EnumerateSecurityPackages##LETTER,                      \
        QueryCredentialsAttributes##LETTER,                     \
        AcquireCredentialsHandle##LETTER,                       \
        FreeCredentialsHandle,                                  \
        NULL, /* Reserved2 */                                   \
        InitializeSecurityContext##LETTER,                      \
        AcceptSecurityContext,                                  \
        CompleteAuthToken,                                      \
        DeleteSecurityContext,                                  \
        ApplyControlToken,                                      \
        QueryContextAttributes##LETTER,                         \
        ImpersonateSecurityContext,                             \
        RevertSecurityContext,                                  \
        MakeSignature,                                          \
        VerifySignature,                                        \
        FreeContextBuffer,                                      \
        QuerySecurityPackageInfo##LETTER,                       \
        (void *)EncryptMessage, /* Reserved3 */                 \
        (void *)DecryptMessage, /* Reserved4 */                 \
        ExportSecurityContext,                                  \
        ImportSecurityContext##LETTER,                          \
        AddCredentials##LETTER,                                 \
        NULL, /* Reserved8 */                                   \
        QuerySecurityContextToken,                              \
        EncryptMessage,                                         \
        DecryptMessage,                                         \
        SetContextAttributes##LETTER,                           \
        SetCredentialsAttributes##LETTER,                       \
        ChangeAccountPassword##LETTER,                          \
        NULL, /* Reserved9 */                                   \
        QueryContextAttributesEx##LETTER,                       \
        QueryCredentialsAttributesEx##LETTER,                   \
    }
/* clang-format on */

static SecurityFunctionTableW table_w = TABLE(W);
static SecurityFunctionTableA table_a = TABLE(A);

PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(void)
{
    return &table_w;
}

PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceA(void)
{
    return &table_a;
}
