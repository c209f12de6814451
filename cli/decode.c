/* `sspi decode`: what a token says. */
#include "cli.h"

#include "base/memory.h"
#include "decode/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* *len of at most DECODE_INPUT_MAX bytes; `room` has one more, to see that there are more. */
static int read_all(int file, const char *name, uint8_t *room, size_t *len)
{
    for (*len = 0;;) {
        ssize_t got = read(file, room + *len, DECODE_INPUT_MAX + 1 - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cli_fail("%s: %s", name, strerror(errno));
        if (got == 0)
            return CLI_OK;
        *len += (size_t)got;
        if (*len > DECODE_INPUT_MAX)
            return cli_fail("%s has more than %d bytes; cut out the part with the handshake", name, DECODE_INPUT_MAX);
    }
}

static int decode_bytes(const struct cli_options *options, struct slice bytes)
{
    struct tree tree = {
        .out = stdout, .json = options->json, .colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL};
    tree_begin(&tree);
    unsigned long n_found = decode_input(&tree, bytes);
    tree_end(&tree);
    if (n_found == 0)
        return cli_fail("there is no token in it that is known here: NTLM, SPNEGO, Kerberos, CredSSP, TLS; as a file, "
                        "a capture, hexadecimal, "
                        "base64, or text with base64 words");
    return CLI_OK;
}

static int decode_run(const struct cli_options *options)
{
    const char *operand = options->n_operands == 0 ? "-" : options->operand[0];
    int file = strcmp(operand, "-") == 0 ? STDIN_FILENO : open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0 && (errno == ENOENT || errno == ENAMETOOLONG || errno == ENOTDIR))
        return decode_bytes(options, slice_of_text(operand)); /* not a file: the token itself */
    if (file < 0)
        return cli_fail("%s: %s", operand, strerror(errno));
    AUTO_FREE uint8_t *room = mem_zalloc(DECODE_INPUT_MAX + 1); /* of which the system gives what is touched */
    size_t len = 0;
    int code = room == NULL ? cli_fail("out of memory")
                            : read_all(file, file == STDIN_FILENO ? "standard input" : operand, room, &len);
    if (file > STDIN_FILENO)
        close(file);
    return code == CLI_OK ? decode_bytes(options, slice_of(room, len)) : code;
}

static const struct cli_command commands[] = {
    {"", "[FILE|TEXT]",
     "Prints the tokens in a file, a text or standard input as a tree: NTLM, SPNEGO, Kerberos, CredSSP and TLS, from "
     "base64, hexadecimal, HTTP headers, logs, "
     "pcap and pcapng",
     OPTION_JSON, 0, 1, decode_run},
};

const struct cli_family cli_decode = {"decode", "what a token says: base64, hex, headers, files, captures", commands,
                                      1};
