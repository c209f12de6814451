#include "core/lease.h"

#include "base/memory.h"
#include "base/result.h"
#include "core/cause.h"

struct lease *lease_new(void (*refresh)(const struct lease *lease))
{
    struct lease *lease = mem_zalloc(sizeof *lease);
    require(lease != NULL, NULL);
    atomic_init(&lease->n_references, 1);
    lease->refresh = refresh;
    return lease;
}

struct lease *lease_retain(struct lease *lease)
{
    if (lease != NULL)
        atomic_fetch_add_explicit(&lease->n_references, 1, memory_order_relaxed);
    return lease;
}

void lease_put(struct lease *lease)
{
    if (lease != NULL && atomic_fetch_sub_explicit(&lease->n_references, 1, memory_order_acq_rel) == 1)
        mem_free(lease);
}

void lease_purge(struct lease *lease)
{
    atomic_fetch_add_explicit(&lease->era, 1, memory_order_release);
}

void lease_end(struct lease *lease)
{
    atomic_store_explicit(&lease->ended, true, memory_order_release);
    lease_purge(lease);
}

SECURITY_STATUS lease_check(const struct lease *lease)
{
    require(lease == NULL || !atomic_load_explicit(&lease->ended, memory_order_acquire),
            cause_set(SEC_E_NO_CREDENTIALS,
                      "the logon session that these credentials were of has ended: log on, and acquire others"));
    return SEC_E_OK;
}
