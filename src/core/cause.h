/*
 * The cause of this thread's last failure, in words; OpenSspiLastErrorText hands it out. Never holds a secret.
 */
#ifndef OPENSSPI_CORE_CAUSE_H
#define OPENSSPI_CORE_CAUSE_H

#include <sspi.h>
#include <stdbool.h>

#define CAUSE_TEXT_MAX 512

/* Sets the text and gives `status` back, so that a failure reads: return cause_set(SEC_E_INVALID_TOKEN, "..."). Also goes to the trace.
 * A text that stands is kept when the same call fails further up: the first cause is the nearest one. */
SECURITY_STATUS cause_set(SECURITY_STATUS status, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
/* The function does give `status` back; this tells analysers, which cannot see it, and compilers, which then drop dead branches. */
#define cause_set(status, ...)                      \
    __extension__({                                 \
        SECURITY_STATUS cause_status = (status);    \
        (void)cause_set(cause_status, __VA_ARGS__); \
        cause_status;                               \
    })
/* Called at the start of each public function. */
void cause_clear(void);
/* Within one: a failure that does not matter any more, because something else was tried. */
void cause_drop(void);
/* Was this thread refused memory since cause_clear? Then the text says so from now on. */
bool cause_is_memory(void);
/* What a call answers that was about to answer `status`: every error is SEC_E_INSUFFICIENT_MEMORY when this thread was refused memory since
 * cause_clear. A decoder without memory says "bad" (base/result.h), and its caller would blame the peer, the password or the configuration. */
static inline SECURITY_STATUS cause_answer(SECURITY_STATUS status)
{
    return status < 0 && status != SEC_E_INSUFFICIENT_MEMORY && cause_is_memory() ? SEC_E_INSUFFICIENT_MEMORY : status;
}
/* The text, or "" when the last call did not fail or gave no reason. Valid until this thread's next call. */
const char *cause_text(void);

#endif
