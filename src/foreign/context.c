#include "foreign/context.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/thread_end.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/random.h"
#include <string.h>

static pthread_mutex_t claims_lock = PTHREAD_MUTEX_INITIALIZER;
static struct foreign_context *claims; /* guarded by claims_lock */

static _Thread_local struct foreign_context *promised; /* the thread's context whose record is still to be opened */

FORK_GUARD(claims_lock, FORK_RANK_HANDLES)

static struct foreign_context *context_retain(struct foreign_context *context)
{
    atomic_fetch_add_explicit(&context->n_references, 1, memory_order_relaxed);
    return context;
}

static void promise_set(struct foreign_context *context)
{
    struct foreign_context *before = promised;
    promised = context;
    foreign_context_put(before);
}

static void promise_break(void)
{
    promise_set(NULL);
}

THREAD_END(promise_break)

void foreign_context_promise(struct foreign_context *context)
{
    /* In a thread that may not keep it its record cannot be opened, if nobody else does. */
    promise_set(thread_may_keep() ? context_retain(context) : NULL);
}

struct foreign_context *foreign_context_new(const struct foreign_package *package, bool initiator)
{
    struct foreign_context *context = mem_zalloc(sizeof *context);
    require(context != NULL, NULL);
    if (!random_bytes(context->claim, sizeof context->claim)) {
        mem_free(context);
        return NULL;
    }
    atomic_init(&context->n_references, 1);
    pthread_mutex_init(&context->lock, NULL);
    context->package = package;
    context->initiator = initiator;
    pthread_mutex_lock(&claims_lock);
    context->next = claims;
    claims = context;
    pthread_mutex_unlock(&claims_lock);
    return context;
}

struct foreign_context *foreign_context_claim(struct slice claim)
{
    require(claim.len == CLAIM_LEN, NULL);
    pthread_mutex_lock(&claims_lock);
    struct foreign_context *context = claims;
    while (context != NULL && !secret_equal(context->claim, claim.data, CLAIM_LEN))
        context = context->next;
    if (context != NULL)
        context_retain(context);
    pthread_mutex_unlock(&claims_lock);
    if (context != NULL) {
        atomic_store(&context->opened, true);
        if (promised == context)
            promise_set(NULL);
    }
    return context;
}

void foreign_context_put(struct foreign_context *context)
{
    if (context == NULL)
        return;
    pthread_mutex_lock(&claims_lock); /* nobody claims what is on its way out */
    bool last = atomic_fetch_sub_explicit(&context->n_references, 1, memory_order_acq_rel) == 1;
    if (last) {
        struct foreign_context **link = &claims;
        while (*link != context)
            link = &(*link)->next;
        *link = context->next;
    }
    pthread_mutex_unlock(&claims_lock);
    if (!last)
        return;
    if (context->has_handle)
        (void)FOREIGN_CALL(context->package->module, DeleteSecurityContext)(&context->handle);
    mem_free(context->target);
    mem_free(context->text[0]);
    mem_free(context->text[1]);
    secret_release(&context->bytes);
    pthread_mutex_destroy(&context->lock);
    mem_free(context);
}

SECURITY_STATUS foreign_status(const struct foreign_package *package, const char *call, SECURITY_STATUS status)
{
    switch (status) {
    case SEC_E_OK:
    case SEC_I_CONTINUE_NEEDED:
    case SEC_I_COMPLETE_NEEDED:
    case SEC_I_COMPLETE_AND_CONTINUE:
        return status;
    default:
        break;
    }
    require(status < 0, cause_set(SEC_E_INTERNAL_ERROR, "%s of package %s answered 0x%08x, which says nothing", call,
                                  package->name, (unsigned)status));
    if (package->lsa != NULL)
        return status; /* splsa_status has told, with the package's own code */
    return cause_set(status, "%s of package %s (%.256s) answered 0x%08x", call, package->name, package->module->path,
                     (unsigned)status);
}

char *foreign_text_take(const struct foreign_module *module, void *text)
{
    char *copy = NULL;
    require(text != NULL, NULL);
    if (module->wide != NULL) {
        if (utf16_to_text(text, utf16_units(text), &copy) != WIRE_OK)
            copy = NULL;
    } else if (utf8_valid(slice_of_text(text)))
        copy = mem_strdup(text);
    (void)FOREIGN_CALL(module, FreeContextBuffer)(text);
    return copy;
}

int64_t foreign_time(TimeStamp stamp)
{
    int64_t local = (int64_t)((uint64_t)(uint32_t)stamp.HighPart << 32 | stamp.LowPart);
    require(local > 0 && local < FILETIME_NEVER / 2, FILETIME_NEVER); /* whatever it says, beyond all years */
    return local - (filetime_to_local(local) - local);
}

SECURITY_STATUS foreign_attribute(struct foreign_context *context, ULONG attribute, void *structure)
{
    const struct foreign_module *module = context->package->module;
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    if (!context->has_handle)
        return SEC_E_INVALID_HANDLE;
    if (module->wide != NULL && module->wide->QueryContextAttributesW != NULL)
        status = module->wide->QueryContextAttributesW(&context->handle, attribute, structure);
    else if (module->narrow != NULL && module->narrow->QueryContextAttributesA != NULL)
        status = module->narrow->QueryContextAttributesA(&context->handle, attribute, structure);
    return foreign_status(context->package, "QueryContextAttributes", status);
}
