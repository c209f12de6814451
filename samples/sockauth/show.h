/*
 * show.h: what the programs print. Everything that came from a peer is printed with its odd characters escaped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_SHOW_H
#define SOCKAUTH_SHOW_H

#include "comm.h"

#if defined(__MINGW32__) && defined(__MINGW_PRINTF_FORMAT)
#define LIKE_PRINTF __attribute__((format(__MINGW_PRINTF_FORMAT, 1, 2)))
#elif defined(__GNUC__)
#define LIKE_PRINTF __attribute__((format(printf, 1, 2)))
#else
#define LIKE_PRINTF
#endif

/* InitShow sets the word before each line. */
void InitShow(const char *program);
/* Say prints a line on standard output, Complain one on standard error. */
void Say(const char *format, ...) LIKE_PRINTF;
void Complain(const char *format, ...) LIKE_PRINTF;
/* ComplainStatus tells which call failed with which status. */
void ComplainStatus(const char *what, SECURITY_STATUS status);

/* StatusName gives the name, or the number in hexadecimal digits; it stays until the next call. */
const char *StatusName(SECURITY_STATUS status);
void SayBytes(const char *label, const BYTE *bytes, DWORD len);
void SayText(const char *label, const char *text, size_t len);
void SayWide(const char *label, const SEC_WCHAR *text);
/* SayFlags names the ISC_RET_ flags of a client or the ASC_RET_ flags of a server. */
void SayFlags(BOOL client, ULONG flags);
/* FlagsOf reads "integrity,mutual_auth"; FALSE for an unknown word. */
BOOL FlagsOf(BOOL client, const char *words, ULONG *flags);

/* Wipe overwrites what must not stay in memory. */
void Wipe(void *bytes, size_t len);

#endif
