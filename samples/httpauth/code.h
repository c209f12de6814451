/* SPDX-License-Identifier: MIT */
/* code.h: tokens as text, and what a status is called: shared by the client and the server. */
#ifndef HTTPAUTH_CODE_H
#define HTTPAUTH_CODE_H

#include <sspi.h>
#include <stddef.h>

#define TOKEN_MAX 49152 /* bytes of a token, as long as any package's */

/* uuencode gives the base64 text (RFC 4648) of some bytes, which HTTP carries; NULL without memory. Free it with free. */
char *uuencode(const unsigned char *data, size_t len);

/* uudecode reads base64 text of `text_len` letters into `data`, which has room for `*len` bytes, and sets *len. FALSE for text that is not strict
 * base64, and for too much of it. */
BOOL uudecode(const char *text, size_t text_len, unsigned char *data, size_t *len);

/* The name of a status with the library's words for its cause. The text stays until the thread's next call. */
const char *StatusText(SECURITY_STATUS status);

#endif
