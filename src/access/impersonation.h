/*
 * Impersonation: which token the calling thread acts with. docs/impersonation.md says what is defined; core/as_process.h is how the library's own
 * work is done as the process meanwhile.
 */
#ifndef OPENSSPI_ACCESS_IMPERSONATION_H
#define OPENSSPI_ACCESS_IMPERSONATION_H

#include "access/token.h"
#include "core/as_process.h"

/* Makes the thread act with the token until impersonation_end, in place of one that it acts with. On failure the thread is what it was.
 * SEC_E_OK; SEC_E_NO_IMPERSONATION for a token of identify level, one without Unix user, or a process without the right to change users, unless
 * [access] says that such threads get the token to identify only; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS impersonation_begin(const struct token *token, const struct config *config);
/* Back to the process's own rights; nothing to do is fine. Ends the process when the kernel refuses. */
void impersonation_end(void);
/* The thread's token, borrowed until the thread's next call of the two above; NULL: it does not impersonate. */
const struct token *impersonation_current(void);

#endif
