#include "core/config_parse.h"

#include "base/file_whole.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_FILE_MAX ((size_t)1 << 20) /* a file of lists and switches; a larger one is a mistake */

enum key_type {
    KEY_TEXT,
    KEY_LIST,
    KEY_LINES,
    KEY_SWITCH,
    KEY_NUMBER,
    KEY_WHEN,
    KEY_DELEGATE,
    KEY_FALLBACK,
    KEY_TLS,
    KEY_LSA,
};

static const struct key {
    const char *section, *name;
    enum key_type type;
    size_t offset;
} keys[] = {
    {"names", "computer", KEY_TEXT, offsetof(struct config, computer)},
    {"names", "domain", KEY_TEXT, offsetof(struct config, domain)},
    {"names", "dns_computer", KEY_TEXT, offsetof(struct config, dns_computer)},
    {"names", "dns_domain", KEY_TEXT, offsetof(struct config, dns_domain)},
    {"names", "dns_forest", KEY_TEXT, offsetof(struct config, dns_forest)},
    {"packages", "package", KEY_LINES, offsetof(struct config, packages)},
    {"credentials", "user_file", KEY_TEXT, offsetof(struct config, user_file)},
    {"credentials", "askpass", KEY_TEXT, offsetof(struct config, askpass)},
    {"accounts", "stores", KEY_LIST, offsetof(struct config, stores)},
    {"accounts", "lockout_threshold", KEY_NUMBER, offsetof(struct config, lockout_threshold)},
    {"accounts", "lockout_seconds", KEY_NUMBER, offsetof(struct config, lockout_seconds)},
    {"accounts", "lockout_reset_seconds", KEY_NUMBER, offsetof(struct config, lockout_reset_seconds)},
    {"ntlm", "allow_v1", KEY_SWITCH, offsetof(struct config, ntlm_v1)},
    {"ntlm", "allow_lm", KEY_SWITCH, offsetof(struct config, ntlm_lm)},
    {"ntlm", "allow_anonymous", KEY_SWITCH, offsetof(struct config, ntlm_anonymous)},
    {"ntlm", "require_128", KEY_SWITCH, offsetof(struct config, ntlm_require_128)},
    {"ntlm", "refuse_reflection", KEY_SWITCH, offsetof(struct config, ntlm_refuse_reflection)},
    {"ntlm", "channel_bindings", KEY_WHEN, offsetof(struct config, ntlm_channel_bindings)},
    {"ntlm", "service_binding", KEY_WHEN, offsetof(struct config, ntlm_service_binding)},
    {"ntlm", "targets", KEY_LIST, offsetof(struct config, ntlm_targets)},
    {"ntlm", "challenge_seconds", KEY_NUMBER, offsetof(struct config, ntlm_challenge_seconds)},
    {"ntlm", "clock_skew_seconds", KEY_NUMBER, offsetof(struct config, ntlm_clock_skew_seconds)},
    {"kerberos", "keytab", KEY_TEXT, offsetof(struct config, kerberos_keytab)},
    {"kerberos", "kdc_seconds", KEY_NUMBER, offsetof(struct config, kerberos_kdc_seconds)},
    {"kerberos", "shared_replay_cache", KEY_SWITCH, offsetof(struct config, kerberos_shared_replay_cache)},
    {"kerberos", "allow_anonymous", KEY_SWITCH, offsetof(struct config, kerberos_anonymous)},
    {"kerberos", "require_pac", KEY_SWITCH, offsetof(struct config, kerberos_require_pac)},
    {"kerberos", "s4u2proxy", KEY_SWITCH, offsetof(struct config, kerberos_s4u2proxy)},
    {"kerberos", "delegate", KEY_DELEGATE, offsetof(struct config, kerberos_delegate)},
    {"kerberos", "client_keytab", KEY_TEXT, offsetof(struct config, kerberos_client_keytab)},
    {"negotiate", "ntlm_fallback", KEY_FALLBACK, offsetof(struct config, negotiate_ntlm_fallback)},
    {"negotiate", "kdc_seconds", KEY_NUMBER, offsetof(struct config, negotiate_kdc_seconds)},
    {"negotiate", "packages", KEY_LIST, offsetof(struct config, negotiate_packages)},
    {"certificates", "root", KEY_TEXT, offsetof(struct config, certificates_root)},
    {"certificates", "ca", KEY_TEXT, offsetof(struct config, certificates_ca)},
    {"certificates", "my", KEY_TEXT, offsetof(struct config, certificates_my)},
    {"certificates", "machine_my", KEY_TEXT, offsetof(struct config, certificates_machine_my)},
    {"certificates", "security_level", KEY_NUMBER, offsetof(struct config, certificates_security_level)},
    {"schannel", "min_protocol", KEY_TLS, offsetof(struct config, schannel_min)},
    {"schannel", "max_protocol", KEY_TLS, offsetof(struct config, schannel_max)},
    {"schannel", "require_client_certificate", KEY_SWITCH,
     offsetof(struct config, schannel_require_client_certificate)},
    {"schannel", "ciphers", KEY_TEXT, offsetof(struct config, schannel_ciphers)},
    {"access", "winbind", KEY_SWITCH, offsetof(struct config, access_winbind)},
    {"access", "winbind_library", KEY_TEXT, offsetof(struct config, access_winbind_library)},
    {"access", "winbind_seconds", KEY_NUMBER, offsetof(struct config, access_winbind_seconds)},
    {"access", "name_domains", KEY_LIST, offsetof(struct config, access_name_domains)},
    {"access", "ranges", KEY_LIST, offsetof(struct config, access_ranges)},
    {"access", "allow_root", KEY_SWITCH, offsetof(struct config, access_allow_root)},
    {"access", "anonymous_user", KEY_TEXT, offsetof(struct config, access_anonymous_user)},
    {"access", "identify_without_privilege", KEY_SWITCH, offsetof(struct config, access_identify_without_privilege)},
    {"access", "logon_service", KEY_TEXT, offsetof(struct config, access_logon_service)},
    {"credssp", "allow_fresh", KEY_LIST, offsetof(struct config, credssp_allow_fresh)},
    {"credssp", "allow_fresh_ntlm", KEY_LIST, offsetof(struct config, credssp_allow_fresh_ntlm)},
    {"credssp", "deny_fresh", KEY_LIST, offsetof(struct config, credssp_deny_fresh)},
    {"credssp", "allow_saved", KEY_LIST, offsetof(struct config, credssp_allow_saved)},
    {"credssp", "allow_saved_ntlm", KEY_LIST, offsetof(struct config, credssp_allow_saved_ntlm)},
    {"credssp", "deny_saved", KEY_LIST, offsetof(struct config, credssp_deny_saved)},
    {"credssp", "min_version", KEY_NUMBER, offsetof(struct config, credssp_min_version)},
    {"credssp", "max_version", KEY_NUMBER, offsetof(struct config, credssp_max_version)},
    {"digest", "realms", KEY_LIST, offsetof(struct config, digest_realms)},
    {"digest", "algorithms", KEY_LIST, offsetof(struct config, digest_algorithms)},
    {"digest", "targets", KEY_LIST, offsetof(struct config, digest_targets)},
    {"digest", "allow_md5", KEY_SWITCH, offsetof(struct config, digest_md5)},
    {"digest", "allow_no_qop", KEY_SWITCH, offsetof(struct config, digest_no_qop)},
    {"digest", "userhash", KEY_SWITCH, offsetof(struct config, digest_userhash)},
    {"digest", "nonce_seconds", KEY_NUMBER, offsetof(struct config, digest_nonce_seconds)},
    {"digest", "channel_bindings", KEY_WHEN, offsetof(struct config, digest_channel_bindings)},
    {"lsa", "mode", KEY_LSA, offsetof(struct config, lsa_mode)},
    {"lsa", "socket", KEY_TEXT, offsetof(struct config, lsa_socket)},
    {"lsa", "answer_seconds", KEY_NUMBER, offsetof(struct config, lsa_seconds)},
    {"lsa", "user", KEY_TEXT, offsetof(struct config, lsa_user)},
    {"lsa", "accept", KEY_LIST, offsetof(struct config, lsa_accept)},
    {"lsa", "key", KEY_LINES, offsetof(struct config, lsa_keys)},
    {"lsa", "workers", KEY_NUMBER, offsetof(struct config, lsa_workers)},
    {"lsa", "connections", KEY_NUMBER, offsetof(struct config, lsa_connections)},
    {"lsa", "user_connections", KEY_NUMBER, offsetof(struct config, lsa_user_connections)},
    {"lsa", "user_contexts", KEY_NUMBER, offsetof(struct config, lsa_user_contexts)},
    {"lsa", "user_credentials", KEY_NUMBER, offsetof(struct config, lsa_user_credentials)},
};

/* Of numbers that may not be any. */
static const struct bounds {
    size_t offset;
    unsigned least, most;
    const char *problem;
} bounds[] = {
    {offsetof(struct config, certificates_security_level), 0, 5, "takes a whole number, 0 to 5"},
    {offsetof(struct config, credssp_min_version), 2, 6, "takes a whole number, 2 to 6"},
    {offsetof(struct config, credssp_max_version), 2, 6, "takes a whole number, 2 to 6"},
    {offsetof(struct config, lsa_workers), 1, 256, "takes a whole number, 1 to 256"},
};

void config_defaults(struct config *config)
{
    *config = (struct config){
        .lockout_threshold = 10,
        .lockout_seconds = 600,
        .lockout_reset_seconds = 600,
        .ntlm_require_128 = true,
        .ntlm_refuse_reflection = true,
        .ntlm_channel_bindings = WHEN_SUPPORTED,
        .ntlm_service_binding = WHEN_SUPPORTED,
        .ntlm_challenge_seconds = 300,
        .kerberos_kdc_seconds = 5,
        .kerberos_s4u2proxy = true,
        .negotiate_ntlm_fallback = FALLBACK_YES,
        .access_winbind_seconds = 10,
        .certificates_security_level = 2, /* 112 bits: RSA of 2048 bits, no SHA-1 in signatures */
        .schannel_min = CONFIG_TLS_1_2,
        .schannel_max = CONFIG_TLS_1_3,
        .credssp_min_version = 5, /* before it a peer that sees the key's proof can choose the key (CVE-2018-0886) */
        .credssp_max_version = 6,
        .digest_md5 = true,
        .digest_nonce_seconds = 600,
        .digest_channel_bindings = WHEN_SUPPORTED,
        .lsa_seconds = 60,
        .lsa_workers = 16,
        .lsa_connections = 8192,
        .lsa_user_connections = 4096,
        .lsa_user_contexts = 8192,
        .lsa_user_credentials = 4096,
        .ntlm_clock_skew_seconds = 36 * 3600, /* MS-NLMP 3.1.1.1 MaxLifetime of current Windows */
    };
}

static void list_clear(struct config_list *list)
{
    for (unsigned i = 0; i < list->n_items; i++)
        mem_free(list->item[i]);
    list->n_items = 0;
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        void *field = (char *)config + keys[i].offset;
        if (keys[i].type == KEY_TEXT)
            mem_free(*(char **)field);
        else if (keys[i].type == KEY_LIST || keys[i].type == KEY_LINES)
            list_clear(field);
    }
    *config = (struct config){0};
}

struct parse {
    struct config *config;
    struct slice rest;         /* what was not read yet */
    int line;                  /* the last one read */
    bool seen[COUNT_OF(keys)]; /* within this file */
    char problem[256];         /* the first one that this file found */
    int problem_line;
};

static const char no_memory[] = "out of memory";

static const char *list_parse(struct config_list *list, const char *value)
{
    struct config_list fresh = {0};
    while (*value != '\0') {
        value += strspn(value, ", \t");
        size_t len = strcspn(value, ",");
        size_t item_len = len;
        while (item_len > 0 && (value[item_len - 1] == ' ' || value[item_len - 1] == '\t'))
            item_len--;
        if (item_len > 0) {
            bool full = fresh.n_items == CONFIG_LIST_MAX;
            char *item = full ? NULL : mem_dup(value, item_len);
            if (item == NULL) {
                list_clear(&fresh);
                return full ? "takes at most 16 entries, separated by commas" : no_memory;
            }
            fresh.item[fresh.n_items++] = item;
        }
        value += len;
    }
    if (fresh.n_items == 0)
        return "takes at least one entry";
    list_clear(list);
    *list = fresh;
    return NULL;
}

/* A key that may stand more than once: an entry a line. The first of a file takes the place of what was there. */
static const char *line_add(struct config_list *list, const char *value, bool first)
{
    if (*value == '\0')
        return "takes a text";
    if (!first && list->n_items == CONFIG_LIST_MAX)
        return "stands more than 16 times in this file";
    char *copy = mem_strdup(value);
    if (copy == NULL)
        return no_memory;
    if (first)
        list_clear(list);
    list->item[list->n_items++] = copy;
    return NULL;
}

static const char *number_parse(size_t offset, unsigned *number, const char *value)
{
    struct bounds within = {offset, 0, UINT_MAX, "takes a whole number"};
    char *end;
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        if (bounds[i].offset == offset)
            within = bounds[i];
    errno = 0;
    unsigned long parsed = strtoul(value, &end, 10);
    require(value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0, within.problem);
    require(parsed >= within.least && parsed <= within.most, within.problem);
    *number = (unsigned)parsed;
    return NULL;
}

static bool switch_parse(bool *field, const char *value)
{
    if (strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 || strcasecmp(value, "on") == 0 ||
        strcmp(value, "1") == 0)
        *field = true;
    else if (strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 || strcasecmp(value, "off") == 0 ||
             strcmp(value, "0") == 0)
        *field = false;
    else
        return false;
    return true;
}

/* Keys whose value is one of some words: the words by the numbers of the key's enumeration. */
static const struct choice {
    enum key_type type;
    const char *words[4], *problem;
} choices[] = {
    {KEY_WHEN,
     {[WHEN_NEVER] = "never", [WHEN_SUPPORTED] = "when-supported", [WHEN_ALWAYS] = "always"},
     "takes never, when-supported or always"},
    {KEY_DELEGATE,
     {[DELEGATE_OK_AS_DELEGATE] = "ok_as_delegate", [DELEGATE_ALWAYS] = "always", [DELEGATE_NEVER] = "never"},
     "takes ok_as_delegate, always or never"},
    {KEY_FALLBACK,
     {[FALLBACK_NO] = "no", [FALLBACK_YES] = "yes", [FALLBACK_AUDIT] = "audit"},
     "takes yes, no or audit"},
    {KEY_TLS,
     {[CONFIG_TLS_1_0] = "1.0", [CONFIG_TLS_1_1] = "1.1", [CONFIG_TLS_1_2] = "1.2", [CONFIG_TLS_1_3] = "1.3"},
     "takes 1.0, 1.1, 1.2 or 1.3"},
    {KEY_LSA,
     {[LSA_EMBEDDED] = "embedded", [LSA_DAEMON] = "daemon", [LSA_AUTO] = "auto"},
     "takes embedded, daemon or auto"},
};

/* NULL, or what the key takes. `field` is an enumeration of the key's. */
static const char *choice_parse(enum key_type type, void *field, const char *value)
{
    const struct choice *choice = choices;
    while (choice->type != type)
        choice++;
    for (unsigned i = 0; i < COUNT_OF(choice->words) && choice->words[i] != NULL; i++)
        if (strcasecmp(value, choice->words[i]) == 0) {
            memcpy(field, &i, sizeof i);
            return NULL;
        }
    return choice->problem;
}
_Static_assert(sizeof(enum config_when) == sizeof(unsigned) && sizeof(enum config_delegate) == sizeof(unsigned) &&
                   sizeof(enum config_fallback) == sizeof(unsigned) && sizeof(enum config_tls) == sizeof(unsigned) &&
                   sizeof(enum config_lsa) == sizeof(unsigned),
               "choice_parse writes a number");

static const char *value_parse(const struct key *key, struct config *config, const char *value, bool first)
{
    void *field = (char *)config + key->offset;
    if (!utf8_valid(slice_of_text(value)))
        return "takes UTF-8 text";
    switch (key->type) {
    case KEY_TEXT: {
        if (*value == '\0')
            return "takes a text";
        char *copy = mem_strdup(value);
        if (copy == NULL)
            return no_memory;
        mem_free(*(char **)field);
        *(char **)field = copy;
        return NULL;
    }
    case KEY_LIST:
        return list_parse(field, value);
    case KEY_LINES:
        return line_add(field, value, first);
    case KEY_SWITCH:
        return switch_parse(field, value) ? NULL : "takes yes or no";
    case KEY_NUMBER:
        return number_parse(key->offset, field, value);
    case KEY_WHEN:
    case KEY_DELEGATE:
    case KEY_FALLBACK:
    case KEY_TLS:
    case KEY_LSA:
        return choice_parse(key->type, field, value);
    }
    return "has no type";
}

static void problem_set(struct parse *parse, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void problem_set(struct parse *parse, const char *format, ...)
{
    if (parse->problem[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(parse->problem, sizeof parse->problem, format, arguments);
    va_end(arguments);
    parse->problem_line = parse->line;
}

/* inih's handler: 1 goes on, 0 marks the line as wrong. */
static int entry_parse(void *user, const char *section, const char *name, const char *value)
{
    struct parse *parse = user;
    if (parse->problem[0] != '\0')
        return 0;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(section, keys[i].section) != 0 || strcmp(name, keys[i].name) != 0)
            continue;
        bool twice = parse->seen[i] && keys[i].type != KEY_LINES;
        const char *wrong = twice ? "stands twice in this file"
                                  : value_parse(&keys[i], parse->config, value != NULL ? value : "", !parse->seen[i]);
        parse->seen[i] = true;
        if (wrong == NULL)
            return 1;
        if (wrong == no_memory)
            problem_set(parse, "%s", no_memory);
        else
            problem_set(parse, "\"%s\" in [%s] %s", name, section, wrong);
        return 0;
    }
    problem_set(parse, "unknown key \"%.64s\" in [%.64s]", name, section);
    return 0;
}

#define BLANKS " \t\v\f\r"

/* What stands behind "[section]" inih would pass over, though somebody meant it. */
static bool section_ends(const char *line)
{
    const char *end = line[0] == '[' ? strchr(line, ']') : NULL;
    if (end == NULL)
        return true;
    end += 1 + strspn(end + 1, BLANKS);
    return *end == '\0' || *end == '#' || *end == ';';
}

/* inih's reader, like fgets. Its own would cut a long line in two and take the second half for a line of its own; and an indented line would go on
 * with the key before it, whatever it says. */
static char *line_read(char *to, int room, void *user)
{
    struct parse *parse = user;
    if (parse->rest.len == 0)
        return NULL;
    const uint8_t *newline = memchr(parse->rest.data, '\n', parse->rest.len);
    size_t len = newline != NULL ? (size_t)(newline - parse->rest.data) : parse->rest.len;
    parse->line++;
    const char *line = (const char *)parse->rest.data;
    size_t blanks = 0;
    while (blanks < len && strchr(BLANKS, line[blanks]) != NULL)
        blanks++;
    to[0] = '\0';
    if (len - blanks + 2 <= (size_t)room) {
        memcpy(to, line + blanks, len - blanks);
        to[len - blanks] = '\0';
        if (!section_ends(to))
            problem_set(parse, "something behind a section's name");
    } else if (strchr("#;", line[blanks]) == NULL)
        problem_set(parse, "a line of more than %d bytes", room - 2);
    size_t taken = len + (newline != NULL ? 1 : 0);
    parse->rest = slice_of(parse->rest.data + taken, parse->rest.len - taken);
    return to;
}

SECURITY_STATUS config_parse_text(struct config *config, const char *name, struct slice text)
{
    static const char bom[] = {'\xEF', '\xBB', '\xBF'};
    if (text.len >= sizeof bom && memcmp(text.data, bom, sizeof bom) == 0)
        text = slice_of(text.data + sizeof bom, text.len - sizeof bom);
    struct parse parse = {.config = config, .rest = text};
    require(text.len == 0 || memchr(text.data, 0, text.len) == NULL,
            cause_set(SEC_E_INTERNAL_ERROR, "%s: this is not a text file", name));
    int line = ini_parse_stream(line_read, &parse, entry_parse, &parse); /* the first wrong line */
    require(line >= 0 && strcmp(parse.problem, no_memory) != 0, SEC_E_INSUFFICIENT_MEMORY);
    if (parse.problem[0] != '\0' && (line == 0 || parse.problem_line <= line))
        return cause_set(SEC_E_INTERNAL_ERROR, "%s:%d: %s", name, parse.problem_line, parse.problem);
    require(line == 0,
            cause_set(SEC_E_INTERNAL_ERROR, "%s:%d: not a section, a key with a value, or a comment", name, line));
    return SEC_E_OK;
}

bool config_is_foreign(enum config_source source, uid_t owner, uid_t user)
{
    return source == CONFIG_USER && owner != user && owner != 0;
}

static SECURITY_STATUS file_examine(int fd, const char *path, struct stat *status)
{
    require(fstat(fd, status) == 0,
            cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot be examined: %s", path, strerror(errno)));
    return SEC_E_OK;
}

static SECURITY_STATUS file_read(int fd, const char *path, const struct stat *status, char **text, size_t *len)
{
    require(S_ISREG(status->st_mode) && (size_t)status->st_size <= CONFIG_FILE_MAX,
            cause_set(SEC_E_INTERNAL_ERROR, "%s: not a regular file of at most 1 MiB", path));
    require((status->st_mode & S_IWOTH) == 0, cause_set(SEC_E_INTERNAL_ERROR, "%s: everybody may write it (mode %04o)",
                                                        path, (unsigned)(status->st_mode & 07777)));
    *len = (size_t)status->st_size;
    *text = mem_zalloc(*len + 1);
    require(*text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    /* What stands behind a place may harden what was read: half a configuration is none. */
    enum file_whole reading = file_whole_read(fd, status, (uint8_t *)*text);
    require(reading != FILE_WHOLE_FAILED,
            cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot be read: %s", path, strerror(errno)));
    require(reading == FILE_WHOLE,
            cause_set(SEC_E_INTERNAL_ERROR, "%s: the file changed while it was read; try again", path));
    return SEC_E_OK;
}

/* May this file that cannot be opened be passed over? A file that is there and closed to us may not: what it hardens would be lost. */
static bool may_be_missing(const char *path, enum config_source source, uid_t user, int error)
{
    struct stat status;
    if (source == CONFIG_WANTED)
        return false;
    if (error == ENOENT || error == ENOTDIR)
        return true;
    if (source != CONFIG_USER)
        return false;
    /* A home that we may not look into; or somebody else's file, whatever he makes of it (a socket, a lease). */
    return stat(path, &status) != 0 ? error == EACCES : config_is_foreign(source, status.st_uid, user);
}

SECURITY_STATUS config_parse_file(struct config *config, const char *path, enum config_source source, uid_t user)
{
    AUTO_FREE char *text = NULL;
    size_t len = 0;
    struct stat examined;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int error = errno;
        if (may_be_missing(path, source, user, error))
            return SEC_E_OK;
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot be opened: %s", path, strerror(error));
    }
    /* The file that was opened is judged: another may have stood in its place a moment ago. */
    SECURITY_STATUS status = file_examine(fd, path, &examined);
    bool foreign = status == SEC_E_OK && config_is_foreign(source, examined.st_uid, user);
    if (foreign)
        TRACE("config", "%s belongs to user %lu and is not read", path, (unsigned long)examined.st_uid);
    else if (status == SEC_E_OK)
        status = file_read(fd, path, &examined, &text, &len);
    close(fd);
    try(status);
    return foreign ? SEC_E_OK : config_parse_text(config, path, slice_of(text, len));
}
