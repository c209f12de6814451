/*
 * What ties credentials to the logon session that lent them its tickets or its password: those who hold them learn that the session's tickets were
 * purged, and that it has ended. Counted; neither side keeps the other.
 */
#ifndef OPENSSPI_CORE_LEASE_H
#define OPENSSPI_CORE_LEASE_H

#include <sspi.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lease {
    atomic_uint n_references;
    atomic_uint era;   /* raised when what was got before counts no more */
    atomic_bool ended; /* the session has; for good */
    /* Has the lender get another ticket-granting ticket into the cache it lent, where that has none which lasts. May wait for KDCs, like the
     * lender's own work; that there is still none is seen in the cache. */
    void (*refresh)(const struct lease *lease);
};

/* NULL without memory. */
struct lease *lease_new(void (*refresh)(const struct lease *lease));
struct lease *lease_retain(struct lease *lease); /* NULL stays NULL */
void lease_put(struct lease *lease);             /* NULL is fine */

/* By the lender. */
void lease_purge(struct lease *lease);
void lease_end(struct lease *lease);

/* By the borrowers, who have NULL where nothing is lent: that never changes, and never ends. */
static inline unsigned lease_era(const struct lease *lease)
{
    return lease != NULL ? atomic_load_explicit(&lease->era, memory_order_acquire) : 0;
}
/* SEC_E_NO_CREDENTIALS once the session has ended. */
SECURITY_STATUS lease_check(const struct lease *lease);

#endif
