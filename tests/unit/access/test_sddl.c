/* Security descriptors as text and bytes: MS-DTYP 2.5.1 (SDDL), 2.4.6 (descriptor), 2.4.5 (lists), 2.4.4 (entries). */
#include "access/sddl.h"

#include "access/well_known.h"
#include "base/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ALL_PARTS (SDDL_OWNER | SDDL_GROUP | SDDL_DACL | SDDL_SACL | SDDL_LABEL)

static enum sddl_problem read_text(const char *text, struct writer *bytes)
{
    *bytes = writer_growing(64);
    return sddl_parse(text, bytes);
}

/* The text of the descriptor that the text makes. */
static void assert_becomes(const char *text, const char *expected)
{
    AUTO_WRITER struct writer bytes, out = writer_growing(64);
    struct descriptor descriptor;
    assert_int_equal(read_text(text, &bytes), SDDL_OK);
    assert_int_equal(writer_finish(&bytes), WIRE_OK);
    assert_int_equal(descriptor_read(writer_slice_of(&bytes), &descriptor), WIRE_OK);
    assert_int_equal(descriptor_len(&descriptor), bytes.len);
    assert_int_equal(sddl_format(&descriptor, ALL_PARTS, &out), SDDL_OK);
    writer_u8(&out, 0);
    assert_int_equal(writer_finish(&out), WIRE_OK);
    assert_string_equal((const char *)out.data, expected);
}

static void test_round_trips(void **state)
{
    static const char *const texts[] = {
        "",
        "O:BAG:SY",
        "O:S-1-5-21-1-2-3-500G:S-1-5-21-1-2-3-513",
        "D:",
        "D:P(A;;FA;;;SY)(A;;FR;;;WD)",
        "D:ARAI(D;OICI;GA;;;AN)(A;OICIIOID;SDGXGWGR;;;AU)",
        "D:(A;;0x1201ff;;;BU)",
        "D:NO_ACCESS_CONTROL",
        "D:P(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)",
        "S:(AU;SAFA;WP;;;WD)",
        "S:(ML;;NWNR;;;HI)",
        "D:(OA;;RP;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)",
        "D:(OD;CI;WP;;bf967a86-0de6-11d0-a285-00aa003049e2;WD)",
        "D:(OA;CI;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;bf967aba-0de6-11d0-a285-00aa003049e2;PS)",
        "O:S-1-0x010203040506-7G:S-1-22-2-1000D:(A;;KA;;;OW)S:P(AU;FA;SD;;;S-1-5-32)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_becomes(texts[i], texts[i]);
}

static void test_other_spellings(void **state)
{
    (void)state;
    assert_becomes("G:SYO:BA", "O:BAG:SY");
    assert_becomes(" O:BA \n D: (A;;GA;;;WD) ", "O:BAD:(A;;GA;;;WD)");
    assert_becomes("D:(A;;0x1F01FF;;;S-1-1-0)", "D:(A;;FA;;;WD)");
    assert_becomes("D:(A;;010;;;WD)", "D:(A;;SW;;;WD)"); /* octal, as C writes it */
    assert_becomes("D:(A;;16;;;WD)", "D:(A;;RP;;;WD)");
    assert_becomes("D:(A;;RPRPWP;;;WD)", "D:(A;;RPWP;;;WD)");
    assert_becomes("O: BA G: SY D: ( A;;GA;;; WD ) S:P", "O:BAG:SYD:(A;;GA;;;WD)S:P");
    assert_becomes("O:S-1-0X01020304050a-7", "O:S-1-0x01020304050A-7");
    assert_becomes("O:S-1-5-18D:(A;;GA;;;S-1-5-18)", "O:SYD:(A;;GA;;;SY)"); /* the D is not a digit */
    assert_becomes("D:(OA;;RP;BF967ABA-0DE6-11D0-A285-00AA003049E2;;AU)",
                   "D:(OA;;RP;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)");
    assert_becomes("D:AIP(A;;GA;;;WD)", "D:PAI(A;;GA;;;WD)");
}

/* The letters of MS-DTYP 2.5.1.1 that mean one SID, the same in every domain (2.4.2.4); written again they are letters. */
static void test_letters(void **state)
{
    static const struct {
        const char *letters, *sid;
    } each[] = {
        {"AA", "S-1-5-32-579"},
        {"AC", "S-1-15-2-1"},
        {"AN", "S-1-5-7"},
        {"AO", "S-1-5-32-548"},
        {"AS", "S-1-18-1"},
        {"AU", "S-1-5-11"},
        {"BA", "S-1-5-32-544"},
        {"BG", "S-1-5-32-546"},
        {"BO", "S-1-5-32-551"},
        {"BU", "S-1-5-32-545"},
        {"CD", "S-1-5-32-574"},
        {"CG", "S-1-3-1"},
        {"CO", "S-1-3-0"},
        {"CY", "S-1-5-32-569"},
        {"ED", "S-1-5-9"},
        {"ER", "S-1-5-32-573"},
        {"ES", "S-1-5-32-576"},
        {"HA", "S-1-5-32-578"},
        {"HI", "S-1-16-12288"},
        {"IS", "S-1-5-32-568"},
        {"IU", "S-1-5-4"},
        {"LS", "S-1-5-19"},
        {"LU", "S-1-5-32-559"},
        {"LW", "S-1-16-4096"},
        {"ME", "S-1-16-8192"},
        {"MP", "S-1-16-8448"},
        {"MS", "S-1-5-32-577"},
        {"MU", "S-1-5-32-558"},
        {"NO", "S-1-5-32-556"},
        {"NS", "S-1-5-20"},
        {"NU", "S-1-5-2"},
        {"OW", "S-1-3-4"},
        {"PO", "S-1-5-32-550"},
        {"PS", "S-1-5-10"},
        {"PU", "S-1-5-32-547"},
        {"RA", "S-1-5-32-575"},
        {"RC", "S-1-5-12"},
        {"RD", "S-1-5-32-555"},
        {"RE", "S-1-5-32-552"},
        {"RM", "S-1-5-32-580"},
        {"RU", "S-1-5-32-554"},
        {"SI", "S-1-16-16384"},
        {"SO", "S-1-5-32-549"},
        {"SS", "S-1-18-2"},
        {"SU", "S-1-5-6"},
        {"SY", "S-1-5-18"},
        {"UD", "S-1-5-84-0-0-0-0-0"},
        {"WD", "S-1-1-0"},
        {"WR", "S-1-5-33"},
    };
    char text[64], expected[64];
    (void)state;
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        snprintf(expected, sizeof expected, "O:%sD:(A;;GA;;;%s)", each[i].letters, each[i].letters);
        assert_becomes(expected, expected);
        snprintf(text, sizeof text, "O:%sD:(A;;GA;;;%s)", each[i].sid, each[i].sid);
        assert_becomes(text, expected);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum sddl_problem problem;
    } bad[] = {
        {"X:BA", SDDL_SYNTAX},
        {"O", SDDL_SYNTAX},
        {"O:BAO:BA", SDDL_SYNTAX},
        {"G:BAG:BA", SDDL_SYNTAX},
        {"D:D:", SDDL_SYNTAX},
        {"O:BA!", SDDL_SYNTAX},
        {"O:", SDDL_SID},
        {"O:B", SDDL_SID},
        {"O:ZZ", SDDL_SID},
        {"O:DA", SDDL_SID}, /* of which domain? */
        {"O:S-1-5-", SDDL_SID},
        {"O:S-1", SDDL_SID},
        {"O:S-1-5-01", SDDL_SID},
        {"O:S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", SDDL_SID},
        {"D:(A;;GA;;;)", SDDL_SID},
        {"D:(", SDDL_ACL},
        {"D:()", SDDL_ACL},
        {"D:(A", SDDL_ACL},
        {"D:(A;;GA;;;WD", SDDL_ACL},
        {"D:(Q;;GA;;;WD)", SDDL_ACL},
        {"D:(A;XX;GA;;;WD)", SDDL_ACL},
        {"D:(A;O;GA;;;WD)", SDDL_ACL},
        {"D:(A;;G;;;WD)", SDDL_ACL},
        {"D:(A;;0x;;;WD)", SDDL_ACL},
        {"D:(A;;08;;;WD)", SDDL_ACL},
        {"D:(A;;0x100000000;;;WD)", SDDL_ACL},
        {"D:(A;;GA;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)", SDDL_ACL}, /* a plain entry names no object */
        {"D:(OA;;GA;bf967aba;;WD)", SDDL_ACL},
        {"D:(OA;;GA;bf967aba-0de6-11d0-a285-00aa003049eg;;WD)", SDDL_ACL},
        {"D:(XA;;GA;;;WD;(@User.a==1))", SDDL_ACL}, /* conditions are not read, and not dropped */
        {"D:(A;;GA;;;WD;(1))", SDDL_ACL},
        {"S:(RA;;;;;WD;(\"a\",TS,0,\"b\"))", SDDL_ACL},
        {"S:(ML;;GA;;;HI)", SDDL_ACL},
        {"D:NO_ACCESS_CONTROL(A;;GA;;;WD)", SDDL_ACL},
        {"D:PX(A;;GA;;;WD)", SDDL_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO_WRITER struct writer bytes;
        enum sddl_problem problem = read_text(bad[i].text, &bytes);
        if (problem != bad[i].problem)
            print_error("%s: %d\n", bad[i].text, (int)problem);
        assert_int_equal(problem, bad[i].problem);
    }
}

static void test_sizes(void **state)
{
    const size_t entries = 3277; /* of 20 bytes: 65540 with the header */
    char *text = malloc(entries * 16 + 16);
    (void)state;
    assert_non_null(text);
    for (size_t n = entries - 1; n <= entries; n++) {
        AUTO_WRITER struct writer bytes;
        strcpy(text, "D:");
        size_t at = 2;
        for (size_t i = 0; i < n; i++, at += 12)
            memcpy(text + at, "(A;;GA;;;WD)", 12);
        text[at] = '\0';
        assert_int_equal(read_text(text, &bytes), n < entries ? SDDL_OK : SDDL_ACL);
    }
    free(text);
}

static void test_long_texts(void **state)
{
    char *text = malloc(SDDL_TEXT_MAX + 2);
    (void)state;
    assert_non_null(text);
    memset(text, ' ', SDDL_TEXT_MAX + 1);
    memcpy(text, "O:BA", 4);
    for (size_t len = SDDL_TEXT_MAX + 1; len >= SDDL_TEXT_MAX; len--) {
        AUTO_WRITER struct writer bytes;
        text[len] = '\0';
        assert_int_equal(read_text(text, &bytes), len > SDDL_TEXT_MAX ? SDDL_TOO_LONG : SDDL_OK);
    }
    for (size_t len = 100; len < 400; len++) { /* digits around the longest SID's */
        AUTO_WRITER struct writer bytes;
        memset(text, '1', len);
        memcpy(text, "O:S-1-", 6);
        text[len] = '\0';
        assert_int_equal(read_text(text, &bytes), SDDL_SID);
    }
    free(text);
}

/* A list that there was no memory for is not left out: without one everybody has access. */
static void test_without_memory(void **state)
{
    static const char text[] = "O:BAD:(A;;FA;;;BA)S:(AU;SAFA;WP;;;WD)";
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        bool struck = true;
        unsigned long n = 1;
        for (; struck; n++) {
            AUTO_WRITER struct writer bytes;
            mem_fault_set(n, sticky != 0);
            enum sddl_problem problem = read_text(text, &bytes);
            struck = mem_fault_count() >= n;
            mem_fault_set(0, false);
            assert_int_equal(problem, SDDL_OK);
            assert_int_equal(writer_finish(&bytes), struck ? WIRE_BAD : WIRE_OK);
        }
        assert_true(n > 3);
    }
}

/* Entries that have no spelling are not written as something else. */
static void test_unwritable(void **state)
{
    static const struct {
        uint8_t type, flags;
        enum sddl_problem problem;
    } cases[] = {{ACE_ALLOWED, 0, SDDL_OK},
                 {ACE_ALLOWED, 0x1f, SDDL_OK},
                 {ACE_ALLOWED, 0x20, SDDL_ACL},
                 {ACE_ALLOWED_CALLBACK, 0, SDDL_ACL},
                 {ACE_SYSTEM_LAST, 0, SDDL_ACL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_WRITER struct writer acl = writer_growing(64), out = writer_growing(64);
        size_t begin = acl_begin(&acl);
        acl_add(&acl, &(struct ace){.type = cases[i].type,
                                    .flags = cases[i].flags,
                                    .mask = 1,
                                    .understood = true,
                                    .sid = WELL_KNOWN_EVERYONE});
        acl_end(&acl, begin, 1, false);
        const struct descriptor descriptor = {.control = DESCRIPTOR_DACL_PRESENT, .dacl = writer_slice_of(&acl)};
        assert_int_equal(sddl_format(&descriptor, ALL_PARTS, &out), cases[i].problem);
    }
}

static void test_sids(void **state)
{
    struct sid sid;
    (void)state;
    assert_int_equal(sddl_sid_from_text("BA", &sid), WIRE_OK);
    assert_true(sid_equal(&sid, &WELL_KNOWN_ADMINISTRATORS));
    assert_int_equal(sddl_sid_from_text("S-1-5-32-544", &sid), WIRE_OK);
    assert_true(sid_equal(&sid, &WELL_KNOWN_ADMINISTRATORS));
    assert_int_equal(sddl_sid_from_text("BAA", &sid), WIRE_BAD);
    assert_int_equal(sddl_sid_from_text("DU", &sid), WIRE_BAD);
    assert_int_equal(sddl_sid_from_text("", &sid), WIRE_BAD);
    assert_int_equal(sddl_sid_from_text(NULL, &sid), WIRE_BAD);
}

/* MS-DTYP 2.4.6: 20 bytes of header; owner S-1-5-32-544, group S-1-5-18, one entry that allows Everyone GENERIC_ALL. */
static const uint8_t example[] = {
    1, 0, 4,  0x80, 20, 0, 0, 0,    36, 0, 0, 0, 0,    0, 0, 0, 48, 0, 0, 0, /* header */
    1, 2, 0,  0,    0,  0, 0, 5,    32, 0, 0, 0, 0x20, 2, 0, 0,              /* owner */
    1, 1, 0,  0,    0,  0, 0, 5,    18, 0, 0, 0,                             /* group */
    2, 0, 28, 0,    1,  0, 0, 0,                                             /* list */
    0, 0, 20, 0,    0,  0, 0, 0x10, 1,  1, 0, 0, 0,    0, 0, 1, 0,  0, 0, 0, /* entry */
};

static void test_bytes(void **state)
{
    AUTO_WRITER struct writer bytes;
    struct descriptor descriptor;
    (void)state;
    assert_int_equal(read_text("O:BAG:SYD:(A;;GA;;;WD)", &bytes), SDDL_OK);
    assert_int_equal(bytes.len, sizeof example);
    assert_memory_equal(bytes.data, example, sizeof example);
    assert_int_equal(descriptor_of_memory(example, &descriptor), WIRE_OK);
    assert_int_equal(descriptor_len(&descriptor), sizeof example);
    /* Cut anywhere, it is refused. */
    for (size_t len = 0; len < sizeof example; len++)
        assert_int_equal(descriptor_read(slice_of(example, len), &descriptor), WIRE_BAD);
    assert_int_equal(descriptor_of_memory(NULL, &descriptor), WIRE_BAD);
}

static void test_bytes_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        bool within; /* also where the memory is the program's word */
    } damage[] = {
        {0, 2, true},    /* revision */
        {3, 0, false},   /* not self-relative */
        {4, 200, false}, /* owner outside */
        {5, 1, false},   /* owner outside, once more */
        {16, 96, false}, /* list outside */
        {20, 2, true},   /* owner's revision */
        {21, 16, true},  /* owner's count */
        {48, 1, true},   /* the list's revision */
        {48, 5, true},   /* and above */
        {50, 27, true},  /* the list shorter than its entry */
        {50, 7, true},   /* and than its own header */
        {50, 29, false}, /* and longer than what is there */
        {52, 2, true},   /* more entries than fit */
        {58, 16, true},  /* entry shorter than its SID */
        {58, 21, true},  /* not a multiple of 4 */
        {58, 2, true},   /* less than a header */
        {65, 2, true},   /* the entry's SID longer than the entry */
    };
    struct descriptor descriptor;
    (void)state;
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        uint8_t bytes[sizeof example];
        memcpy(bytes, example, sizeof bytes);
        bytes[damage[i].at] = damage[i].value;
        assert_int_equal(descriptor_read(slice_of(bytes, sizeof bytes), &descriptor), WIRE_BAD);
        if (damage[i].within)
            assert_int_equal(descriptor_of_memory(bytes, &descriptor), WIRE_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),    cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_letters),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_sizes),          cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_sids),           cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bytes_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
