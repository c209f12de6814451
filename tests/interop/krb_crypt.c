/*
 * Opens and closes encrypted parts of Kerberos messages for tests that know the key, so that tickets can be forged:
 *   decrypt ENCTYPE KEY USAGE HEX | encrypt ENCTYPE KEY USAGE HEX        -> data HEX | error CODE
 * build: peer krb5
 */
#include <krb5.h>

#include "peer_line.h"

static krb5_context krb;

static void convert(const struct line *line, struct bytes key, struct bytes data)
{
    krb5_error_code code;
    size_t room = data.len + 256; /* no encryption type adds as much */
    char *out = calloc(1, room);
    if (out == NULL)
        abort();
    krb5_keyblock block = {.enctype = (krb5_enctype)strtol(line_word(line, 1), NULL, 10),
                           .length = (unsigned)key.len,
                           .contents = key.data};
    krb5_keyusage usage = (krb5_keyusage)strtol(line_word(line, 3), NULL, 10);
    krb5_data given = {.length = (unsigned)data.len, .data = (char *)data.data};
    krb5_data made = {.length = (unsigned)room, .data = out};
    if (line_is(line, "decrypt")) {
        krb5_enc_data sealed = {.enctype = block.enctype, .ciphertext = given};
        code = krb5_c_decrypt(krb, &block, usage, NULL, &sealed, &made);
    } else {
        krb5_enc_data sealed = {.ciphertext = made};
        code = krb5_c_encrypt(krb, &block, usage, NULL, &given, &sealed);
        made = sealed.ciphertext;
    }
    if (code != 0)
        reply("error %ld", (long)code);
    else
        reply_bytes("data", (unsigned char *)made.data, made.length);
    free(out);
}

int main(void)
{
    struct line line;
    alarm(1200); /* a helper never outlives its test */
    if (krb5_init_context(&krb) != 0)
        return 1;
    while (line_read(&line)) {
        if (line.n_words != 5) {
            reply("error 0 unknown command");
            continue;
        }
        struct bytes key = bytes_read(line_word(&line, 2)), data = bytes_read(line_word(&line, 4));
        convert(&line, key, data);
        free(key.data);
        free(data.data);
    }
    krb5_free_context(krb);
    return 0;
}
