#include "base/lazy.h"

void *lazy_make(_Atomic(void *) *kept, void *(*make)(const void *how), void (*release)(void *made), const void *how)
{
    void *made = make(how), *first = NULL;
    if (made == NULL)
        return atomic_load(kept); /* another thread may have succeeded */
    if (atomic_compare_exchange_strong(kept, &first, made))
        return made;
    release(made);
    return first;
}
