#include "access/impersonation.h"

#include "access/thread_ids.h"
#include "core/cause.h"
#include "core/trace.h"
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

struct impersonation {
    const struct token *token; /* NULL: none */
    struct thread_ids base;    /* the thread's own, while `in_kernel` */
    bool in_kernel;            /* the kernel knows, not only we */
    bool suspended;            /* within an AS_PROCESS_SCOPE */
};

static _Thread_local struct impersonation self;

/* A thread that ends while it impersonates takes its kernel credentials with it; what we hold for it is given back here. */
static pthread_key_t key;
static bool has_key;

static void thread_ended(void *value)
{
    struct impersonation *state = value;
    thread_ids_release(&state->base);
    token_release(state->token);
    *state = (struct impersonation){0};
}

__attribute__((constructor)) static void key_make(void)
{
    has_key = pthread_key_create(&key, thread_ended) == 0;
}

__attribute__((destructor)) static void key_drop(void)
{
    if (has_key)
        (void)pthread_key_delete(key);
}

const struct token *impersonation_current(void)
{
    return self.token;
}

/* Back to the process in the kernel, and nothing else. Also for a thread that is the process just now, within a scope: nobody makes it the client
 * again. */
static void kernel_leave(void)
{
    if (!self.in_kernel)
        return;
    thread_ids_restore(&self.base);
    thread_ids_release(&self.base);
    self.in_kernel = self.suspended = false;
}

/* From one client straight to another: through the process's own rights, for no client may change users. */
static SECURITY_STATUS kernel_enter(const struct token *token, bool *unprivileged)
{
    bool ignored;
    *unprivileged = false;
    if (self.in_kernel) {
        thread_ids_restore(&self.base);
        SECURITY_STATUS status = thread_ids_take(&self.base, &token->facts->unix_ids, unprivileged);
        if (status != SEC_E_OK && thread_ids_take(&self.base, &self.token->facts->unix_ids, &ignored) != SEC_E_OK)
            thread_ids_end_process("the client it was before");
        return status;
    }
    struct thread_ids base = {0};
    try(thread_ids_read(&base));
    SECURITY_STATUS status = thread_ids_take(&base, &token->facts->unix_ids, unprivileged);
    if (status != SEC_E_OK) {
        thread_ids_release(&base);
        return status;
    }
    self.base = base;
    self.in_kernel = true;
    return SEC_E_OK;
}

static void token_put(const struct token *token)
{
    token_release(self.token);
    self.token = token;
    (void)pthread_setspecific(key, token != NULL ? &self : NULL);
}

/* Only [access] can ask for this: the token is there to be read, and the thread has the process's rights. */
static SECURITY_STATUS identify_only(const struct token *token)
{
    const struct token *lower = token_duplicate(token, false, SecurityIdentification);
    require(lower != NULL, SEC_E_INSUFFICIENT_MEMORY);
    kernel_leave();
    token_put(lower);
    cause_drop();
    return SEC_E_OK;
}

SECURITY_STATUS impersonation_begin(const struct token *token, const struct config *config)
{
    bool unprivileged = false;
    require(has_key, cause_set(SEC_E_NO_IMPERSONATION, "this process has no thread-specific data left"));
    require(token_may_act(token),
            cause_set(SEC_E_NO_IMPERSONATION, "the client lets itself be identified, and not more"));
    require(!self.suspended, cause_set(SEC_E_INTERNAL_ERROR, "impersonation within the library's own work"));
    require(token->facts->unix_ids.known,
            cause_set(SEC_E_NO_IMPERSONATION, "%s has no Unix user on this computer ([access] in the configuration)",
                      token->facts->account != NULL ? token->facts->account : "the client"));
    SECURITY_STATUS status = kernel_enter(token, &unprivileged);
    if (status != SEC_E_OK && unprivileged && config->access_identify_without_privilege)
        status = identify_only(token);
    else if (status == SEC_E_OK)
        token_put(token_retain(token));
    TRACE("access", "thread %ld impersonates %s, uid %ld: 0x%08x", (long)syscall(SYS_gettid),
          token->facts->account != NULL ? token->facts->account : "(nobody)", (long)token->facts->unix_ids.uid,
          (unsigned)status);
    return status;
}

void impersonation_end(void)
{
    if (self.token == NULL)
        return;
    kernel_leave();
    token_put(NULL);
    TRACE("access", "thread %ld reverts", (long)syscall(SYS_gettid));
}

static bool suspend(void)
{
    if (__builtin_expect(!self.in_kernel, 1) || self.suspended)
        return false;
    thread_ids_restore(&self.base);
    self.suspended = true;
    return true;
}

static void restore(void)
{
    bool ignored;
    if (!self.suspended) /* a module that we called in between had the thread revert */
        return;
    self.suspended = false;
    if (thread_ids_take(&self.base, &self.token->facts->unix_ids, &ignored) != SEC_E_OK)
        thread_ids_end_process("its client's user, after work of the library");
}

__attribute__((constructor)) static void hook(void)
{
    as_process_hook(suspend, restore);
}
