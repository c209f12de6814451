/*
 * Identities encrypted in memory, signing on with them, and asking for them.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/status.h"
#include "crypto/random.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define W(text) ((SEC_WCHAR *)(uintptr_t)u"" text)

static PSEC_WINNT_AUTH_IDENTITY_OPAQUE alice(void)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(W("alice"), W("EXAMPLE"), W("Password1!"), &identity), SEC_E_OK);
    return identity;
}

static ULONG size_of(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    return ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->cbStructureLength;
}

static bool holds(const void *memory, size_t len, const void *what, size_t what_len)
{
    return memmem(memory, len, what, what_len) != NULL;
}

static void hides_and_shows(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice();
    ULONG size = size_of(identity);
    unsigned char *before = malloc(size), *sealed = malloc(size);
    (void)state;
    memcpy(before, identity, size);
    assert_true(holds(identity, size, u"Password1!", 20));
    assert_false(SspiIsAuthIdentityEncrypted(identity));
    assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
    assert_true(SspiIsAuthIdentityEncrypted(identity));
    assert_int_equal(SspiValidateAuthIdentity(identity), SEC_E_OK);
    assert_false(holds(identity, size, u"Password1!", 20));
    assert_false(holds(identity, size, u"ass", 6));
    memcpy(sealed, identity, size);
    assert_int_equal(SspiEncryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, identity), SEC_E_OK);
    assert_memory_equal(identity, sealed, size); /* stays as it is */
    PCWSTR a, b, c;
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &a, &b, &c), STATUS_INVALID_PARAMETER);
    assert_int_equal(SspiDecryptAuthIdentity(identity), SEC_E_OK);
    assert_memory_equal(identity, before, size);
    assert_int_equal(SspiDecryptAuthIdentity(identity), SEC_E_OK);
    assert_memory_equal(identity, before, size);
    /* Twice the same is not the same. */
    assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
    assert_memory_not_equal(identity, sealed, size);
    SspiFreeAuthIdentity(identity);
    free(before);
    free(sealed);
}

static void every_bit_counts(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice();
    ULONG size = size_of(identity);
    (void)state;
    assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
    unsigned char *bytes = identity, *sealed = malloc(size);
    memcpy(sealed, identity, size);
    for (ULONG i = 0; i < 8 * size; i++) {
        if (i == 8 * offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Flags) + 4)
            continue; /* _PROCESS_ENCRYPTED: without it nothing is to be decrypted */
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
        unsigned char *altered = malloc(size);
        memcpy(altered, identity, size);
        SECURITY_STATUS status = SspiDecryptAuthIdentity(identity);
        if (status != SEC_E_DECRYPT_FAILURE && status != SEC_E_INVALID_TOKEN)
            fail_msg("bit %u: 0x%08x", (unsigned)i, (unsigned)status);
        assert_memory_equal(identity, altered, size);
        free(altered);
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    assert_memory_equal(identity, sealed, size);
    assert_int_equal(SspiDecryptAuthIdentity(identity), SEC_E_OK);
    SspiFreeAuthIdentity(identity);
    free(sealed);
}

static void options(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice();
    SEC_WINNT_AUTH_IDENTITY_W plain = {.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    static const ULONG refused[] = {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON,
                                    SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(SspiEncryptAuthIdentityEx(refused[i], identity), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(SspiDecryptAuthIdentityEx(refused[i], identity), SEC_E_UNSUPPORTED_FUNCTION);
    }
    assert_int_equal(SspiEncryptAuthIdentityEx(8, identity), SEC_E_INVALID_PARAMETER);
    assert_false(SspiIsAuthIdentityEncrypted(identity));
    assert_int_equal(SspiEncryptAuthIdentityEx(0, identity), SEC_E_OK);
    assert_int_equal(SspiDecryptAuthIdentityEx(0, identity), SEC_E_OK);
    /* Structures of the caller's own have no room. */
    assert_int_equal(SspiEncryptAuthIdentity(&plain), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiEncryptAuthIdentity(NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiDecryptAuthIdentity(NULL), SEC_E_INVALID_PARAMETER);
    assert_false(SspiIsAuthIdentityEncrypted(NULL));
    assert_false(SspiIsAuthIdentityEncrypted(&plain));
    SspiFreeAuthIdentity(identity);
    /* A block of ours that is no identity. */
    PSecPkgInfoA info;
    char ntlm[] = "NTLM";
    assert_int_equal(QuerySecurityPackageInfoA(ntlm, &info), SEC_E_OK);
    assert_int_equal(SspiEncryptAuthIdentity(info), SEC_E_INVALID_TOKEN);
    FreeContextBuffer(info);
}

static bool no_random(void *data, size_t len)
{
    (void)data;
    (void)len;
    return false;
}

/* Before there is a key, and where there is one; the first of all that encrypt. */
static void no_randomness_or_memory_once(void **state)
{
    (void)state;
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice(), before = alice();
    for (int i = 0; i < 2; i++) {
        random_hook(no_random);
        assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_ENCRYPT_FAILURE);
        random_hook(NULL);
        mem_fault_set(1, true);
        assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_INSUFFICIENT_MEMORY);
        mem_fault_set(0, false);
        assert_memory_equal(identity, before, size_of(before));
        assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
        assert_int_equal(SspiDecryptAuthIdentity(identity), SEC_E_OK);
    }
    SspiFreeAuthIdentity(identity);
    SspiFreeAuthIdentity(before);
}

/* Signs on with an identity; false on a refused password. */
static bool signs_on(void *identity, bool wide)
{
    struct loop loop = {.keep_credentials = true};
    char ntlm[] = "NTLM";
    assert_int_equal(wide ? AcquireCredentialsHandleW(NULL, W("NTLM"), SECPKG_CRED_OUTBOUND, NULL, identity, NULL, NULL,
                                                      &loop.client_credential, NULL)
                          : AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, identity, NULL, NULL,
                                                      &loop.client_credential, NULL),
                     SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                               &loop.server_credential, NULL),
                     SEC_E_OK);
    bool signed_on = loop_run(&loop);
    loop_end(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    return signed_on;
}

static void signs_on_encrypted(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice(), copy = NULL, less = NULL;
    CredHandle credential;
    ULONG len;
    char *bytes, ntlm[] = "NTLM";
    (void)state;
    loop_configure("");
    assert_true(signs_on(identity, true) && signs_on(identity, false));
    assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
    assert_true(signs_on(identity, true) && signs_on(identity, false));
    assert_true(SspiIsAuthIdentityEncrypted(identity)); /* as it was given */
    /* Copies, marshalled bytes and lists do not open it. */
    assert_int_equal(SspiCopyAuthIdentity(identity, &copy), SEC_E_OK);
    assert_true(SspiIsAuthIdentityEncrypted(copy) && signs_on(copy, true));
    SspiFreeAuthIdentity(copy);
    assert_int_equal(SspiMarshalAuthIdentity(identity, &len, &bytes), SEC_E_OK);
    assert_int_equal(SspiUnmarshalAuthIdentity(len, bytes, &copy), SEC_E_OK);
    assert_true(SspiIsAuthIdentityEncrypted(copy) && signs_on(copy, true));
    assert_int_equal(SspiExcludePackage(copy, W("Kerberos"), &less), SEC_E_OK);
    assert_true(SspiIsAuthIdentityEncrypted(less) && signs_on(less, true));
    /* Somebody else's encryption is refused in words. */
    ((char *)copy)[len - 10] ^= 1;
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, copy, NULL, NULL, &credential, NULL),
        SEC_E_UNKNOWN_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "another process"));
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(less);
    SspiFreeAuthIdentity(copy);
    SspiFreeAuthIdentity(identity);
    loop_cleanup();
}

/* An askpass that answers every question with the next of its lines, and logs it. */
static void askpass_make(const char *user, const char *password, int code)
{
    char path[600], extra[700];
    snprintf(path, sizeof path, "%s/askpass", loop_directory());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "#!/bin/sh\necho \"$1\" >> \"$0.log\"\ncase \"$1\" in\n*User*) printf '%%s\\n' '%s' ;;\n*) printf '%%s\\n' "
            "'%s' ;;\nesac\n"
            "exit %d\n",
            user, password, code);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(extra, sizeof extra, "[credentials]\naskpass = %s\n", path);
    loop_configure(extra);
}

static bool asked(const char *what)
{
    char path[600], text[2000] = "";
    snprintf(path, sizeof path, "%s/askpass.log", loop_directory());
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    return strstr(text, what) != NULL;
}

struct ui_a {
    ULONG size;
    void *parent;
    const char *message, *caption;
    void *banner;
};

static void test_prompts(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL, again = NULL;
    int save = TRUE;
    (void)state;
    loop_configure("");
    askpass_make("EXAMPLE\\alice", "Password1!", 0);
    struct ui_a ui = {.size = sizeof ui, .message = "Please\x1b[2J sign on."};
    ULONG result =
        SspiPromptForCredentialsA("HTTP/server", &ui, (ULONG)SEC_E_LOGON_DENIED, "NTLM", NULL, &identity, &save, 0);
    if (result != 0)
        fail_msg("0x%08x: %s", (unsigned)result, OpenSspiLastErrorText());
    assert_int_equal(save, FALSE);
    assert_true(signs_on(identity, true));
    assert_true(asked("Signing on failed (SEC_E_LOGON_DENIED). Please?[2J sign on. User name for HTTP/server: "));
    /* What was known is not asked again. */
    save = TRUE;
    assert_int_equal(SspiPromptForCredentialsW(W("HTTP/server"), NULL, 1326, W("ntlm"), identity, &again, &save,
                                               SSPIPFC_CREDPROV_DO_NOT_SAVE),
                     0);
    assert_int_equal(save, TRUE);
    assert_true(asked("Signing on failed (error 1326).  Password of alice for HTTP/server: "));
    BOOLEAN same_user, same;
    assert_int_equal(SspiCompareAuthIdentities(identity, again, &same_user, &same), SEC_E_OK);
    assert_true(same_user && same);
    SspiFreeAuthIdentity(identity);
    SspiFreeAuthIdentity(again);
    /* What was typed is a password, whatever stood in its place before: not the name of a file, nor a hash. */
    static const ULONG forms[] = {OPENSSPI_AUTH_IDENTITY_KEYTAB, OPENSSPI_AUTH_IDENTITY_X509,
                                  OPENSSPI_AUTH_IDENTITY_NT_HASH};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        static char user[] = "alice", former[] = "FILE:/nonexistent";
        SEC_WINNT_AUTH_IDENTITY_A input = {
            .User = (unsigned char *)user,
            .UserLength = 5,
            .Password = (unsigned char *)former,
            .PasswordLength = sizeof former - 1,
            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI | forms[i],
        };
        assert_int_equal(SspiPromptForCredentialsA("HTTP/server", NULL, 0, "NTLM", &input, &identity, NULL, 0), 0);
        assert_true(signs_on(identity, true));
        SspiFreeAuthIdentity(identity);
    }
    /* Nor is it packed credentials, of a keytab here, whatever it looks like. */
    static const char packed[] = "HAAdAOiqh9WP91VEoRLJNL7ufOEcAAAAAQAAAHg=";
    PCWSTR user, domain, back;
    askpass_make("EXAMPLE\\alice", packed, 0);
    assert_int_equal(SspiPromptForCredentialsA("HTTP/server", NULL, 0, "NTLM", NULL, &identity, NULL, 0), 0);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &user, &domain, &back), SEC_E_OK);
    for (size_t i = 0; i < sizeof packed; i++)
        assert_int_equal(back[i], packed[i]);
    SspiLocalFree((void *)(uintptr_t)user);
    SspiLocalFree((void *)(uintptr_t)domain);
    SspiLocalFree((void *)(uintptr_t)back);
    SspiFreeAuthIdentity(identity);
    loop_cleanup();
}

static void prompts_refused(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = (void *)1;
    int save = 7;
    (void)state;
    loop_configure("");
    askpass_make("alice", "x", 1); /* the user pressed Cancel */
    assert_int_equal(SspiPromptForCredentialsW(W("t"), NULL, 0, NULL, NULL, &identity, &save, 0), 1223);
    assert_int_equal(SspiPromptForCredentialsW(W("t"), NULL, 0, NULL, NULL, NULL, &save, 0), 87);
    assert_int_equal(SspiPromptForCredentialsW(W("t"), NULL, 0, NULL, NULL, &identity, &save, 0x100), 87);
    assert_int_equal(SspiPromptForCredentialsA("t", NULL, 0, "no such", NULL, &identity, &save, 0),
                     (ULONG)SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(SspiPromptForCredentialsA("\xff", NULL, 0, NULL, NULL, &identity, &save, 0), 87);
    struct ui_a ui = {.size = 3};
    assert_int_equal(SspiPromptForCredentialsA("t", &ui, 0, NULL, NULL, &identity, &save, 0), 87);
    loop_configure("[credentials]\naskpass = /nonexistent/askpass\n");
    assert_int_equal(SspiPromptForCredentialsA("t", NULL, 0, NULL, NULL, &identity, &save, 0),
                     (ULONG)SEC_E_UNSUPPORTED_FUNCTION);
    assert_true((uintptr_t)identity == 1 && save == 7);
    loop_cleanup();
}

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_STAYS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define MEMORY_STAYS 0
#endif
#endif
#ifndef MEMORY_STAYS
#define MEMORY_STAYS 1 /* the pools of secret.c keep their pages */
#endif

/* What is freed holds no password any more. */
static void freed_is_wiped(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = alice();
    PCWSTR user, domain, password;
    ULONG len, type, blob_len;
    PUCHAR blob;
    PCWSTR name, account;
    char *bytes;
    (void)state;
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &user, &domain, &password), SEC_E_OK);
    assert_int_equal(SspiMarshalAuthIdentity(identity, &len, &bytes), SEC_E_OK);
    assert_int_equal(SspiPrepareForCredWrite(identity, NULL, &type, &name, &account, &blob, &blob_len), SEC_E_OK);
    struct {
        volatile const unsigned char *memory;
        size_t len;
    } const blocks[] = {{identity, size_of(identity)}, {(const void *)password, 20}, {(void *)bytes, len}, {blob, 20}};
    SspiFreeAuthIdentity(identity);
    SspiLocalFree((void *)(uintptr_t)user);
    SspiLocalFree((void *)(uintptr_t)domain);
    SspiLocalFree((void *)(uintptr_t)password);
    SspiLocalFree((void *)(uintptr_t)name);
    SspiLocalFree((void *)(uintptr_t)account);
    SspiLocalFree(bytes);
    SspiLocalFree(blob);
    for (size_t i = 0; MEMORY_STAYS && i < COUNT_OF(blocks); i++)
        for (size_t at = 0; at < blocks[i].len; at++)
            assert_int_equal(blocks[i].memory[at], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_randomness_or_memory_once),
        cmocka_unit_test(hides_and_shows),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(options),
        cmocka_unit_test(signs_on_encrypted),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(prompts_refused),
        cmocka_unit_test(freed_is_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
