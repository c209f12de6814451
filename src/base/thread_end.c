#include "base/thread_end.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static struct thread_end *ends; /* made by constructors, which run one after the other */
static pthread_key_t key;
static atomic_bool has_key;

static _Thread_local enum { NEW, KEEPS, ENDED } life;

static void thread_ended(void *its_life)
{
    (void)its_life;
    life = ENDED;
    for (const struct thread_end *each = ends; each != NULL; each = each->next)
        each->give_back();
}

void thread_end_add(struct thread_end *end)
{
    if (ends == NULL)
        atomic_store(&has_key, pthread_key_create(&key, thread_ended) == 0);
    end->next = ends;
    ends = end;
}

__attribute__((destructor)) static void key_drop(void)
{
    if (atomic_exchange(&has_key, false)) /* the number may be another library's from here on */
        (void)pthread_key_delete(key);
}

bool thread_may_keep(void)
{
    if (life == NEW)
        life = atomic_load(&has_key) && pthread_setspecific(key, &life) == 0 ? KEEPS : ENDED;
    return life == KEEPS;
}
