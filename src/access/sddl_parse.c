#include "access/sddl.h"

#include "access/sddl_words.h"
#include "access/well_known.h"
#include "base/hex.h"
#include <string.h>

/* A cursor over NUL-terminated text. */
struct scan {
    const char *at;
};

static void blanks_skip(struct scan *scan)
{
    scan->at += strspn(scan->at, " \t\r\n");
}

static bool char_take(struct scan *scan, char wanted)
{
    require(*scan->at == wanted, false);
    scan->at++;
    return true;
}

static bool word_take(struct scan *scan, const char *word)
{
    size_t len = strlen(word);
    require(strncmp(scan->at, word, len) == 0, false);
    scan->at += len;
    return true;
}

/* How much of the text is a SID in digits. Only an authority in hexadecimal has letters: "S-1-5-18D:" ends before the D. */
static size_t digits_len(const char *text)
{
    size_t len = strlen("S-1-");
    if (text[len] == '0' && (text[len + 1] == 'x' || text[len + 1] == 'X')) {
        len += 2;
        len += strspn(text + len, "0123456789abcdefABCDEF");
    }
    return len + strspn(text + len, "0123456789-");
}

static bool sid_take(struct scan *scan, struct sid *sid)
{
    if ((scan->at[0] == 'S' || scan->at[0] == 's') && scan->at[1] == '-' && scan->at[2] == '1' && scan->at[3] == '-') {
        char text[SID_TEXT_MAX];
        size_t len = digits_len(scan->at);
        require(len < sizeof text, false);
        memcpy(text, scan->at, len);
        text[len] = '\0';
        require(sid_from_text(text, sid) == WIRE_OK, false);
        scan->at += len;
        return true;
    }
    require(scan->at[0] != '\0' && scan->at[1] != '\0', false);
    const struct well_known *known = well_known_of_letters(scan->at);
    require(known != NULL && known->rid == 0, false);
    *sid = known->sid;
    scan->at += 2;
    return true;
}

enum wire_result sddl_sid_from_text(const char *text, struct sid *sid)
{
    struct scan scan = {text};
    struct sid out;
    require(text != NULL && sid_take(&scan, &out) && *scan.at == '\0', WIRE_BAD);
    *sid = out;
    return WIRE_OK;
}

/* "OICI": words of two letters up to the semicolon, each adding its bits. */
static bool words_take(struct scan *scan, const struct sddl_word *words, uint32_t *value)
{
    while (*scan->at != ';') {
        const struct sddl_word *word = words;
        while (word->text != NULL && !word_take(scan, word->text))
            word++;
        require(word->text != NULL, false);
        *value |= word->value;
    }
    return true;
}

static bool number_take(struct scan *scan, uint32_t *value)
{
    int base = 10;
    uint64_t number = 0;
    if (scan->at[0] == '0') { /* as C writes them */
        bool hex = scan->at[1] == 'x' || scan->at[1] == 'X';
        base = hex ? 16 : 8;
        if (hex)
            scan->at += 2;
    }
    const char *first = scan->at;
    for (; *scan->at != ';'; scan->at++) {
        int digit = hex_digit((uint8_t)*scan->at);
        require(digit >= 0 && digit < base, false);
        number = number * (unsigned)base + (unsigned)digit;
        require(number <= UINT32_MAX, false);
    }
    require(scan->at > first, false);
    *value = (uint32_t)number;
    return true;
}

static bool hex_byte_take(struct scan *scan, uint8_t *byte)
{
    int value = 0;
    for (int i = 0; i < 2; i++, scan->at++) {
        int digit = hex_digit((uint8_t)*scan->at);
        require(digit >= 0, false);
        value = value << 4 | digit;
    }
    *byte = (uint8_t)value;
    return true;
}

/* MS-DTYP 2.3.4.3: the first three numbers of a GUID are little-endian on the wire and big-endian in text. */
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool guid_take(struct scan *scan, bool *has, uint8_t guid[16])
{
    *has = *scan->at != ';';
    for (int i = 0; *has && i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            require(char_take(scan, '-'), false);
        require(hex_byte_take(scan, &guid[guid_order[i]]), false);
    }
    return true;
}

static bool type_take(struct scan *scan, uint8_t *type)
{
    size_t len = strcspn(scan->at, ";");
    for (const struct sddl_word *word = sddl_ace_types; word->text != NULL; word++)
        if (strlen(word->text) == len && word_take(scan, word->text)) {
            *type = (uint8_t)word->value;
            return true;
        }
    return false;
}

static enum sddl_problem ace_take(struct scan *scan, struct ace *ace)
{
    uint32_t flags = 0;
    blanks_skip(scan);
    require(type_take(scan, &ace->type) && char_take(scan, ';'), SDDL_ACL);
    require(words_take(scan, sddl_ace_flags, &flags) && char_take(scan, ';'), SDDL_ACL);
    ace->flags = (uint8_t)flags;
    ace->understood = true;
    const struct sddl_word *rights = ace->type == ACE_MANDATORY_LABEL ? sddl_label_rights : sddl_rights;
    bool is_number = *scan->at >= '0' && *scan->at <= '9';
    require(is_number ? number_take(scan, &ace->mask) : words_take(scan, rights, &ace->mask), SDDL_ACL);
    require(char_take(scan, ';') && guid_take(scan, &ace->has_object, ace->object), SDDL_ACL);
    require(char_take(scan, ';') && guid_take(scan, &ace->has_inherited_object, ace->inherited_object), SDDL_ACL);
    require(ace_type_is_object(ace->type) || (!ace->has_object && !ace->has_inherited_object), SDDL_ACL);
    require(char_take(scan, ';'), SDDL_ACL);
    blanks_skip(scan);
    require(sid_take(scan, &ace->sid), SDDL_SID);
    blanks_skip(scan);
    return char_take(scan, ')') ? SDDL_OK : SDDL_ACL; /* a further field would be a condition */
}

struct parse {
    struct scan scan;
    struct descriptor descriptor;
    struct writer *acl[2]; /* of DACL and SACL */
    bool seen_acl[2], null_acl[2];
};

static void acl_flags_take(struct parse *parse, bool dacl, bool *null)
{
    for (bool more = true; more;) {
        more = false;
        if (word_take(&parse->scan, "NO_ACCESS_CONTROL")) {
            *null = more = true;
            continue;
        }
        for (const struct sddl_acl_flag *flag = sddl_acl_flags; flag->text != NULL; flag++)
            if (word_take(&parse->scan, flag->text)) {
                parse->descriptor.control |= dacl ? flag->dacl : flag->sacl;
                more = true;
                break;
            }
    }
}

static enum sddl_problem acl_take(struct parse *parse, bool dacl)
{
    struct writer *writer = parse->acl[dacl ? 0 : 1];
    bool *seen = &parse->seen_acl[dacl ? 0 : 1], *null = &parse->null_acl[dacl ? 0 : 1];
    bool objects = false;
    uint16_t n_entries = 0;
    require(!*seen, SDDL_SYNTAX);
    *seen = true;
    parse->descriptor.control |= dacl ? DESCRIPTOR_DACL_PRESENT : DESCRIPTOR_SACL_PRESENT;
    blanks_skip(&parse->scan);
    acl_flags_take(parse, dacl, null);
    size_t begin = acl_begin(writer);
    for (blanks_skip(&parse->scan); char_take(&parse->scan, '('); blanks_skip(&parse->scan)) {
        struct ace ace = {0};
        try(ace_take(&parse->scan, &ace));
        require(!*null && writer->len <= ACL_BYTES_MAX,
                SDDL_ACL); /* before the count can wrap: an entry has 16 bytes and more */
        acl_add(writer, &ace);
        objects |= ace_type_is_object(ace.type);
        n_entries++;
    }
    acl_end(writer, begin, n_entries, objects);
    return writer->len - begin <= ACL_BYTES_MAX ? SDDL_OK : SDDL_ACL;
}

static enum sddl_problem part_take(struct parse *parse)
{
    struct descriptor *descriptor = &parse->descriptor;
    char letter = *parse->scan.at;
    require(letter != '\0' && parse->scan.at[1] == ':', SDDL_SYNTAX);
    parse->scan.at += 2;
    switch (letter) {
    case 'O':
        require(!descriptor->has_owner, SDDL_SYNTAX);
        blanks_skip(&parse->scan);
        descriptor->has_owner = sid_take(&parse->scan, &descriptor->owner);
        return descriptor->has_owner ? SDDL_OK : SDDL_SID;
    case 'G':
        require(!descriptor->has_group, SDDL_SYNTAX);
        blanks_skip(&parse->scan);
        descriptor->has_group = sid_take(&parse->scan, &descriptor->group);
        return descriptor->has_group ? SDDL_OK : SDDL_SID;
    case 'D':
        return acl_take(parse, true);
    case 'S':
        return acl_take(parse, false);
    default:
        return SDDL_SYNTAX;
    }
}

enum sddl_problem sddl_parse(const char *text, struct writer *descriptor)
{
    AUTO_WRITER struct writer dacl = writer_growing(256), sacl = writer_growing(64);
    struct parse parse = {.scan = {text}, .acl = {&dacl, &sacl}};
    require(strnlen(text, SDDL_TEXT_MAX + 1) <= SDDL_TEXT_MAX, SDDL_TOO_LONG);
    for (blanks_skip(&parse.scan); *parse.scan.at != '\0'; blanks_skip(&parse.scan))
        try(part_take(&parse));
    if (dacl.failed || sacl.failed)
        descriptor->failed = true;
    if (parse.seen_acl[0] && !parse.null_acl[0])
        parse.descriptor.dacl = writer_slice_of(&dacl);
    if (parse.seen_acl[1] && !parse.null_acl[1])
        parse.descriptor.sacl = writer_slice_of(&sacl);
    descriptor_write(descriptor, &parse.descriptor);
    return SDDL_OK;
}
