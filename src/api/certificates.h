/*
 * What the exported certificate functions share: how a status becomes BOOL and last error, and text of either width.
 */
#ifndef OPENSSPI_API_CERTIFICATES_H
#define OPENSSPI_API_CERTIFICATES_H

#include "base/slice.h"
#include "core/cause.h"
#include <sspi.h>
#include <wincrypt.h>

/* TRUE for SEC_E_OK; else the last error is set and FALSE given. Where the thread was refused memory it is E_OUTOFMEMORY (cause_answer). */
BOOL answer_status(SECURITY_STATUS status);
/* The same, for functions that give a pointer: NULL on failure. */
#define ANSWER_POINTER(status, pointer) (answer_status(status) ? (pointer) : NULL)

/* E_INVALIDARG, with the argument's name in the cause. */
SECURITY_STATUS argument_missing(const char *name);

/* Text of a caller as UTF-8 (mem_free); E_INVALIDARG when it is not valid. */
SECURITY_STATUS argument_text_w(LPCWSTR text, char **utf8);
SECURITY_STATUS argument_text_a(LPCSTR text, char **utf8);

#endif
