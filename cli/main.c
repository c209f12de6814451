/* The command `sspi`. */
#include "cli.h"

#include "core/cause.h"
#include "decode/clean.h"

#include <fcntl.h>
#include <sspi_ext.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 4096

const struct cli_family *const cli_families[] = {&cli_packages,   &cli_whoami,  &cli_creds, &cli_logon,   &cli_logoff,
                                                 &cli_sessions,   &cli_account, &cli_group, &cli_connect, &cli_listen,
                                                 &cli_get,        &cli_decode,  &cli_error, &cli_doctor,  &cli_bench,
                                                 &cli_completion, NULL};

static void message(const char *format, va_list arguments)
{
    char text[MESSAGE_MAX];
    vsnprintf(text, sizeof(text), format, arguments);
    fputs("sspi: ", stderr);
    clean_put(stderr, slice_of_text(text), CLEAN_LINE); /* names and causes may be a peer's words */
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

void cli_tell(const char *what, const char *value)
{
    fprintf(stderr, "%-10s", what);
    clean_put(stderr, slice_of_text(value), CLEAN_LINE);
    fputc('\n', stderr);
}

void cli_show(struct slice text)
{
    if (isatty(STDOUT_FILENO) == 1)
        clean_put(stdout, text, CLEAN_LINES);
    else
        fwrite(text.data, 1, text.len, stdout);
    fflush(stdout);
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

const char *cli_status_name(SECURITY_STATUS status)
{
    static char text[80];
    const char *name = OpenSspiStatusName(status);
    snprintf(text, sizeof(text), "%s%s0x%08X%s", name, *name == '\0' ? "" : " (", (unsigned)status,
             *name == '\0' ? "" : ")");
    return text;
}

static int code_of(SECURITY_STATUS status)
{
    switch (status) {
    case SEC_E_NO_AUTHENTICATING_AUTHORITY:
        return CLI_UNREACHABLE;
    case SEC_E_LOGON_DENIED:
    case SEC_E_WRONG_PRINCIPAL:
    case SEC_E_TARGET_UNKNOWN:
    case SEC_E_BAD_BINDINGS:
    case SEC_E_MESSAGE_ALTERED:
    case SEC_E_OUT_OF_SEQUENCE:
    case SEC_E_UNTRUSTED_ROOT:
    case SEC_E_CERT_EXPIRED:
    case SEC_E_CERT_UNKNOWN:
    case SEC_E_MUTUAL_AUTH_FAILED:
    case SEC_E_TIME_SKEW:
    case SEC_E_INVALID_TOKEN:
    case SEC_E_ILLEGAL_MESSAGE:
    case SEC_E_DECRYPT_FAILURE:
    case SEC_E_CERT_WRONG_USAGE:
    case SEC_E_ISSUING_CA_UNTRUSTED:
    case SEC_E_ISSUING_CA_UNTRUSTED_KDC:
    case SEC_E_SMARTCARD_CERT_REVOKED:
    case SEC_E_SMARTCARD_LOGON_REQUIRED:
    case SEC_E_PKINIT_NAME_MISMATCH:
    case SEC_E_PKINIT_CLIENT_FAILURE:
    case SEC_E_ALGORITHM_MISMATCH:
    case SEC_E_APPLICATION_PROTOCOL_MISMATCH:
    case SEC_E_KDC_UNKNOWN_ETYPE:
    case SEC_E_DELEGATION_POLICY:
    case SEC_E_POLICY_NLTM_ONLY:
    case SEC_E_DOWNGRADE_DETECTED:
    case CRYPT_E_REVOKED:
    case CRYPT_E_NO_REVOCATION_CHECK:
    case CRYPT_E_REVOCATION_OFFLINE:
        return CLI_REFUSED;
    default: /* STATUS_ACCOUNT_LOCKED_OUT and its kin are NT statuses; CERT_E_... and TRUST_E_... are of one facility */
        return ((unsigned)status & 0xfff00000U) == 0xc0000000U || (unsigned)status >> 16 == 0x800b ? CLI_REFUSED
                                                                                                   : CLI_FAILED;
    }
}

int cli_sspi_status(const char *what, SECURITY_STATUS status)
{
    return cli_sspi_status_of(what, status, SIDE_ANY);
}

int cli_sspi_status_of(const char *what, SECURITY_STATUS status, enum cli_side side)
{
    if (status == SEC_E_OK)
        return CLI_OK;
    const char *cause = OpenSspiLastErrorText(), *advice = cli_status_advice(status, side, *cause != '\0');
    cli_fail("%s: %s%s%s", what, cli_status_name(status), *cause == '\0' ? "" : ": ", cause);
    if (advice != NULL)
        cli_fail("%s", advice);
    return code_of(status);
}

static void usage(FILE *out)
{
    fputs("usage: sspi [--trace] COMMAND [OPTIONS] ...\n\n", out);
    for (size_t i = 0; cli_families[i] != NULL; i++)
        fprintf(out, "  sspi %-10s %s\n", cli_families[i]->name, cli_families[i]->what);
    fputs("\n\"sspi COMMAND --help\" or \"sspi help COMMAND\" tells more; \"sspi --version\" tells the version;\n"
          "\"sspi --trace COMMAND ...\" prints each step of the packages on standard error, never a secret.\n"
          "Exit status: 0 done, 1 failed, 2 wrongly called, 3 refused, 4 nobody answered.\n",
          out);
}

static int dispatch(int argc, char **argv)
{
    for (size_t i = 0; cli_families[i] != NULL; i++)
        if (strcmp(argv[0], cli_families[i]->name) == 0)
            return cli_dispatch(cli_families[i], argc, argv);
    return cli_misuse("there is no \"sspi %s\"; see \"sspi --help\"", argv[0]);
}

/* "sspi help account add" is "sspi account add --help". */
static int help(int argc, char **argv)
{
    char option[] = "--help";
    if (argc == 0) {
        usage(stdout);
        return CLI_OK;
    }
    char *words[4] = {argv[0], argc > 1 ? argv[1] : option, argc > 1 ? option : NULL, NULL};
    return argc > 2 ? cli_misuse("\"sspi help\" takes a command, and its sub-command where it has some")
                    : dispatch(argc + 1, words);
}

static int run(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--trace") == 0) {
        /* Before the library's first call, which looks at it. */
        if (setenv("SSPI_TRACE", "stderr", 1) != 0)
            return cli_fail("out of memory");
        argc--;
        argv++;
    }
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(0, NULL);
    if (strcmp(argv[1], "--version") == 0) {
        puts("sspi (OpenSSPI) " OPENSSPI_VERSION);
        return CLI_OK;
    }
    return dispatch(argc - 1, argv + 1);
}

/* Where a standard stream is closed, no file or connection that is opened later may stand in its place: something that cannot be read or written
 * does. */
static bool streams_fill(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) == -1 && open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    int code = streams_fill() ? run(argc, argv) : CLI_FAILED;
    /* A full disk behind a redirection must not look like success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_OK)
        code = cli_fail("cannot write to standard output");
    return code;
}
