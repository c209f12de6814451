#include "cli.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/config.h"
#include "lsa/logons.h"

#include <ntsecapi.h>
#include <stdlib.h>
#include <string.h>

/* Logon sessions live with the security authority's daemon: without one they would end with this command. */

static int daemon_need(void)
{
    const struct config *config;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return cli_status(status);
    bool embedded = config->lsa_mode == LSA_EMBEDDED;
    config_release(config);
    return embedded
               ? cli_fail("there is no security authority to log on to: set \"mode\" in [lsa] of the configuration "
                          "to daemon, and start opensspi-lsad")
               : CLI_OK;
}

static int nt_status(const char *what, NTSTATUS status)
{
    if (cause_text()[0] != '\0')
        return cli_fail("%s: %s", what, cause_text());
    return cli_fail("%s: status 0x%08X", what, (unsigned)status);
}

static void string_set(UNICODE_STRING *string, const void *units, size_t len, uint8_t **at)
{
    string->Length = string->MaximumLength = (USHORT)len;
    string->Buffer = (PWSTR)*at;
    memcpy(*at, units, len);
    *at += len;
}

/* The structure with its three strings behind it, wiped by the caller. */
static int logon_make(const char *domain, const char *user, const struct secret *password, struct secret *block)
{
    AUTO_WRITER struct writer names = writer_growing(512);
    size_t domain_len = utf16le_len(domain), user_len = utf16le_len(user);
    if (utf16le_write(&names, domain) != WIRE_OK || utf16le_write(&names, user) != WIRE_OK ||
        writer_finish(&names) != WIRE_OK)
        return cli_fail("the name is not UTF-8");
    if (!secret_alloc(block, sizeof(MSV1_0_INTERACTIVE_LOGON) + names.len + password->len))
        return cli_fail("out of memory");
    MSV1_0_INTERACTIVE_LOGON *logon = (MSV1_0_INTERACTIVE_LOGON *)(void *)block->data;
    uint8_t *at = block->data + sizeof *logon;
    logon->MessageType = MsV1_0InteractiveLogon;
    string_set(&logon->LogonDomainName, names.data, domain_len, &at);
    string_set(&logon->UserName, names.data + domain_len, user_len, &at);
    string_set(&logon->Password, password->data, password->len, &at);
    return CLI_OK;
}

static int log_on(const char *package, SECURITY_LOGON_TYPE type, const struct secret *block, LUID *luid)
{
    char *name = (char *)(uintptr_t)package;
    LSA_STRING string = {.Length = (USHORT)strlen(name), .MaximumLength = (USHORT)strlen(name), .Buffer = name};
    TOKEN_SOURCE source = {.SourceName = "sspi"};
    LSA_STRING origin = {.Length = 4, .MaximumLength = 4, .Buffer = (char *)(uintptr_t) "sspi"};
    HANDLE lsa = NULL, token = NULL;
    ULONG number = 0, profile_len = 0;
    void *profile = NULL;
    QUOTA_LIMITS quotas;
    NTSTATUS reason, status = LsaConnectUntrusted(&lsa);
    if (status != 0)
        return nt_status("connecting", status);
    status = LsaLookupAuthenticationPackage(lsa, &string, &number);
    if (status != 0) {
        LsaDeregisterLogonProcess(lsa);
        return cli_fail("there is no security package \"%s\"", package);
    }
    status = LsaLogonUser(lsa, &origin, type, number, block->data, (ULONG)block->len, NULL, &source, &profile,
                          &profile_len, luid, &token, &quotas, &reason);
    int code = status == 0 ? CLI_OK : nt_status("logging on", status);
    LsaDeregisterLogonProcess(lsa);
    return code;
}

static void luid_print(const LUID *luid)
{
    printf("%08X%08X", (unsigned)luid->HighPart, (unsigned)luid->LowPart);
}

int cli_logon(int argc, char **argv)
{
    static const char usage[] = "usage: sspi logon [--package NAME] [--new-credentials] [DOMAIN\\]USER";
    const char *package = "Negotiate", *who = NULL;
    SECURITY_LOGON_TYPE type = Interactive;
    struct cli_options none = {0};
    AUTO_FREE char *domain = NULL, *user = NULL;
    AUTO_SECRET struct secret password = {0}, block = {0};
    LUID luid = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            printf("%s\n\nThe password is asked for, or read from standard input. --new-credentials: not proved now, "
                   "for services elsewhere.\n",
                   usage);
            return CLI_OK;
        }
        if (strcmp(argv[i], "--package") == 0 && i + 1 < argc)
            package = argv[++i];
        else if (strcmp(argv[i], "--new-credentials") == 0)
            type = NewCredentials;
        else if (who == NULL && argv[i][0] != '-')
            who = argv[i];
        else
            return cli_misuse("%s", usage);
    }
    if (who == NULL)
        return cli_misuse("%s", usage);
    int code = daemon_need();
    if (code == CLI_OK)
        code = cli_split_name(&none, who, &domain, &user);
    if (code == CLI_OK)
        code = cli_password_ask(who, &password);
    if (code == CLI_OK)
        code = logon_make(domain != NULL ? domain : "", user, &password, &block);
    if (code == CLI_OK)
        code = log_on(package, type, &block, &luid);
    if (code == CLI_OK) {
        fputs("logged on, session ", stdout);
        luid_print(&luid);
        fputc('\n', stdout);
    }
    return code;
}

int cli_logoff(int argc, char **argv)
{
    unsigned long long id = 0;
    char *end;
    const struct config *config;
    if (argc > 2 || (argc == 2 && ((id = strtoull(argv[1], &end, 16)) == 0 || *end != '\0')))
        return cli_misuse("usage: sspi logoff [SESSION]");
    int code = daemon_need();
    if (code != CLI_OK)
        return code;
    SECURITY_STATUS status = config_get(&config);
    if (status == SEC_E_OK) {
        status = logons_log_off(config, id);
        config_release(config);
    }
    return cli_status(status);
}

static void string_print(const UNICODE_STRING *string)
{
    AUTO_FREE char *text = NULL;
    if (utf16le_to_text(slice_of(string->Buffer, string->Length), &text) == WIRE_OK)
        fputs(text, stdout);
}

static int session_print(LUID *luid)
{
    PSECURITY_LOGON_SESSION_DATA data = NULL;
    NTSTATUS status = LsaGetLogonSessionData(luid, &data);
    if (status != 0)
        return CLI_OK; /* it ended in between */
    luid_print(luid);
    char time[CLI_TIME_MAX];
    cli_time(data->LogonTime.QuadPart, time);
    printf("  %s  type %-2u  ", time, (unsigned)data->LogonType);
    string_print(&data->AuthenticationPackage);
    fputs("  ", stdout);
    string_print(&data->LogonDomain);
    fputs(data->LogonDomain.Length > 0 ? "\\" : "", stdout);
    string_print(&data->UserName);
    fputc('\n', stdout);
    LsaFreeReturnBuffer(data);
    return CLI_OK;
}

int cli_sessions(int argc, char **argv)
{
    ULONG n_sessions = 0;
    PLUID list = NULL;
    (void)argv;
    if (argc > 1)
        return cli_misuse("usage: sspi sessions");
    int code = daemon_need();
    if (code != CLI_OK)
        return code;
    NTSTATUS status = LsaEnumerateLogonSessions(&n_sessions, &list);
    if (status != 0)
        return nt_status("listing", status);
    for (ULONG i = 0; i < n_sessions && code == CLI_OK; i++)
        code = session_print(&list[i]);
    LsaFreeReturnBuffer(list);
    return code;
}
