#include "cli.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/config.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

enum option_id {
    ID_STORE = 256,
    ID_DOMAIN,
    ID_JSON,
    ID_FULL_NAME,
    ID_UID,
    ID_GID,
    ID_EXPIRES,
    ID_PASSWORD_EXPIRES,
    ID_MUST_CHANGE,
    ID_SID,
    ID_NO_PASSWORD,
    ID_LOCK,
    ID_UNLOCK,
    ID_FORMAT,
    ID_REPLACE,
    ID_OUTPUT,
    ID_COMMENT,
    ID_PACKAGE,
    ID_USER,
    ID_TARGET,
    ID_FLAGS,
    ID_CERTIFICATE,
    ID_KEY,
    ID_CA,
    ID_INSECURE,
    ID_TIMEOUT,
    ID_HEAD,
    ID_VERBOSE,
    ID_SECONDS,
    ID_NEW_CREDENTIALS,
    ID_HELP,
};

static const struct {
    const char *name, *value, *what; /* value NULL: a switch */
    int id;
    unsigned of; /* enum cli_option: the sub-commands that take it */
} known[] = {
    {"store", "FILE", "the database (default: the first sqlite store of the configuration)", ID_STORE, OPTION_STORE},
    {"domain", "DOMAIN", "the account's domain (default: none, which is this computer's)", ID_DOMAIN,
     OPTION_DOMAIN_NEW},
    {"domain", "DOMAIN", "the account's domain, \"\" for none (default: that of the only account of this name)",
     ID_DOMAIN, OPTION_DOMAIN},
    {"domain", "DOMAIN", "the user's domain (default: none)", ID_DOMAIN, OPTION_DOMAIN_USER},
    {"json", NULL, "machine-readable output", ID_JSON, OPTION_JSON},
    {"full-name", "TEXT", "full name", ID_FULL_NAME, OPTION_ACCOUNT},
    {"uid", "N", "Unix user id", ID_UID, OPTION_ACCOUNT},
    {"gid", "N", "Unix group id", ID_GID, OPTION_ACCOUNT | OPTION_GROUP},
    {"expires", "YYYY-MM-DD", "the account ends at the start of that day (UTC), or \"never\"", ID_EXPIRES,
     OPTION_ACCOUNT},
    {"password-expires", "YYYY-MM-DD", "the present password ends at the start of that day (UTC), or \"never\"",
     ID_PASSWORD_EXPIRES, OPTION_PASSWORD_EXPIRES},
    {"must-change", NULL, "the password must be changed at the next logon", ID_MUST_CHANGE,
     OPTION_ACCOUNT | OPTION_MUST_CHANGE},
    {"sid", "SID", "security identifier (default: the next one)", ID_SID, OPTION_SID},
    {"no-password", NULL, "without a password: nobody can log on", ID_NO_PASSWORD, OPTION_NO_PASSWORD},
    {"lock", NULL, "lock the account", ID_LOCK, OPTION_LOCK},
    {"unlock", NULL, "unlock the account and forget wrong passwords", ID_UNLOCK, OPTION_LOCK},
    {"format", "FORMAT", "smbpasswd, sam or own (default: what the file looks like)", ID_FORMAT, OPTION_FORMAT_IN},
    {"format", "FORMAT", "smbpasswd or own (default: own)", ID_FORMAT, OPTION_FORMAT_OUT},
    {"replace", NULL, "overwrite accounts that exist", ID_REPLACE, OPTION_REPLACE},
    {"output", "FILE", "write to a new file (mode 0600) instead of standard output", ID_OUTPUT, OPTION_OUTPUT},
    {"comment", "TEXT", "comment", ID_COMMENT, OPTION_GROUP},
    {"package", "NAME", "security package (default: Negotiate; \"sspi packages\" lists them)", ID_PACKAGE,
     OPTION_PACKAGE},
    {"user", "[DOMAIN\\]USER",
     "as this user; the password is asked for, or is a line of standard input (default: default credentials)", ID_USER,
     OPTION_USER},
    {"target", "NAME",
     "the service's name, such as HTTP/www.example.test (default: made from the host, where there is one)", ID_TARGET,
     OPTION_TARGET},
    {"flags", "FLAG,...", "what to ask for instead of the default: names as in ISC_REQ_MUTUAL_AUTH, or \"none\"",
     ID_FLAGS, OPTION_FLAGS},
    {"certificate", "FILE", "our certificate and its chain, in PEM (Schannel, CREDSSP)", ID_CERTIFICATE,
     OPTION_CERTIFICATE},
    {"key", "FILE", "the certificate's private key, in PEM (default: in the certificate's file)", ID_KEY,
     OPTION_CERTIFICATE},
    {"ca", "FILE", "the only certificates that may sign the server's, in PEM (TLS)", ID_CA, OPTION_CA},
    {"insecure", NULL, "take any certificate: whoever is in between can read and change everything", ID_INSECURE,
     OPTION_CA},
    {"timeout", "SECONDS", "how long to wait for the peer (default: 30)", ID_TIMEOUT, OPTION_TIMEOUT},
    {"timeout", "SECONDS",
     "how long to wait for a client (default: until somebody comes), and for its words (default: 30)", ID_TIMEOUT,
     OPTION_TIMEOUT_LISTEN},
    {"head", NULL, "ask for the head alone, and print it", ID_HEAD, OPTION_HEAD},
    {"verbose", NULL, "tell each step on standard error", ID_VERBOSE, OPTION_HEAD | OPTION_FLAGS},
    {"seconds", "N", "how long to measure each thing (default: 1)", ID_SECONDS, OPTION_SECONDS},
    {"new-credentials", NULL, "not proved now: for services elsewhere", ID_NEW_CREDENTIALS, OPTION_NEW_CREDENTIALS},
    {"help", NULL, "this text", ID_HELP, ~0U},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

bool cli_option_next(const struct cli_command *command, size_t *at, const char **name, const char **value,
                     const char **what)
{
    for (; *at < N_KNOWN; (*at)++)
        if ((known[*at].of & command->options) != 0 || known[*at].id == ID_HELP) {
            *name = known[*at].name;
            *value = known[*at].value;
            *what = known[*at].what;
            (*at)++;
            return true;
        }
    return false;
}

/* "account add", or "connect" in a family of one. */
#define TITLE_MAX 64
static const char *title(const struct cli_family *family, const struct cli_command *command, char text[TITLE_MAX])
{
    snprintf(text, TITLE_MAX, "%s%s%s", family->name, command->name[0] == '\0' ? "" : " ", command->name);
    return text;
}

static void command_usage(FILE *out, const char *called, const struct cli_command *command)
{
    fprintf(out, "usage: sspi %s [OPTIONS]%s%s\n", called, command->operands[0] == '\0' ? "" : " ", command->operands);
}

static void command_help(FILE *out, const char *called, const struct cli_command *command)
{
    const char *name, *value, *what;
    command_usage(out, called, command);
    fprintf(out, "%s.\n\n", command->what);
    for (size_t at = 0; cli_option_next(command, &at, &name, &value, &what);) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", name, value == NULL ? "" : " ", value == NULL ? "" : value);
        fprintf(out, "  %-30s %s\n", left, what);
    }
}

static void family_help(FILE *out, const struct cli_family *family)
{
    fprintf(out, "usage: sspi %s COMMAND [OPTIONS] ...\n\n", family->name);
    for (size_t i = 0; i < family->n_commands; i++) {
        char left[80];
        snprintf(left, sizeof(left), "%s %s", family->commands[i].name, family->commands[i].operands);
        fprintf(out, "  %-26s %s\n", left, family->commands[i].what);
    }
    fprintf(out, "\n\"sspi %s COMMAND --help\" tells its options.\n", family->name);
}

static void option_take(struct cli_options *options, int id, const char *value)
{
    const struct {
        int id;
        const char **text;
        bool *set;
    } fields[] = {
        {ID_STORE, &options->store, NULL},
        {ID_DOMAIN, &options->domain, NULL},
        {ID_JSON, NULL, &options->json},
        {ID_FULL_NAME, &options->full_name, NULL},
        {ID_UID, &options->uid, NULL},
        {ID_GID, &options->gid, NULL},
        {ID_EXPIRES, &options->expires, NULL},
        {ID_MUST_CHANGE, NULL, &options->must_change},
        {ID_SID, &options->sid, NULL},
        {ID_NO_PASSWORD, NULL, &options->no_password},
        {ID_LOCK, NULL, &options->lock},
        {ID_UNLOCK, NULL, &options->unlock},
        {ID_FORMAT, &options->format, NULL},
        {ID_REPLACE, NULL, &options->replace},
        {ID_PASSWORD_EXPIRES, &options->password_expires, NULL},
        {ID_OUTPUT, &options->output, NULL},
        {ID_COMMENT, &options->comment, NULL},
        {ID_PACKAGE, &options->package, NULL},
        {ID_USER, &options->user, NULL},
        {ID_TARGET, &options->target, NULL},
        {ID_FLAGS, &options->flags, NULL},
        {ID_CERTIFICATE, &options->certificate, NULL},
        {ID_KEY, &options->key, NULL},
        {ID_CA, &options->ca, NULL},
        {ID_INSECURE, NULL, &options->insecure},
        {ID_TIMEOUT, &options->timeout, NULL},
        {ID_HEAD, NULL, &options->head},
        {ID_VERBOSE, NULL, &options->verbose},
        {ID_SECONDS, &options->seconds, NULL},
        {ID_NEW_CREDENTIALS, NULL, &options->new_credentials},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].id != id)
            continue;
        if (fields[i].text != NULL)
            *fields[i].text = value;
        else if (fields[i].set != NULL)
            *fields[i].set = true;
    }
}

/* Its name, where it is one that this command does not take. Some have two entries: other words for other commands. */
static const char *option_of_others(const struct cli_command *command, int id)
{
    const char *name = NULL;
    for (size_t i = 0; i < N_KNOWN; i++)
        if (known[i].id == id) {
            require((known[i].of & command->options) == 0 && id != ID_HELP, NULL);
            name = known[i].name;
        }
    return name;
}

static int options_parse(const char *called, const struct cli_command *command, int argc, char **argv,
                         struct cli_options *options)
{
    struct option table[N_KNOWN + 1] = {{0}};
    for (size_t i = 0; i < N_KNOWN; i++)
        table[i] =
            (struct option){known[i].name, known[i].value == NULL ? no_argument : required_argument, NULL, known[i].id};
    /* A negative number at the end, a status, is no option. */
    int n_numbers =
        argc > 1 && argv[argc - 1][0] == '-' && argv[argc - 1][1] >= '0' && argv[argc - 1][1] <= '9' ? 1 : 0;
    opterr = 0;
    optind = 1;
    for (int id; (id = getopt_long(argc - n_numbers, argv, ":h", table, NULL)) != -1;) {
        if (id == ':')
            return cli_misuse("%s wants a value; see \"sspi %s --help\"", argv[optind - 1], called);
        const char *other = option_of_others(command, id);
        if (other != NULL)
            return cli_misuse("\"sspi %s\" does not take --%s; see its --help", called, other);
        if (id == ID_HELP || id == 'h') {
            command_help(stdout, called, command);
            options->n_operands = -1;
            return CLI_OK;
        }
        if (id == '?' && optopt > 0 && optopt < ID_STORE) /* of several letters in one word */
            return cli_misuse("unknown option -%c; see \"sspi %s --help\"", optopt, called);
        if (id == '?')
            return cli_misuse("unknown option %s; see \"sspi %s --help\"", argv[optind - 1], called);
        option_take(options, id, optarg);
    }
    options->operand = argv + optind;
    options->n_operands = argc - optind;
    if (options->n_operands < command->min_operands || options->n_operands > command->max_operands) {
        command_usage(stderr, called, command);
        return CLI_USAGE;
    }
    return CLI_OK;
}

static int command_run(const struct cli_family *family, const struct cli_command *command, int argc, char **argv)
{
    struct cli_options options = {0};
    char called[TITLE_MAX];
    int code = options_parse(title(family, command, called), command, argc, argv, &options);
    if (code != CLI_OK || options.n_operands < 0)
        return code;
    return command->run(&options);
}

int cli_dispatch(const struct cli_family *family, int argc, char **argv)
{
    if (family->commands[0].name[0] == '\0')
        return command_run(family, &family->commands[0], argc, argv);
    if (argc < 2) {
        family_help(stderr, family);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        family_help(stdout, family);
        return CLI_OK;
    }
    for (size_t i = 0; i < family->n_commands; i++)
        if (strcmp(argv[1], family->commands[i].name) == 0)
            return command_run(family, &family->commands[i], argc - 1, argv + 1);
    return cli_misuse("there is no \"sspi %s %s\"; see \"sspi %s --help\"", family->name, argv[1], family->name);
}

int cli_open(const struct cli_options *options, bool create, struct account_admin **admin)
{
    static const struct config *config; /* kept: the realms lie in it */
    static struct digest_realms realms;
    const char *path = options->store;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return cli_status(status);
    realms = digest_realms_configured(config);
    if (path == NULL) {
        for (unsigned i = 0; i < config->stores.n_items && path == NULL; i++)
            if (strncmp(config->stores.item[i], "sqlite:", 7) == 0)
                path = config->stores.item[i] + 7;
    }
    int code;
    if (path == NULL || *path == '\0')
        code = cli_fail("the configuration names no sqlite store; give one with --store FILE, or add \"stores = "
                        "sqlite:FILE\" to its [accounts]");
    else
        code = cli_status(account_admin_open(path, create, admin));
    if (code == CLI_OK)
        account_admin_digest(*admin, &realms);
    return code;
}

int cli_split_name(const struct cli_options *options, const char *operand, char **domain, char **name)
{
    const char *backslash = strchr(operand, '\\');
    if (backslash != NULL && options->domain != NULL)
        return cli_misuse("give the domain once: as DOMAIN\\NAME or with --domain");
    if (backslash != NULL)
        *domain = mem_dup(operand, (size_t)(backslash - operand));
    else
        *domain = mem_strdup(options->domain == NULL ? "" : options->domain);
    *name = mem_strdup(backslash == NULL ? operand : backslash + 1);
    return *domain == NULL || *name == NULL ? cli_fail("out of memory") : CLI_OK;
}

int cli_number(const char *what, const char *text, int64_t *number)
{
    int64_t value = 0;
    size_t len = strlen(text);
    bool good = len > 0 && len <= 10;
    for (size_t i = 0; good && i < len; i++) {
        good = text[i] >= '0' && text[i] <= '9';
        value = value * 10 + (text[i] - '0');
    }
    if (!good || value >= UINT32_MAX)
        return cli_misuse("--%s wants a number below 4294967295, not \"%s\"", what, text);
    *number = value;
    return CLI_OK;
}

int cli_expiry(const char *what, const char *text, int64_t *filetime)
{
    struct tm day = {0};
    if (strcmp(text, "never") == 0) {
        *filetime = FILETIME_NEVER;
        return CLI_OK;
    }
    const char *end = strptime(text, "%Y-%m-%d", &day);
    struct tm real =
        day; /* timegm pushes a day that the month does not have into the next month: it comes back changed */
    time_t seconds = end != NULL && *end == '\0' ? timegm(&real) : -1;
    int64_t found = filetime_from_unix(seconds);
    if (seconds == -1 || real.tm_mday != day.tm_mday || found < 0) /* file times begin in 1601 */
        return cli_misuse("--%s wants a day as YYYY-MM-DD or \"never\", not \"%s\"", what, text);
    *filetime = found;
    return CLI_OK;
}

void cli_time(int64_t filetime, char text[CLI_TIME_MAX])
{
    struct tm broken;
    time_t seconds = filetime_to_unix(filetime);
    if (gmtime_r(&seconds, &broken) == NULL || strftime(text, CLI_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &broken) == 0)
        snprintf(text, CLI_TIME_MAX, "?");
}
