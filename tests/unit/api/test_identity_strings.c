/*
 * Identities from strings and back, where the string of packed credentials may be what anybody typed into a password's field.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/memory.h"
#include "core/status.h"
#include <sspi_ext.h>
#include <string.h>

#define W(text) ((SEC_WCHAR *)(uintptr_t)u"" text)
#define TEXT_MAX 512

static size_t wide_len(const SEC_WCHAR *text)
{
    size_t len = 0;
    while (text[len] != 0)
        len++;
    return len;
}

/* SEC_WINNT_AUTH_PACKED_CREDENTIALS of any type, as a caller would build them; the holes that C leaves are zero. */
static size_t pack(const GUID *type, const void *data, size_t len, unsigned char packed[TEXT_MAX])
{
    struct writer writer = writer_fixed(packed, TEXT_MAX);
    writer_u16le(&writer, sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS));
    writer_u16le(&writer, (uint16_t)(sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS) + len));
    writer_bytes(&writer, type, sizeof *type);
    writer_u32le(&writer, sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS));
    writer_u32le(&writer, (uint32_t)len);
    writer_bytes(&writer, data, len);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    return writer.len;
}

static void typed(struct slice bytes, SEC_WCHAR text[TEXT_MAX])
{
    uint8_t room[TEXT_MAX];
    struct writer writer = writer_fixed(room, sizeof room - 1);
    base64_write(&writer, bytes);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    for (size_t i = 0; i < writer.len; i++)
        text[i] = room[i];
    text[writer.len] = 0;
}

/* SEC_WINNT_AUTH_CERTIFICATE_DATA, or without its two lengths SEC_WINNT_AUTH_DATA_PASSWORD: an offset and a length, and the name behind. */
static size_t named(bool certificate, const void *name, size_t len, unsigned char data[TEXT_MAX])
{
    struct writer writer = writer_fixed(data, TEXT_MAX);
    uint16_t head = certificate ? sizeof(SEC_WINNT_AUTH_CERTIFICATE_DATA) : sizeof(SEC_WINNT_AUTH_DATA_PASSWORD);
    if (certificate) {
        writer_u16le(&writer, head);
        writer_u16le(&writer, (uint16_t)(head + len));
    }
    writer_u32le(&writer, head);
    writer_u32le(&writer, (uint32_t)len);
    writer_bytes(&writer, name, len);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    return writer.len;
}

/* The identity's password is `text`, unit by unit, and NTLM takes it for one. */
static void password_is(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, const SEC_WCHAR *text)
{
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = identity;
    const unsigned char *packed = (const unsigned char *)identity + ex2->PackedCredentialsOffset;
    SEC_WINNT_AUTH_PACKED_CREDENTIALS header;
    SEC_WINNT_AUTH_DATA_PASSWORD password;
    char ntlm[] = "NTLM";
    CredHandle credential;
    assert_true(ex2->PackedCredentialsLength >= sizeof header + sizeof password);
    memcpy(&header, packed, sizeof header);
    assert_memory_equal(&header.AuthData.CredType, &SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, sizeof(GUID));
    const unsigned char *data = packed + header.AuthData.CredData.ByteArrayOffset;
    memcpy(&password, data, sizeof password);
    assert_int_equal(password.UnicodePassword.ByteArrayLength, wide_len(text) * 2);
    assert_memory_equal(data + password.UnicodePassword.ByteArrayOffset, text, wide_len(text) * 2);
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, identity, NULL, NULL, &credential, NULL),
        SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
}

/* Whoever may type a password must not choose a file or a module of this computer with it: packed credentials that are no password are one, letter
 * by letter. */
static void test_names_of_files_are_passwords(void **state)
{
    static const SEC_WCHAR keytab[] = u"FILE:/etc/krb5.keytab", module[] = u"PKCS11:module_name=/tmp/module.so";
    static const unsigned char keytab_file[] = {5, 2, 0, 0, 0, 0};
    static const GUID unknown = {1, 2, 3, {4}};
    unsigned char certificate[TEXT_MAX];
    size_t certificate_len = named(true, module, sizeof module - 2, certificate);
    const struct {
        const GUID *type;
        const void *data;
        size_t len;
    } cases[] = {
        {&SEC_WINNT_AUTH_DATA_TYPE_CERT, certificate, certificate_len},
        {&SEC_WINNT_AUTH_DATA_TYPE_KEYTAB, keytab, sizeof keytab - 2},
        {&SEC_WINNT_AUTH_DATA_TYPE_KEYTAB, keytab_file, sizeof keytab_file},
        {&SEC_WINNT_AUTH_DATA_TYPE_NGC, "x", 1},
        {&unknown, "x", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned char packed[TEXT_MAX];
        SEC_WCHAR text[TEXT_MAX];
        PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity;
        PCWSTR user, domain, back;
        typed(slice_of(packed, pack(cases[i].type, cases[i].data, cases[i].len, packed)), text);
        assert_int_equal(SspiEncodeStringsAsAuthIdentity(W("alice"), NULL, text, &identity), SEC_E_OK);
        password_is(identity, text);
        assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &user, &domain, &back), SEC_E_OK);
        assert_int_equal(wide_len(back), wide_len(text));
        assert_memory_equal(back, text, wide_len(text) * 2);
        SspiLocalFree((void *)(uintptr_t)user);
        SspiLocalFree((void *)(uintptr_t)domain);
        SspiLocalFree((void *)(uintptr_t)back);
        SspiFreeAuthIdentity(identity);
    }
}

/* An EX2 structure of a caller's for "alice". */
static void ex2_build(struct slice packed, uint64_t block[TEXT_MAX / 8])
{
    SEC_WINNT_AUTH_IDENTITY_EX2 header = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
        .cbHeaderLength = sizeof header,
        .UserOffset = sizeof header,
        .UserLength = 10,
        .PackedCredentialsOffset = sizeof header + 10,
        .PackedCredentialsLength = (unsigned short)packed.len,
        .cbStructureLength = (ULONG)(sizeof header + 10 + packed.len),
    };
    memcpy(block, &header, sizeof header);
    memcpy((char *)block + header.UserOffset, u"alice", 10);
    memcpy((char *)block + header.PackedCredentialsOffset, packed.data, packed.len);
}

/* What is no password has no string, since one would be read as a password; it goes whole through SspiMarshalAuthIdentity. */
static void test_other_secrets(void **state)
{
    static const GUID *const types[] = {&SEC_WINNT_AUTH_DATA_TYPE_CERT, &SEC_WINNT_AUTH_DATA_TYPE_KEYTAB};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        unsigned char packed[TEXT_MAX];
        uint64_t block[TEXT_MAX / 8] = {0};
        PSEC_WINNT_AUTH_IDENTITY_OPAQUE copy, again;
        PCWSTR user = W("?"), domain = W("?"), text = W("?");
        BOOLEAN same_user = FALSE, same = FALSE;
        ULONG len;
        char *bytes;
        ex2_build(slice_of(packed, pack(types[i], "CERT", 4, packed)), block);
        assert_int_equal(SspiValidateAuthIdentity(block), SEC_E_OK);
        assert_int_equal(SspiCopyAuthIdentity(block, &copy), SEC_E_OK);
        assert_int_equal(SspiEncodeAuthIdentityAsStrings(copy, &user, &domain, &text), SEC_E_UNSUPPORTED_FUNCTION);
        assert_true(*user == '?' && *domain == '?' && *text == '?');
        assert_int_equal(SspiMarshalAuthIdentity(copy, &len, &bytes), SEC_E_OK);
        assert_int_equal(SspiUnmarshalAuthIdentity(len, bytes, &again), SEC_E_OK);
        assert_int_equal(SspiCompareAuthIdentities(block, again, &same_user, &same), SEC_E_OK);
        assert_true(same_user && same);
        SspiLocalFree(bytes);
        SspiFreeAuthIdentity(copy);
        SspiFreeAuthIdentity(again);
    }
}

/* A hash, or the name of a keytab or certificate, is no password either; where none is there the flags say nothing. */
static void test_forms_of_passwords(void **state)
{
    static const ULONG forms[] = {OPENSSPI_AUTH_IDENTITY_NT_HASH, OPENSSPI_AUTH_IDENTITY_KEYTAB,
                                  OPENSSPI_AUTH_IDENTITY_X509};
    static char user[] = "alice", secret[] = "0123456789abcdef0123456789ABCDEF";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        SEC_WINNT_AUTH_IDENTITY_A plain = {
            .User = (unsigned char *)user,
            .UserLength = 5,
            .Password = (unsigned char *)secret,
            .PasswordLength = sizeof secret - 1,
            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI | forms[i],
        };
        PCWSTR name = W("?"), domain = W("?"), text = W("?");
        assert_int_equal(SspiEncodeAuthIdentityAsStrings(&plain, &name, &domain, &text), SEC_E_UNSUPPORTED_FUNCTION);
        assert_true(*name == '?' && *domain == '?' && *text == '?');
        plain.Password = NULL;
        plain.PasswordLength = 0;
        assert_int_equal(SspiEncodeAuthIdentityAsStrings(&plain, &name, &domain, &text), SEC_E_OK);
        assert_null(text);
        SspiLocalFree((void *)(uintptr_t)name);
        SspiLocalFree((void *)(uintptr_t)domain);
    }
}

/* A password that no string can hold as it is, one with a NUL, is base64 of its packed credentials; one that reads as such stays what it is. */
static void test_password_like_packed(void **state)
{
    static unsigned short with_nul[] = {'a', 0, 'b'};
    unsigned char packed[TEXT_MAX], data[TEXT_MAX];
    SEC_WCHAR text[TEXT_MAX];
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE copy, again;
    BOOLEAN same_user = FALSE, same = FALSE;
    (void)state;
    size_t len = named(false, with_nul, sizeof with_nul, data);
    typed(slice_of(packed, pack(&SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, data, len, packed)), text);
    SEC_WINNT_AUTH_IDENTITY_W plain = {.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    for (unsigned i = 0; i < 2; i++) {
        PCWSTR user, domain, string;
        plain.Password = i == 0 ? with_nul : (unsigned short *)text;
        plain.PasswordLength = i == 0 ? 3 : (ULONG)wide_len(text);
        assert_int_equal(SspiCopyAuthIdentity(&plain, &copy), SEC_E_OK);
        assert_int_equal(SspiEncodeAuthIdentityAsStrings(copy, &user, &domain, &string), SEC_E_OK);
        bool as_it_was = wide_len(string) == wide_len(text) && memcmp(string, text, wide_len(text) * 2) == 0;
        assert_int_equal(as_it_was, i == 0);
        assert_int_equal(SspiEncodeStringsAsAuthIdentity(user, domain, string, &again), SEC_E_OK);
        assert_int_equal(SspiCompareAuthIdentities(copy, again, &same_user, &same), SEC_E_OK);
        assert_true(same_user && same);
        SspiLocalFree((void *)(uintptr_t)user);
        SspiLocalFree((void *)(uintptr_t)domain);
        SspiLocalFree((void *)(uintptr_t)string);
        SspiFreeAuthIdentity(copy);
        SspiFreeAuthIdentity(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_files_are_passwords),
        cmocka_unit_test(test_other_secrets),
        cmocka_unit_test(test_forms_of_passwords),
        cmocka_unit_test(test_password_like_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
