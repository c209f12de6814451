/* The command `sspi`. */
#include "cli.h"

#include "core/cause.h"

#include <sspi_ext.h>
#include <stdarg.h>
#include <string.h>

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} families[] = {
    {"account", "accounts of the local store", cli_account},
    {"group", "groups of the local store", cli_group},
    {"packages", "the security packages there are", cli_packages},
    {"logon", "log on: from then on this user's default credentials", cli_logon},
    {"logoff", "end a logon session", cli_logoff},
    {"sessions", "the logon sessions that this user has", cli_sessions},
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

static void message(const char *format, va_list arguments)
{
    fputs("sspi: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_misuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
    return CLI_USAGE;
}

int cli_status(SECURITY_STATUS status)
{
    if (status == SEC_E_OK)
        return CLI_OK;
    if (cause_text()[0] != '\0')
        return cli_fail("%s", cause_text());
    if (status == SEC_E_INSUFFICIENT_MEMORY)
        return cli_fail("out of memory");
    return cli_fail("failed with status 0x%08X", (unsigned)status);
}

static void usage(FILE *out)
{
    fputs("usage: sspi FAMILY COMMAND [OPTIONS] ...\n\n", out);
    for (size_t i = 0; i < N_FAMILIES; i++)
        fprintf(out, "  sspi %-10s %s\n", families[i].name, families[i].what);
    fputs("\n\"sspi FAMILY --help\" tells more; \"sspi --version\" tells the version.\n", out);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sspi (OpenSSPI) " OPENSSPI_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (strcmp(argv[1], families[i].name) == 0)
            return families[i].run(argc - 1, argv + 1);
    return cli_misuse("there is no \"sspi %s\"; see \"sspi --help\"", argv[1]);
}

int main(int argc, char **argv)
{
    int code = run(argc, argv);
    /* A full disk behind a redirection must not look like success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_OK)
        code = cli_fail("cannot write to standard output");
    return code;
}
