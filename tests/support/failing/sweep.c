#include "support/failing/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 5000 /* of one piece of work; more is a sweep that does not end */

/* How often the work fails and what it says then, for whoever looks at a sweep (OPENSSPI_TEST_LOUD). */
static void tell(const struct calls_sweep *sweep, const struct call_failure *failure, unsigned long nth, bool sticky,
                 long status, const char *why)
{
    if (getenv("OPENSSPI_TEST_LOUD") != NULL)
        print_message("%s: %s, call %lu%s: 0x%08x %s\n", sweep->name, failure->name, nth, sticky ? " and on" : "",
                      (unsigned)status, why);
}

static unsigned long sweep_mode(const struct calls_sweep *sweep, const struct call_failure *failure, bool sticky)
{
    for (unsigned long nth = 1; nth < CALLS_MAX; nth++) {
        calls_fail(failure, nth, sticky);
        long status = sweep->run(sweep->data);
        bool struck = calls_heal() >= nth;
        char why[600];
        strncpy(why, OpenSspiLastErrorText(), sizeof why - 1);
        why[sizeof why - 1] = '\0';
        if (struck)
            tell(sweep, failure, nth, sticky, status, why);
        bool told = why[0] != '\0' || status == SEC_E_INSUFFICIENT_MEMORY; /* which says it all */
        bool allowed = status >= 0 || (told && (!struck || sweep->allows == NULL || sweep->allows(failure, status)));
        if (!allowed)
            fail_msg("%s: %s, call %lu%s: 0x%08x \"%s\"", sweep->name, failure->name, nth, sticky ? " and on" : "",
                     (unsigned)status, why);
        if (sweep->after != NULL)
            sweep->after(sweep->data, status);
        if (!struck)
            return nth - 1;
    }
    fail_msg("%s: %s: does not end", sweep->name, failure->name);
    return 0;
}

static bool skips(const struct calls_sweep *sweep, const struct call_failure *failure, bool sticky)
{
    if (sticky && failure->error == EINTR) /* what is interrupted for ever is tried again for ever */
        return true;
    return sweep->skips != NULL && sweep->skips(failure, sticky);
}

unsigned long calls_sweep(const struct calls_sweep *sweep)
{
    unsigned long n = 0;
    for (const struct call_failure *failure = calls_failures; failure->kind != CALL_NONE; failure++) {
        unsigned long alone = skips(sweep, failure, false) ? 0 : sweep_mode(sweep, failure, false);
        n += alone;
        if (alone > 0 && !skips(sweep, failure, true))
            n += sweep_mode(sweep, failure, true);
    }
    print_message("%s: calls that failed: %lu\n", sweep->name, n);
    return n;
}
