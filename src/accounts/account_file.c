#include "accounts/account_file.h"

#include "accounts/account_fields.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"

#include <stdlib.h>
#include <string.h>

#define UNIX_ID_NONE INT64_C(4294967295) /* (uid_t)-1: how smbpasswd lines say that there is no Unix user */

struct parse {
    enum account_file_format format;
    const char *file_name;
    unsigned line;
    struct account_file *file;
    struct line_fields fields;
};

static SECURITY_STATUS parse_bad(const struct parse *parse, const char *what)
{
    return cause_set(SEC_E_INTERNAL_ERROR, "%s, line %u: %s", parse->file_name, parse->line, what);
}

/* Makes room for one more zeroed element at the end of a list. Lists may hold hashes: all of them are secret blocks. NULL: no memory. */
static void *list_add(void **list, size_t *count, size_t *max, size_t size)
{
    if (*count == *max) {
        size_t grown_max = *max == 0 ? 16 : *max * 2; /* bounded by ACCOUNT_FILE_ENTRIES_MAX: no overflow */
        void *grown = secret_block_alloc(grown_max * size);
        require(grown != NULL, NULL);
        if (*count > 0)
            memcpy(grown, *list, *count * size);
        secret_block_free(*list, *max * size);
        *list = grown;
        *max = grown_max;
    }
    return (uint8_t *)*list + (*count)++ * size;
}

static SECURITY_STATUS parse_name(const struct parse *parse, struct slice field, bool optional, char **name, char **key)
{
    char *text = NULL, *upper = NULL;
    require(field_text(field, &text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (!(optional && field.len == 0) && !(strlen(text) == field.len && account_name_valid(text))) {
        mem_free(text);
        return parse_bad(parse, "this is not a name that an account, group or domain may have");
    }
    upper = text_upper(text);
    if (upper == NULL) {
        mem_free(text);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    if (name != NULL)
        *name = text;
    else
        mem_free(text);
    *key = upper;
    return SEC_E_OK;
}

static bool hash_is_none(struct slice field)
{
    static const char no_password[] = "NO PASSWORD";
    size_t from = 0;
    require(field.len == 32, false);
    if (memcmp(field.data, no_password, sizeof(no_password) - 1) == 0)
        from = sizeof(no_password) - 1;
    for (size_t i = from; i < field.len; i++)
        require(field.data[i] == 'X' || field.data[i] == 'x', false);
    return true;
}

/* The letters of pdb_decode_acct_ctrl as smbpasswd(5) names them. Trust accounts are no users: they stay out. */
static SECURITY_STATUS parse_smbpasswd_flags(const struct parse *parse, struct slice field, uint32_t *flags)
{
    uint32_t out = 0;
    if (field.len < 2 || field.data[0] != '[' || field.data[field.len - 1] != ']')
        return parse_bad(parse, "the fifth field must be the account flags in [brackets]");
    for (size_t i = 1; i + 1 < field.len; i++) {
        switch (field.data[i]) {
        case ' ':
        case 'U':
        case 'H':
        case 'T':
        case 'M':
        case 'X':
            break;
        case 'N':
            out |= ACCOUNT_NO_HASH;
            break;
        case 'D':
        case 'W':
        case 'S':
        case 'I':
            out |= ACCOUNT_DISABLED;
            break;
        case 'L':
            out |= ACCOUNT_LOCKED;
            break;
        default:
            return parse_bad(parse, "unknown account flag");
        }
    }
    *flags = out;
    return SEC_E_OK;
}

static SECURITY_STATUS parse_change_time(const struct parse *parse, struct slice field, int64_t *filetime)
{
    uint32_t seconds;
    if (field.len != 12 || memcmp(field.data, "LCT-", 4) != 0 ||
        field_hex32(slice_of(field.data + 4, 8), &seconds) != WIRE_OK)
        return parse_bad(parse, "the sixth field must be LCT- and eight hexadecimal digits");
    *filetime = seconds == 0 || seconds == UINT32_MAX ? 0 : filetime_from_unix((time_t)seconds);
    return SEC_E_OK;
}

static SECURITY_STATUS parse_smbpasswd(const struct parse *parse, struct account_file_entry *entry)
{
    const struct slice *field = parse->fields.field;
    if (parse->fields.n_fields < 7)
        return parse_bad(parse, "an smbpasswd line has the form user:uid:LMHASH:NTHASH:[flags]:LCT-XXXXXXXX:");
    try(parse_name(parse, field[0], false, &entry->name, &entry->name_key));
    if (field_number(field[1], UNIX_ID_NONE, &entry->uid) != WIRE_OK)
        return parse_bad(parse, "the second field must be a Unix user id");
    if (entry->uid == UNIX_ID_NONE)
        entry->uid = -1;
    entry->has_lm = field_hash(field[2], &entry->lm_hash) == WIRE_OK;
    entry->has_nt = field_hash(field[3], &entry->nt_hash) == WIRE_OK;
    if (!entry->has_lm && !hash_is_none(field[2]))
        return parse_bad(parse, "the third field must be an LM hash of 32 hexadecimal digits, or 32 X");
    if (!entry->has_nt && !hash_is_none(field[3]))
        return parse_bad(parse, "the fourth field must be an NT hash of 32 hexadecimal digits, or 32 X");
    try(parse_smbpasswd_flags(parse, field[4], &entry->flags));
    return parse_change_time(parse, field[5], &entry->password_set);
}

static SECURITY_STATUS parse_sam(const struct parse *parse, struct account_file_entry *entry)
{
    const struct slice *field = parse->fields.field;
    if (parse->fields.n_fields < 5 || parse->fields.n_fields > 7)
        return parse_bad(parse, "a SAM line has the form user:domain:LMHASH:NTHASH:::");
    for (size_t i = 4; i < parse->fields.n_fields; i++)
        if (field[i].len != 0)
            return parse_bad(parse, "the fields after the NT hash must be empty");
    try(parse_name(parse, field[0], false, &entry->name, &entry->name_key));
    try(parse_name(parse, field[1], true, &entry->domain, &entry->domain_key));
    entry->has_lm = field_hash(field[2], &entry->lm_hash) == WIRE_OK;
    entry->has_nt = field_hash(field[3], &entry->nt_hash) == WIRE_OK;
    if ((!entry->has_lm && field[2].len != 0) || (!entry->has_nt && field[3].len != 0))
        return parse_bad(parse, "a hash must be 32 hexadecimal digits, or empty");
    return SEC_E_OK;
}

static SECURITY_STATUS parse_own_flags(const struct parse *parse, struct slice field, uint32_t *flags)
{
    uint32_t out = 0;
    for (size_t i = 0; i < field.len; i++) {
        if (field.data[i] == 'D')
            out |= ACCOUNT_DISABLED;
        else if (field.data[i] == 'L')
            out |= ACCOUNT_LOCKED;
        else if (field.data[i] == 'M')
            out |= ACCOUNT_MUST_CHANGE;
        else if (field.data[i] == 'N')
            out |= ACCOUNT_NO_HASH;
        else
            return parse_bad(parse, "unknown account flag");
    }
    *flags = out;
    return SEC_E_OK;
}

static SECURITY_STATUS parse_own_account(const struct parse *parse, struct account_file_entry *entry)
{
    const struct slice *field = parse->fields.field;
    if (parse->fields.n_fields != 12)
        return parse_bad(parse, "an account line has 12 fields");
    try(parse_name(parse, field[1], false, &entry->name, &entry->name_key));
    try(parse_name(parse, field[2], true, &entry->domain, &entry->domain_key));
    entry->has_sid = field[3].len != 0;
    if (entry->has_sid && field_sid(field[3], &entry->sid) != WIRE_OK)
        return parse_bad(parse, "the fourth field must be a SID, or empty");
    entry->has_nt = field[4].len != 0;
    if (entry->has_nt && field_hash(field[4], &entry->nt_hash) != WIRE_OK)
        return parse_bad(parse, "a hash must be 32 hexadecimal digits, or empty");
    try(parse_own_flags(parse, field[5], &entry->flags));
    if (field_optional(field[6], FILETIME_NEVER, FILETIME_NEVER, &entry->expires) != WIRE_OK ||
        field_optional(field[7], FILETIME_NEVER, 0, &entry->password_set) != WIRE_OK ||
        field_optional(field[8], FILETIME_NEVER, FILETIME_NEVER, &entry->password_expires) != WIRE_OK ||
        field_optional(field[9], UNIX_ID_NONE - 1, -1, &entry->uid) != WIRE_OK ||
        field_optional(field[10], UNIX_ID_NONE - 1, -1, &entry->gid) != WIRE_OK)
        return parse_bad(parse, "a time or id must be a number, or empty");
    if (field[11].len != 0 && field_text(field[11], &entry->full_name) != WIRE_OK)
        return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

/* May a list of so many lines have one more? */
static SECURITY_STATUS parse_more(const struct parse *parse, size_t n_lines)
{
    return n_lines < ACCOUNT_FILE_ENTRIES_MAX ? SEC_E_OK : parse_bad(parse, "the file has too many lines");
}

static SECURITY_STATUS parse_entry(const struct parse *parse)
{
    struct account_file *file = parse->file;
    try(parse_more(parse, file->n_entries));
    struct account_file_entry *entry =
        list_add((void **)&file->entries, &file->n_entries, &file->max_entries, sizeof(*entry));
    require(entry != NULL, SEC_E_INSUFFICIENT_MEMORY);
    entry->line = parse->line;
    entry->uid = entry->gid = -1;
    entry->expires = entry->password_expires = FILETIME_NEVER;
    if (parse->format == ACCOUNT_FILE_SMBPASSWD) {
        entry->told_flags = ACCOUNT_DISABLED | ACCOUNT_LOCKED | ACCOUNT_NO_HASH;
        entry->tells_uid = true;
        try(parse_smbpasswd(parse, entry));
    } else if (parse->format == ACCOUNT_FILE_SAM) {
        entry->told_flags = ACCOUNT_NO_HASH;
        try(parse_sam(parse, entry));
    } else {
        entry->told_flags = UINT32_MAX;
        entry->tells_uid = entry->tells_all = true;
        try(parse_own_account(parse, entry));
    }
    if (entry->domain == NULL) {
        entry->domain = mem_strdup("");
        entry->domain_key = mem_strdup("");
        require(entry->domain != NULL && entry->domain_key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    if (!entry->has_nt)
        entry->flags |= ACCOUNT_NO_HASH;
    return SEC_E_OK;
}

static SECURITY_STATUS parse_group(const struct parse *parse)
{
    const struct slice *field = parse->fields.field;
    struct account_file *file = parse->file;
    if (parse->fields.n_fields != 5)
        return parse_bad(parse, "a group line has 5 fields");
    try(parse_more(parse, file->n_groups));
    struct account_file_group *group =
        list_add((void **)&file->groups, &file->n_groups, &file->max_groups, sizeof(*group));
    require(group != NULL, SEC_E_INSUFFICIENT_MEMORY);
    group->line = parse->line;
    try(parse_name(parse, field[1], false, &group->name, &group->name_key));
    group->has_sid = field[2].len != 0;
    if (group->has_sid && field_sid(field[2], &group->sid) != WIRE_OK)
        return parse_bad(parse, "the third field must be a SID, or empty");
    if (field_optional(field[3], UNIX_ID_NONE - 1, -1, &group->gid) != WIRE_OK)
        return parse_bad(parse, "the fourth field must be a Unix group id, or empty");
    if (field[4].len != 0 && field_text(field[4], &group->comment) != WIRE_OK)
        return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

static SECURITY_STATUS parse_member(const struct parse *parse)
{
    const struct slice *field = parse->fields.field;
    struct account_file *file = parse->file;
    if (parse->fields.n_fields != 4)
        return parse_bad(parse, "a member line has 4 fields");
    try(parse_more(parse, file->n_members));
    struct account_file_member *member =
        list_add((void **)&file->members, &file->n_members, &file->max_members, sizeof(*member));
    require(member != NULL, SEC_E_INSUFFICIENT_MEMORY);
    member->line = parse->line;
    try(parse_name(parse, field[1], false, NULL, &member->group_key));
    try(parse_name(parse, field[2], false, NULL, &member->name_key));
    return parse_name(parse, field[3], true, NULL, &member->domain_key);
}

static SECURITY_STATUS parse_line(struct parse *parse, struct slice line)
{
    if (line.len == 0 || line.data[0] == '#')
        return SEC_E_OK;
    if (line.len > ACCOUNT_FILE_LINE_MAX)
        return parse_bad(parse, "the line is too long");
    if (!utf8_valid(line))
        return parse_bad(parse, "the line is not UTF-8 text");
    if (field_has_control(line, '\t'))
        return parse_bad(parse, "the line has a control character");
    char separator = parse->format == ACCOUNT_FILE_OWN ? '\t' : ':';
    if (line_split(line, separator, &parse->fields) != WIRE_OK)
        return parse_bad(parse, "the line has too many fields");
    if (parse->format != ACCOUNT_FILE_OWN || field_is(parse->fields.field[0], "account"))
        return parse_entry(parse);
    if (field_is(parse->fields.field[0], "group"))
        return parse_group(parse);
    if (field_is(parse->fields.field[0], "member"))
        return parse_member(parse);
    return parse_bad(parse, "a line must begin with account, group or member");
}

static int entry_compare(const void *a, const void *b)
{
    const struct account_file_entry *left = a, *right = b;
    int order = strcmp(left->domain_key, right->domain_key);
    return order != 0 ? order : strcmp(left->name_key, right->name_key);
}

static int group_compare(const void *a, const void *b)
{
    return strcmp(((const struct account_file_group *)a)->name_key, ((const struct account_file_group *)b)->name_key);
}

/* Heap sort of entries, in place: qsort copies them, hashes and all, into memory that it does not wipe. */
static void heap_sink(struct account_file_entry *entries, size_t at, size_t count)
{
    struct account_file_entry moving = entries[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && entry_compare(&entries[child], &entries[child + 1]) < 0)
            child++;
        if (entry_compare(&moving, &entries[child]) >= 0)
            break;
        entries[at] = entries[child];
    }
    entries[at] = moving;
    secret_wipe(&moving, sizeof(moving));
}

static void entries_sort(struct account_file_entry *entries, size_t count)
{
    bool sorted = true; /* most files are */
    for (size_t i = 1; i < count && sorted; i++)
        sorted = entry_compare(&entries[i - 1], &entries[i]) <= 0;
    if (sorted)
        return;
    for (size_t i = count / 2; i-- > 0;)
        heap_sink(entries, i, count);
    for (size_t last = count - 1; last > 0; last--) {
        struct account_file_entry greatest = entries[0];
        entries[0] = entries[last];
        entries[last] = greatest;
        secret_wipe(&greatest, sizeof(greatest));
        heap_sink(entries, 0, last);
    }
}

static SECURITY_STATUS file_sort(const struct account_file *file, const char *file_name)
{
    entries_sort(file->entries, file->n_entries);
    if (file->n_groups > 1)
        qsort(file->groups, file->n_groups, sizeof(file->groups[0]), group_compare);
    for (size_t i = 1; i < file->n_entries; i++)
        if (entry_compare(&file->entries[i - 1], &file->entries[i]) == 0)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: lines %u and %u name the same account", file_name,
                             file->entries[i - 1].line, file->entries[i].line);
    for (size_t i = 1; i < file->n_groups; i++)
        if (group_compare(&file->groups[i - 1], &file->groups[i]) == 0)
            return cause_set(SEC_E_INTERNAL_ERROR, "%s: lines %u and %u name the same group", file_name,
                             file->groups[i - 1].line, file->groups[i].line);
    return SEC_E_OK;
}

static SECURITY_STATUS parse_all(struct parse *parse, struct slice text)
{
    struct slice line;
    if (text.len > ACCOUNT_FILE_MAX)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the file is too large", parse->file_name);
    if (parse->format == ACCOUNT_FILE_OWN) {
        parse->line = 1;
        if (!line_next(&text, &line) || !field_is(line, ACCOUNT_FILE_HEADER))
            return parse_bad(parse, "the first line must be \"" ACCOUNT_FILE_HEADER "\"");
    }
    while (line_next(&text, &line)) {
        parse->line++;
        try(parse_line(parse, line));
    }
    return file_sort(parse->file, parse->file_name);
}

SECURITY_STATUS account_file_parse(enum account_file_format format, struct slice text, const char *file_name,
                                   struct account_file **file)
{
    struct parse parse = {.format = format, .file_name = file_name, .file = mem_zalloc(sizeof(struct account_file))};
    require(parse.file != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = parse_all(&parse, text);
    if (status != SEC_E_OK) {
        account_file_release(parse.file);
        return status;
    }
    *file = parse.file;
    return SEC_E_OK;
}

void account_file_release(struct account_file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->n_entries; i++) {
        struct account_file_entry *entry = &file->entries[i];
        mem_free(entry->name);
        mem_free(entry->domain);
        mem_free(entry->full_name);
        mem_free(entry->name_key);
        mem_free(entry->domain_key);
    }
    for (size_t i = 0; i < file->n_groups; i++) {
        mem_free(file->groups[i].name);
        mem_free(file->groups[i].name_key);
        mem_free(file->groups[i].comment);
    }
    for (size_t i = 0; i < file->n_members; i++) {
        mem_free(file->members[i].group_key);
        mem_free(file->members[i].name_key);
        mem_free(file->members[i].domain_key);
    }
    secret_block_free(file->entries, file->max_entries * sizeof(file->entries[0]));
    secret_block_free(file->groups, file->max_groups * sizeof(file->groups[0]));
    secret_block_free(file->members, file->max_members * sizeof(file->members[0]));
    mem_free(file);
}

const struct account_file_entry *account_file_find(const struct account_file *file, const char *name_key,
                                                   const char *domain_key)
{
    struct account_file_entry wanted = {.name_key = (char *)(uintptr_t)name_key,
                                        .domain_key = (char *)(uintptr_t)domain_key};
    require(file->n_entries > 0, NULL);
    return bsearch(&wanted, file->entries, file->n_entries, sizeof(wanted), entry_compare);
}

enum account_file_format account_file_guess(struct slice text)
{
    struct slice line;
    struct line_fields fields;
    while (line_next(&text, &line)) {
        if (field_is(line, ACCOUNT_FILE_HEADER))
            return ACCOUNT_FILE_OWN;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        /* Only smbpasswd has brackets in the fifth field; a SAM line has nothing there. */
        if (line_split(line, ':', &fields) == WIRE_OK && fields.n_fields > 4 && fields.field[4].len == 0)
            return ACCOUNT_FILE_SAM;
        return ACCOUNT_FILE_SMBPASSWD;
    }
    return ACCOUNT_FILE_SMBPASSWD;
}
