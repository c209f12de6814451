/*
 * What the security authority is to a package written for Windows' LSA: the functions that it may call.
 */
#ifndef OPENSSPI_FOREIGN_SPLSA_AUTHORITY_H
#define OPENSSPI_FOREIGN_SPLSA_AUTHORITY_H

#include <ntsecpkg.h>

#ifndef STATUS_NO_MEMORY
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#endif
#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif

/* The tables that packages get, one for all; no member is NULL. One heap, malloc's, serves all that allocates: what was allocated in one way may be
 * freed in another. What there is nothing behind here, such as logon sessions, accounts and tokens, answers STATUS_NOT_SUPPORTED, or NULL or FALSE
 * where the function gives no status. */
PLSA_SECPKG_FUNCTION_TABLE splsa_functions(void);
PSECPKG_DLL_FUNCTIONS splsa_dll_functions(void);
/* The members of splsa_functions that answer so; the others are NULL. */
extern const LSA_SECPKG_FUNCTION_TABLE splsa_refusals;
/* Frees what a package allocated; NULL is fine. */
void splsa_heap_free(void *block);

/* The logon session that every caller is said to be in: that of the process's user. */
LUID splsa_logon_id(void);
/* This thread's calls into a package's part in the authority, which GetCallInfo tells of. They may nest. */
void splsa_call_enter(void);
void splsa_call_leave(void);

#endif
