/* `sspi decode`: what a token says. */
#include "cli.h"

#include "decode/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All of a file, in memory that the caller frees. */
static int read_all(int file, const char *name, uint8_t **data, size_t *len)
{
    size_t room = 0;
    for (;;) {
        if (*len == room) {
            if (room > DECODE_INPUT_MAX)
                return cli_fail("%s has more than %d bytes; cut out the part with the handshake", name,
                                DECODE_INPUT_MAX);
            size_t more = room == 0 ? 65536 : 2 * room;
            uint8_t *bigger = realloc(*data, more);
            if (bigger == NULL)
                return cli_fail("out of memory");
            *data = bigger;
            room = more;
        }
        ssize_t got = read(file, *data + *len, room - *len);
        if (got < 0 && errno != EINTR)
            return cli_fail("%s: %s", name, strerror(errno));
        if (got == 0)
            return *len <= DECODE_INPUT_MAX ? CLI_OK
                                            : cli_fail("%s has more than %d bytes; cut out the part with the handshake",
                                                       name, DECODE_INPUT_MAX);
        if (got > 0)
            *len += (size_t)got;
    }
}

/* Colours are for people at a terminal that has them, and who did not say no (NO_COLOR). */
static bool colours_wanted(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no == NULL || *no == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static int decode_bytes(const struct cli_options *options, struct slice bytes, const char *not_a_file)
{
    struct tree tree = {.out = stdout, .json = options->json, .colour = colours_wanted()};
    tree_begin(&tree);
    unsigned long n_found = decode_input(&tree, bytes);
    tree_end(&tree);
    if (n_found > 0)
        return CLI_OK;
    return cli_fail(
        "%s%s%sthere is no token in it that is known here: NTLM, SPNEGO, Kerberos, CredSSP, TLS; as a file, "
        "a capture, hexadecimal, a hex dump, base64, or text with base64 words",
        not_a_file == NULL ? "" : "there is no file \"", not_a_file == NULL ? "" : not_a_file,
        not_a_file == NULL ? "" : "\", and as a text ");
}

static int decode_run(const struct cli_options *options)
{
    const char *operand = options->n_operands == 0 ? "-" : options->operand[0];
    uint8_t *data = NULL;
    size_t len = 0;
    int file = strcmp(operand, "-") == 0 ? STDIN_FILENO : open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0 && (errno == ENOENT || errno == ENAMETOOLONG || errno == ENOTDIR))
        return decode_bytes(options, slice_of_text(operand),
                            errno == ENOENT && strlen(operand) < 256 ? operand : NULL); /* the token itself */
    if (file < 0)
        return cli_fail("%s: %s", operand, strerror(errno));
    int code = read_all(file, file == STDIN_FILENO ? "standard input" : operand, &data, &len);
    if (file > STDIN_FILENO)
        close(file);
    if (code == CLI_OK)
        code = decode_bytes(options, slice_of(data, len), NULL);
    free(data);
    return code;
}

static const struct cli_command commands[] = {
    {"", "[FILE|TEXT]",
     "Prints the tokens in a file, a text or standard input as a tree: NTLM, SPNEGO, Kerberos, CredSSP and TLS, from "
     "base64, hexadecimal, HTTP headers, logs, hex dumps, pcap and pcapng",
     OPTION_JSON, 0, 1, decode_run},
};

const struct cli_family cli_decode = {"decode", "what a token says: base64, hex, headers, files, captures", commands,
                                      1};
