/*
 * The command `sspi`: what its files share. For SSPI it speaks the public headers like any program; the accounts come from inside (accounts/admin.h),
 * because managing a store is no part of SSPI, and so do configuration and codecs for `doctor` and `decode`. It is linked with the internal static
 * library for that.
 */
#ifndef OPENSSPI_CLI_CLI_H
#define OPENSSPI_CLI_CLI_H

#include "accounts/admin.h"

#include <stdio.h>

/* What scripts may rely on; sspi(1) says it too. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,       /* wrongly called */
    CLI_REFUSED = 3,     /* an identity, or a message, was not accepted: by the peer, by an authority, or by us */
    CLI_UNREACHABLE = 4, /* nobody answered */
};

/* Which options a sub-command takes. */
enum cli_option {
    OPTION_DOMAIN = 0x1, /* of an account that is there */
    OPTION_JSON = 0x2,
    OPTION_ACCOUNT = 0x4, /* --full-name --uid --gid --expires --must-change */
    OPTION_SID = 0x8,
    OPTION_NO_PASSWORD = 0x10,
    OPTION_MUST_CHANGE = 0x20,
    OPTION_LOCK = 0x40, /* --lock --unlock */
    OPTION_FORMAT_IN = 0x80,
    OPTION_REPLACE = 0x100,
    OPTION_OUTPUT = 0x200,
    OPTION_GROUP = 0x400, /* --gid --comment */
    OPTION_STORE = 0x800,
    OPTION_PASSWORD_EXPIRES = 0x1000,
    OPTION_PACKAGE = 0x2000,
    OPTION_USER = 0x4000,
    OPTION_TARGET = 0x8000,
    OPTION_FLAGS = 0x10000,       /* --flags --verbose */
    OPTION_CERTIFICATE = 0x20000, /* --certificate --key */
    OPTION_CA = 0x40000,          /* --ca --insecure */
    OPTION_TIMEOUT = 0x80000,
    OPTION_HEAD = 0x100000, /* --head --verbose */
    OPTION_SECONDS = 0x200000,
    OPTION_NEW_CREDENTIALS = 0x400000,
    OPTION_TIMEOUT_LISTEN = 0x800000, /* --timeout of who waits for a client */
    OPTION_DOMAIN_NEW = 0x1000000,
    OPTION_DOMAIN_USER = 0x2000000,
    OPTION_FORMAT_OUT = 0x4000000,
};

struct cli_options {
    const char *store, *domain, *full_name, *uid, *gid, *expires, *password_expires, *sid, *format, *output, *comment;
    const char *package, *user, *target, *flags, *certificate, *key, *ca, *timeout, *seconds;
    bool json, no_password, must_change, lock, unlock, replace, insecure, head, verbose, new_credentials;
    char **operand;
    int n_operands;
};

struct cli_command {
    const char *name, *operands,
        *what;        /* "sspi account NAME OPERANDS": WHAT. NAME is "" for the one command of a family of one */
    unsigned options; /* enum cli_option */
    int min_operands, max_operands;
    int (*run)(const struct cli_options *options);
};

struct cli_family {
    const char *name, *what;
    const struct cli_command *commands;
    size_t n_commands;
};

extern const struct cli_family cli_account, cli_group, cli_packages, cli_whoami, cli_creds, cli_connect, cli_listen,
    cli_get, cli_decode, cli_error, cli_doctor, cli_bench, cli_completion, cli_logon, cli_logoff, cli_sessions;
/* All of them, ended by NULL, as help, completion and manual list them. */
extern const struct cli_family *const cli_families[];

/* Finds the sub-command, parses its options, runs it. */
int cli_dispatch(const struct cli_family *family, int argc, char **argv);
/* The options that a command takes, one after another: the next after `*at` (0 to begin); false at the end. `value` is NULL for a switch. */
bool cli_option_next(const struct cli_command *command, size_t *at, const char **name, const char **value,
                     const char **what);

/* Messages go to standard error, led by "sspi: ". */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* gives CLI_FAILED */
int cli_misuse(const char *format, ...) __attribute__((format(printf, 1, 2))); /* gives CLI_USAGE */
/* "WHAT value" on standard error, where the value may be a peer's word. */
void cli_tell(const char *what, const char *value);
/* What a peer sent, on standard output: as it is, but to a terminal without the power to steer it. */
void cli_show(struct slice text);
/* The cause of a failed call, or what its status means; CLI_OK for SEC_E_OK. */
int cli_status(SECURITY_STATUS status);

/* Whose failure it is: what helps differs. */
enum cli_side {
    SIDE_ANY,
    SIDE_CLIENT,
    SIDE_SERVER,
    SIDE_CERTIFICATE,  /* TLS on either side, whose identities are files */
    SIDE_ALERT,        /* TLS: the peer sent it */
    SIDE_OTHER_CLIENT, /* the peer's, of which a status came */
    SIDE_OTHER_SERVER,
};
/* The same for a call of the public interface: "WHAT: NAME: cause"; CLI_REFUSED or CLI_UNREACHABLE where the status says so. */
int cli_sspi_status(const char *what, SECURITY_STATUS status);
int cli_sspi_status_of(const char *what, SECURITY_STATUS status, enum cli_side side);
/* A status as its name and number, in a static buffer. */
const char *cli_status_name(SECURITY_STATUS status);
/* What a status means, and what to do. */
struct cli_advice {
    uint32_t status;
    const char *meaning, *advice;
};
/* What a status or a system error code is called; "" when nobody knows it. */
const char *cli_error_name(uint32_t status);
/* The table of `sspi error`: one entry after another, `*at` being 0 to begin; NULL at the end. And one of them; NULL when it is not there. */
const struct cli_advice *cli_advice_next(size_t *at);
const struct cli_advice *cli_advice_of(uint32_t status);
/* What to do, NULL when nothing is known, or nothing better than the cause in words that is there (`caused`). */
const char *cli_status_advice(SECURITY_STATUS status, enum cli_side side, bool caused);

/* Opens the store that --store names, else the first sqlite store of the configuration. */
int cli_open(const struct cli_options *options, bool create, struct account_admin **admin);
static inline void cli_close(struct account_admin **admin)
{
    account_admin_close(*admin);
}
#define AUTO_ADMIN __attribute__((cleanup(cli_close)))

/* "DOMAIN\NAME", or NAME with the domain that --domain gives, or none. `name` and `domain` are the caller's to free (mem_free). */
int cli_split_name(const struct cli_options *options, const char *operand, char **domain, char **name);
/* The domain of the one account that has the name, in whichever domain, where neither --domain nor the operand says it; else *domain stays. */
int cli_domain_find(const struct cli_options *options, const char *operand, struct account_admin *admin,
                    const char *name, char **domain);
int cli_number(const char *what, const char *text, int64_t *number);
/* YYYY-MM-DD or "never", the value of --`what`. */
int cli_expiry(const char *what, const char *text, int64_t *filetime);
/* A FILETIME as 2026-01-31T12:00:00Z. */
#define CLI_TIME_MAX 32
void cli_time(int64_t filetime, char text[CLI_TIME_MAX]);

/* Asks for a new password twice with the echo off, or takes one line from standard input when that is no terminal. As UTF-16LE. Never from the
 * command line or the environment, where other users may see it. */
int cli_password_new(const char *account, struct secret *password);

/* One password for `account`, as it is (UTF-8): asked for on a terminal, else one line of standard input. */
int cli_password_ask(const char *account, struct secret *password);

/* JSON text with its quotation marks. */
void json_text(FILE *out, const char *text);
/* A list of objects, one a line, on standard output; without --json nothing of it is written. */
struct json_list {
    bool json;
    unsigned n_items;
};
struct json_list json_list_begin(bool json);
/* Before each item: does it have to be an object? What comes between two is written. */
bool json_list_item(struct json_list *list);
void json_list_end(const struct json_list *list);

#endif
