/*
 * The functions that make, copy, compare, marshal and take apart identities.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/status.h"
#include <limits.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define W(text) ((SEC_WCHAR *)(uintptr_t)u"" text)

static size_t wide_len(const SEC_WCHAR *text)
{
    size_t len = 0;
    while (text[len] != 0)
        len++;
    return len;
}

static bool wide_same(PCWSTR a, PCWSTR b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return wide_len(a) == wide_len(b) && memcmp(a, b, wide_len(a) * sizeof *a) == 0;
}

static PSEC_WINNT_AUTH_IDENTITY_OPAQUE encode(PCWSTR user, PCWSTR domain, PCWSTR packed)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(user, domain, packed, &identity);
    if (status != SEC_E_OK)
        fail_msg("0x%08x: %s", (unsigned)status, OpenSspiLastErrorText());
    assert_non_null(identity);
    return identity;
}

static void check_strings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR user, PCWSTR domain, PCWSTR packed)
{
    PCWSTR strings[3] = {W("?"), W("?"), W("?")};
    SECURITY_STATUS status = SspiEncodeAuthIdentityAsStrings(identity, &strings[0], &strings[1], &strings[2]);
    if (status != SEC_E_OK)
        fail_msg("0x%08x: %s", (unsigned)status, OpenSspiLastErrorText());
    assert_true(wide_same(strings[0], user));
    assert_true(wide_same(strings[1], domain));
    assert_true(wide_same(strings[2], packed));
    for (unsigned i = 0; i < 3; i++)
        SspiLocalFree((void *)(uintptr_t)strings[i]);
}

static void strings_round_trip(void **state)
{
    static const SEC_WCHAR *const values[] = {NULL, u"", u"alice", u"\u00e4rger \U0001f511", u"a\\b@c", u"Zm9v"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        for (size_t j = 0; j < COUNT_OF(values); j++)
            for (size_t k = 0; k < COUNT_OF(values); k++) {
                if (values[i] == NULL && values[j] == NULL && values[k] == NULL)
                    continue;
                PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = encode(values[i], values[j], values[k]);
                assert_int_equal(SspiValidateAuthIdentity(identity), SEC_E_OK);
                check_strings(identity, values[i], values[j], values[k]);
                SspiFreeAuthIdentity(identity);
            }
}

static void strings_refused(void **state)
{
    static const SEC_WCHAR half[] = {'a', 0xd800, 'b', 0};
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = (void *)1;
    PCWSTR a = (void *)1, b = (void *)1, c = (void *)1;
    SEC_WCHAR *longest = calloc(1026, sizeof *longest);
    (void)state;
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(NULL, NULL, NULL, &identity), SEC_E_INVALID_TOKEN);
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(W("a"), NULL, NULL, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(half, NULL, NULL, &identity), SEC_E_INVALID_TOKEN);
    for (unsigned i = 0; i < 1025; i++)
        longest[i] = 'a';
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(W("a"), NULL, longest, &identity), SEC_E_INVALID_TOKEN);
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(longest, NULL, NULL, &identity), SEC_E_INVALID_TOKEN);
    assert_int_equal(SspiEncodeStringsAsAuthIdentity(W("a"), longest, NULL, &identity), SEC_E_INVALID_TOKEN);
    assert_ptr_equal(identity, (void *)1);
    longest[1024] = 0;
    identity = encode(longest, longest, NULL);
    check_strings(identity, longest, longest, NULL);
    SspiFreeAuthIdentity(identity);
    identity = encode(W("a"), NULL, longest);
    check_strings(identity, W("a"), NULL, longest);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(NULL, &a, &b, &c), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, NULL, &b, &c), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &a, NULL, &c), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(identity, &a, &b, NULL), SEC_E_INVALID_PARAMETER);
    assert_true((uintptr_t)a == 1 && (uintptr_t)b == 1 && (uintptr_t)c == 1);
    SspiFreeAuthIdentity(identity);
    /* A password is no text: machine passwords have halves of surrogates. */
    identity = encode(W("a"), NULL, half);
    check_strings(identity, W("a"), NULL, half);
    SspiFreeAuthIdentity(identity);
    free(longest);
}

/* A certificate's packed credentials, as a caller would build them. */
static size_t certificate_packed(unsigned char packed[64])
{
    SEC_WINNT_AUTH_PACKED_CREDENTIALS header = {
        .cbHeaderLength = sizeof header,
        .cbStructureLength = sizeof header + 4,
        .AuthData = {SEC_WINNT_AUTH_DATA_TYPE_CERT, {sizeof header, 4}},
    };
    memcpy(packed, &header, sizeof header);
    memcpy(packed + sizeof header, "CERT", 4);
    return sizeof header + 4;
}

/* An EX2 structure of a caller's, with its pieces in an order of their own. */
static size_t ex2_build(unsigned char *to, const char *user, const unsigned char *packed, size_t packed_len)
{
    SEC_WINNT_AUTH_IDENTITY_EX2 header = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
        .cbHeaderLength = sizeof header,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI, /* has no meaning here */
    };
    size_t at = sizeof header + 5;
    header.PackedCredentialsOffset = (ULONG)at;
    header.PackedCredentialsLength = (unsigned short)packed_len;
    memcpy(to + at, packed, packed_len);
    at += packed_len;
    header.UserOffset = (ULONG)at;
    header.UserLength = (unsigned short)(2 * strlen(user));
    for (const char *c = user; *c != '\0'; c++) {
        to[at++] = (unsigned char)*c;
        to[at++] = 0;
    }
    header.cbStructureLength = (ULONG)at;
    memcpy(to, &header, sizeof header);
    return at;
}

static SEC_WINNT_AUTH_IDENTITY_EXA ex_a(char *user, char *domain, char *password, char *packages)
{
    return (SEC_WINNT_AUTH_IDENTITY_EXA){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(SEC_WINNT_AUTH_IDENTITY_EXA),
        .User = (unsigned char *)user,
        .UserLength = user != NULL ? (ULONG)strlen(user) : 0,
        .Domain = (unsigned char *)domain,
        .DomainLength = domain != NULL ? (ULONG)strlen(domain) : 0,
        .Password = (unsigned char *)password,
        .PasswordLength = password != NULL ? (ULONG)strlen(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)packages,
        .PackageListLength = packages != NULL ? (ULONG)strlen(packages) : 0,
    };
}

static void compare_check(PSEC_WINNT_AUTH_IDENTITY_OPAQUE a, PSEC_WINNT_AUTH_IDENTITY_OPAQUE b, bool user, bool all)
{
    BOOLEAN same_user = 7, same = 7;
    assert_int_equal(SspiCompareAuthIdentities(a, b, &same_user, &same), SEC_E_OK);
    assert_int_equal(same_user, user);
    assert_int_equal(same, all);
    assert_int_equal(SspiCompareAuthIdentities(b, a, NULL, &same), SEC_E_OK);
    assert_int_equal(same, all);
    assert_int_equal(SspiCompareAuthIdentities(b, a, &same_user, NULL), SEC_E_OK);
    assert_int_equal(same_user, user);
}

static void forms_compare(void **state)
{
    char alice[] = "alice", upper[] = "ALICE", bob[] = "bob", example[] = "EXAMPLE", secret[] = "secret";
    char both[] = "EXAMPLE\\alice", other[] = "Secret", list[] = "!ntlm";
    SEC_WINNT_AUTH_IDENTITY_EXA plain = ex_a(alice, example, secret, NULL), folded = ex_a(upper, example, secret, NULL);
    SEC_WINNT_AUTH_IDENTITY_EXA joined = ex_a(both, NULL, secret, NULL), wrong = ex_a(alice, example, other, NULL);
    SEC_WINNT_AUTH_IDENTITY_EXA someone = ex_a(bob, example, secret, NULL), listed = ex_a(alice, example, secret, list);
    SEC_WINNT_AUTH_IDENTITY_EXA without = ex_a(alice, example, NULL, NULL);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE opaque = encode(W("alice"), W("EXAMPLE"), W("secret"));
    BOOLEAN same = FALSE;
    (void)state;
    compare_check(opaque, opaque, true, true);
    compare_check(opaque, &plain, true, true);
    compare_check(opaque, &folded, true, true);
    compare_check(opaque, &joined, true, true);
    compare_check(opaque, &wrong, true, false);
    compare_check(opaque, &someone, false, false);
    compare_check(opaque, &listed, true, false);
    compare_check(opaque, &without, true, false);
    compare_check(NULL, NULL, true, true);
    compare_check(opaque, NULL, false, false);
    assert_int_equal(SspiEncryptAuthIdentity(opaque), SEC_E_OK);
    compare_check(opaque, &plain, true, true);
    compare_check(opaque, &wrong, true, false);
    SspiFreeAuthIdentity(opaque);
    plain.User = NULL; /* with a length */
    assert_int_equal(SspiCompareAuthIdentities(&plain, NULL, &same, &same), SEC_E_INVALID_TOKEN);
    assert_int_equal(same, FALSE);
}

static void copies(void **state)
{
    char alice[] = "alice", secret[] = "0123456789abcdef0123456789ABCDEF", list[] = "ntlm,!kerberos";
    SEC_WINNT_AUTH_IDENTITY_EXA plain = ex_a(alice, NULL, secret, list);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE copy = NULL, untouched = (void *)1;
    (void)state;
    plain.Flags |= OPENSSPI_AUTH_IDENTITY_NT_HASH | SEC_WINNT_AUTH_IDENTITY_ONLY;
    assert_int_equal(SspiCopyAuthIdentity(&plain, &copy), SEC_E_OK);
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = copy;
    assert_int_equal(ex2->Version, SEC_WINNT_AUTH_IDENTITY_VERSION_2);
    assert_int_equal(ex2->cbHeaderLength, sizeof *ex2);
    assert_int_equal(ex2->UserLength, 10);
    assert_memory_equal((const char *)copy + ex2->UserOffset, u"alice", 10);
    assert_int_equal(ex2->DomainLength, 0);
    assert_int_equal(ex2->PackageListLength, 28);
    assert_memory_equal((const char *)copy + ex2->PackageListOffset, u"ntlm,!kerberos", 28);
    assert_int_equal(ex2->PackedCredentialsOffset % 4, 0);
    assert_int_equal(ex2->Flags, OPENSSPI_AUTH_IDENTITY_NT_HASH | SEC_WINNT_AUTH_IDENTITY_ONLY |
                                     SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED |
                                     SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN);
    compare_check(copy, &plain, true, true);
    SspiFreeAuthIdentity(copy);
    assert_int_equal(SspiCopyAuthIdentity(NULL, &untouched), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiCopyAuthIdentity(&plain, NULL), SEC_E_INVALID_PARAMETER);
    plain.UserLength = 100000;
    assert_int_equal(SspiCopyAuthIdentity(&plain, &untouched), SEC_E_INVALID_TOKEN);
    assert_int_equal(SspiValidateAuthIdentity(&plain), SEC_E_INVALID_TOKEN);
    assert_int_equal(SspiValidateAuthIdentity(NULL), SEC_E_INVALID_PARAMETER);
    assert_ptr_equal(untouched, (void *)1);
}

static void marshalled(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = encode(W("alice"), W("EXAMPLE"), W("secret")), back = NULL;
    ULONG len = 0;
    char *bytes = NULL;
    (void)state;
    assert_int_equal(SspiMarshalAuthIdentity(identity, &len, &bytes), SEC_E_OK);
    char *moved = malloc(len + 1);
    memcpy(moved + 1, bytes, len); /* at an odd address */
    assert_int_equal(SspiUnmarshalAuthIdentity(len, moved + 1, &back), SEC_E_OK);
    compare_check(identity, back, true, true);
    SspiFreeAuthIdentity(back);
    back = (void *)1;
    for (ULONG cut = 0; cut < len; cut++) {
        char *exact = malloc(cut > 0 ? cut : 1);
        memcpy(exact, bytes, cut);
        assert_int_equal(SspiUnmarshalAuthIdentity(cut, exact, &back), SEC_E_INVALID_TOKEN);
        free(exact);
    }
    char *longer = calloc(1, len + 1);
    memcpy(longer, bytes, len);
    assert_int_equal(SspiUnmarshalAuthIdentity(len + 1, longer, &back), SEC_E_INVALID_TOKEN);
    free(longer);
    assert_int_equal(SspiUnmarshalAuthIdentity(len, NULL, &back), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiUnmarshalAuthIdentity(len, bytes, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiMarshalAuthIdentity(NULL, &len, &bytes), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiMarshalAuthIdentity(identity, NULL, &bytes), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiMarshalAuthIdentity(identity, &len, NULL), SEC_E_INVALID_PARAMETER);
    assert_ptr_equal(back, (void *)1);
    free(moved);
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(identity);
}

static void hostile_blocks(void **state)
{
    /* Each names a field of the structure and a value that cannot be. */
    static const struct {
        size_t offset;
        unsigned len;
        uint32_t value;
    } wrong[] = {
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Version), 4, 0x202},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Version), 4, 0x200},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbHeaderLength), 2, 47},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbHeaderLength), 2, 0xffff},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbStructureLength), 4, 0},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbStructureLength), 4, 0xffffffff},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserOffset), 4, 0xffffffff},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserOffset), 4, 0xfffffff8},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserLength), 2, 0xfffe},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserLength), 2, 3},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, DomainOffset), 4, 0x80000000},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, DomainLength), 2, 0xfffe},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsOffset), 4, 0x7fffffff},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsLength), 2, 0xffff},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsLength), 2, 1},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsLength), 2, 27},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackageListLength), 2, 0xfffe},
    };
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = encode(W("alice"), W("EXAMPLE"), W("secret")), back = (void *)1;
    ULONG len = 0;
    char *bytes = NULL;
    (void)state;
    assert_int_equal(SspiMarshalAuthIdentity(identity, &len, &bytes), SEC_E_OK);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char *altered = malloc(len);
        memcpy(altered, bytes, len);
        memcpy(altered + wrong[i].offset, &wrong[i].value, wrong[i].len);
        if (SspiUnmarshalAuthIdentity(len, altered, &back) != SEC_E_INVALID_TOKEN)
            fail_msg("case %zu was taken", i);
        free(altered);
    }
    /* The same inside the packed credentials: every 16- and 32-bit field at its largest. */
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = identity;
    static const unsigned inner[] = {2, 20, 24, 28, 32};
    for (size_t i = 0; i < COUNT_OF(inner); i++) {
        char *altered = malloc(len);
        memcpy(altered, bytes, len);
        memset(altered + ex2->PackedCredentialsOffset + inner[i], 0xff, 2);
        assert_int_equal(SspiUnmarshalAuthIdentity(len, altered, &back), SEC_E_INVALID_TOKEN);
        free(altered);
    }
    assert_ptr_equal(back, (void *)1);
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(identity);
}

static void wiped(void **state)
{
    char user[] = "alice", domain[] = "EXAMPLE", password[] = "secret", zeros[8] = {0};
    SEC_WINNT_AUTH_IDENTITY_EXA plain = ex_a(user, domain, password, NULL);
    unsigned char packed[64] = {0}, block[256] = {0}, nothing[256] = {0};
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = encode(W("alice"), W("EXAMPLE"), W("secret"));
    (void)state;
    size_t len = ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->cbStructureLength;
    SspiZeroAuthIdentity(identity);
    assert_memory_equal(identity, nothing, len);
    assert_int_equal(SspiValidateAuthIdentity(identity), SEC_E_OK); /* of the oldest form, and says nothing */
    SspiFreeAuthIdentity(identity);
    identity = encode(W("alice"), W("EXAMPLE"), W("secret")); /* whatever its header says by now */
    *(ULONG *)identity = SEC_WINNT_AUTH_IDENTITY_VERSION;
    SspiZeroAuthIdentity(identity);
    assert_memory_equal(identity, nothing, len);
    SspiFreeAuthIdentity(identity);
    SspiZeroAuthIdentity(&plain);
    assert_memory_equal(user, zeros, 5);
    assert_memory_equal(domain, zeros, 7);
    assert_memory_equal(password, zeros, 6);
    assert_ptr_equal(plain.User, user);
    len = ex2_build(block, "alice", packed, certificate_packed(packed));
    SspiZeroAuthIdentity(block);
    assert_memory_equal(block, nothing, len);
    SspiZeroAuthIdentity(NULL);
    SspiFreeAuthIdentity(NULL);
    SspiFreeAuthIdentity(&plain); /* not ours: left alone */
    SspiLocalFree(NULL);
    SspiLocalFree(&plain);
}

/* Structures that a program has in memory of LocalAlloc: the block tells nothing of their form. */
static void wiped_in_blocks(void **state)
{
    static const char zeros[8] = {0};
    for (unsigned ex = 0; ex < 2; ex++) {
        char user[] = "alice", domain[] = "EXAMPLE", password[] = "secret", list[] = "kerberos";
        SEC_WINNT_AUTH_IDENTITY_EXA whole = ex_a(user, domain, password, list);
        const SEC_WINNT_AUTH_IDENTITY_A plain = {whole.User,     whole.UserLength,     whole.Domain, whole.DomainLength,
                                                 whole.Password, whole.PasswordLength, whole.Flags};
        const void *form = ex ? (const void *)&whole : (const void *)&plain;
        size_t size = ex ? sizeof whole : sizeof plain;
        void *block = OpenSspiLocalAlloc(size);
        assert_non_null(block);
        memcpy(block, form, size);
        SspiZeroAuthIdentity(block);
        assert_memory_equal(user, zeros, 5);
        assert_memory_equal(domain, zeros, 7);
        assert_memory_equal(password, zeros, 6);
        if (ex)
            assert_memory_equal(list, zeros, 8);
        assert_memory_equal(block, form, size); /* its pointers are the owner's to free */
        assert_null(OpenSspiLocalFree(block));
    }
    (void)state;
    /* What is too short for any form, or for the one that its header tells, is wiped and not looked into. */
    static const ULONG first[] = {0, SEC_WINNT_AUTH_IDENTITY_VERSION, SEC_WINNT_AUTH_IDENTITY_VERSION_2};
    for (size_t i = 0; i < COUNT_OF(first); i++)
        for (size_t size = 4; size < sizeof(SEC_WINNT_AUTH_IDENTITY_EXW); size += 4) {
            if (first[i] == 0 && size >= sizeof(SEC_WINNT_AUTH_IDENTITY_W))
                break;
            unsigned char *block = OpenSspiLocalAlloc(size);
            assert_non_null(block);
            memset(block, 0xa5, size);
            memcpy(block, &first[i], 4);
            if (size >= 8)
                memcpy(block + 4, &(ULONG){64}, 4);
            SspiZeroAuthIdentity(block);
            for (size_t at = 0; at < size; at++)
                assert_int_equal(block[at], 0);
            assert_null(OpenSspiLocalFree(block));
        }
}

static void packages_excluded(void **state)
{
    char user[] = "alice", list[] = "kerberos";
    SEC_WINNT_AUTH_IDENTITY_EXA plain = ex_a(user, NULL, NULL, NULL);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE less = NULL, none = NULL, again = NULL;
    CredHandle credential;
    (void)state;
    assert_int_equal(SspiExcludePackage(&plain, W("ntlm"), &less), SEC_E_OK);
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = less;
    assert_int_equal(ex2->PackageListLength, 10);
    assert_memory_equal((const char *)less + ex2->PackageListOffset, u"!NTLM", 10);
    char ntlm[] = "NTLM";
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, less, NULL, NULL, &credential, NULL),
        SEC_E_NO_CREDENTIALS);
    /* Twice is once. */
    assert_int_equal(SspiExcludePackage(less, W("NTLM"), &again), SEC_E_OK);
    assert_int_equal(((const SEC_WINNT_AUTH_IDENTITY_EX2 *)again)->PackageListLength, 10);
    SspiFreeAuthIdentity(again);
    SspiFreeAuthIdentity(less);
    /* A list that named one package does not open up for the others. */
    plain.PackageList = (unsigned char *)list;
    plain.PackageListLength = 8;
    assert_int_equal(SspiExcludePackage(&plain, W("Kerberos"), &less), SEC_E_OK);
    ex2 = less;
    assert_int_equal(ex2->PackageListLength, 36);
    assert_memory_equal((const char *)less + ex2->PackageListOffset, u"!Kerberos,kerberos", 36);
    SspiFreeAuthIdentity(less);
    /* The caller's own credentials, but one. */
    assert_int_equal(SspiExcludePackage(NULL, W("NTLM"), &none), SEC_E_OK);
    check_strings(none, NULL, NULL, NULL);
    SspiFreeAuthIdentity(none);
    none = (void *)1;
    assert_int_equal(SspiExcludePackage(NULL, W("no such"), &none), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(SspiExcludePackage(NULL, NULL, &none), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiExcludePackage(NULL, W("NTLM"), NULL), SEC_E_INVALID_PARAMETER);
    assert_ptr_equal(none, (void *)1);
}

static void host_names(void **state)
{
    static const struct {
        const SEC_WCHAR *target, *host;
    } cases[] = {
        {u"HTTP/host.example.com", u"host.example.com"},
        {u"HTTP/host.example.com:8080", u"host.example.com"},
        {u"MSSQLSvc/db.example.com:1433/instance", u"db.example.com"},
        {u"ldap/dc1.example.com/example.com", u"dc1.example.com"},
        {u"host", u"host"},
        {u"host:80", u"host"},
        {u"HTTP/[2001:db8::1]:80", u"2001:db8::1"},
        {u"HTTP/2001:db8::1", u"2001:db8::1"},
        {u"", NULL},
        {u"HTTP/", NULL},
        {u"HTTP//x", NULL},
        {u"HTTP/:80", NULL},
        {u"HTTP/[::1", NULL},
        {u"HTTP/[]", NULL},
        {u"HTTP/[::1]", u"::1"},
        {u"HTTP/[::1]/name", u"::1"},
        {u"a/[::1].evil", NULL},
        {u"a/[::1]evil:80", NULL},
        {u"a/[::1/]", NULL},
        {u"HTTP/host.example.com@EXAMPLE.COM", u"host.example.com"},
        {u"HTTP/host.example.com:80/name@EXAMPLE.COM", u"host.example.com"},
        {u"HTTP/[::1]@EXAMPLE.COM", u"::1"},
        {u"HTTP/[::1@]", NULL},
        {u"HTTP/@EXAMPLE.COM", NULL},
        {u"HTTP/höst.example.com:80", u"höst.example.com"},
    };
    SEC_WCHAR *host;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        host = NULL;
        SECURITY_STATUS status = SspiGetTargetHostName(cases[i].target, &host);
        if (status != (cases[i].host != NULL ? SEC_E_OK : SEC_E_INVALID_PARAMETER) || !wide_same(host, cases[i].host))
            fail_msg("case %zu: 0x%08x", i, (unsigned)status);
        SspiLocalFree(host);
    }
    assert_int_equal(SspiGetTargetHostName(NULL, &host), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiGetTargetHostName(W("host"), NULL), SEC_E_INVALID_PARAMETER);
}

static void store_check(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR target, PCWSTR want_target, PCWSTR want_user)
{
    ULONG type = 0, size = 77;
    PCWSTR name = NULL, user = NULL;
    PUCHAR blob = NULL;
    assert_int_equal(SspiPrepareForCredWrite(identity, target, &type, &name, &user, &blob, &size), SEC_E_OK);
    assert_int_equal(type, 2); /* CRED_TYPE_DOMAIN_PASSWORD */
    assert_true(wide_same(name, want_target));
    assert_true(wide_same(user, want_user));
    assert_int_equal(size, 12);
    assert_memory_equal(blob, u"secret", 12);
    SspiLocalFree((void *)(uintptr_t)name);
    SspiLocalFree((void *)(uintptr_t)user);
    SspiLocalFree(blob);
    type = 0;
    assert_int_equal(SspiPrepareForCredRead(identity, target, &type, &name), SEC_E_OK);
    assert_int_equal(type, 2);
    assert_true(wide_same(name, want_target));
    SspiLocalFree((void *)(uintptr_t)name);
}

static void stored(void **state)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = encode(W("user"), W("domain"), W("secret"));
    ULONG type = 9, size = 9;
    PCWSTR name = (void *)1, user = (void *)1;
    PUCHAR blob = (void *)1;
    unsigned char packed[64] = {0}, block[256] = {0};
    (void)state;
    store_check(identity, W("TERMSRV/host"), W("TERMSRV/host"), W("domain\\user"));
    store_check(identity, NULL, W("domain\\user"), W("domain\\user"));
    assert_int_equal(SspiEncryptAuthIdentity(identity), SEC_E_OK);
    store_check(identity, NULL, W("domain\\user"), W("domain\\user"));
    assert_int_equal(SspiPrepareForCredWrite(identity, NULL, NULL, &name, &user, &blob, &size),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiPrepareForCredWrite(identity, NULL, &type, &name, &user, &blob, NULL),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiPrepareForCredRead(identity, NULL, &type, NULL), SEC_E_INVALID_PARAMETER);
    SspiFreeAuthIdentity(identity);
    identity = encode(W("user"), NULL, W("secret"));
    store_check(identity, NULL, W("user"), W("user"));
    SspiFreeAuthIdentity(identity);
    identity = encode(W("user"), NULL, NULL); /* nothing to store */
    assert_int_equal(SspiPrepareForCredWrite(identity, NULL, &type, &name, &user, &blob, &size),
                     SEC_E_INVALID_PARAMETER);
    SspiFreeAuthIdentity(identity);
    assert_int_equal(SspiPrepareForCredWrite(NULL, NULL, &type, &name, &user, &blob, &size), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SspiPrepareForCredRead(NULL, NULL, &type, &name), SEC_E_INVALID_PARAMETER);
    ex2_build(block, "alice", packed, certificate_packed(packed));
    assert_int_equal(SspiPrepareForCredWrite(block, NULL, &type, &name, &user, &blob, &size),
                     SEC_E_UNSUPPORTED_FUNCTION);
    static char who[] = "alice", file[] = "FILE:/etc/web.keytab"; /* a name is no password either */
    SEC_WINNT_AUTH_IDENTITY_EXA named = ex_a(who, NULL, file, NULL);
    static const ULONG forms[] = {OPENSSPI_AUTH_IDENTITY_KEYTAB, OPENSSPI_AUTH_IDENTITY_X509};
    for (size_t i = 0; i < 2; i++) {
        named.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI | forms[i];
        assert_int_equal(SspiPrepareForCredWrite(&named, NULL, &type, &name, &user, &blob, &size),
                         SEC_E_UNSUPPORTED_FUNCTION);
    }
    assert_true(type == 9 && size == 9 && (uintptr_t)name == 1 && (uintptr_t)user == 1 && (uintptr_t)blob == 1);
    size_t len = certificate_packed(packed);
    ex2_build(block, "alice", packed, len);
    assert_int_equal(SspiPrepareForCredRead(block, W("t"), &type, &name), SEC_E_OK);
    assert_int_equal(type, 3); /* CRED_TYPE_DOMAIN_CERTIFICATE */
    SspiLocalFree((void *)(uintptr_t)name);
    assert_int_equal(SspiPrepareForCredRead(NULL, W("t"), &type, &name), SEC_E_OK);
    assert_true(type == 2 && wide_same(name, W("t")));
    SspiLocalFree((void *)(uintptr_t)name);
}

static void prompting_needed(void **state)
{
    (void)state;
    assert_true(SspiIsPromptingNeeded((ULONG)SEC_E_LOGON_DENIED));
    assert_true(SspiIsPromptingNeeded((ULONG)SEC_E_NO_CREDENTIALS));
    assert_true(SspiIsPromptingNeeded(0xC000006D));
    assert_true(SspiIsPromptingNeeded(1326));
    assert_true(SspiIsPromptingNeeded((ULONG)STATUS_PASSWORD_EXPIRED));
    assert_false(SspiIsPromptingNeeded(SEC_E_OK));
    assert_false(SspiIsPromptingNeeded((ULONG)SEC_E_TARGET_UNKNOWN));
    assert_false(SspiIsPromptingNeeded((ULONG)STATUS_ACCOUNT_LOCKED_OUT));
    assert_false(SspiIsPromptingNeeded((ULONG)STATUS_ACCOUNT_DISABLED));
}

/* Where memory fails, nothing else is to blame. */
static bool step(SECURITY_STATUS status)
{
    if (status != SEC_E_OK && status != SEC_E_INSUFFICIENT_MEMORY)
        fail_msg("0x%08x: %s", (unsigned)status, OpenSspiLastErrorText());
    return status == SEC_E_OK;
}

/* One run of everything. Only with all the memory that it asks for does each step answer OK. */
static bool all_steps(void)
{
    char user[] = "EXAMPLE\\alice", secret[] = "secret", list[] = "kerberos";
    SEC_WINNT_AUTH_IDENTITY_EXA plain = ex_a(user, NULL, secret, list);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE made[5] = {0};
    PCWSTR strings[5] = {0};
    SEC_WCHAR *host = NULL;
    char *bytes = NULL;
    PUCHAR blob = NULL;
    ULONG len = 0, type, size;
    BOOLEAN same;
    bool good = step(SspiEncodeStringsAsAuthIdentity(W("alice"), W("EXAMPLE"), W("secret"), &made[0]));
    good &= step(SspiCopyAuthIdentity(&plain, &made[1]));
    if (made[0] != NULL) {
        good &= step(SspiEncryptAuthIdentity(made[0]));
        good &= step(SspiMarshalAuthIdentity(made[0], &len, &bytes));
        good &= step(SspiCompareAuthIdentities(made[0], &plain, &same, NULL));
        good &= step(SspiExcludePackage(made[0], W("NTLM"), &made[2]));
        bool readable = step(SspiDecryptAuthIdentity(made[0]));
        good &= readable;
        good &= !readable || step(SspiEncodeAuthIdentityAsStrings(made[0], &strings[0], &strings[1], &strings[2]));
        good &= step(SspiPrepareForCredWrite(made[0], NULL, &type, &strings[3], &strings[4], &blob, &size));
    }
    if (bytes != NULL)
        good &= step(SspiUnmarshalAuthIdentity(len, bytes, &made[3]));
    good &= step(SspiValidateAuthIdentity(&plain));
    good &= step(SspiGetTargetHostName(W("HTTP/host"), &host));
    for (size_t i = 0; i < COUNT_OF(made); i++)
        SspiFreeAuthIdentity(made[i]);
    for (size_t i = 0; i < COUNT_OF(strings); i++)
        SspiLocalFree((void *)(uintptr_t)strings[i]);
    SspiLocalFree(host);
    SspiLocalFree(bytes);
    SspiLocalFree(blob);
    return good;
}

static void memory_short(void **state)
{
    (void)state;
    mem_fault_set(ULONG_MAX, false);
    assert_true(all_steps());
    unsigned long count = mem_fault_count();
    assert_true(count > 20);
    unsigned long n_failed = 0;
    for (unsigned long nth = 1; nth <= count; nth++) {
        mem_fault_set(nth, false);
        n_failed += !all_steps();
        mem_fault_set(nth, true);
        assert_false(all_steps());
    }
    mem_fault_set(0, false);
    assert_true(n_failed > count / 2);
    assert_true(all_steps());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_round_trip),
        cmocka_unit_test(strings_refused),
        cmocka_unit_test(forms_compare),
        cmocka_unit_test(copies),
        cmocka_unit_test(marshalled),
        cmocka_unit_test(hostile_blocks),
        cmocka_unit_test(wiped),
        cmocka_unit_test(wiped_in_blocks),
        cmocka_unit_test(packages_excluded),
        cmocka_unit_test(host_names),
        cmocka_unit_test(stored),
        cmocka_unit_test(prompting_needed),
        cmocka_unit_test(memory_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
