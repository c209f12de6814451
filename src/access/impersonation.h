/*
 * Impersonation: which token the calling thread acts with. docs/impersonation.md says what is defined.
 *
 * The library's own work on an impersonating thread (configuration, account stores, keytabs, ticket caches, name services) is done as the process:
 * functions that may do such work open an AUTO_AS_PROCESS scope. It costs nothing on a thread that does not impersonate.
 */
#ifndef OPENSSPI_ACCESS_IMPERSONATION_H
#define OPENSSPI_ACCESS_IMPERSONATION_H

#include "access/token.h"

/* Makes the thread act with the token until impersonation_end, in place of one that it acts with. On failure the thread is what it was.
 * SEC_E_OK; SEC_E_NO_IMPERSONATION for a token of identify level, one without Unix user, or a process without the right to change users, unless
 * [access] says that such threads get the token to identify only; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS impersonation_begin(const struct token *token, const struct config *config);
/* Back to the process's own rights; nothing to do is fine. Ends the process when the kernel refuses. */
void impersonation_end(void);
/* The thread's token, borrowed until the thread's next call of the two above; NULL: it does not impersonate. */
const struct token *impersonation_current(void);

struct as_process {
    bool suspended;
};
/* Takes the thread back to the process's rights until as_process_end, which makes it the client again or ends the process. Scopes nest. */
struct as_process as_process_begin(void);
void as_process_end(struct as_process *scope);
#define AUTO_AS_PROCESS __attribute__((cleanup(as_process_end), unused))
/* In a function that may do the library's own work: the first declaration. */
#define AS_PROCESS_SCOPE AUTO_AS_PROCESS struct as_process as_process_scope = as_process_begin()

#endif
