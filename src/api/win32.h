/*
 * What the functions share that answer by BOOL and a last error: those of access tokens, SIDs and names.
 */
#ifndef OPENSSPI_API_WIN32_H
#define OPENSSPI_API_WIN32_H

#include "access/token_handle.h"
#include "core/config.h"
#include <win32/winnt.h>

/* TRUE for ERROR_SUCCESS; else FALSE, and the code is the thread's last error. */
BOOL win32_answer(DWORD error);
/* The code for a status of the floors below; ERROR_NOT_ENOUGH_MEMORY for every error of a thread that was refused memory (cause_answer). */
DWORD win32_error_of(SECURITY_STATUS status);

/* The SID of a caller. ERROR_INVALID_SID, also for NULL. */
DWORD win32_sid_read(PSID caller, struct sid *sid);
DWORD win32_sid_len(const struct sid *sid);
/* Writes a SID to where the caller has room for it: 8 bytes and 4 for each subauthority. */
void win32_sid_put(const struct sid *sid, void *room);

/* Text of a caller in either form as UTF-8 (mem_free); NULL stays NULL. ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY. */
DWORD win32_text_read(const void *text, bool wide, char **utf8);
/* Text as a block of OpenSspiLocalFree. */
DWORD win32_text_block(const char *utf8, bool wide, void **block);

/* Text as a caller wants it: the UTF-8 itself, borrowed, or a copy in UTF-16. */
struct win32_text {
    const char *utf8;
    uint16_t *units; /* NULL where UTF-8 is wanted */
    size_t len;      /* in characters of that form, without terminator */
};
/* ERROR_NOT_ENOUGH_MEMORY. */
DWORD win32_text_make(const char *utf8, bool wide, struct win32_text *text);
/* Into room for text->len + 1 characters. */
void win32_text_copy(const struct win32_text *text, void *room);
void win32_text_release(struct win32_text *text);
#define AUTO_WIN32_TEXT __attribute__((cleanup(win32_text_release)))

/*
 * Text into the caller's room of *n characters. On success *n is the length without terminator; with too little room `small` comes back, *n is the
 * room needed with it, and nothing is written. `with_terminator` counts it on success too.
 */
DWORD win32_text_put(const char *utf8, bool wide, void *room, ULONG *n, DWORD small, bool with_terminator);

/* Opens a handle of a token, one reference of which it takes over. */
DWORD win32_token_open(const struct token *token, DWORD rights, HANDLE *handle);
/* The token behind a handle that was opened for all of `rights`. ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED. */
DWORD win32_token_get(HANDLE handle, DWORD rights, struct handle_ref *ref, const struct token **token);

#endif
