/*
 * The messages of the AP exchange: round trips, limits, libkrb5's messages read and ours read by it, and damaged ones of every kind.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/time_text.h"
#include "support/kerberos_forge.h"
#include "wire/der.h"
#include <stdlib.h>
#include <string.h>

static krb5_context krb;

/* One decoder each, on a block of exactly the input's size, for sanitizers. A failure leaves the output as it was. */
enum decoder { TICKET, TICKET_PART, AP_REQ, AUTHENTICATOR, AP_REP, AP_REP_PART, DECODERS };

static enum wire_result decode(enum decoder decoder, const uint8_t *bytes, size_t len)
{
    static union {
        struct krb_ticket ticket;
        struct krb_ticket_part ticket_part;
        struct krb_ap_req ap_req;
        struct krb_authenticator authenticator;
        struct krb_encrypted ap_rep;
        struct krb_ap_rep_part ap_rep_part;
    } out, before;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    enum wire_result result = WIRE_BAD;
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    memset(&out, 0x5a, sizeof out);
    before = out;
    struct slice in = slice_of(copy, len);
    switch (decoder) {
    case TICKET:
        result = krb_ticket_parse(in, &out.ticket);
        break;
    case TICKET_PART:
        result = krb_ticket_part_parse(in, &out.ticket_part);
        break;
    case AP_REQ:
        result = krb_ap_req_parse(in, &out.ap_req);
        break;
    case AUTHENTICATOR:
        result = krb_authenticator_parse(in, &out.authenticator);
        break;
    case AP_REP:
        result = krb_ap_rep_parse(in, &out.ap_rep);
        break;
    default:
        result = krb_ap_rep_part_parse(in, &out.ap_rep_part);
        break;
    }
    if (result != WIRE_OK)
        assert_memory_equal(&out, &before, sizeof out);
    free(copy);
    return result;
}

static void sample(enum decoder decoder, const struct forge *forge, struct writer *writer)
{
    static const uint8_t bytes[40] = {1, 2, 3};
    const struct krb_encrypted encrypted = {.enctype = 18, .cipher = slice_of(bytes, sizeof bytes)};
    const struct krb_ap_rep_part part = {
        .time = forge->time, .microseconds = 7, .subkey = forge->subkey, .has_seq = true, .seq = UINT32_C(0xfffffff0)};
    switch (decoder) {
    case TICKET:
        forge_ticket(writer, forge);
        break;
    case TICKET_PART:
        forge_ticket_part(writer, forge);
        break;
    case AP_REQ:
        forge_request(writer, forge, NULL, NULL);
        break;
    case AUTHENTICATOR:
        forge_authenticator(writer, forge);
        break;
    case AP_REP:
        krb_ap_rep_write(writer, &encrypted);
        break;
    default:
        krb_ap_rep_part_write(writer, &part);
        break;
    }
    assert_int_equal(writer_finish(writer), WIRE_OK);
}

static const int32_t enctypes[] = {18, 17};

static void forge_full(struct forge *forge)
{
    forge_begin(forge, KRB_AES256_SHA1);
    forge->renew_till = forge->end_time + 1000;
    forge->with_addresses = true;
    forge->authorization = slice_of("", 0);
    forge->enctypes = enctypes;
    forge->n_enctypes = 2;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct forge forge;
    forge_full(&forge);
    for (enum decoder decoder = TICKET; decoder < DECODERS; decoder++) {
        AUTO_WRITER struct writer message = writer_growing(2048);
        sample(decoder, &forge, &message);
        assert_int_equal(decode(decoder, message.data, message.len), WIRE_OK);
        for (size_t len = 0; len < message.len; len++)
            if (decode(decoder, message.data, len) == WIRE_OK)
                fail_msg("decoder %d takes %zu of %zu bytes", (int)decoder, len, message.len);
        writer_u8(&message, 0);
        assert_int_equal(decode(decoder, message.data, message.len), WIRE_BAD); /* nothing behind it */
        for (enum decoder other = TICKET; other < DECODERS; other++)
            if (other != decoder)
                assert_int_equal(decode(other, message.data, message.len - 1), WIRE_BAD);
    }
}

/* Tags, lengths, versions: a flipped bit either makes the message unreadable or changes one value, never more. Here: it is survived. */
static void every_flip_is_survived(void **state)
{
    (void)state;
    struct forge forge;
    forge_full(&forge);
    for (enum decoder decoder = TICKET; decoder < DECODERS; decoder++) {
        AUTO_WRITER struct writer message = writer_growing(2048);
        unsigned n_taken = 0;
        sample(decoder, &forge, &message);
        for (size_t at = 0; at < 8 * message.len; at++) {
            message.data[at / 8] ^= (uint8_t)(1u << at % 8);
            n_taken += decode(decoder, message.data, message.len) == WIRE_OK;
            message.data[at / 8] ^= (uint8_t)(1u << at % 8);
        }
        assert_true(n_taken > 0 && n_taken < 8 * message.len);
        for (size_t at = 0; at < 4; at++) /* the application tag, SEQUENCE and their lengths */
            for (int bit = 0; bit < 8; bit++) {
                message.data[at] ^= (uint8_t)(1u << bit);
                assert_int_not_equal(decode(decoder, message.data, message.len), WIRE_OK);
                message.data[at] ^= (uint8_t)(1u << bit);
            }
    }
}

/* Walks a DER element and gives offsets of every constructed element's end inside `bytes`. */
static size_t ends_of(const uint8_t *bytes, size_t from, size_t to, size_t *ends, size_t n_ends, size_t max)
{
    while (from < to) {
        struct reader reader = reader_of(slice_of(bytes + from, to - from));
        uint8_t tag;
        struct slice content;
        if (der_read_any(&reader, &tag, &content) != WIRE_OK)
            break;
        size_t begin = (size_t)(content.data - bytes), end = begin + content.len;
        if ((tag & 0x20) != 0) {
            n_ends = ends_of(bytes, begin, end, ends, n_ends, max);
            assert_true(n_ends < max);
            ends[n_ends++] = end;
        }
        from = end;
    }
    return n_ends;
}

/* A copy with one element more right before `at`, every length around it made right again. */
static void with_field(const uint8_t *bytes, size_t from, size_t to, size_t at, uint8_t tag, struct writer *out)
{
    static const uint8_t nothing[2] = {0x05, 0x00};
    while (from < to) {
        struct reader reader = reader_of(slice_of(bytes + from, to - from));
        uint8_t own;
        struct slice content;
        assert_int_equal(der_read_any(&reader, &own, &content), WIRE_OK);
        size_t begin = (size_t)(content.data - bytes), end = begin + content.len;
        if ((own & 0x20) != 0 && at > begin && at <= end) {
            struct der_mark mark = der_begin(out, own);
            with_field(bytes, begin, end, at, tag, out);
            if (at == end) { /* the innermost that ends here gets it */
                size_t inner_ends[64];
                size_t n = ends_of(bytes, begin, end, inner_ends, 0, 64);
                bool deeper = false;
                for (size_t i = 0; i < n; i++)
                    deeper = deeper || inner_ends[i] == at;
                if (!deeper)
                    der_write(out, tag, slice_of(nothing, sizeof nothing));
            }
            der_end(out, mark);
        } else
            writer_slice(out, slice_of(bytes + from, end - from));
        from = end;
    }
}

/* A field that RFC 4120 does not know, at the end of each SEQUENCE: refused, as long as no extension marker allows it. */
static void unknown_fields(void **state)
{
    (void)state;
    struct forge forge;
    forge_full(&forge);
    forge.with_addresses = false; /* their content is not looked at */
    forge.n_enctypes = 0;
    forge.authorization = (struct slice){0};
    for (enum decoder decoder = TICKET; decoder < DECODERS; decoder++) {
        AUTO_WRITER struct writer message = writer_growing(2048);
        size_t ends[64];
        sample(decoder, &forge, &message);
        size_t n_ends = ends_of(message.data, 0, message.len, ends, 0, COUNT_OF(ends));
        assert_true(n_ends > 0);
        for (size_t i = 0; i < n_ends; i++) {
            AUTO_WRITER struct writer longer = writer_growing(2048);
            with_field(message.data, 0, message.len, ends[i], DER_CONTEXT(20), &longer);
            assert_int_equal(longer.len >= message.len + 4, 1);
            assert_int_equal(decode(decoder, longer.data, longer.len), WIRE_BAD);
        }
    }
}

/* The calendar is test_time_text.c's: here, that each message's times are read and written by it. */
static void times(void **state)
{
    (void)state;
    static const int64_t some[] = {0, INT64_C(951782400), UINT32_MAX, INT64_C(253402300799)}; /* the last: 9999-12-31 */
    static const uint8_t field[] = {0xa0, 0x11, 0x18, 0x0f}; /* [0] GeneralizedTime, first in the AP-REP's part */
    const struct krb_ap_rep_part beyond = {.time = INT64_C(253402300800)};
    AUTO_WRITER struct writer none = writer_growing(64);
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        const struct krb_ap_rep_part part = {.time = some[i]};
        struct krb_ap_rep_part back = {0};
        AUTO_WRITER struct writer writer = writer_growing(64);
        uint8_t text[KRB_TIME_LEN];
        krb_ap_rep_part_write(&writer, &part);
        assert_int_equal(writer_finish(&writer), WIRE_OK);
        assert_true(krb_time_text(some[i], text));
        assert_memory_equal(writer.data + 4, field, sizeof field);
        assert_memory_equal(writer.data + 4 + sizeof field, text, sizeof text);
        assert_int_equal(krb_ap_rep_part_parse(writer_slice_of(&writer), &back), WIRE_OK);
        assert_int_equal(back.time, some[i]);
        writer.data[4 + sizeof field + 4] = '9'; /* a month that there is not */
        assert_int_equal(krb_ap_rep_part_parse(writer_slice_of(&writer), &back), WIRE_BAD);
    }
    krb_ap_rep_part_write(&none, &beyond);
    assert_int_equal(writer_finish(&none), WIRE_BAD);
}

/* The AP-REP part with its number written as this DER INTEGER. */
static enum wire_result seq_as(struct slice integer, uint32_t *seq)
{
    struct krb_ap_rep_part part = {0};
    AUTO_WRITER struct writer writer = writer_growing(64);
    struct der_mark whole = der_begin(&writer, DER_APPLICATION(27)), body = der_begin(&writer, DER_SEQUENCE);
    struct der_mark field = der_begin(&writer, DER_CONTEXT(0));
    der_write(&writer, DER_GENERALIZED_TIME, slice_of_text("19851106210627Z"));
    der_end(&writer, field);
    field = der_begin(&writer, DER_CONTEXT(1));
    der_write_integer(&writer, DER_INTEGER, 999999);
    der_end(&writer, field);
    field = der_begin(&writer, DER_CONTEXT(3));
    der_write(&writer, DER_INTEGER, integer);
    der_end(&writer, field);
    der_end(&writer, body);
    der_end(&writer, whole);
    enum wire_result result = krb_ap_rep_part_parse(writer_slice_of(&writer), &part);
    *seq = part.seq;
    return result;
}

static void sequence_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum wire_result result;
        uint32_t seq;
    } cases[] = {
        {"\x00", 1, WIRE_OK, 0},
        {"\x7f\xff\xff\xff", 4, WIRE_OK, 0x7fffffff},
        {"\x00\x80\x00\x00\x00", 5, WIRE_OK, 0x80000000},
        {"\x00\xff\xff\xff\xff", 5, WIRE_OK, 0xffffffff},
        {"\xff", 1, WIRE_OK, 0xffffffff},             /* as old peers wrote it */
        {"\x80\x00\x00\x00", 4, WIRE_OK, 0x80000000}, /* the same */
        {"\x01\x00\x00\x00\x00", 5, WIRE_BAD, 0},
        {"\xff\x7f\xff\xff\xff", 5, WIRE_BAD, 0},
        {"\x00\x00", 2, WIRE_BAD, 0},
        {"\xff\xff", 2, WIRE_BAD, 0},
        {"", 0, WIRE_BAD, 0},
        {"\x00\x80\x00\x00\x00\x00\x00\x00\x00", 9, WIRE_BAD, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t seq;
        assert_int_equal(seq_as(slice_of(cases[i].bytes, cases[i].len), &seq), cases[i].result);
        if (cases[i].result == WIRE_OK)
            assert_int_equal(seq, cases[i].seq);
    }
    static const uint32_t numbers[] = {0, 1, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        for (int32_t type = 0; type < 2; type++) {
            struct krb_authenticator authenticator = {.client = forge_name(FORGE_CLIENT), .seq = numbers[i]}, back;
            struct krb_ap_rep_part part = {.has_seq = true, .seq = numbers[i]}, part_back;
            AUTO_WRITER struct writer one = writer_growing(64), two = writer_growing(64);
            krb_authenticator_write(&one, &authenticator, NULL);
            krb_ap_rep_part_write(&two, &part);
            assert_int_equal(krb_authenticator_parse(writer_slice_of(&one), &back), WIRE_OK);
            assert_int_equal(krb_ap_rep_part_parse(writer_slice_of(&two), &part_back), WIRE_OK);
            assert_int_equal(back.seq, numbers[i]);
            assert_true(part_back.has_seq && part_back.seq == numbers[i]);
        }
}

static void microseconds_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        uint32_t value;
        enum wire_result result;
    } cases[] = {{0, WIRE_OK}, {999999, WIRE_OK}, {1000000, WIRE_BAD}, {UINT32_MAX, WIRE_BAD}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct krb_ap_rep_part part = {.microseconds = cases[i].value};
        struct krb_ap_rep_part back;
        AUTO_WRITER struct writer writer = writer_growing(64);
        krb_ap_rep_part_write(&writer, &part);
        assert_int_equal(krb_ap_rep_part_parse(writer_slice_of(&writer), &back), cases[i].result);
    }
}

static void ticket_part_round_trip(void **state)
{
    (void)state;
    static const int32_t types[] = {17, 18, 19, 20, 23};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct forge forge;
        struct krb_ticket_part part;
        AUTO_WRITER struct writer writer = writer_growing(512);
        forge_full(&forge);
        forge.session = forge_key(types[i], 4);
        forge.transited = "A.TEST,B.TEST";
        forge_ticket_part(&writer, &forge);
        assert_int_equal(krb_ticket_part_parse(writer_slice_of(&writer), &part), WIRE_OK);
        assert_int_equal(part.flags, forge.flags);
        assert_int_equal(part.key.enctype, types[i]);
        assert_memory_equal(part.key.bytes, forge.session.bytes, forge.session.len);
        assert_int_equal(part.auth_time, forge.auth_time);
        assert_int_equal(part.start_time, forge.start_time);
        assert_int_equal(part.end_time, forge.end_time);
        assert_int_equal(part.renew_till, forge.renew_till);
        assert_int_equal(part.transited_type, 1);
        assert_true(slice_equal(part.transited, slice_of_text("A.TEST,B.TEST")));
        struct krb_name name = forge_name(FORGE_CLIENT);
        assert_true(krb_name_equal(&part.client, &name));
        assert_non_null(part.authorization.data);
        assert_int_equal(part.authorization.len, 0);
    }
}

/* A session key of a type that is not ours, or of the wrong length. */
static void keys_that_are_none(void **state)
{
    (void)state;
    static const struct {
        int32_t enctype;
        uint8_t len;
    } cases[] = {{16, 24}, {18, 16}, {17, 32}, {23, 0}, {0, 0}, {-1, 16}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct forge forge;
        AUTO_WRITER struct writer part = writer_growing(512), authenticator = writer_growing(512);
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.session.enctype = forge.subkey.enctype = cases[i].enctype;
        forge.session.len = forge.subkey.len = cases[i].len;
        forge_ticket_part(&part, &forge);
        assert_int_equal(decode(TICKET_PART, part.data, part.len), WIRE_BAD);
        forge_authenticator(&authenticator, &forge);
        assert_int_equal(decode(AUTHENTICATOR, authenticator.data, authenticator.len),
                         cases[i].enctype == 0 ? WIRE_OK : WIRE_BAD); /* 0: no subkey was written */
    }
}

static void etype_lists(void **state)
{
    (void)state;
    struct forge forge;
    struct krb_authenticator authenticator;
    struct krb_authdata element;
    struct reader list, inside, types;
    int32_t enctype;
    AUTO_WRITER struct writer writer = writer_growing(512);
    static const int32_t wanted[] = {18, -133, INT32_MAX, INT32_MIN, 0};
    forge_begin(&forge, KRB_RC4_HMAC);
    forge.enctypes = wanted;
    forge.n_enctypes = COUNT_OF(wanted);
    forge_authenticator(&writer, &forge);
    assert_int_equal(krb_authenticator_parse(writer_slice_of(&writer), &authenticator), WIRE_OK);
    list = reader_of(authenticator.authorization);
    assert_int_equal(krb_authdata_next(&list, &element), WIRE_OK);
    assert_int_equal(element.type, KRB_AD_IF_RELEVANT);
    assert_int_equal(krb_authdata_inside(element.data, &inside), WIRE_OK);
    assert_int_equal(krb_authdata_next(&list, &element), WIRE_SHORT);
    assert_int_equal(krb_authdata_next(&inside, &element), WIRE_OK);
    assert_int_equal(element.type, KRB_AD_ETYPE_NEGOTIATION);
    assert_int_equal(krb_authdata_inside(element.data, &types), WIRE_OK);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(krb_etype_list_next(&types, &enctype), WIRE_OK);
        assert_int_equal(enctype, wanted[i]);
    }
    assert_int_equal(krb_etype_list_next(&types, &enctype), WIRE_SHORT);
    types = reader_of(slice_of("\x02\x05\x01\x00\x00\x00\x00", 7)); /* past 32 bits */
    assert_int_equal(krb_etype_list_next(&types, &enctype), WIRE_BAD);
    types = reader_of(slice_of("\x04\x01\x00", 3));
    assert_int_equal(krb_etype_list_next(&types, &enctype), WIRE_BAD);
    assert_int_equal(krb_authdata_inside(slice_of("\x30\x00\x00", 3), &inside), WIRE_BAD);
    assert_int_equal(krb_authdata_inside(slice_of(NULL, 0), &inside), WIRE_BAD);
}

/* What krb5_mk_req makes of a forged ticket. */
static void reads_libkrb5s(void **state)
{
    (void)state;
    static const int32_t types[] = {17, 18, 19, 20, 23};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct forge forge;
        AUTO_WRITER struct writer ticket = writer_growing(1024);
        krb5_auth_context context = NULL;
        krb5_data out = {0}, sum = {.data = (char *)(uintptr_t) "checksum", .length = 8};
        krb5_int32 number;
        struct krb_ap_req request;
        struct krb_authenticator authenticator;
        AUTO_SECRET struct secret buffer = {0};
        struct slice plain;
        forge_begin(&forge, types[i]);
        forge_ticket(&ticket, &forge);
        krb5_creds creds = {
            .keyblock = {.enctype = types[i], .length = forge.session.len, .contents = forge.session.bytes},
            .times = {.endtime = (krb5_timestamp)forge.end_time},
            .ticket = {.data = (char *)ticket.data, .length = (unsigned)ticket.len}};
        assert_int_equal(krb5_parse_name(krb, forge.client, &creds.client), 0);
        assert_int_equal(krb5_parse_name(krb, forge.server, &creds.server), 0);
        assert_int_equal(krb5_auth_con_init(krb, &context), 0);
        assert_int_equal(krb5_auth_con_setflags(krb, context, KRB5_AUTH_CONTEXT_DO_SEQUENCE), 0);
        assert_int_equal(
            krb5_mk_req_extended(krb, &context, AP_OPTS_MUTUAL_REQUIRED | AP_OPTS_USE_SUBKEY, &sum, &creds, &out), 0);
        assert_int_equal(krb_ap_req_parse(slice_of(out.data, out.length), &request), WIRE_OK);
        assert_int_equal(request.options, KRB_AP_MUTUAL_REQUIRED);
        assert_true(slice_equal(request.ticket_message, writer_slice_of(&ticket)));
        assert_int_equal(request.ticket.part.kvno, 2);
        struct krb_name server = forge_name(FORGE_SERVER), client = forge_name(FORGE_CLIENT);
        assert_true(krb_name_equal(&request.ticket.server, &server));
        assert_true(krb_decrypt(&forge.session, KRB_USAGE_AP_REQ, request.authenticator.cipher, &buffer, &plain));
        assert_int_equal(krb_authenticator_parse(plain, &authenticator), WIRE_OK);
        assert_true(krb_name_equal(&authenticator.client, &client));
        assert_true(authenticator.has_checksum);
        assert_int_equal(krb5_auth_con_getlocalseqnumber(krb, context, &number), 0);
        assert_int_equal(authenticator.seq, (uint32_t)number);
        krb5_keyblock *subkey;
        assert_int_equal(krb5_auth_con_getsendsubkey(krb, context, &subkey), 0);
        assert_int_equal(authenticator.subkey.enctype, subkey->enctype);
        assert_memory_equal(authenticator.subkey.bytes, subkey->contents, subkey->length);
        krb5_free_keyblock(krb, subkey);
        krb5_free_data_contents(krb, &out);
        krb5_auth_con_free(krb, context);
        krb5_free_principal(krb, creds.client);
        krb5_free_principal(krb, creds.server);
    }
}

/* The writers beside the forge's own, byte by byte. */
static void request_as_the_forge_writes_it(void **state)
{
    (void)state;
    struct forge forge;
    AUTO_WRITER struct writer theirs = writer_growing(2048), ours = writer_growing(2048);
    struct krb_ap_req request;
    forge_full(&forge);
    forge_request(&theirs, &forge, NULL, NULL);
    assert_int_equal(krb_ap_req_parse(writer_slice_of(&theirs), &request), WIRE_OK);
    krb_ap_req_write(&ours, &request);
    assert_true(slice_equal(writer_slice_of(&ours), writer_slice_of(&theirs)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flip_is_survived),
        cmocka_unit_test(unknown_fields),
        cmocka_unit_test(times),
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(microseconds_have_a_limit),
        cmocka_unit_test(ticket_part_round_trip),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(etype_lists),
        cmocka_unit_test(reads_libkrb5s),
        cmocka_unit_test(request_as_the_forge_writes_it),
    };
    if (krb5_init_context(&krb) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    krb5_free_context(krb);
    return failed;
}
