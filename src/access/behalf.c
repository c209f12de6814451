#include "access/behalf.h"

#include "base/memory.h"

/* Constant to everybody else: what counts and what was made is not what it says. */
static struct behalf *mutable(const struct behalf *behalf)
{
    return (struct behalf *)(uintptr_t)behalf;
}

const struct behalf *behalf_new(const struct package *package, struct slice delegated, struct credential *service,
                                SECURITY_IMPERSONATION_LEVEL level)
{
    struct behalf *behalf = mem_zalloc(sizeof *behalf);
    require(behalf != NULL, NULL);
    if (!secret_set(&behalf->delegated, delegated.data, delegated.len)) {
        mem_free(behalf);
        return NULL;
    }
    atomic_init(&behalf->n_references, 1);
    atomic_init(&behalf->made, NULL);
    behalf->package = package;
    behalf->service = service != NULL ? credential_retain(service) : NULL;
    behalf->level = level;
    return behalf;
}

const struct behalf *behalf_retain(const struct behalf *behalf)
{
    atomic_fetch_add_explicit(&mutable(behalf)->n_references, 1, memory_order_relaxed);
    return behalf;
}

void behalf_release(const struct behalf *behalf)
{
    struct behalf *counted = mutable(behalf);
    if (counted == NULL || atomic_fetch_sub_explicit(&counted->n_references, 1, memory_order_acq_rel) != 1)
        return;
    credential_put(atomic_load_explicit(&counted->made, memory_order_relaxed));
    credential_put(counted->service);
    secret_release(&counted->delegated);
    mem_free(counted);
}

struct credential *behalf_made(const struct behalf *behalf)
{
    struct credential *made = atomic_load_explicit(&mutable(behalf)->made, memory_order_acquire);
    return made != NULL ? credential_retain(made) : NULL;
}

/* No lock: a fork in the middle of it leaves the child either with one that is kept or with none. */
struct credential *behalf_keep(const struct behalf *behalf, struct credential *made)
{
    struct credential *kept = NULL;
    made->lent = true; /* while nobody else has it */
    if (atomic_compare_exchange_strong(&mutable(behalf)->made, &kept, made))
        return credential_retain(made);
    credential_put(made);
    return credential_retain(kept);
}
