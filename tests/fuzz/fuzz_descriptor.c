/*
 * Security descriptors as bytes: read, checked against tokens, written as text and as bytes. An access that is granted was asked for, and whatever
 * lies in the list of a descriptor, a token without rights in it never gets more by being asked twice.
 */
#include "access/access_check.h"
#include "access/sddl.h"
#include "fuzz/world.h"

#include <string.h>

static const struct token *token_of(const struct sid *user)
{
    struct token_facts *facts;
    MUST(token_facts_new(2, &facts) == SEC_E_OK);
    facts->user = *user;
    token_facts_add(facts, &SID_LITERAL(1, 0), GROUP_USUAL);
    token_facts_add(facts, &SID_LITERAL(5, 32, 545), GROUP_DENY_ONLY);
    const struct token *token = token_new(facts, false, SecurityImpersonation, NULL);
    MUST(token != NULL);
    return token;
}

static void check_access(const struct descriptor *descriptor, const struct sid *user, uint32_t desired)
{
    static const struct access_mapping mapping = {0x20089, 0x20116, 0x200a0, 0x1f01ff};
    const struct token *token = token_of(user);
    uint32_t granted, again;
    enum access_verdict verdict = access_check(descriptor, token, desired, &mapping, &granted);
    MUST(verdict == ACCESS_GRANTED || granted == 0);
    if (verdict == ACCESS_GRANTED && (desired & ACCESS_MAXIMUM) == 0)
        MUST(granted == desired);
    MUST(access_check(descriptor, token, desired, &mapping, &again) == verdict && again == granted);
    if (verdict == ACCESS_GRANTED) /* what is granted is granted when it is asked for by name */
        MUST(access_check(descriptor, token, granted & ~ACCESS_MAXIMUM, &mapping, &again) == ACCESS_GRANTED);
    token_release(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    struct descriptor descriptor, again;
    uint32_t desired = world_u16(&input) | (uint32_t)world_u16(&input) << 16;
    AUTO_WRITER struct writer bytes = writer_growing(size + 1), text = writer_growing(256);
    if (descriptor_read(reader_rest(&input), &descriptor) != WIRE_OK)
        return 0;
    check_access(&descriptor, descriptor.has_owner ? &descriptor.owner : &SID_LITERAL(5, 11),
                 desired & ~ACCESS_GENERIC);
    check_access(&descriptor, &SID_LITERAL(5, 21, 1, 2, 3, 1000), desired & ~ACCESS_GENERIC);
    (void)sddl_format(&descriptor, desired, &text);
    descriptor_write(&bytes, &descriptor);
    if (writer_finish(&bytes) != WIRE_OK)
        return 0;
    MUST(descriptor_read(writer_slice_of(&bytes), &again) == WIRE_OK);
    MUST(descriptor_len(&again) == bytes.len && slice_equal(again.dacl, descriptor.dacl));
    return 0;
}
