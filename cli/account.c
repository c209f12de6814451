#include "cli.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/ntlm_response.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *domain_prefix(const char *domain)
{
    return domain[0] == '\0' ? "" : "\\";
}

/* --uid --gid --expires --password-expires --full-name into a change; CLI_USAGE tells of a bad value. */
static int change_of_options(const struct cli_options *options, struct account_change *change)
{
    int code = CLI_OK;
    *change = (struct account_change){.expires = FILETIME_NEVER, .uid = -1, .gid = -1, .full_name = options->full_name};
    if (options->full_name != NULL)
        change->fields |= CHANGE_FULL_NAME;
    if (options->uid != NULL) {
        change->fields |= CHANGE_UID;
        code = cli_number("uid", options->uid, &change->uid);
    }
    if (code == CLI_OK && options->gid != NULL) {
        change->fields |= CHANGE_GID;
        code = cli_number("gid", options->gid, &change->gid);
    }
    if (code == CLI_OK && options->expires != NULL) {
        change->fields |= CHANGE_EXPIRES;
        code = cli_expiry("expires", options->expires, &change->expires);
    }
    if (code == CLI_OK && options->password_expires != NULL) {
        change->fields |= CHANGE_PASSWORD_EXPIRES;
        code = cli_expiry("password-expires", options->password_expires, &change->password_expires);
    }
    return code;
}

static int sid_of_options(const struct cli_options *options, struct sid *sid)
{
    if (options->sid != NULL && sid_from_text(options->sid, sid) != WIRE_OK)
        return cli_misuse("\"%s\" is no SID: it must look like S-1-5-21-1-2-3-1000", options->sid);
    return CLI_OK;
}

static int add_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                     const char *name)
{
    AUTO_SECRET struct secret password = {0};
    AUTO_RECORD struct store_record existing = {0};
    AUTO_KEY16 struct key16 hash;
    struct account_change change;
    struct sid sid;
    int code = change_of_options(options, &change);
    if (code == CLI_OK)
        code = sid_of_options(options, &sid);
    if (code != CLI_OK)
        return code;
    /* Asked first, so that nobody types a password for nothing. */
    if (account_admin_show(admin, name, domain, &existing) == SEC_E_OK)
        return cli_fail("there is an account %s%s%s already; \"sspi account passwd\" changes its password", domain,
                        domain_prefix(domain), name);
    cause_clear();
    if (!options->no_password) {
        code = cli_password_new(name, &password);
        if (code != CLI_OK)
            return code;
        ntlm_nt_hash(secret_slice(&password), &hash);
    }
    struct account_spec spec = {.name = name,
                                .domain = domain,
                                .full_name = change.full_name,
                                .sid = options->sid == NULL ? NULL : &sid,
                                .nt_hash = options->no_password ? NULL : &hash,
                                .password = secret_slice(&password),
                                .flags = options->must_change ? ACCOUNT_MUST_CHANGE : 0,
                                .expires = change.expires,
                                .uid = change.uid,
                                .gid = change.gid};
    return cli_status(account_admin_add(admin, &spec));
}

static int passwd_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                        const char *name)
{
    AUTO_SECRET struct secret password = {0};
    AUTO_RECORD struct store_record existing = {0};
    int code = cli_status(account_admin_show(admin, name, domain, &existing));
    if (code == CLI_OK)
        code = cli_password_new(name, &password);
    if (code == CLI_OK)
        code = cli_status(account_admin_passwd(admin, name, domain, secret_slice(&password), options->must_change));
    return code;
}

static int change_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                        const char *name)
{
    struct account_change change;
    int code = change_of_options(options, &change);
    if (code != CLI_OK)
        return code;
    if (options->lock && options->unlock)
        return cli_misuse("--lock and --unlock exclude each other");
    if (options->lock || options->unlock || options->must_change)
        change.fields |= CHANGE_FLAGS;
    change.set_flags = (options->lock ? ACCOUNT_LOCKED : 0) | (options->must_change ? ACCOUNT_MUST_CHANGE : 0);
    change.clear_flags = options->unlock ? ACCOUNT_LOCKED : 0;
    if (change.fields == 0)
        return cli_misuse("nothing to change was given; see \"sspi account set --help\"");
    return cli_status(account_admin_change(admin, name, domain, &change));
}

static int disable_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                         const char *name)
{
    (void)options;
    return cli_status(account_admin_disable(admin, name, domain));
}

static int enable_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                        const char *name)
{
    (void)options;
    return cli_status(account_admin_enable(admin, name, domain));
}

static int remove_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                        const char *name)
{
    (void)options;
    return cli_status(account_admin_remove(admin, name, domain));
}

static void json_time(const char *field, int64_t filetime, int64_t none)
{
    char text[CLI_TIME_MAX];
    if (filetime == none) {
        printf(", \"%s\": null", field);
        return;
    }
    cli_time(filetime, text);
    printf(", \"%s\": \"%s\"", field, text);
}

static void json_id(const char *field, int64_t id)
{
    if (id < 0)
        printf(", \"%s\": null", field);
    else
        printf(", \"%s\": %" PRId64, field, id);
}

static void json_flag(const char *field, bool set)
{
    printf(", \"%s\": %s", field, set ? "true" : "false");
}

/* The realms that there are digest hashes for, one after another. */
struct realm_list {
    bool json;
    unsigned n_realms;
};

static SECURITY_STATUS realm_print(void *context, const char *realm)
{
    struct realm_list *list = context;
    if (list->n_realms++ > 0)
        fputs(", ", stdout);
    if (list->json)
        json_text(stdout, realm);
    else
        cli_show(slice_of_text(realm));
    return SEC_E_OK;
}

/* All but the closing brace. */
static void json_account(const struct store_record *record)
{
    const struct account *account = record->account;
    char sid[SID_TEXT_MAX];
    sid_to_text(&account->sid, sid);
    fputs("{\"name\": ", stdout);
    json_text(stdout, account->name);
    fputs(", \"domain\": ", stdout);
    json_text(stdout, account->domain);
    fputs(", \"full_name\": ", stdout);
    if (account->full_name == NULL)
        fputs("null", stdout);
    else
        json_text(stdout, account->full_name);
    printf(", \"sid\": \"%s\"", sid);
    json_id("uid", account->uid);
    json_id("gid", account->gid);
    json_flag("disabled", (account->flags & ACCOUNT_DISABLED) != 0);
    json_flag("locked", (account->flags & ACCOUNT_LOCKED) != 0);
    json_flag("locked_out", lockout_holds(&record->lockout, filetime_now()));
    json_flag("must_change", (account->flags & ACCOUNT_MUST_CHANGE) != 0);
    json_flag("password", record->has_nt && (account->flags & ACCOUNT_NO_HASH) == 0);
    printf(", \"failures\": %u", record->lockout.failures);
    json_time("expires", account->expires, FILETIME_NEVER);
    json_time("password_set", account->password_set, 0);
    json_time("password_expires", account->password_expires, FILETIME_NEVER);
    fputs(", \"groups\": [", stdout);
    for (size_t i = 0; i < account->n_groups; i++) {
        fputs(i == 0 ? "" : ", ", stdout);
        json_text(stdout, account->groups[i].name);
    }
    fputs("]", stdout);
}

static void print_state(const struct store_record *record)
{
    const struct account *account = record->account;
    const struct {
        bool holds;
        const char *word;
    } states[] = {
        {(account->flags & ACCOUNT_DISABLED) != 0, "disabled"},
        {(account->flags & ACCOUNT_LOCKED) != 0, "locked"},
        {lockout_holds(&record->lockout, filetime_now()), "locked-out"},
        {account->expires <= filetime_now(), "expired"},
        {account->password_expires <= filetime_now(), "password-expired"},
        {(account->flags & ACCOUNT_MUST_CHANGE) != 0, "must-change"},
        {!record->has_nt || (account->flags & ACCOUNT_NO_HASH) != 0, "no-password"},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (states[i].holds) {
            printf("%s%s", any ? "," : "", states[i].word);
            any = true;
        }
    if (!any)
        fputs("enabled", stdout);
}

static void print_time(const char *what, int64_t filetime, int64_t none, const char *none_text)
{
    char text[CLI_TIME_MAX];
    cli_time(filetime, text);
    printf("%-18s%s\n", what, filetime == none ? none_text : text);
}

/* A text that the store holds: whoever wrote it there steers no terminal. */
static void print_text(const char *what, const char *text)
{
    printf("%-18s", what);
    cli_show(slice_of_text(text));
    fputc('\n', stdout);
}

static void print_account(const struct store_record *record)
{
    const struct account *account = record->account;
    char sid[SID_TEXT_MAX];
    sid_to_text(&account->sid, sid);
    print_text("Name:", account->name);
    print_text("Domain:", account->domain[0] == '\0' ? "(this computer's)" : account->domain);
    print_text("Full name:", account->full_name == NULL ? "" : account->full_name);
    printf("%-18s%s\n%-18s", "SID:", sid, "State:");
    print_state(record);
    fputc('\n', stdout);
    if (account->uid >= 0)
        printf("%-18s%" PRId64 "\n", "Unix user:", account->uid);
    if (account->gid >= 0)
        printf("%-18s%" PRId64 "\n", "Unix group:", account->gid);
    print_time("Expires:", account->expires, FILETIME_NEVER, "never");
    print_time("Password set:", account->password_set, 0, "never");
    print_time("Password expires:", account->password_expires, FILETIME_NEVER, "never");
    printf("%-18s%u\n", "Wrong passwords:", record->lockout.failures);
    if (record->lockout.locked_until != 0)
        print_time("Locked out until:", record->lockout.locked_until, FILETIME_NEVER, "enabled by an administrator");
    printf("%-18s", "Groups:");
    for (size_t i = 0; i < account->n_groups; i++) {
        fputs(i == 0 ? "" : ", ", stdout);
        cli_show(slice_of_text(account->groups[i].name));
    }
    fputc('\n', stdout);
}

static int show_named(const struct cli_options *options, struct account_admin *admin, const char *domain,
                      const char *name)
{
    AUTO_RECORD struct store_record record = {0};
    int code = cli_status(account_admin_show(admin, name, domain, &record));
    if (code != CLI_OK)
        return code;
    struct realm_list realms = {.json = options->json};
    if (options->json) {
        json_account(&record);
        fputs(", \"digest_realms\": [", stdout);
    } else {
        print_account(&record);
        printf("%-18s", "Digest realms:");
    }
    SECURITY_STATUS status = account_admin_digest_realms(admin, &record.account->sid, realm_print, &realms);
    if (options->json)
        puts("]}");
    else
        fputs(realms.n_realms == 0 ? "none\n" : "\n", stdout);
    return cli_status(status);
}

/* Who has this name, whatever the domain. */
struct namesakes {
    const char *name;
    unsigned n_found;
    char *domain;          /* of the last one */
    struct writer domains; /* all, as text */
};

static SECURITY_STATUS namesake(void *context, const struct store_record *record)
{
    struct namesakes *namesakes = context;
    const struct account *account = record->account;
    if (!text_equal_fold(account->name, namesakes->name))
        return SEC_E_OK;
    mem_free(namesakes->domain);
    namesakes->domain = mem_strdup(account->domain);
    if (namesakes->n_found++ > 0)
        writer_bytes(&namesakes->domains, ", ", 2);
    writer_slice(&namesakes->domains, slice_of_text(account->domain));
    writer_bytes(&namesakes->domains, "\\", 1);
    writer_slice(&namesakes->domains, slice_of_text(account->name));
    return namesakes->domain == NULL ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

int cli_domain_find(const struct cli_options *options, const char *operand, struct account_admin *admin,
                    const char *name, char **domain)
{
    if (options->domain != NULL || strchr(operand, '\\') != NULL)
        return CLI_OK;
    struct namesakes namesakes = {.name = name, .domains = writer_growing(128)};
    int code = cli_status(account_admin_list(admin, namesake, &namesakes));
    if (code == CLI_OK && namesakes.n_found > 1) {
        writer_u8(&namesakes.domains, 0);
        code = namesakes.domains.failed
                   ? cli_fail("out of memory")
                   : cli_fail("there are %u accounts %s: %s; say which, with its domain (--domain \"\" for none)",
                              namesakes.n_found, name, (const char *)namesakes.domains.data);
    }
    if (code == CLI_OK && namesakes.n_found == 1) {
        mem_free(*domain);
        *domain = STEAL(namesakes.domain);
    }
    writer_release(&namesakes.domains);
    mem_free(namesakes.domain);
    return code;
}

/* Opens the store and splits the name, the same for every command that works on one account. */
static int with_account(const struct cli_options *options, bool create,
                        int (*run)(const struct cli_options *options, struct account_admin *admin, const char *domain,
                                   const char *name))
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    AUTO_FREE char *domain = NULL;
    AUTO_FREE char *name = NULL;
    int code = cli_split_name(options, options->operand[0], &domain, &name);
    /* A name that cannot be is refused before a store is made for it. */
    if (code == CLI_OK && create && !account_name_valid(name))
        code = cli_fail("\"%s\" cannot be an account name: 1 to %d bytes of UTF-8 without control characters and "
                        "\"/\\[]:;|=,+*?<>@",
                        name, ACCOUNT_NAME_MAX);
    if (code == CLI_OK)
        code = cli_open(options, create, &admin);
    if (code == CLI_OK && !create)
        code = cli_domain_find(options, options->operand[0], admin, name, &domain);
    return code == CLI_OK ? run(options, admin, domain, name) : code;
}

static int account_add(const struct cli_options *options)
{
    return with_account(options, true, add_named);
}
static int account_passwd(const struct cli_options *options)
{
    return with_account(options, false, passwd_named);
}
static int account_set(const struct cli_options *options)
{
    return with_account(options, false, change_named);
}
static int account_show(const struct cli_options *options)
{
    return with_account(options, false, show_named);
}
static int account_disable(const struct cli_options *options)
{
    return with_account(options, false, disable_named);
}
static int account_enable(const struct cli_options *options)
{
    return with_account(options, false, enable_named);
}
static int account_remove(const struct cli_options *options)
{
    return with_account(options, false, remove_named);
}

static SECURITY_STATUS list_one(void *context, const struct store_record *record)
{
    const struct account *account = record->account;
    char sid[SID_TEXT_MAX];
    sid_to_text(&account->sid, sid);
    if (json_list_item(context)) {
        json_account(record);
        fputc('}', stdout);
    } else {
        cli_show(slice_of_text(account->domain));
        fputs(domain_prefix(account->domain), stdout);
        cli_show(slice_of_text(account->name));
        printf("\t%s\t", sid);
        print_state(record);
        fputc('\n', stdout);
    }
    return SEC_E_OK;
}

static int account_list(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    int code = cli_open(options, false, &admin);
    if (code != CLI_OK)
        return code;
    struct json_list list = json_list_begin(options->json);
    code = cli_status(account_admin_list(admin, list_one, &list));
    json_list_end(&list);
    return code;
}

static int format_of_options(const struct cli_options *options, enum account_file_format *format)
{
    static const char *const names[] = {
        [ACCOUNT_FILE_SMBPASSWD] = "smbpasswd", [ACCOUNT_FILE_SAM] = "sam", [ACCOUNT_FILE_OWN] = "own"};
    for (unsigned i = 0; i < COUNT_OF(names); i++)
        if (strcmp(options->format, names[i]) == 0) {
            *format = (enum account_file_format)i;
            return CLI_OK;
        }
    return cli_misuse("--format is smbpasswd, sam or own, not \"%s\"", options->format);
}

/* `text` is what was read, in `room`. */
static int file_read(const char *path, struct secret *room, struct slice *text)
{
    bool standard = strcmp(path, "-") == 0;
    int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return cli_fail("%s: %s", path, strerror(errno));
    size_t len = 0;
    int code = secret_alloc(room, ACCOUNT_FILE_MAX + 1) ? CLI_OK : cli_fail("out of memory");
    while (code == CLI_OK && len < room->len) {
        ssize_t got = read(file, room->data + len, room->len - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            code = cli_fail("%s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    *text = slice_of(room->data, len);
    if (!standard)
        close(file);
    return code;
}

static int account_import(const struct cli_options *options)
{
    AUTO_SECRET struct secret room = {0};
    AUTO_ADMIN struct account_admin *admin = NULL;
    const char *path = options->operand[0], *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct slice text = {0};
    enum account_file_format format = ACCOUNT_FILE_OWN;
    struct account_file *file = NULL;
    struct import_counts counts = {0};
    int code = options->format != NULL ? format_of_options(options, &format) : CLI_OK;
    if (code == CLI_OK)
        code = file_read(path, &room, &text);
    if (code != CLI_OK)
        return code;
    if (options->format == NULL)
        format = account_file_guess(text);
    code = cli_status(account_file_parse(format, text, name, &file));
    if (code != CLI_OK)
        return code;
    code = cli_open(options, true, &admin);
    if (code == CLI_OK)
        code = cli_status(account_admin_import(admin, file, options->domain == NULL ? "" : options->domain,
                                               options->replace, &counts));
    account_file_release(file);
    if (code == CLI_OK)
        printf("%u added, %u replaced, %u groups, %u memberships\n", counts.added, counts.replaced, counts.groups,
               counts.members);
    return code;
}

static int file_write(const char *path, struct slice text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return cli_fail("%s: %s; --output wants a file that does not exist yet", path, strerror(errno));
    int code = fchmod(file, 0600) == 0 ? CLI_OK : cli_fail("%s: %s", path, strerror(errno));
    while (code == CLI_OK && text.len > 0) {
        ssize_t put = write(file, text.data, text.len);
        if (put < 0 && errno != EINTR)
            code = cli_fail("%s: %s", path, strerror(errno));
        if (put > 0)
            text = slice_of(text.data + put, text.len - (size_t)put);
    }
    if (code == CLI_OK && fsync(file) != 0)
        code = cli_fail("%s: %s", path, strerror(errno));
    close(file);
    if (code != CLI_OK)
        unlink(path);
    return code;
}

static int account_export(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    AUTO_WRITER struct writer writer = writer_growing(4096);
    enum account_file_format format = ACCOUNT_FILE_OWN;
    int code = options->format != NULL ? format_of_options(options, &format) : CLI_OK;
    if (code == CLI_OK && format == ACCOUNT_FILE_SAM)
        code = cli_misuse("--format of an export is smbpasswd or own: the SAM format is only read");
    if (code == CLI_OK)
        code = cli_open(options, false, &admin);
    if (code == CLI_OK)
        code = cli_status(account_admin_export(admin, format, &writer));
    if (code != CLI_OK)
        return code;
    if (options->output != NULL)
        return file_write(options->output, writer_slice_of(&writer));
    setvbuf(stdout, NULL, _IONBF, 0); /* no second copy of the hashes in a buffer that nobody wipes */
    if (writer.len > 0)
        fwrite(writer.data, 1, writer.len, stdout);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"add", "NAME", "Adds an account; asks for its password, or reads one line of standard input",
     OPTION_STORE | OPTION_DOMAIN_NEW | OPTION_ACCOUNT | OPTION_SID | OPTION_NO_PASSWORD, 1, 1, account_add},
    {"passwd", "NAME", "Sets a password; asks for it, or reads one line of standard input",
     OPTION_STORE | OPTION_DOMAIN | OPTION_MUST_CHANGE, 1, 1, account_passwd},
    {"set", "NAME", "Changes properties of an account",
     OPTION_STORE | OPTION_DOMAIN | OPTION_ACCOUNT | OPTION_PASSWORD_EXPIRES | OPTION_LOCK, 1, 1, account_set},
    {"list", "", "Lists all accounts", OPTION_STORE | OPTION_JSON, 0, 0, account_list},
    {"show", "NAME", "Shows one account", OPTION_STORE | OPTION_DOMAIN | OPTION_JSON, 1, 1, account_show},
    {"disable", "NAME", "Disables an account", OPTION_STORE | OPTION_DOMAIN, 1, 1, account_disable},
    {"enable", "NAME", "Enables and unlocks an account", OPTION_STORE | OPTION_DOMAIN, 1, 1, account_enable},
    {"remove", "NAME", "Removes an account", OPTION_STORE | OPTION_DOMAIN, 1, 1, account_remove},
    {"import", "FILE", "Takes accounts over from a file, or from standard input (-): all or none",
     OPTION_STORE | OPTION_DOMAIN_NEW | OPTION_FORMAT_IN | OPTION_REPLACE, 1, 1, account_import},
    {"export", "", "Writes all accounts, with their hashes: keep the output secret",
     OPTION_STORE | OPTION_FORMAT_OUT | OPTION_OUTPUT, 0, 0, account_export},
};

const struct cli_family cli_account = {"account", "accounts of the local store", commands, COUNT_OF(commands)};
