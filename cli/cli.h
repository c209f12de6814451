/*
 * The command `sspi`: what its files share. For SSPI it speaks the public headers like any program; only the accounts come from
 * inside (accounts/admin.h), because managing a store is no part of SSPI. It is linked with the internal static library for that.
 */
#ifndef OPENSSPI_CLI_CLI_H
#define OPENSSPI_CLI_CLI_H

#include "accounts/admin.h"

#include <stdio.h>

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Which options a sub-command takes. */
enum cli_option {
    OPTION_DOMAIN = 0x1,
    OPTION_JSON = 0x2,
    OPTION_ACCOUNT = 0x4, /* --full-name --uid --gid --expires --must-change */
    OPTION_SID = 0x8,
    OPTION_NO_PASSWORD = 0x10,
    OPTION_MUST_CHANGE = 0x20,
    OPTION_LOCK = 0x40, /* --lock --unlock */
    OPTION_FORMAT = 0x80,
    OPTION_REPLACE = 0x100,
    OPTION_OUTPUT = 0x200,
    OPTION_GROUP = 0x400, /* --gid --comment */
    OPTION_STORE = 0x800,
    OPTION_PASSWORD_EXPIRES = 0x1000,
};

struct cli_options {
    const char *store, *domain, *full_name, *uid, *gid, *expires, *password_expires, *sid, *format, *output, *comment;
    bool json, no_password, must_change, lock, unlock, replace;
    char **operand;
    int n_operands;
};

struct cli_command {
    const char *name, *operands, *what; /* "sspi account NAME OPERANDS": WHAT */
    unsigned options;                   /* enum cli_option */
    int min_operands, max_operands;
    int (*run)(const struct cli_options *options);
};

/* Finds the sub-command, parses its options, runs it. `family` is "account" or "group". */
int cli_dispatch(const char *family, const struct cli_command *commands, size_t n_commands, int argc, char **argv);

int cli_account(int argc, char **argv);
int cli_group(int argc, char **argv);
int cli_packages(int argc, char **argv);
int cli_logon(int argc, char **argv);
int cli_logoff(int argc, char **argv);
int cli_sessions(int argc, char **argv);

/* Messages go to standard error, led by "sspi: ". */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* gives CLI_FAILED */
int cli_misuse(const char *format, ...) __attribute__((format(printf, 1, 2))); /* gives CLI_USAGE */
/* The cause of a failed call, or what its status means; CLI_OK for SEC_E_OK. */
int cli_status(SECURITY_STATUS status);

/* Opens the store that --store names, else the first sqlite store of the configuration. */
int cli_open(const struct cli_options *options, bool create, struct account_admin **admin);
static inline void cli_close(struct account_admin **admin)
{
    account_admin_close(*admin);
}
#define AUTO_ADMIN __attribute__((cleanup(cli_close)))

/* "DOMAIN\NAME", or NAME with the domain that --domain gives, or none. `name` and `domain` are the caller's to free (mem_free). */
int cli_split_name(const struct cli_options *options, const char *operand, char **domain, char **name);
int cli_number(const char *what, const char *text, int64_t *number);
/* YYYY-MM-DD or "never", the value of --`what`. */
int cli_expiry(const char *what, const char *text, int64_t *filetime);
/* A FILETIME as 2026-01-31T12:00:00Z. */
#define CLI_TIME_MAX 32
void cli_time(int64_t filetime, char text[CLI_TIME_MAX]);

/* Asks for a new password twice with the echo off, or takes one line from standard input when that is no terminal. As UTF-16LE. Never from the
 * command line or the environment, where other users may see it. */
int cli_password_new(const char *account, struct secret *password);
/* The same for one that there is: asked once. */
int cli_password_ask(const char *account, struct secret *password);

/* JSON text with its quotation marks. */
void json_text(FILE *out, const char *text);

#endif
