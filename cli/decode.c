/* `sspi decode`: what a token says. */
#include "cli.h"

#include "decode/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_all(int file, const char *name, struct writer *bytes)
{
    for (;;) {
        uint8_t room[65536];
        ssize_t got = read(file, room, sizeof(room));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cli_fail("%s: %s", name, strerror(errno));
        if (got == 0)
            return CLI_OK;
        if (bytes->len + (size_t)got > DECODE_INPUT_MAX)
            return cli_fail("%s has more than %d bytes; cut out the part with the handshake", name, DECODE_INPUT_MAX);
        writer_bytes(bytes, room, (size_t)got);
        if (bytes->failed)
            return cli_fail("out of memory");
    }
}

static int decode_run(const struct cli_options *options)
{
    AUTO_WRITER struct writer bytes = writer_growing(4096);
    const char *operand = options->n_operands == 0 ? "-" : options->operand[0];
    struct tree tree = {
        .out = stdout, .json = options->json, .colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL};
    int code = CLI_OK, file = strcmp(operand, "-") == 0 ? STDIN_FILENO : open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file >= 0)
        code = read_all(file, file == STDIN_FILENO ? "standard input" : operand, &bytes);
    else if (errno == ENOENT || errno == ENAMETOOLONG || errno == ENOTDIR)
        writer_bytes(&bytes, operand, strlen(operand)); /* not a file: the token itself */
    else
        code = cli_fail("%s: %s", operand, strerror(errno));
    if (file > STDIN_FILENO)
        close(file);
    if (code != CLI_OK)
        return code;
    tree_begin(&tree);
    unsigned long n_found = decode_input(&tree, writer_slice_of(&bytes));
    tree_end(&tree);
    if (n_found == 0)
        return cli_fail("there is no token in it that is known here: NTLM, SPNEGO, Kerberos, CredSSP, TLS; as a file, "
                        "a capture, hexadecimal, "
                        "base64, or text with base64 words");
    return CLI_OK;
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
