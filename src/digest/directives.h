/*
 * Lists of directives, name=value, as challenges and responses of Digest are made of (RFC 7616 3.3 to 3.5, RFC 2831 2.1). Strict: a directive that is
 * known and stands twice, a control character, or a value without its closing quote is no list at all. But a backslash in `username` that escapes
 * nothing stands for itself (MS-DPSP 2.2).
 */
#ifndef OPENSSPI_DIGEST_DIRECTIVES_H
#define OPENSSPI_DIGEST_DIRECTIVES_H

#include "base/reader.h"
#include "base/writer.h"

enum directive {
    DIRECTIVE_REALM,
    DIRECTIVE_NONCE,
    DIRECTIVE_QOP,
    DIRECTIVE_STALE,
    DIRECTIVE_ALGORITHM,
    DIRECTIVE_CHARSET,
    DIRECTIVE_OPAQUE,
    DIRECTIVE_USERHASH,
    DIRECTIVE_MAXBUF,
    DIRECTIVE_CIPHER,
    DIRECTIVE_USERNAME,
    DIRECTIVE_USERNAME_EXT, /* username*, RFC 5987's form */
    DIRECTIVE_CNONCE,
    DIRECTIVE_NC,
    DIRECTIVE_URI,
    DIRECTIVE_DIGEST_URI, /* SASL's */
    DIRECTIVE_RESPONSE,
    DIRECTIVE_AUTHZID,
    DIRECTIVE_RSPAUTH,
    DIRECTIVE_HASHED_DIRS,
    DIRECTIVE_SERVICE_NAME,
    DIRECTIVE_CHANNEL_BINDING,
    N_DIRECTIVES,
};

#define DIRECTIVES_MAX 64 /* in one list, unknown ones counted; real lists have a dozen */
#define REALMS_MAX 8      /* SASL servers may offer several (RFC 2831 2.1.1) */

struct directives {
    struct slice value[N_DIRECTIVES]; /* without quotes and backslashes, in `room`; data NULL: not there */
    struct slice realm[REALMS_MAX];   /* all of them, the first also in `value` */
    unsigned n_realms;
    char *room;
};

/* Takes the next list off `text`: to its end, or to the next "Digest" scheme, which begins another challenge (RFC 9110 11.6.1). A scheme in front is
 * skipped. Release `directives` after WIRE_OK. WIRE_BAD: not a list, nothing in it, or no memory. */
MUST_USE enum wire_result directives_parse(struct slice *text, bool many_realms, struct directives *directives);
void directives_release(struct directives *directives);
#define AUTO_DIRECTIVES __attribute__((cleanup(directives_release)))

static inline bool directive_there(const struct directives *directives, enum directive which)
{
    return directives->value[which].data != NULL;
}
/* Is the value this text? Case does not count, as in all of Digest's words. */
bool directive_is(const struct directives *directives, enum directive which, const char *text);
/* Takes the next word off a list such as "auth,auth-int"; false at its end. */
bool directive_word_next(struct slice *list, struct slice *word);
bool directive_word_is(struct slice word, const char *text);
/* A nonce count: 8 hexadecimal digits. */
MUST_USE enum wire_result directive_count(const struct directives *directives, uint32_t *nc);
/* Decimal digits up to `max`. */
MUST_USE enum wire_result directive_number(struct slice value, uint32_t max, uint32_t *number);

/* Appends name="value", with backslashes where they are needed, or name=value; a comma in front unless it is the first of `writer`. */
void directive_write_quoted(struct writer *writer, const char *name, struct slice value);
void directive_write_plain(struct writer *writer, const char *name, struct slice value);

#endif
