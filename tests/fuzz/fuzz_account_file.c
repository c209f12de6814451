/* The text formats of accounts, from memory. The first byte chooses the format. What is accepted must be believable, and our own
 * format must survive being written and read again. */
#include "accounts/account_file.h"
#include "core/cause.h"
#include "fuzz/world.h"

#include <string.h>

static void write_all(struct writer *writer, const struct account_file *file)
{
    account_file_write_header(writer);
    for (size_t i = 0; i < file->n_entries; i++) {
        const struct account_file_entry *entry = &file->entries[i];
        struct account account = {.name = entry->name,
                                  .domain = entry->domain,
                                  .full_name = entry->full_name,
                                  .sid = entry->sid,
                                  .flags = entry->flags,
                                  .expires = entry->expires,
                                  .password_set = entry->password_set,
                                  .password_expires = entry->password_expires,
                                  .uid = entry->uid,
                                  .gid = entry->gid};
        if (!entry->has_sid)
            MUST(sid_from_text("S-1-0-0", &account.sid) == WIRE_OK);
        struct store_record record = {.account = &account, .nt_hash = entry->nt_hash, .has_nt = entry->has_nt};
        account_file_write_account(writer, &record, entry->domain);
    }
}

/* No text is an empty one. */
static bool text_same(const char *one, const char *two)
{
    return strcmp(one != NULL ? one : "", two != NULL ? two : "") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account_file *file = NULL, *again = NULL;
    if (size == 0)
        return 0;
    enum account_file_format format = (enum account_file_format)(data[0] % 3);
    struct slice text = slice_of(data + 1, size - 1);
    (void)account_file_guess(text);
    cause_clear();
    if (account_file_parse(format, text, "fuzz", &file) != SEC_E_OK) {
        MUST(file == NULL);
        return 0;
    }
    for (size_t i = 0; i < file->n_entries; i++) {
        const struct account_file_entry *entry = &file->entries[i];
        MUST(account_name_valid(entry->name));
        MUST(entry->domain[0] == '\0' || account_name_valid(entry->domain));
        MUST(entry->has_nt || (entry->flags & ACCOUNT_NO_HASH) != 0);
        MUST(account_file_find(file, entry->name_key, entry->domain_key) == entry);
    }
    struct writer writer = writer_growing(1024);
    write_all(&writer, file);
    if (writer_finish(&writer) == WIRE_OK) {
        MUST(account_file_parse(ACCOUNT_FILE_OWN, writer_slice_of(&writer), "again", &again) == SEC_E_OK);
        MUST(again->n_entries == file->n_entries);
        for (size_t i = 0; i < file->n_entries; i++) {
            const struct account_file_entry *one = &file->entries[i], *two = &again->entries[i];
            MUST(strcmp(one->name, two->name) == 0 && strcmp(one->domain, two->domain) == 0);
            MUST(text_same(one->full_name, two->full_name) && one->flags == two->flags);
            MUST(one->uid == two->uid && one->gid == two->gid && one->expires == two->expires);
            MUST(one->password_set == two->password_set && one->password_expires == two->password_expires);
            MUST(one->has_nt == two->has_nt && memcmp(&one->nt_hash, &two->nt_hash, 16) == 0);
            MUST(!one->has_sid || sid_equal(&one->sid, &two->sid));
        }
    }
    writer_release(&writer);
    account_file_release(again);
    account_file_release(file);
    return 0;
}
