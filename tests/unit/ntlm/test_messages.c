/*
 * The three messages and the pairs (MS-NLMP 2.2.1, 2.2.2): right ones, cut ones, ones whose fields lie outside, and those of older peers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ntlm/messages.h"
#include <stdlib.h>
#include <string.h>

#define NAME "N\0A\0M\0E\0"
#define NAME_LEN 8

static void header(struct writer *writer, uint32_t type)
{
    writer_bytes(writer, "NTLMSSP", 8);
    writer_u32le(writer, type);
}

static void field(struct writer *writer, size_t len, uint32_t offset)
{
    writer_u16le(writer, (uint16_t)len);
    writer_u16le(writer, (uint16_t)len);
    writer_u32le(writer, offset);
}

/* Parses a copy of exactly `len` bytes: a sanitizer sees the first byte read too far. */
static enum wire_result parse(struct slice message, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct ntlm_negotiate negotiate;
    struct ntlm_challenge challenge;
    struct ntlm_authenticate authenticate;
    assert_non_null(copy);
    memcpy(copy, message.data, len);
    uint8_t type = message.data[8];
    struct slice cut = slice_of(copy, len);
    enum wire_result result = type == 1   ? ntlm_negotiate_parse(cut, &negotiate)
                              : type == 2 ? ntlm_challenge_parse(cut, &challenge)
                                          : ntlm_authenticate_parse(cut, &authenticate);
    free(copy);
    return result;
}

static void test_negotiate(void **state)
{
    struct ntlm_negotiate negotiate;
    AUTO_WRITER struct writer ours = writer_growing(64), theirs = writer_growing(64);
    (void)state;
    ntlm_negotiate_write(&ours, 0xe2088297);
    assert_int_equal(ours.len, 40);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&ours), &negotiate), WIRE_OK);
    assert_int_equal(negotiate.flags, 0xe2088297);
    assert_int_equal(negotiate.domain.len + negotiate.workstation.len, 0);

    header(&theirs, 1);
    writer_u32le(&theirs, 0x3207);
    field(&theirs, 3, 32);
    field(&theirs, 2, 35);
    writer_bytes(&theirs, "DOMWS", 5);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&theirs), &negotiate), WIRE_OK);
    assert_true(slice_equal(negotiate.domain, slice_of_text("DOM")));
    assert_true(slice_equal(negotiate.workstation, slice_of_text("WS")));
    for (size_t len = 0; len < theirs.len; len++) /* 16 to 31 bytes: a client before Windows 2000, without names */
        assert_true((parse(writer_slice_of(&theirs), len) == WIRE_OK) == (len >= 16 && len < 32));
    assert_int_equal(ntlm_negotiate_parse(slice_of(theirs.data, 16), &negotiate), WIRE_OK);
    assert_int_equal(negotiate.domain.len, 0);
}

/* MS-NLMP 2.2.1.1: a name that no flag announces is to be ignored, whatever stands there. */
static void test_unannounced_names(void **state)
{
    struct ntlm_negotiate negotiate;
    AUTO_WRITER struct writer first = writer_growing(64);
    (void)state;
    header(&first, 1);
    writer_u32le(&first, 0x0207);
    field(&first, 3, 0xffffffff);
    field(&first, 0xffff, 8);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&first), &negotiate), WIRE_OK);
    assert_int_equal(negotiate.domain.len + negotiate.workstation.len, 0);
    writer_patch_u32le(&first, 12, 0x1207);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&first), &negotiate), WIRE_BAD);
    writer_patch_u32le(&first, 12, 0x2207);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&first), &negotiate), WIRE_BAD);
}

/* A whole challenge; `end` is where its header ends: 32, 48 or 56 bytes. */
static void challenge_make(struct writer *writer, uint32_t flags, size_t end, size_t info_len)
{
    static const uint8_t info[64] = {1, 0, 8, 0, 'N', 0, 'A', 0, 'M', 0, 'E', 0, 0, 0, 0, 0};
    header(writer, 2);
    field(writer, NAME_LEN, (uint32_t)end);
    writer_u32le(writer, flags);
    writer_bytes(writer, "12345678", 8);
    if (end >= 48) {
        writer_zeros(writer, 8);
        field(writer, info_len, (uint32_t)(end + NAME_LEN));
    }
    if (end >= 56)
        writer_zeros(writer, 8);
    writer_bytes(writer, NAME, NAME_LEN);
    writer_bytes(writer, info, info_len);
}

static void test_challenge(void **state)
{
    static const struct {
        uint32_t flags;
        size_t end, info_len;
    } cases[] = {
        {0xe28a8235, 56, 16},                           /* Windows XP and later */
        {0xe28a8235 & ~(uint32_t)NTLM_VERSION, 48, 16}, /* Windows 2000: no version */
        {0x00008205, 48, 0},                            /* context and empty information */
        {0x00008205, 32, 0},                            /* Windows NT 4: nothing behind the challenge */
        {0x00808205, 48, 0},                            /* promised and empty */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_WRITER struct writer bytes = writer_growing(128), again = writer_growing(128);
        struct ntlm_challenge challenge, second;
        challenge_make(&bytes, cases[i].flags, cases[i].end, cases[i].info_len);
        assert_int_equal(ntlm_challenge_parse(writer_slice_of(&bytes), &challenge), WIRE_OK);
        assert_int_equal(challenge.flags, cases[i].flags);
        assert_memory_equal(challenge.challenge, "12345678", 8);
        assert_true(slice_equal(challenge.target_name, slice_of(NAME, NAME_LEN)));
        assert_int_equal(challenge.target_info.len, cases[i].info_len);
        for (size_t len = 0; len < bytes.len; len++)
            assert_int_not_equal(parse(writer_slice_of(&bytes), len), WIRE_OK);
        ntlm_challenge_write(&again, &challenge);
        assert_int_equal(ntlm_challenge_parse(writer_slice_of(&again), &second), WIRE_OK);
        assert_true(slice_equal(challenge.target_name, second.target_name));
        assert_true(slice_equal(challenge.target_info, second.target_info));
    }
}

/* The header ends where the payload begins: at 52, 64, 72 or 88 bytes. */
static void authenticate_make(struct writer *writer, size_t end, bool has_key)
{
    uint32_t at = (uint32_t)end;
    header(writer, 3);
    field(writer, 24, at + 3 * NAME_LEN);
    field(writer, 24, at + 3 * NAME_LEN + 24);
    for (uint32_t i = 0; i < 3; i++)
        field(writer, NAME_LEN, at + i * NAME_LEN);
    if (end >= 64) {
        field(writer, has_key ? 16 : 0, at + 3 * NAME_LEN + 48);
        writer_u32le(writer, 0xe2888235);
    }
    writer_zeros(writer, end - writer->len);
    for (int i = 0; i < 3; i++)
        writer_bytes(writer, NAME, NAME_LEN);
    for (int i = 0; i < 48 + (has_key ? 16 : 0); i++)
        writer_u8(writer, (uint8_t)(i / 24 + 1));
}

static void test_authenticate(void **state)
{
    static const size_t ends[] = {52, 64, 72, 88, 96};
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(ends); i++) {
        size_t end = ends[i / 2];
        bool has_key = i % 2 != 0 && end >= 64;
        AUTO_WRITER struct writer bytes = writer_growing(256);
        struct ntlm_authenticate message;
        authenticate_make(&bytes, end, has_key);
        assert_int_equal(ntlm_authenticate_parse(writer_slice_of(&bytes), &message), WIRE_OK);
        assert_int_equal(message.flags, end >= 64 ? 0xe2888235 : NTLM_OEM | NTLM_NTLM);
        assert_int_equal(message.has_mic_field, end >= 88);
        assert_int_equal(message.session_key.len, has_key ? 16 : 0);
        assert_true(slice_equal(message.domain, slice_of(NAME, NAME_LEN)));
        assert_true(slice_equal(message.user, slice_of(NAME, NAME_LEN)));
        assert_true(slice_equal(message.workstation, slice_of(NAME, NAME_LEN)));
        assert_int_equal(message.lm_response.len, 24);
        assert_int_equal(message.lm_response.data[0], 1);
        assert_int_equal(message.nt_response.data[0], 2);
        for (size_t len = 0; len < bytes.len; len++)
            assert_int_not_equal(parse(writer_slice_of(&bytes), len), WIRE_OK);
    }
}

/* Written and read back, with and without each field. */
static void test_authenticate_round_trip(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 128; bits++) {
        struct slice present = slice_of("0123456789abcdef", 16), absent = slice_of(NULL, 0);
        const struct ntlm_authenticate one = {
            .flags = 0xe2888235,
            .lm_response = (bits & 1) != 0 ? present : absent,
            .nt_response = (bits & 2) != 0 ? present : absent,
            .domain = (bits & 4) != 0 ? present : absent,
            .user = (bits & 8) != 0 ? present : absent,
            .workstation = (bits & 16) != 0 ? present : absent,
            .session_key = (bits & 32) != 0 ? present : absent,
            .has_mic_field = (bits & 64) != 0,
        };
        struct ntlm_authenticate two;
        AUTO_WRITER struct writer writer = writer_growing(256);
        ntlm_authenticate_write(&writer, &one);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        assert_int_equal(ntlm_authenticate_parse(writer_slice_of(&writer), &two), WIRE_OK);
        assert_int_equal(two.flags, one.flags);
        assert_int_equal(two.has_mic_field, one.has_mic_field);
        assert_true(slice_equal(one.lm_response, two.lm_response) && slice_equal(one.nt_response, two.nt_response));
        assert_true(slice_equal(one.domain, two.domain) && slice_equal(one.user, two.user));
        assert_true(slice_equal(one.workstation, two.workstation) && slice_equal(one.session_key, two.session_key));
    }
}

/* CVE-2018-8789, 2020-11086, -11087, -11088, -11097, -13396, 2023-25563: fields that lie outside, in full or by a wrapped sum. */
static void test_fields_outside(void **state)
{
    static const uint32_t offsets[] = {0xffffffff, 0xfffffff8, 0x80000000, 0x7fffffff, 0x10000, 2888};
    static const uint16_t lengths[] = {1, 8, 0x7fff, 0x8000, 0xffff};
    AUTO_WRITER struct writer negotiate = writer_growing(64), challenge = writer_growing(128),
                              authenticate = writer_growing(256);
    (void)state;
    header(&negotiate, 1);
    writer_u32le(&negotiate, 0x3207);
    field(&negotiate, 0, 0);
    field(&negotiate, 0, 0);
    challenge_make(&challenge, 0xe28a8235, 56, 16);
    authenticate_make(&authenticate, 88, true);
    const struct {
        struct writer *writer;
        size_t at;
    } fields[] = {{&negotiate, 16},    {&negotiate, 24},    {&challenge, 12},    {&challenge, 40},
                  {&authenticate, 12}, {&authenticate, 20}, {&authenticate, 28}, {&authenticate, 36},
                  {&authenticate, 44}, {&authenticate, 52}};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct writer *writer = fields[i].writer;
        uint8_t kept[8];
        memcpy(kept, writer->data + fields[i].at, 8);
        for (size_t n = 0; n < COUNT_OF(offsets) * COUNT_OF(lengths); n++) {
            writer_patch_u16le(writer, fields[i].at, lengths[n % COUNT_OF(lengths)]);
            writer_patch_u32le(writer, fields[i].at + 4, offsets[n / COUNT_OF(lengths)]);
            assert_int_equal(parse(writer_slice_of(writer), writer->len), WIRE_BAD);
        }
        for (size_t len = 1; len <= 16; len++) { /* ends at the message's end, and one past it */
            writer_patch_u16le(writer, fields[i].at, (uint16_t)len);
            writer_patch_u32le(writer, fields[i].at + 4, (uint32_t)(writer->len - len));
            assert_int_equal(parse(writer_slice_of(writer), writer->len), WIRE_OK);
            writer_patch_u32le(writer, fields[i].at + 4, (uint32_t)(writer->len - len + 1));
            assert_int_equal(parse(writer_slice_of(writer), writer->len), WIRE_BAD);
        }
        writer_patch_u16le(writer, fields[i].at, 0); /* an empty field's offset means nothing */
        writer_patch_u32le(writer, fields[i].at + 4, 0xffffffff);
        assert_int_equal(parse(writer_slice_of(writer), writer->len), WIRE_OK);
        writer_patch_bytes(writer, fields[i].at, kept, 8);
    }
}

static void test_wrong_type_and_size(void **state)
{
    AUTO_WRITER struct writer bytes = writer_growing(4096);
    struct ntlm_negotiate negotiate;
    struct ntlm_challenge challenge;
    struct ntlm_authenticate authenticate;
    (void)state;
    challenge_make(&bytes, 0xe28a8235, 56, 16);
    struct slice whole = writer_slice_of(&bytes);
    assert_int_equal(ntlm_negotiate_parse(whole, &negotiate), WIRE_BAD);
    assert_int_equal(ntlm_authenticate_parse(whole, &authenticate), WIRE_BAD);
    writer_zeros(&bytes, NTLM_MESSAGE_MAX - bytes.len);
    assert_int_equal(ntlm_challenge_parse(writer_slice_of(&bytes), &challenge), WIRE_OK);
    writer_zeros(&bytes, 1);
    assert_int_equal(bytes.len, 2889);
    assert_int_equal(ntlm_challenge_parse(writer_slice_of(&bytes), &challenge), WIRE_BAD);
    writer_patch_u32le(&bytes, 8, 1);
    assert_int_equal(ntlm_negotiate_parse(writer_slice_of(&bytes), &negotiate), WIRE_BAD);
    writer_patch_u32le(&bytes, 8, 3);
    assert_int_equal(ntlm_authenticate_parse(writer_slice_of(&bytes), &authenticate), WIRE_BAD);
}

static enum wire_result pairs_parse(struct slice pairs, struct ntlm_av *av)
{
    uint8_t *copy = malloc(pairs.len > 0 ? pairs.len : 1);
    assert_non_null(copy);
    if (pairs.len > 0)
        memcpy(copy, pairs.data, pairs.len);
    enum wire_result result = ntlm_av_parse(slice_of(copy, pairs.len), av);
    free(copy);
    return result;
}

static void test_pairs(void **state)
{
    static const uint8_t bindings[16] = {1, 2, 3};
    AUTO_WRITER struct writer pairs = writer_growing(256);
    struct ntlm_av av;
    (void)state;
    ntlm_av_write_text(&pairs, NTLM_AV_NB_COMPUTER, "NAME");
    ntlm_av_write_text(&pairs, NTLM_AV_DNS_DOMAIN, "");
    ntlm_av_write_u32(&pairs, NTLM_AV_FLAGS, NTLM_AV_FLAG_MIC);
    ntlm_av_write_u64(&pairs, NTLM_AV_TIMESTAMP, UINT64_C(0x0123456789abcdef));
    ntlm_av_write(&pairs, NTLM_AV_CHANNEL_BINDINGS, slice_of(bindings, 16));
    ntlm_av_write(&pairs, (enum ntlm_av_id)200, slice_of("later", 5)); /* an id of the future */
    ntlm_av_write(&pairs, NTLM_AV_EOL, slice_of(NULL, 0));
    size_t len = pairs.len;
    writer_bytes(&pairs, "what follows", 12);
    assert_int_equal(ntlm_av_parse(writer_slice_of(&pairs), &av), WIRE_OK);
    assert_int_equal(av.len, len);
    assert_int_equal(av.flags, NTLM_AV_FLAG_MIC);
    assert_true(av.timestamp == UINT64_C(0x0123456789abcdef));
    assert_true(slice_equal(av.value[NTLM_AV_NB_COMPUTER], slice_of(NAME, NAME_LEN)));
    assert_non_null(av.value[NTLM_AV_DNS_DOMAIN].data); /* there, though empty */
    assert_null(av.value[NTLM_AV_DNS_TREE].data);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(pairs_parse(slice_of(pairs.data, cut), &av), WIRE_BAD);
}

static enum wire_result one_pair(unsigned id, size_t len, bool end)
{
    static const uint8_t zeros[64];
    AUTO_WRITER struct writer pairs = writer_growing(128);
    struct ntlm_av av;
    ntlm_av_write(&pairs, (enum ntlm_av_id)id, slice_of(zeros, len));
    if (end)
        ntlm_av_write(&pairs, NTLM_AV_EOL, slice_of(NULL, 0));
    return pairs_parse(writer_slice_of(&pairs), &av);
}

static void test_wrong_pairs(void **state)
{
    struct ntlm_av av;
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        assert_true((one_pair(NTLM_AV_FLAGS, len, true) == WIRE_OK) == (len == 4));
        assert_true((one_pair(NTLM_AV_TIMESTAMP, len, true) == WIRE_OK) == (len == 8));
        assert_true((one_pair(NTLM_AV_CHANNEL_BINDINGS, len, true) == WIRE_OK) == (len == 16));
        assert_int_equal(one_pair(NTLM_AV_NB_DOMAIN, len, true), WIRE_OK);
        assert_int_equal(one_pair(NTLM_AV_NB_DOMAIN, len, false), WIRE_BAD);
        if (len > 0)
            assert_int_equal(one_pair(NTLM_AV_EOL, len, true), WIRE_BAD); /* an end pair that carries something */
    }
    for (unsigned id = 1; id < NTLM_AV_KNOWN; id++) { /* twice: which one was meant? */
        size_t len = id == NTLM_AV_FLAGS ? 4 : id == NTLM_AV_TIMESTAMP ? 8 : id == NTLM_AV_CHANNEL_BINDINGS ? 16 : 0;
        static const uint8_t zeros[16];
        AUTO_WRITER struct writer pairs = writer_growing(128);
        for (int i = 0; i < 2; i++)
            ntlm_av_write(&pairs, (enum ntlm_av_id)id, slice_of(zeros, len));
        ntlm_av_write(&pairs, NTLM_AV_EOL, slice_of(NULL, 0));
        assert_int_equal(pairs_parse(writer_slice_of(&pairs), &av), WIRE_BAD);
    }
    AUTO_WRITER struct writer many = writer_growing(4096);
    for (unsigned i = 0; i < 500; i++)
        ntlm_av_write(&many, (enum ntlm_av_id)100, slice_of(NULL, 0));
    ntlm_av_write(&many, NTLM_AV_EOL, slice_of(NULL, 0));
    assert_int_equal(pairs_parse(writer_slice_of(&many), &av), WIRE_BAD);
    assert_int_equal(pairs_parse(slice_of("\1\0\xff\xff", 4), &av), WIRE_BAD);
    assert_int_equal(pairs_parse(slice_of(NULL, 0), &av), WIRE_BAD);
}

static void pair_set(struct writer *pairs, const unsigned *ids, size_t n_ids, uint8_t value)
{
    pairs->len = 0;
    for (size_t i = 0; i < n_ids; i++)
        ntlm_av_write(pairs, (enum ntlm_av_id)ids[i], slice_of(&value, 1));
    ntlm_av_write(pairs, NTLM_AV_EOL, slice_of(NULL, 0));
}

static void test_contains_and_copy(void **state)
{
    static const unsigned two[] = {1, 2}, three[] = {2, 77, 1}, own[] = {1, 8, 9, 2};
    AUTO_WRITER struct writer sent = writer_growing(64), received = writer_growing(64), copied = writer_growing(64);
    (void)state;
    pair_set(&sent, two, 2, 'x');
    pair_set(&received, three, 3, 'x');
    assert_true(
        ntlm_av_contains(writer_slice_of(&received), writer_slice_of(&sent))); /* order and more do not matter */
    assert_false(ntlm_av_contains(writer_slice_of(&sent), writer_slice_of(&received)));
    pair_set(&received, three, 3, 'y');
    assert_false(ntlm_av_contains(writer_slice_of(&received), writer_slice_of(&sent)));
    pair_set(&received, two, 0, 'x');
    assert_false(ntlm_av_contains(writer_slice_of(&received), writer_slice_of(&sent)));
    assert_true(ntlm_av_contains(writer_slice_of(&sent), writer_slice_of(&received)));
    /* Pairs behind the end are none. */
    ntlm_av_write(&received, NTLM_AV_NB_COMPUTER, slice_of("x", 1));
    ntlm_av_write(&received, NTLM_AV_NB_DOMAIN, slice_of("x", 1));
    assert_false(ntlm_av_contains(writer_slice_of(&received), writer_slice_of(&sent)));

    pair_set(&received, own, 4, 'x');
    assert_int_equal(ntlm_av_copy_server(&copied, writer_slice_of(&received)), WIRE_OK);
    ntlm_av_write(&copied, NTLM_AV_EOL, slice_of(NULL, 0));
    assert_true(slice_equal(writer_slice_of(&copied), writer_slice_of(&sent))); /* 8 and 9 are the client's to write */
}

static void test_blob(void **state)
{
    static const uint8_t pairs[4] = {0};
    struct ntlm_client_challenge one = {.timestamp = 7, .challenge = "1234567", .pairs = slice_of(pairs, 4)}, two;
    AUTO_WRITER struct writer blob = writer_growing(64);
    (void)state;
    ntlm_client_challenge_write(&blob, &one);
    assert_int_equal(blob.len, 28 + 4 + 4);
    assert_int_equal(ntlm_client_challenge_parse(writer_slice_of(&blob), &two), WIRE_OK);
    assert_true(two.timestamp == 7 && two.pairs.len == 8);
    assert_memory_equal(two.challenge, one.challenge, 8);
    for (size_t len = 0; len < 28; len++)
        assert_int_not_equal(ntlm_client_challenge_parse(slice_of(blob.data, len), &two), WIRE_OK);
    blob.data[0] = 2;
    assert_int_equal(ntlm_client_challenge_parse(writer_slice_of(&blob), &two), WIRE_BAD);
}

static void check_text(uint32_t flags, struct slice bytes, const char *wanted)
{
    AUTO_FREE char *text = NULL;
    assert_int_equal(ntlm_text_read(flags, bytes, &text), wanted != NULL ? WIRE_OK : WIRE_BAD);
    if (wanted != NULL)
        assert_string_equal(text, wanted);
}

static void test_names(void **state)
{
    AUTO_WRITER struct writer writer = writer_growing(64);
    (void)state;
    check_text(NTLM_UNICODE, slice_of(NAME, NAME_LEN), "NAME");
    check_text(NTLM_UNICODE | NTLM_OEM, slice_of("\xe4\0", 2), "\xc3\xa4");
    check_text(NTLM_UNICODE, slice_of("A", 1), NULL);
    check_text(NTLM_UNICODE, slice_of("\0\xd8", 2), NULL); /* half a pair */
    check_text(NTLM_UNICODE, slice_of(NULL, 0), "");
    check_text(NTLM_OEM, slice_of_text("NAME"), "NAME");
    check_text(NTLM_OEM, slice_of_text("\xc3\xa4"), "\xc3\xa4");
    check_text(NTLM_OEM, slice_of_text("\xe4g\xff"), "\xc3\xa4g\xc3\xbf"); /* Latin-1, since it is no UTF-8 */
    check_text(NTLM_OEM, slice_of("A\0B", 3), NULL);
    check_text(NTLM_OEM, slice_of(NULL, 0), "");
    assert_int_equal(ntlm_text_write(NTLM_UNICODE, &writer, "NAME"), WIRE_OK);
    assert_int_equal(ntlm_text_write(NTLM_OEM, &writer, "NAME"), WIRE_OK);
    assert_int_equal(ntlm_text_write(NTLM_UNICODE, &writer, NULL), WIRE_OK);
    assert_true(slice_equal(writer_slice_of(&writer), slice_of(NAME "NAME", 12)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiate),
        cmocka_unit_test(test_unannounced_names),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_authenticate),
        cmocka_unit_test(test_authenticate_round_trip),
        cmocka_unit_test(test_fields_outside),
        cmocka_unit_test(test_wrong_type_and_size),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_wrong_pairs),
        cmocka_unit_test(test_contains_and_copy),
        cmocka_unit_test(test_blob),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
