/*
 * The text formats of accounts, from memory: smbpasswd, WinPR's SAM, and our own. Strict: one bad line and there is no table at all,
 * for a line that cannot be read must never let anybody in (CVE-2022-24883).
 *
 *   smbpasswd   user:uid:LMHASH:NTHASH:[flags]:LCT-XXXXXXXX:       (smbpasswd(5))
 *   SAM         user:domain:LMHASH:NTHASH:::                       (winpr-hash -f sam)
 *   own         tab-separated; the first line is "opensspi-accounts 1", then lines of three kinds:
 *                 account  name domain sid nt-hash flags expires password-set password-expires uid gid full-name
 *                 group    name sid gid comment
 *                 member   group-name account-name account-domain
 *               An empty field is "none"; times are FILETIMEs, flags a sum of D disabled, L locked, M must change, N no password.
 *
 * A hash is 32 hexadecimal digits. In smbpasswd 32 X, or "NO PASSWORD" and X to 32, are no hash; in SAM and ours an empty field.
 * In all of them empty lines and lines that begin with # count for nothing.
 */
#ifndef OPENSSPI_ACCOUNTS_ACCOUNT_FILE_H
#define OPENSSPI_ACCOUNTS_ACCOUNT_FILE_H

#include "accounts/store.h"

enum account_file_format { ACCOUNT_FILE_SMBPASSWD, ACCOUNT_FILE_SAM, ACCOUNT_FILE_OWN };

#define ACCOUNT_FILE_MAX ((size_t)16 << 20) /* some 100000 lines: who has more wants a database */
#define ACCOUNT_FILE_LINE_MAX 4096          /* three names of 256 bytes, a SID and numbers fit well */
#define ACCOUNT_FILE_ENTRIES_MAX 200000     /* of each kind: bounds memory for a file of shortest lines */
#define ACCOUNT_FILE_HEADER "opensspi-accounts 1"

struct account_file_entry {
    char *name, *domain, *full_name; /* domain "" when the format names none; full_name may be NULL */
    char *name_key, *domain_key;     /* text_upper of the two */
    struct key16 nt_hash, lm_hash;
    bool has_nt, has_lm, has_sid;
    struct sid sid;
    uint32_t flags; /* enum account_flag */
    /* What the format can say: the other flags, uid where it does not tell that, and gid and times where it does not tell all are defaults. It may
     * tell when the password was set without telling all: then that is not 0. */
    uint32_t told_flags;
    bool tells_uid, tells_all;
    int64_t expires, password_set, password_expires, uid, gid;
    unsigned line;
};

struct account_file_group {
    char *name, *name_key, *comment;
    bool has_sid;
    struct sid sid;
    int64_t gid;
    unsigned line;
};

struct account_file_member {
    char *group_key, *name_key, *domain_key;
    unsigned line;
};

/* Entries are sorted by (domain_key, name_key), groups by name_key; no two are alike. */
struct account_file {
    struct account_file_entry *entries;
    struct account_file_group *groups;
    struct account_file_member *members;
    size_t n_entries, n_groups, n_members;
    size_t max_entries, max_groups, max_members; /* room */
};

/* Reads a whole file; `file_name` is for the cause only, which names file and line and never what stands there. SEC_E_OK (release
 * the file), SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR. */
SECURITY_STATUS account_file_parse(enum account_file_format format, struct slice text, const char *file_name,
                                   struct account_file **file);
void account_file_release(struct account_file *file); /* wipes; NULL is fine */
/* The entry of these keys, or NULL. */
const struct account_file_entry *account_file_find(const struct account_file *file, const char *name_key,
                                                   const char *domain_key);
/* Which format the text looks to be: the own header, or the field that tells smbpasswd from SAM. */
enum account_file_format account_file_guess(struct slice text);

/* Encoding, line by line. */
void account_file_write_smbpasswd(struct writer *writer, const struct store_record *record);
void account_file_write_header(struct writer *writer);
/* `domain` as the store keeps it, which may be "". */
void account_file_write_account(struct writer *writer, const struct store_record *record, const char *domain);
void account_file_write_group(struct writer *writer, const char *name, const struct sid *sid, int64_t gid,
                              const char *comment);
void account_file_write_member(struct writer *writer, const char *group, const char *name, const char *domain);

#endif
