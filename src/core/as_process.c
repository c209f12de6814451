#include "core/as_process.h"

#include <stddef.h>

static bool (*thread_suspend)(void); /* NULL: no thread impersonates */
static void (*thread_restore)(void);

void as_process_hook(bool (*suspend)(void), void (*restore)(void))
{
    thread_suspend = suspend;
    thread_restore = restore;
}

struct as_process as_process_begin(void)
{
    return (struct as_process){.suspended = thread_suspend != NULL && thread_suspend()};
}

void as_process_end(struct as_process *scope)
{
    if (!scope->suspended)
        return;
    scope->suspended = false;
    thread_restore();
}
