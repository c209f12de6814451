/* Dishonest PACs: cut, flipped, with lengths and counts that lie (CVE-2022-42898 and kin), and too little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/pac.h"
#include "unit/kerberos/pac_builder.h"
#include "unit/kerberos/pac_example.h"
#include "unit/kerberos/pac_vectors.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct slice vectors[] = {
    {pac_samba_full, sizeof(pac_samba_full)},
    {pac_samba_plain, sizeof(pac_samba_plain)},
    {pac_samba_rid_zero, sizeof(pac_samba_rid_zero)},
    {pac_mit_minimal, sizeof(pac_mit_minimal)},
    {pac_samba_dc, sizeof(pac_samba_dc)},
};

/* Decodes a copy in a block of its size, so that a sanitizer sees a byte read too far. On failure nothing may have been
 * written to the output, on success all of it must be fit for use. */
static enum wire_result survive(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len != 0 ? len : 1);
    struct client_identity identity;
    struct pac pac, untouched;
    enum wire_result result;

    assert_non_null(copy);
    if (len != 0)
        memcpy(copy, bytes, len);
    memset(&pac, 0x5a, sizeof(pac));
    memset(&untouched, 0x5a, sizeof(untouched));
    result = pac_decode(slice_of(copy, len), &pac);
    assert_int_not_equal(result, WIRE_SHORT);
    if (result == WIRE_OK) {
        if (pac_to_identity(&pac, &identity) == WIRE_OK)
            client_identity_release(&identity);
        pac_release(&pac);
    } else {
        assert_memory_equal(&pac, &untouched, sizeof(pac));
    }
    free(copy);
    return result;
}

static uint32_t u32_at(const uint8_t *bytes, size_t at)
{
    struct reader reader = reader_of(slice_of(bytes + at, 4));
    uint32_t value = 0;

    assert_int_equal(reader_u32le(&reader, &value), WIRE_OK);
    return value;
}

static void u32_put(uint8_t *bytes, size_t at, uint32_t value)
{
    struct writer writer = writer_fixed(bytes + at, 4);

    writer_u32le(&writer, value);
}

/* Where the last buffer ends; behind it there is only padding. */
static size_t content_end(struct slice pac)
{
    size_t end = 0;

    for (size_t i = 0; i < u32_at(pac.data, 0); i++) {
        size_t here = u32_at(pac.data, 8 + 16 * i + 8) + u32_at(pac.data, 8 + 16 * i + 4);

        end = here > end ? here : end;
    }
    return end;
}

static void cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        size_t end = content_end(vectors[i]);

        for (size_t cut = 0; cut <= vectors[i].len; cut++)
            assert_int_equal(survive(vectors[i].data, cut), cut < end ? WIRE_BAD : WIRE_OK);
    }
    for (size_t cut = 0; cut < sizeof(pac_example_logon_info); cut++) {
        struct pac_logon_info info;
        uint8_t *copy = malloc(cut != 0 ? cut : 1);

        memcpy(copy, pac_example_logon_info, cut);
        assert_int_equal(pac_logon_info_decode(slice_of(copy, cut), &info), WIRE_BAD);
        free(copy);
    }
}

static void flipped_anywhere_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        uint8_t *copy = malloc(vectors[i].len);

        memcpy(copy, vectors[i].data, vectors[i].len);
        for (size_t at = 0; at < vectors[i].len; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                copy[at] ^= (uint8_t)(1u << bit);
                (void)survive(copy, vectors[i].len);
                copy[at] ^= (uint8_t)(1u << bit);
            }
            copy[at] ^= 0xff;
            (void)survive(copy, vectors[i].len);
            copy[at] ^= 0xff;
        }
        assert_int_equal(survive(copy, vectors[i].len), WIRE_OK);
        free(copy);
    }
}

/* CVE-2022-42898: the number of buffers times 16 wraps in 32 bits; and other numbers that are not there. */
static void buffer_counts_that_lie(void **state)
{
    static const uint32_t counts[] = {0x10000000, 0x10000001, 0x0fffffff, 0x80000000, 0xfffffff0,
                                      0xffffffff, 10,         64,         65};
    uint8_t copy[sizeof(pac_samba_full)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        memcpy(copy, pac_samba_full, sizeof(copy));
        u32_put(copy, 0, counts[i]);
        assert_int_equal(survive(copy, sizeof(copy)), WIRE_BAD);
        assert_int_equal(survive(copy, 8), WIRE_BAD);
    }
    memcpy(copy, pac_samba_full, sizeof(copy));
    u32_put(copy, 4, 1); /* the version */
    assert_int_equal(survive(copy, sizeof(copy)), WIRE_BAD);
}

/* Offset and length of one buffer, in a PAC of three of eight bytes each that no decoder looks into. */
static void buffer_places_that_lie(void **state)
{
    static const struct {
        uint32_t len;
        uint64_t offset;
        enum wire_result result;
    } places[] = {
        {8, 72, WIRE_OK},
        {0, 72, WIRE_OK},
        {0, 80, WIRE_OK},
        {9, 72, WIRE_BAD},
        {8, 80, WIRE_BAD},
        {1, 80, WIRE_BAD},
        {0, 88, WIRE_BAD},
        {4, 76, WIRE_BAD}, /* not on a multiple of 8 */
        {8, 48, WIRE_BAD}, /* in the table */
        {8, 0, WIRE_BAD},
        {8, 56, WIRE_BAD}, /* in another's bytes */
        {16, 64, WIRE_BAD},
        {0xffffffff, 72, WIRE_BAD},
        {0xfffffff8, 72, WIRE_BAD},
        {8, UINT64_C(0xfffffffffffffff8), WIRE_BAD}, /* the sum wraps to 0 */
        {0x50, UINT64_C(0xfffffffffffffff8), WIRE_BAD},
        {8, UINT64_C(0x100000048), WIRE_BAD}, /* 72, in 32 bits */
        {8, UINT64_C(0x8000000000000048), WIRE_BAD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        uint8_t room[80];
        struct writer writer = writer_fixed(room, sizeof(room)), patch = writer_fixed(room + 40, 16);
        struct pac_part parts[] = {
            {100, slice_of("12345678", 8)}, {101, slice_of("12345678", 8)}, {102, slice_of("12345678", 8)}};

        pac_write(&writer, parts, COUNT_OF(parts));
        writer_u32le(&patch, 102);
        writer_u32le(&patch, places[i].len);
        writer_u64le(&patch, places[i].offset);
        assert_int_equal(survive(room, writer.len), places[i].result);
    }
}

/* Of each type that is known one is fine, whatever the decoder looks for in it, and two are not. */
static void duplicates_are_refused(void **state)
{
    static const uint8_t signature[16] = {15}; /* and content of types that nobody looks into */
    struct logon_recipe recipe = {.user_id = 500, .no_resource_sid = true};
    AUTO_WRITER struct writer info = writer_growing(0);

    (void)state;
    logon_info_write(&info, &recipe);
    for (uint32_t type = 1; type <= PAC_TYPE_LAST + 1; type++) {
        AUTO_WRITER struct writer one = writer_growing(0), two = writer_growing(0);
        struct slice content = type == PAC_LOGON_INFO        ? writer_slice_of(&info)
                               : type == PAC_CLIENT_INFO     ? slice_of("12345678\2\0a\0", 12)
                               : type == PAC_UPN_DNS_INFO    ? slice_of("\0\0\0\0\0\0\0\0\0\0\0\0", 12)
                               : type == PAC_REQUESTOR       ? slice_of("\1\1\0\0\0\0\0\5\22\0\0\0", 12)
                               : type == PAC_ATTRIBUTES_INFO ? slice_of("\2\0\0\0\1\0\0\0", 8)
                                                             : slice_of(signature, sizeof(signature));
        struct pac_part parts[] = {{type, content}, {type, content}};

        pac_write(&one, parts, 1);
        assert_int_equal(survive(one.data, one.len), WIRE_OK);
        pac_write(&two, parts, 2);
        assert_int_equal(survive(two.data, two.len), type <= PAC_TYPE_LAST ? WIRE_BAD : WIRE_OK);
    }
}

/* Offsets into a serialized KERB_VALIDATION_INFO: 16 bytes of headers, 4 of the pointer, then the structure (MS-PAC 2.5). */
enum {
    AT_NAME = 68,
    AT_GROUP_COUNT = 128,
    AT_GROUPS = 132,
    AT_SERVER = 156,
    AT_DOMAIN_SID = 172,
    AT_SID_COUNT = 216,
    AT_EXTRA_SIDS = 220,
    AT_RESOURCE_SID = 224,
    AT_RESOURCE_COUNT = 228,
    AT_RESOURCE_GROUPS = 232,
    AT_DEFERRED = 236,
};

static enum wire_result patched(struct slice info, size_t at, uint32_t value, size_t also_at)
{
    uint8_t *copy = malloc(info.len);
    struct pac_logon_info read;
    enum wire_result result;

    memcpy(copy, info.data, info.len);
    u32_put(copy, at, value);
    if (also_at != 0)
        u32_put(copy, also_at, value);
    result = pac_logon_info_decode(slice_of(copy, info.len), &read);
    if (result == WIRE_OK)
        pac_logon_info_release(&read);
    free(copy);
    return result;
}

/* Each count alone, and together with its array's, so that only the bytes that are not there betray it. */
static void list_counts_that_lie(void **state)
{
    static const uint32_t counts[] = {0,          1,          3,          100,        1024,      1025,
                                      0x1fffffff, 0x20000000, 0x20000002, 0x80000002, 0xffffffff};
    static const size_t six_strings = 6 * (12 + 8); /* "user", six times */
    struct logon_recipe recipe = {
        .user_id = 500, .user_flags = 0x220, .n_groups = 2, .n_extra_sids = 2, .n_resource_groups = 2, .step = 1};
    AUTO_WRITER struct writer writer = writer_growing(0);
    size_t at_groups = AT_DEFERRED + six_strings, at_extra, at_resource;
    struct slice info;

    (void)state;
    logon_info_write(&writer, &recipe);
    info = writer_slice_of(&writer);
    /* Behind the groups: two strings of three units with padding, the domain's SID. */
    at_extra = at_groups + 4 + 16 + 2 * (12 + 8) + 28;
    at_resource = info.len - 20; /* or a little before, by the padding */
    while (u32_at(info.data, at_resource) != 2 || u32_at(info.data, at_resource + 4) != 4000)
        at_resource--;
    assert_int_equal(u32_at(info.data, at_groups), 2);
    assert_int_equal(u32_at(info.data, at_extra), 2);
    assert_int_equal(patched(info, AT_GROUP_COUNT, 2, at_groups), WIRE_OK);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        assert_int_equal(patched(info, AT_GROUP_COUNT, counts[i], 0), WIRE_BAD);
        assert_int_equal(patched(info, AT_GROUP_COUNT, counts[i], at_groups), WIRE_BAD);
        assert_int_equal(patched(info, AT_SID_COUNT, counts[i], 0), WIRE_BAD);
        assert_int_equal(patched(info, AT_SID_COUNT, counts[i], at_extra), WIRE_BAD);
        assert_int_equal(patched(info, AT_RESOURCE_COUNT, counts[i], 0), WIRE_BAD);
        if (counts[i] > 2)
            assert_int_equal(patched(info, AT_RESOURCE_COUNT, counts[i], at_resource), WIRE_BAD);
    }
}

/* Null where something is counted, or something where the deferred part has nothing. */
/* As many as no token holds are not read, though all are there. */
static void more_groups_than_a_token_holds(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++)
        for (int list = 0; list < 3; list++) {
            struct logon_recipe recipe = {.user_id = 500, .user_flags = 0x220, .step = 1};
            AUTO_WRITER struct writer writer = writer_growing(0);
            struct pac_logon_info info;
            *(list == 0   ? &recipe.n_groups
              : list == 1 ? &recipe.n_extra_sids
                          : &recipe.n_resource_groups) = 1024 + more;
            logon_info_write(&writer, &recipe);
            enum wire_result result = pac_logon_info_decode(writer_slice_of(&writer), &info);
            assert_int_equal(result, more != 0 ? WIRE_BAD : WIRE_OK);
            if (result == WIRE_OK)
                pac_logon_info_release(&info);
        }
}

static void pointers_that_lie(void **state)
{
    static const size_t pointers[] = {
        16, AT_NAME + 4, AT_GROUPS, AT_SERVER + 4, AT_DOMAIN_SID, AT_EXTRA_SIDS, AT_RESOURCE_SID, AT_RESOURCE_GROUPS};
    struct logon_recipe full = {.user_id = 500, .n_groups = 2, .n_extra_sids = 2, .n_resource_groups = 2, .step = 1};
    struct logon_recipe bare = {.user_id = 500, .no_domain_sid = true, .no_resource_sid = true};
    AUTO_WRITER struct writer writer = writer_growing(0), bare_writer = writer_growing(0);

    (void)state;
    logon_info_write(&writer, &full);
    for (size_t i = 0; i < COUNT_OF(pointers); i++)
        assert_int_equal(patched(writer_slice_of(&writer), pointers[i], 0, 0), WIRE_BAD);
    logon_info_write(&bare_writer, &bare);
    assert_int_equal(patched(writer_slice_of(&bare_writer), 16, 1, 0), WIRE_OK);
    assert_int_equal(patched(writer_slice_of(&bare_writer), AT_GROUPS, 1, 0), WIRE_BAD);
    assert_int_equal(patched(writer_slice_of(&bare_writer), AT_DOMAIN_SID, 1, 0), WIRE_BAD);
    assert_int_equal(patched(writer_slice_of(&bare_writer), AT_RESOURCE_SID, 1, 0), WIRE_BAD);
}

static void strings_that_lie(void **state)
{
    static const uint32_t headers[] = {0x00080009, 0x00090008, 0x00060008, 0x000a000a,
                                       0xffff0008, 0xfffefffe, 0x00080000};
    struct logon_recipe recipe = {.user_id = 500, .no_resource_sid = true};
    AUTO_WRITER struct writer writer = writer_growing(0);
    struct slice info;

    (void)state;
    logon_info_write(&writer, &recipe);
    info = writer_slice_of(&writer);
    assert_int_equal(patched(info, AT_NAME, 0x00080008, 0), WIRE_OK);
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        assert_int_equal(patched(info, AT_NAME, headers[i], 0), WIRE_BAD);
    for (size_t at = AT_DEFERRED; at < AT_DEFERRED + 12; at += 4) {
        assert_int_equal(patched(info, at, 0x80000004, 0), WIRE_BAD);
        assert_int_equal(patched(info, at, 0xffffffff, 0), WIRE_BAD);
    }
    /* A user's name with lone surrogates, with a NUL; the next string's count; a full name may be as odd as it likes. */
    assert_int_equal(patched(info, AT_DEFERRED + 12, 0xd800d800, 0), WIRE_BAD);
    assert_int_equal(patched(info, AT_DEFERRED + 12, 0x00000061, 0), WIRE_BAD);
    assert_int_equal(patched(info, AT_DEFERRED + 20, 0xd800d800, 0), WIRE_BAD);
    assert_int_equal(patched(info, AT_DEFERRED + 32, 0xd800d800, 0), WIRE_OK);
}

/* One buffer of one type. */
static enum wire_result one_part(uint32_t type, const void *bytes, size_t len)
{
    uint8_t room[256];
    struct writer writer = writer_fixed(room, sizeof(room));
    struct pac_part part = {type, slice_of(bytes, len)};

    pac_write(&writer, &part, 1);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    return survive(room, writer.len);
}

static void small_buffers_that_lie(void **state)
{
    static const uint8_t sid[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    static const uint8_t sid_16[72] = {1, 16, 0, 0, 0, 0, 0, 5};

    (void)state;
    /* PAC_REQUESTOR: the SID and nothing else. */
    assert_int_equal(one_part(PAC_REQUESTOR, sid, 12), WIRE_OK);
    assert_int_equal(one_part(PAC_REQUESTOR, sid, 11), WIRE_BAD);
    assert_int_equal(one_part(PAC_REQUESTOR, sid, 0), WIRE_BAD);
    assert_int_equal(one_part(PAC_REQUESTOR, "\1\1\0\0\0\0\0\5\22\0\0\0\0", 13), WIRE_BAD);
    assert_int_equal(one_part(PAC_REQUESTOR, sid_16, sizeof(sid_16)), WIRE_BAD);
    assert_int_equal(one_part(PAC_REQUESTOR, "\2\1\0\0\0\0\0\5\22\0\0\0", 12), WIRE_BAD);
    /* PAC_CLIENT_INFO: the name's length, odd, short and long. */
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\2\0a\0", 12), WIRE_OK);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\1\0a", 11), WIRE_BAD);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\0\0a\0", 12), WIRE_BAD);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\4\0a\0", 12), WIRE_BAD);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\377\377a\0", 12), WIRE_BAD);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\2\0\0\0", 12), WIRE_BAD);
    assert_int_equal(one_part(PAC_CLIENT_INFO, "12345678\2", 9), WIRE_BAD);
    /* PAC_ATTRIBUTES_INFO: bits, in whole words. */
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\2\0\0\0\1\0\0\0", 8), WIRE_OK);
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\0\0\0\0", 4), WIRE_OK);
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\41\0\0\0\1\0\0\0\1\0\0\0", 12), WIRE_OK);
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\41\0\0\0\1\0\0\0", 8), WIRE_BAD);
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\2\0\0\0\1\0\0", 7), WIRE_BAD);
    /* Rounded up to words in 32 bits, this wraps to none. */
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\377\377\377\377\1\0\0\0", 8), WIRE_BAD);
    assert_int_equal(one_part(PAC_ATTRIBUTES_INFO, "\377\377\377\377", 4), WIRE_BAD);
}

/* PAC_SIGNATURE_DATA: the checksum its type has, with or without an RODC's identifier; a type not known has one too. */
static void signatures_that_lie(void **state)
{
    static const struct {
        uint8_t type;
        size_t len;
        enum wire_result result;
    } cases[] = {
        {0x10, 12, WIRE_OK},  {0x10, 14, WIRE_OK},  {0x10, 0, WIRE_BAD}, {0x10, 11, WIRE_BAD},
        {0x10, 13, WIRE_BAD}, {0x10, 15, WIRE_BAD}, {0x14, 24, WIRE_OK}, {0x14, 12, WIRE_BAD},
        {0x63, 0, WIRE_BAD},  {0x63, 1, WIRE_OK},   {0x63, 40, WIRE_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[44] = {cases[i].type};

        assert_int_equal(one_part(PAC_SERVER_CHECKSUM, bytes, 4 + cases[i].len), cases[i].result);
        assert_int_equal(one_part(PAC_FULL_CHECKSUM, bytes, 4 + cases[i].len), cases[i].result);
        assert_int_equal(one_part(PAC_FULL_CHECKSUM, bytes, 3), WIRE_BAD);
    }
}

struct upn_case {
    uint16_t fields[4]; /* UpnLength, UpnOffset, DnsDomainNameLength, DnsDomainNameOffset */
    uint32_t flags;
    uint16_t more[4]; /* SamNameLength, SamNameOffset, SidLength, SidOffset */
    enum wire_result result;
};

static void upn_places_that_lie(void **state)
{
    /* The buffer: header 12 or 20, at 24 "abcd" in UTF-16, at 32 a SID of 12 bytes, in all 44. */
    static const struct upn_case cases[] = {
        {{8, 24, 4, 28}, 0, {0, 0, 0, 0}, WIRE_OK},
        {{0, 0, 0, 0xffff}, 1, {0, 0, 0, 0}, WIRE_OK}, /* nothing is nowhere */
        {{8, 24, 4, 28}, 2, {2, 24, 12, 32}, WIRE_OK},
        {{8, 24, 4, 28}, 0xfffffffd, {9, 9, 9, 9}, WIRE_OK}, /* not extended: not looked at */
        {{7, 24, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},         /* half a character */
        {{8, 8, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},          /* in the header */
        {{8, 16, 4, 28}, 2, {2, 24, 12, 32}, WIRE_BAD},      /* in the header, extended */
        {{8, 44, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},
        {{22, 24, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},
        {{0xfffe, 24, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},
        {{8, 0xfff8, 4, 28}, 0, {0, 0, 0, 0}, WIRE_BAD},
        {{8, 24, 0xfffe, 0xfffe}, 0, {0, 0, 0, 0}, WIRE_BAD},
        {{8, 24, 4, 28}, 2, {2, 44, 12, 32}, WIRE_BAD},
        {{8, 24, 4, 28}, 2, {2, 24, 11, 32}, WIRE_BAD},
        {{8, 24, 4, 28}, 2, {2, 24, 12, 33}, WIRE_BAD},
        {{8, 24, 4, 28}, 2, {2, 24, 0, 0}, WIRE_BAD},
        {{8, 24, 4, 28}, 2, {2, 24, 8, 36}, WIRE_BAD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t room[64];
        struct writer writer = writer_fixed(room, sizeof(room));

        for (size_t k = 0; k < 4; k++)
            writer_u16le(&writer, cases[i].fields[k]);
        writer_u32le(&writer, cases[i].flags);
        for (size_t k = 0; k < 4; k++)
            writer_u16le(&writer, cases[i].more[k]);
        writer_zeros(&writer, 4);
        writer_bytes(&writer, "a\0b\0c\0d\0", 8);
        writer_bytes(&writer, "\1\1\0\0\0\0\0\5\22\0\0\0", 12);
        assert_int_equal(one_part(PAC_UPN_DNS_INFO, room, writer.len), cases[i].result);
    }
    assert_int_equal(one_part(PAC_UPN_DNS_INFO, "\0\0\0\0\0\0\0\0\0\0\0\0", 12), WIRE_OK);
    assert_int_equal(one_part(PAC_UPN_DNS_INFO, "\0\0\0\0\0\0\0\0\0\0\0", 11), WIRE_BAD);
    assert_int_equal(one_part(PAC_UPN_DNS_INFO, "\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0", 19), WIRE_BAD);
}

/* Each allocation in turn fails: nothing crashes, leaks or is half done. */
static void memory_may_run_out(void **state)
{
    struct client_identity identity;
    struct pac pac;
    unsigned long n_allocations;

    (void)state;
    mem_fault_set(ULONG_MAX, false);
    assert_int_equal(survive(pac_samba_full, sizeof(pac_samba_full)), WIRE_OK);
    n_allocations = mem_fault_count();
    assert_true(n_allocations > 8);
    for (unsigned long nth = 1; nth <= n_allocations; nth++) {
        mem_fault_set(nth, true);
        (void)survive(pac_samba_full, sizeof(pac_samba_full));
    }
    mem_fault_set(0, false);
    assert_int_equal(pac_decode(slice_of(pac_samba_full, sizeof(pac_samba_full)), &pac), WIRE_OK);
    for (unsigned long nth = 1; nth <= 2; nth++) {
        mem_fault_set(nth, false);
        assert_int_equal(pac_to_identity(&pac, &identity), WIRE_BAD);
    }
    mem_fault_set(0, false);
    pac_release(&pac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere_is_refused),
        cmocka_unit_test(flipped_anywhere_is_survived),
        cmocka_unit_test(buffer_counts_that_lie),
        cmocka_unit_test(buffer_places_that_lie),
        cmocka_unit_test(duplicates_are_refused),
        cmocka_unit_test(list_counts_that_lie),
        cmocka_unit_test(more_groups_than_a_token_holds),
        cmocka_unit_test(pointers_that_lie),
        cmocka_unit_test(strings_that_lie),
        cmocka_unit_test(small_buffers_that_lie),
        cmocka_unit_test(signatures_that_lie),
        cmocka_unit_test(upn_places_that_lie),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
