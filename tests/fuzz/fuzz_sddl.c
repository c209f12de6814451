/*
 * Security descriptors and SIDs as text. What is read is written again; what was written by us means the same when it is read once more.
 */
#include "access/sddl.h"
#include "fuzz/world.h"

#include <string.h>

#define ALL_PARTS (SDDL_OWNER | SDDL_GROUP | SDDL_DACL | SDDL_SACL | SDDL_LABEL)

static void check_sid(const char *text)
{
    struct sid sid, again;
    char written[SID_TEXT_MAX];
    if (sddl_sid_from_text(text, &sid) != WIRE_OK)
        return;
    sid_to_text(&sid, written);
    MUST(sid_from_text(written, &again) == WIRE_OK && sid_equal(&sid, &again));
}

static void check_descriptor(const char *text)
{
    AUTO_WRITER struct writer first = writer_growing(128), second = writer_growing(128), words = writer_growing(128);
    struct descriptor descriptor;
    if (sddl_parse(text, &first) != SDDL_OK || writer_finish(&first) != WIRE_OK)
        return;
    MUST(descriptor_read(writer_slice_of(&first), &descriptor) == WIRE_OK);
    MUST(descriptor_len(&descriptor) == first.len);
    MUST(sddl_format(&descriptor, ALL_PARTS, &words) == SDDL_OK);
    writer_u8(&words, 0);
    MUST(writer_finish(&words) == WIRE_OK);
    if (words.len > SDDL_TEXT_MAX)
        return;
    MUST(sddl_parse((const char *)words.data, &second) == SDDL_OK);
    MUST(slice_equal(writer_slice_of(&first), writer_slice_of(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    MUST(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_sid(text);
    check_descriptor(text);
    free(text);
    return 0;
}
