#include "accounts/account_file.h"

#include "base/hex.h"
#include <inttypes.h>
#include <stdio.h>

static void write_text(struct writer *writer, const char *text)
{
    writer_slice(writer, slice_of_text(text));
}

static void write_hash(struct writer *writer, const struct key16 *hash)
{
    hex_write(writer, slice_of(hash->bytes, sizeof(hash->bytes)), true);
}

static void write_number(struct writer *writer, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    write_text(writer, text);
}

/* A tab, and the number unless it is the one that means "none". */
static void write_optional(struct writer *writer, int64_t number, int64_t none)
{
    write_text(writer, "\t");
    if (number != none)
        write_number(writer, number);
}

void account_file_write_smbpasswd(struct writer *writer, const struct store_record *record)
{
    static const char no_hash[] = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
    const struct account *account = record->account;
    char flags[16], changed[16];
    write_text(writer, account->name);
    write_text(writer, ":");
    write_number(writer, account->uid < 0 ? INT64_C(4294967295) : account->uid);
    write_text(writer, ":");
    if (record->has_lm)
        write_hash(writer, &record->lm_hash);
    else
        write_text(writer, no_hash);
    write_text(writer, ":");
    if (record->has_nt)
        write_hash(writer, &record->nt_hash);
    else
        write_text(writer, no_hash);
    char letters[5] = "U";
    unsigned n_letters = 1;
    if (!record->has_nt)
        letters[n_letters++] = 'N';
    if ((account->flags & ACCOUNT_DISABLED) != 0)
        letters[n_letters++] = 'D';
    if ((account->flags & ACCOUNT_LOCKED) != 0)
        letters[n_letters++] = 'L';
    letters[n_letters] = '\0';
    snprintf(flags, sizeof(flags), ":[%-11s]", letters); /* smbpasswd(5): always 13 letters with the brackets */
    write_text(writer, flags);
    time_t set = account->password_set == 0 ? 0 : filetime_to_unix(account->password_set);
    snprintf(changed, sizeof(changed), ":LCT-%08" PRIX32 ":\n", set < 0 || set > UINT32_MAX ? 0 : (uint32_t)set);
    write_text(writer, changed);
}

void account_file_write_header(struct writer *writer)
{
    write_text(writer, ACCOUNT_FILE_HEADER "\n");
}

void account_file_write_account(struct writer *writer, const struct store_record *record, const char *domain)
{
    static const struct {
        uint32_t flag;
        const char *letter;
    } letters[] = {{ACCOUNT_DISABLED, "D"}, {ACCOUNT_LOCKED, "L"}, {ACCOUNT_MUST_CHANGE, "M"}, {ACCOUNT_NO_HASH, "N"}};
    const struct account *account = record->account;
    char sid[SID_TEXT_MAX];
    sid_to_text(&account->sid, sid);
    const char *fields[] = {"account\t", account->name, "\t", domain, "\t", sid, "\t"};
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        write_text(writer, fields[i]);
    if (record->has_nt)
        write_hash(writer, &record->nt_hash);
    write_text(writer, "\t");
    for (unsigned i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if ((account->flags & letters[i].flag) != 0)
            write_text(writer, letters[i].letter);
    write_optional(writer, account->expires, FILETIME_NEVER);
    write_optional(writer, account->password_set, 0);
    write_optional(writer, account->password_expires, FILETIME_NEVER);
    write_optional(writer, account->uid, -1);
    write_optional(writer, account->gid, -1);
    write_text(writer, "\t");
    write_text(writer, account->full_name);
    write_text(writer, "\n");
}

void account_file_write_group(struct writer *writer, const char *name, const struct sid *sid, int64_t gid,
                              const char *comment)
{
    char text[SID_TEXT_MAX];
    sid_to_text(sid, text);
    write_text(writer, "group\t");
    write_text(writer, name);
    write_text(writer, "\t");
    write_text(writer, text);
    write_optional(writer, gid, -1);
    write_text(writer, "\t");
    write_text(writer, comment);
    write_text(writer, "\n");
}

void account_file_write_member(struct writer *writer, const char *group, const char *name, const char *domain)
{
    const char *fields[] = {"member\t", group, "\t", name, "\t", domain, "\n"};
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        write_text(writer, fields[i]);
}
