#include "cli.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/config.h"
#include "core/identity.h"
#include "core/registry.h"
#include "decode/clean.h"
#include "lsa/logons.h"

#include <inttypes.h>
#include <sspi.h>
#include <stdlib.h>
#include <string.h>

/* Logon sessions live with the security authority's daemon: without one they would end with this command. */

static int daemon_need(const struct config **config)
{
    SECURITY_STATUS status = config_get(config);
    if (status != SEC_E_OK)
        return cli_status(status);
    if ((*config)->lsa_mode != LSA_EMBEDDED)
        return CLI_OK;
    config_release(*config);
    return cli_fail("there is no security authority to log on to: set \"mode\" in [lsa] of the configuration to "
                    "daemon, and start opensspi-lsad");
}

static int package_find(const char *name, const struct package **package)
{
    PSecPkgInfoA info = NULL; /* asked as any program does, which also starts the library */
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)(uintptr_t)name, &info);
    if (status != SEC_E_OK)
        return cli_status(status);
    *package = registry_find(info->Name);
    FreeContextBuffer(info);
    return *package != NULL ? CLI_OK : cli_fail("there is no security package \"%s\"", name);
}

static int password_ask(const char *who, struct identity *identity)
{
    AUTO_SECRET struct secret typed = {0};
    int code = cli_password_ask(who, &typed);
    if (code != CLI_OK)
        return code;
    AUTO_FREE char *text = mem_dup(typed.data, typed.len);
    bool set = text != NULL && utf16le_secret(&identity->password, text) == WIRE_OK;
    if (text != NULL)
        secret_wipe(text, typed.len);
    identity->has_password = true;
    return set ? CLI_OK : cli_fail("the password is not UTF-8");
}

static int logon_run(const struct cli_options *options)
{
    const struct config *config;
    const struct package *package = NULL;
    const char *who = options->operand[0];
    AUTO_IDENTITY struct identity identity = {0};
    uint64_t id = 0;
    int code = daemon_need(&config);
    if (code != CLI_OK)
        return code;
    code = package_find(options->package != NULL ? options->package : "Negotiate", &package);
    if (code == CLI_OK)
        code = cli_split_name(options, who, &identity.domain, &identity.user);
    if (code == CLI_OK)
        code = password_ask(who, &identity);
    if (code == CLI_OK)
        code = cli_sspi_status(
            who, logons_log_on(config, package, &identity,
                               options->new_credentials ? SESSION_NEW_CREDENTIALS : SESSION_INTERACTIVE, &id, NULL));
    if (code == CLI_OK)
        printf("logged on, session %016" PRIX64 "\n", id);
    config_release(config);
    return code;
}

static int logoff_run(const struct cli_options *options)
{
    const struct config *config;
    unsigned long long id = 0;
    char *end = NULL;
    if (options->n_operands > 0) {
        id = strtoull(options->operand[0], &end, 16);
        if (id == 0 || *end != '\0')
            return cli_misuse("\"%s\" is no session's number; \"sspi sessions\" lists them", options->operand[0]);
    }
    int code = daemon_need(&config);
    if (code != CLI_OK)
        return code;
    code = cli_status(logons_log_off(config, id));
    config_release(config);
    return code;
}

static void session_print(const struct logon_told *told, struct json_list *list)
{
    char time[CLI_TIME_MAX];
    cli_time(told->time, time);
    if (!json_list_item(list)) {
        printf("%016" PRIX64 "  %s  type %-2" PRIu32 "  %s  ", told->id, time, told->type, told->package);
        clean_put(stdout, slice_of_text(told->domain), CLEAN_LINE);
        fputs(*told->domain != '\0' ? "\\" : "", stdout);
        clean_put(stdout, slice_of_text(told->user), CLEAN_LINE); /* whoever makes a session chooses its name */
        putchar('\n');
        return;
    }
    printf("{\"session\": \"%016" PRIX64 "\", \"time\": \"%s\", \"type\": %" PRIu32 ", \"package\": ", told->id, time,
           told->type);
    json_text(stdout, told->package);
    fputs(", \"domain\": ", stdout);
    json_text(stdout, told->domain);
    fputs(", \"user\": ", stdout);
    json_text(stdout, told->user);
    printf(", \"uid\": %" PRIu64 "}", told->owner);
}

static int sessions_run(const struct cli_options *options)
{
    const struct config *config;
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids = 0;
    int code = daemon_need(&config);
    if (code != CLI_OK)
        return code;
    code = cli_status(logons_list(config, &ids, &n_ids));
    struct json_list list = json_list_begin(code == CLI_OK && options->json);
    for (size_t i = 0; i < n_ids && code == CLI_OK; i++) {
        AUTO_TOLD struct logon_told told = {0};
        if (logons_describe(config, ids[i], &told) != SEC_E_OK)
            continue; /* it ended in between */
        session_print(&told, &list);
    }
    json_list_end(&list);
    config_release(config);
    return code;
}

static const struct cli_command logon_commands[] = {
    {"", "[DOMAIN\\]USER",
     "Proves a password to the security authority, and leaves it there as this user's default credentials",
     OPTION_PACKAGE | OPTION_NEW_CREDENTIALS | OPTION_DOMAIN_USER, 1, 1, logon_run},
};
const struct cli_family cli_logon = {"logon", "log on: from then on this user's default credentials", logon_commands,
                                     1};

static const struct cli_command logoff_commands[] = {
    {"", "[SESSION]", "Ends a logon session; without a number the newest that gives defaults", 0, 0, 1, logoff_run},
};
const struct cli_family cli_logoff = {"logoff", "end a logon session", logoff_commands, 1};

static const struct cli_command sessions_commands[] = {
    {"", "", "Lists the logon sessions that this user may see", OPTION_JSON, 0, 0, sessions_run},
};
const struct cli_family cli_sessions = {"sessions", "this user's logon sessions", sessions_commands, 1};
