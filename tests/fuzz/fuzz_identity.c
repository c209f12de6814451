/*
 * EX2 structures from anywhere: what is taken in is valid, copies to itself, survives strings, encryption and marshalling, and signs nobody on by
 * accident.
 */
#include "base/memory.h"
#include "fuzz/world.h"

#include <sspi_ext.h>
#include <string.h>

static void same(PSEC_WINNT_AUTH_IDENTITY_OPAQUE a, PSEC_WINNT_AUTH_IDENTITY_OPAQUE b)
{
    BOOLEAN same_user = FALSE, same_identity = FALSE;
    MUST(SspiCompareAuthIdentities(a, b, &same_user, &same_identity) == SEC_E_OK);
    MUST(same_user && same_identity);
}

/* Are the packed credentials, if any, a password? Of a structure that this library wrote. */
static bool is_password(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = identity;
    const char *type = (const char *)identity + ex2->PackedCredentialsOffset + 4;
    ULONG forms = OPENSSPI_AUTH_IDENTITY_NT_HASH | OPENSSPI_AUTH_IDENTITY_KEYTAB | OPENSSPI_AUTH_IDENTITY_X509;
    return ex2->PackedCredentialsLength == 0 ||
           ((ex2->Flags & forms) == 0 && memcmp(type, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof(GUID)) == 0);
}

static void strings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    PCWSTR text[3];
    SECURITY_STATUS taken = SspiEncodeAuthIdentityAsStrings(identity, &text[0], &text[1], &text[2]);
    MUST(taken == (is_password(identity) ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION));
    if (taken != SEC_E_OK)
        return;
    if (text[0] != NULL || text[1] != NULL || text[2] != NULL) {
        PSEC_WINNT_AUTH_IDENTITY_OPAQUE again;
        BOOLEAN same_user = FALSE;
        SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(text[0], text[1], text[2], &again);
        /* Longer than a password may be, but in packed credentials. */
        MUST(status == SEC_E_OK);
        MUST(SspiCompareAuthIdentities(identity, again, &same_user, NULL) == SEC_E_OK && same_user);
        MUST(is_password(again));
        SspiFreeAuthIdentity(again);
    }
    for (unsigned i = 0; i < 3; i++)
        SspiLocalFree((void *)(uintptr_t)text[i]);
}

static void use(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE copy, back;
    CredHandle credential;
    char ntlm[] = "NTLM", *bytes;
    ULONG len;
    MUST(SspiValidateAuthIdentity(identity) == SEC_E_OK);
    MUST(SspiCopyAuthIdentity(identity, &copy) == SEC_E_OK);
    if (SspiIsAuthIdentityEncrypted(identity)) {
        MUST(SspiDecryptAuthIdentity(copy) != SEC_E_OK); /* nobody guesses the key */
        MUST(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, copy, NULL, NULL, &credential, NULL) !=
             SEC_E_OK);
        SspiFreeAuthIdentity(copy);
        return;
    }
    same(identity, copy);
    strings(copy);
    MUST(SspiEncryptAuthIdentity(copy) == SEC_E_OK && SspiIsAuthIdentityEncrypted(copy));
    same(identity, copy);
    MUST(SspiMarshalAuthIdentity(copy, &len, &bytes) == SEC_E_OK);
    MUST(SspiUnmarshalAuthIdentity(len, bytes, &back) == SEC_E_OK);
    MUST(SspiDecryptAuthIdentity(copy) == SEC_E_OK && SspiDecryptAuthIdentity(back) == SEC_E_OK);
    same(copy, back);
    if (AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, back, NULL, NULL, &credential, NULL) ==
        SEC_E_OK)
        MUST(FreeCredentialsHandle(&credential) == SEC_E_OK);
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(back);
    SspiFreeAuthIdentity(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    world_reset();
    if (size > UINT32_MAX)
        return 0;
    if (SspiUnmarshalAuthIdentity((ULONG)size, (char *)(uintptr_t)data, &identity) != SEC_E_OK) {
        MUST(identity == NULL);
        return 0;
    }
    use(identity);
    SspiZeroAuthIdentity(identity);
    SspiFreeAuthIdentity(identity);
    return 0;
}
