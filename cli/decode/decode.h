/*
 * Tokens as trees: what each decoder of `sspi decode` offers the others. No decoder trusts its input, or changes anything; what cannot be
 * read is said to be wrong, and the rest is shown.
 */
#ifndef OPENSSPI_CLI_DECODE_DECODE_H
#define OPENSSPI_CLI_DECODE_DECODE_H

#include "decode/tree.h"

#define DECODE_NESTING_MAX 8        /* tokens inside tokens: TLS, CredSSP, SPNEGO, a mechanism's own */
#define DECODE_INPUT_MAX (64 << 20) /* bytes of one input */

/* What the bytes are, by their beginning; "" when nothing here knows them. */
const char *decode_kind(struct slice bytes);
/* One token and what follows it; false when nothing here knows it, and nothing was printed. */
bool decode_token(struct tree *tree, struct slice bytes, unsigned nesting);
/* Anything a user may have: hexadecimal, base64, HTTP headers, a log with tokens in it, a token, a capture. The number of tokens found. */
unsigned long decode_input(struct tree *tree, struct slice input);

/* By kind. Each prints one node. `nesting` counts the tokens around it. */
void decode_ntlm(struct tree *tree, struct slice message);
void decode_gss(struct tree *tree, struct slice token, unsigned nesting);
void decode_spnego(struct tree *tree, struct slice token, unsigned nesting);
void decode_credssp(struct tree *tree, struct slice message, unsigned nesting);
void decode_kerberos(struct tree *tree, struct slice message, unsigned nesting);
/* After GSS framing: a token identifier, then the message (RFC 4121 4.1). */
void decode_kerberos_gss(struct tree *tree, struct slice inner, unsigned nesting);
void decode_rfc4121(struct tree *tree, struct slice token);
void decode_tls(struct tree *tree, struct slice records);
bool decode_is_tls(struct slice bytes);
bool decode_is_kerberos(struct slice bytes);
/* Bytes of the message that begins here, at most as many as there are: NTLM messages do not tell their length. */
size_t decode_ntlm_len(struct slice bytes);

/* The tokens inside text, and inside bytes of a connection; the number found. `where` is printed with each. */
unsigned long decode_text(struct tree *tree, struct slice text, const char *where);
/* The tokens of hex dumps that stand in text. */
unsigned long decode_dumps(struct tree *tree, struct slice text);
unsigned long decode_stream(struct tree *tree, struct slice bytes, const char *where);
bool decode_is_capture(struct slice bytes);
unsigned long decode_capture(struct tree *tree, struct slice file);

#endif
