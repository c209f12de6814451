/* Access checks (MS-DTYP 2.5.3.2): a table of descriptors, askers and answers. */
#include "access/access_check.h"

#include "access/sddl.h"
#include "access/well_known.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define USER "S-1-5-21-1-2-3-1000"
#define GROUP "S-1-5-21-1-2-3-2000"
#define DENY_ONLY "S-1-5-21-1-2-3-2001"
#define DISABLED "S-1-5-21-1-2-3-2002"
#define STRANGER "S-1-5-21-1-2-3-3000"
#define READ 0x1u
#define WRITE 0x2u
#define RUN 0x4u
#define NONE 0u
#define REFUSED UINT32_MAX
#define PRIVILEGE (UINT32_MAX - 1)

static const struct access_mapping mapping = {READ | ACCESS_READ_CONTROL, WRITE, RUN, 0x000F0007};

static const struct token *token_make(void)
{
    static const struct {
        const char *sid;
        uint32_t attributes;
    } groups[] = {{GROUP, GROUP_USUAL}, {DENY_ONLY, GROUP_DENY_ONLY}, {DISABLED, 0}, {"S-1-1-0", GROUP_USUAL}};
    struct token_facts *facts;
    struct sid sid;
    assert_int_equal(token_facts_new(8, &facts), SEC_E_OK);
    assert_int_equal(sid_from_text(USER, &facts->user), WIRE_OK);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        assert_int_equal(sid_from_text(groups[i].sid, &sid), WIRE_OK);
        token_facts_add(facts, &sid, groups[i].attributes);
        token_facts_add(facts, &sid, 0); /* twice changes nothing */
    }
    assert_int_equal(facts->n_groups, 4);
    const struct token *token = token_new(facts, false, SecurityImpersonation, NULL);
    assert_non_null(token);
    return token;
}

static const struct {
    const char *sddl;
    uint32_t desired, expected; /* granted, or one of the two words */
} table[] = {
    /* no list, an empty one, and none of it */
    {"O:SYG:SY", READ | WRITE | RUN, READ | WRITE | RUN},
    {"O:SYG:SYD:NO_ACCESS_CONTROL", READ, READ},
    {"O:SYG:SYD:", READ, REFUSED},
    {"O:SYG:SYD:", NONE, NONE},
    /* the user, its groups, Everyone, strangers */
    {"O:SYG:SYD:(A;;0x1;;;" USER ")", READ, READ},
    {"O:SYG:SYD:(A;;0x1;;;" USER ")", READ | WRITE, REFUSED},
    {"O:SYG:SYD:(A;;0x1;;;" GROUP ")(A;;0x2;;;WD)", READ | WRITE, READ | WRITE},
    {"O:SYG:SYD:(A;;0x1;;;" STRANGER ")", READ, REFUSED},
    {"O:SYG:SYD:(A;;0x1;;;" DISABLED ")", READ, REFUSED},
    {"O:SYG:SYD:(D;;0x1;;;" DISABLED ")(A;;0x1;;;WD)", READ, READ},
    /* groups that only deny */
    {"O:SYG:SYD:(A;;0x1;;;" DENY_ONLY ")", READ, REFUSED},
    {"O:SYG:SYD:(D;;0x1;;;" DENY_ONLY ")(A;;0x1;;;WD)", READ, REFUSED},
    /* the order counts */
    {"O:SYG:SYD:(D;;0x2;;;" GROUP ")(A;;0x3;;;" USER ")", READ | WRITE, REFUSED},
    {"O:SYG:SYD:(D;;0x2;;;" GROUP ")(A;;0x3;;;" USER ")", READ, READ},
    {"O:SYG:SYD:(A;;0x3;;;" USER ")(D;;0x2;;;" GROUP ")", READ | WRITE, READ | WRITE},
    /* entries for children only */
    {"O:SYG:SYD:(A;OICIIO;0x1;;;WD)", READ, REFUSED},
    {"O:SYG:SYD:(D;OICIIO;0x1;;;WD)(A;;0x1;;;WD)", READ, READ},
    /* generic rights in entries */
    {"O:SYG:SYD:(A;;GR;;;WD)", READ | ACCESS_READ_CONTROL, READ | ACCESS_READ_CONTROL},
    {"O:SYG:SYD:(A;;GA;;;WD)", READ | WRITE | RUN | ACCESS_WRITE_DAC, READ | WRITE | RUN | ACCESS_WRITE_DAC},
    {"O:SYG:SYD:(D;;GW;;;WD)(A;;GA;;;WD)", WRITE, REFUSED},
    /* the owner */
    {"O:" USER "G:SYD:", ACCESS_READ_CONTROL | ACCESS_WRITE_DAC, ACCESS_READ_CONTROL | ACCESS_WRITE_DAC},
    {"O:" USER "G:SYD:", READ, REFUSED},
    {"O:" GROUP "G:SYD:", ACCESS_WRITE_DAC, ACCESS_WRITE_DAC},
    {"O:" DENY_ONLY "G:SYD:", ACCESS_WRITE_DAC, REFUSED},
    {"O:" USER "G:SYD:(D;;WD;;;" USER ")", ACCESS_WRITE_DAC, ACCESS_WRITE_DAC},
    {"O:" USER "G:SYD:(A;;0x1;;;OW)", READ, READ},
    {"O:" USER "G:SYD:(A;;0x1;;;OW)", ACCESS_WRITE_DAC, REFUSED},
    {"O:SYG:SYD:(A;;0x1;;;OW)", READ, REFUSED},
    {"O:" USER "G:SYD:(A;IO;0x1;;;OW)", ACCESS_WRITE_DAC, ACCESS_WRITE_DAC},
    /* all there is */
    {"O:SYG:SYD:(A;;0x3;;;WD)(D;;0x1;;;WD)", ACCESS_MAXIMUM, READ | WRITE},
    {"O:SYG:SYD:(D;;0x1;;;WD)(A;;0x3;;;WD)", ACCESS_MAXIMUM, WRITE},
    {"O:SYG:SYD:(D;;0x1;;;WD)(A;;0x3;;;WD)", ACCESS_MAXIMUM | READ, REFUSED},
    {"O:SYG:SYD:", ACCESS_MAXIMUM, REFUSED},
    {"O:SYG:SY", ACCESS_MAXIMUM, 0x000F0007}, /* all that such an object has */
    {"O:SYG:SYD:NO_ACCESS_CONTROL", ACCESS_MAXIMUM, 0x000F0007},
    {"O:SYG:SY", ACCESS_MAXIMUM | 0x100, 0x000F0107}, /* and what was named */
    /* objects: there is no list of them to look in */
    {"O:SYG:SYD:(OA;;0x1;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)", READ, REFUSED},
    {"O:SYG:SYD:(OA;;0x1;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)", READ, READ},
    {"O:SYG:SYD:(OD;;0x1;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)(A;;0x1;;;WD)", READ, REFUSED},
    /* what only a privilege gives */
    {"O:SYG:SYD:(A;;0x1000001;;;WD)", ACCESS_SACL, PRIVILEGE},
    {"O:SYG:SY", ACCESS_SACL | READ, PRIVILEGE},
    {"O:SYG:SYD:(A;;0x3000001;;;WD)", ACCESS_MAXIMUM, READ},
};

static uint32_t answer(const struct descriptor *descriptor, const struct token *token, uint32_t desired)
{
    uint32_t granted;
    switch (access_check(descriptor, token, desired, &mapping, &granted)) {
    case ACCESS_GRANTED:
        return granted;
    case ACCESS_REFUSED:
        assert_int_equal(granted, 0);
        return REFUSED;
    case ACCESS_NEEDS_PRIVILEGE:
        assert_int_equal(granted, 0);
        return PRIVILEGE;
    }
    return NONE;
}

static void test_table(void **state)
{
    const struct token *token = token_make();
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        AUTO_WRITER struct writer bytes = writer_growing(256);
        struct descriptor descriptor;
        assert_int_equal(sddl_parse(table[i].sddl, &bytes), SDDL_OK);
        assert_int_equal(descriptor_read(writer_slice_of(&bytes), &descriptor), WIRE_OK);
        uint32_t found = answer(&descriptor, token, table[i].desired);
        if (found != table[i].expected)
            print_error("%s, 0x%x: 0x%x\n", table[i].sddl, (unsigned)table[i].desired, (unsigned)found);
        assert_int_equal(found, table[i].expected);
    }
    token_release(token);
}

/* Entries that SDDL does not write: with conditions, and of types that nobody knows. */
static void test_strange_entries(void **state)
{
    static const struct {
        uint8_t type;
        bool before;
        uint32_t expected;
    } strange[] = {
        {ACE_ALLOWED_CALLBACK, true, REFUSED},
        {ACE_DENIED_CALLBACK, true, REFUSED},
        {0x4, true, REFUSED},
        {0x30, true, REFUSED},
        {0x12, true, REFUSED},
        {ACE_AUDIT, true, REFUSED},
        {ACE_ALLOWED_CALLBACK, false, READ},
        {ACE_DENIED_CALLBACK, false, REFUSED},
        {0x4, false, REFUSED},
        {0x30, false, REFUSED},
        {0x12, false, READ},
        {ACE_SYSTEM_FIRST, false, READ},
        {ACE_SYSTEM_LAST, false, READ},
        {ACE_SYSTEM_LAST + 1, false, REFUSED},
        {ACE_AUDIT, false, READ},
    };
    const struct token *token = token_make();
    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        AUTO_WRITER struct writer acl = writer_growing(128);
        size_t begin = acl_begin(&acl);
        acl_add(&acl, &(struct ace){.type = strange[i].type, .mask = READ, .sid = WELL_KNOWN_EVERYONE});
        if (!strange[i].before) /* an entry that allows follows */
            acl_add(&acl, &(struct ace){.type = ACE_ALLOWED, .mask = READ, .sid = WELL_KNOWN_EVERYONE});
        acl_end(&acl, begin, strange[i].before ? 1 : 2, false);
        const struct descriptor descriptor = {.control = DESCRIPTOR_DACL_PRESENT,
                                              .has_owner = true,
                                              .has_group = true,
                                              .owner = SID_OF(5, 18),
                                              .group = SID_OF(5, 18),
                                              .dacl = writer_slice_of(&acl)};
        assert_int_equal(answer(&descriptor, token, READ), strange[i].expected);
    }
    token_release(token);
}

/* A list that ends before all of its entries have come opens nothing, whatever the first of them allow. */
static void test_damaged_list(void **state)
{
    const struct token *token = token_make();
    (void)state;
    for (uint16_t n = 1; n < 3; n++) {
        AUTO_WRITER struct writer acl = writer_growing(128);
        size_t begin = acl_begin(&acl);
        acl_add(&acl, &(struct ace){.type = ACE_ALLOWED, .mask = READ, .sid = WELL_KNOWN_EVERYONE});
        acl_end(&acl, begin, n, false);
        const struct descriptor descriptor = {.control = DESCRIPTOR_DACL_PRESENT, .dacl = writer_slice_of(&acl)};
        assert_int_equal(answer(&descriptor, token, READ), n == 1 ? READ : REFUSED);
        assert_int_equal(answer(&descriptor, token, ACCESS_MAXIMUM), n == 1 ? READ : REFUSED);
    }
    token_release(token);
}

static void test_generic(void **state)
{
    (void)state;
    assert_int_equal(access_map_generic(0x80000000u, &mapping), READ | ACCESS_READ_CONTROL);
    assert_int_equal(access_map_generic(0xC0000100u, &mapping), 0x100 | READ | ACCESS_READ_CONTROL | WRITE);
    assert_int_equal(access_map_generic(0x20000000u, &mapping), RUN);
    assert_int_equal(access_map_generic(0x10000000u, &mapping), 0x000F0007);
    assert_int_equal(access_map_generic(7, &mapping), 7);
}

static void test_tokens(void **state)
{
    const struct token *token = token_make();
    const struct token *lower = token_duplicate(token, false, SecurityIdentification);
    struct sid sid;
    (void)state;
    assert_non_null(lower);
    assert_ptr_equal(lower->facts, token->facts);
    assert_true(lower->id != token->id);
    assert_int_equal(sid_from_text(DENY_ONLY, &sid), WIRE_OK);
    assert_false(token_has(lower, &sid));
    assert_true(token_has_to_deny(lower, &sid));
    assert_int_equal(sid_from_text(USER, &sid), WIRE_OK);
    assert_true(token_has(lower, &sid) && token_has_to_deny(lower, &sid));
    token_release(token);
    assert_true(token_has(lower, &sid)); /* the facts live on */
    token_release(lower);
    token_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),   cmocka_unit_test(test_strange_entries), cmocka_unit_test(test_damaged_list),
        cmocka_unit_test(test_generic), cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
