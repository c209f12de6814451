/*
 * The command language of the interop helpers: one line in, one line out; bytes are hexadecimal, "-" for none.
 *
 *   client KEY=VALUE ...    first step of a client: user= domain= password= target= flags=a,b bindings=HEX;
 *                           without user= with its default credentials
 *   server KEY=VALUE ...    a server that waits: flags= bindings=                             -> ok
 *                           both take package=Kerberos or Negotiate and principal=; GSSAPI's Negotiate takes mechs=krb5,ntlm,
 *                           which it offers in this order
 *   token HEX               next step                          -> token HEX | done HEX | error CODE TEXT
 *   again                   drops the context, keeps the credential: a client answers its first step, a server ok
 *   sign HEX                                                   -> mic HEX
 *   verify HEX MIC                                             -> ok
 *   seal HEX                                                   -> sealed HEX (signature, then cipher text)
 *   wrap HEX                signed, not encrypted (Kerberos)                                  -> sealed HEX
 *   unseal HEX                                                 -> plain HEX
 *   dseal HEAD TEXT TAIL    DCE style: head and tail are signed only                          -> dsealed TOKEN TEXT
 *   dunseal HEAD TEXT TAIL TOKEN                                                              -> plain HEX
 *   seq NUMBER              number of the next message, both ways (datagrams)                 -> ok
 *   sasl                    handshakes are SASL's from here on                                 -> ok
 *   option NUMBER [HEX]     an option of the SASL context, got or set                         -> option HEX | ok
 *   key | names | chosen | attributes | target | export | import HEX | signs | errortoken | env NAME VALUE
 *                                                                      where the implementation has them
 *   who                     the client's access token (ours only)                     -> who level= source= user= ... groups=A,B
 *   logon USER DOMAIN PASSWORD                                                        -> the same
 *   passwd DOMAIN USER OLD NEW   another password (ours only)                          -> ok
 *   reads PATH              opens the file as the client                              -> yes UID PRINCIPAL | no ...
 *
 * A client that begins without a token (datagram) answers "token -".
 */
#ifndef OPENSSPI_TESTS_INTEROP_PEER_LINE_H
#define OPENSSPI_TESTS_INTEROP_PEER_LINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
    unsigned char *data; /* never NULL after bytes_read, room for 64 bytes more */
    size_t len;
};

#define WORDS_MAX 16

struct line {
    char *word[WORDS_MAX];
    int n_words;
};

static inline void reply(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline void reply(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static inline void bytes_print(const unsigned char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    fputs(len > 0 ? " " : " -", stdout);
    for (size_t i = 0; i < len; i++) {
        putchar(digits[data[i] >> 4]);
        putchar(digits[data[i] & 15]);
    }
}

static inline void reply_bytes(const char *word, const unsigned char *data, size_t len)
{
    fputs(word, stdout);
    bytes_print(data, len);
    putchar('\n');
    fflush(stdout);
}

static inline void reply_two(const char *word, const unsigned char *first, size_t first_len,
                             const unsigned char *second, size_t second_len)
{
    fputs(word, stdout);
    bytes_print(first, first_len);
    bytes_print(second, second_len);
    putchar('\n');
    fflush(stdout);
}

static inline struct bytes bytes_read(const char *hex)
{
    struct bytes bytes = {NULL, 0};
    size_t digits = hex == NULL || strcmp(hex, "-") == 0 ? 0 : strlen(hex);
    bytes.len = digits / 2;
    bytes.data = calloc(1, bytes.len + 64);
    if (bytes.data == NULL)
        abort();
    for (size_t i = 0; i < bytes.len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes.data[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return bytes;
}

/* The next line in words; false at the end of the input. The words live until the next call. */
static inline bool line_read(struct line *line)
{
    static char *text;
    static size_t room;
    do {
        ssize_t got = getline(&text, &room, stdin);
        if (got <= 0)
            return false;
        line->n_words = 0;
        char *rest = NULL;
        for (char *word = strtok_r(text, " \n", &rest); word != NULL && line->n_words < WORDS_MAX;
             word = strtok_r(NULL, " \n", &rest))
            line->word[line->n_words++] = word;
    } while (line->n_words == 0);
    return true;
}

static inline const char *line_word(const struct line *line, int i)
{
    return i < line->n_words ? line->word[i] : NULL;
}

/* The value of KEY=VALUE, or NULL. */
static inline const char *line_value(const struct line *line, const char *key)
{
    size_t len = strlen(key);
    for (int i = 1; i < line->n_words; i++)
        if (strncmp(line->word[i], key, len) == 0 && line->word[i][len] == '=')
            return line->word[i] + len + 1;
    return NULL;
}

static inline bool line_is(const struct line *line, const char *command)
{
    return strcmp(line->word[0], command) == 0;
}

/* Is `wanted` one of the words of flags=a,b,c? */
static inline bool line_flag(const struct line *line, const char *wanted)
{
    const char *flags = line_value(line, "flags");
    size_t len = strlen(wanted);
    while (flags != NULL && *flags != '\0') {
        size_t word_len = strcspn(flags, ",");
        if (word_len == len && memcmp(flags, wanted, len) == 0)
            return true;
        flags += word_len + (flags[word_len] == ',');
    }
    return false;
}

#define SIGNATURE_LEN 16 /* NTLM's: a sealed message is the signature and the text behind it */

#endif
