#include "access/wbclient.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/late.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libwbclient.so.0" /* the name that carries its interface's version */
#define IDLE_MAX 16                /* connections kept for the next question */

_Static_assert(sizeof(struct wbc_sid) == sizeof(struct sid) && sizeof(struct wbc_sid) == 68, "one layout");

/* A library once loaded stays: unloading one that has threads' data crashes. */
struct library {
    struct library *next;
    struct wbclient table;
    char *name;
    struct {
        void *context;
        pid_t owner; /* a child's connection is its own */
    } idle[IDLE_MAX];
    size_t n_idle;
};
static struct library *libraries; /* guarded by lock, as are their idle connections */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(lock, FORK_RANK_WINBIND)

/* The function that the library lacks, or NULL. */
static const char *functions_find(void *loaded, struct wbclient *table)
{
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"wbcCtxCreate", &table->context_new},
        {"wbcCtxFree", &table->context_free},
        {"wbcCtxSidsToUnixIds", &table->sids_to_ids},
        {"wbcCtxUidToSid", &table->uid_to_sid},
        {"wbcCtxGidToSid", &table->gid_to_sid},
        {"wbcCtxLookupSid", &table->lookup_sid},
        {"wbcCtxLookupName", &table->lookup_name},
        {"wbcCtxInterfaceDetails", &table->details},
        {"wbcCtxListTrusts", &table->trusts},
        {"wbcCtxAuthenticateUserEx", &table->logon},
        {"wbcCtxChangeUserPasswordEx", &table->change_password},
        {"wbcCtxCheckTrustCredentials", &table->check_trust},
        {"wbcFreeMemory", &table->free_memory},
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        void *function = dlsym(loaded, wanted[i].name);
        if (function == NULL)
            return wanted[i].name;
        memcpy(wanted[i].slot, &function, sizeof function); /* ISO C knows no cast from object to function */
    }
    return NULL;
}

static SECURITY_STATUS library_load(const char *name, struct library *library)
{
    void *loaded = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    require(loaded != NULL, cause_set(SEC_E_INTERNAL_ERROR, "winbind needs %.128s, which cannot be loaded", name));
    const char *missing = functions_find(loaded, &library->table);
    if (missing != NULL) {
        dlclose(loaded);
        return cause_set(SEC_E_INTERNAL_ERROR, "%.128s has no function %s", name, missing);
    }
    library->name = mem_strdup(name);
    return library->name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Under the lock. One that cannot be loaded is tried again with the next question. */
static SECURITY_STATUS library_find(const char *name, struct library **found)
{
    for (*found = libraries; *found != NULL; *found = (*found)->next)
        if (strcmp((*found)->name, name) == 0)
            return SEC_E_OK;
    struct library *fresh = mem_zalloc(sizeof *fresh);
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = library_load(name, fresh);
    if (status != SEC_E_OK) {
        mem_free(fresh);
        return status;
    }
    fresh->next = libraries;
    *found = libraries = fresh;
    return SEC_E_OK;
}

static void *context_take(struct library *library)
{
    void *context = NULL;
    pthread_mutex_lock(&lock);
    while (library->n_idle > 0 && context == NULL) {
        bool ours = library->idle[--library->n_idle].owner == getpid();
        context = library->idle[library->n_idle].context;
        if (!ours) { /* closing our end leaves the parent its own */
            library->table.context_free(context);
            context = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return context != NULL ? context : library->table.context_new();
}

static void context_give(struct library *library, void *context)
{
    bool kept = false;
    pthread_mutex_lock(&lock);
    if (library->n_idle < IDLE_MAX) {
        library->idle[library->n_idle].context = context;
        library->idle[library->n_idle++].owner = getpid();
        kept = true;
    }
    pthread_mutex_unlock(&lock);
    if (!kept)
        library->table.context_free(context);
}

struct question {
    struct library *library;
    const struct wbclient_work *work;
    void *data;
};

static SECURITY_STATUS question_run(void *data)
{
    struct question *question = data;
    void *context = context_take(question->library);
    require(context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = question->work->run(&question->library->table, context, question->data);
    context_give(question->library, context);
    return status;
}

static void question_free(void *data)
{
    struct question *question = data;
    question->work->free(question->data);
    mem_free(question);
}

static const struct late_work question_work = {question_run, question_free};

static SECURITY_STATUS question_new(const struct winbind_settings *settings, const struct wbclient_work *work,
                                    void *data, struct question **question)
{
    struct library *library = NULL;
    pthread_mutex_lock(&lock);
    SECURITY_STATUS status = library_find(settings->library != NULL ? settings->library : LIBRARY, &library);
    pthread_mutex_unlock(&lock);
    try(status);
    *question = mem_zalloc(sizeof **question);
    require(*question != NULL, SEC_E_INSUFFICIENT_MEMORY);
    **question = (struct question){library, work, data};
    return SEC_E_OK;
}

static SECURITY_STATUS not_asked(enum late_end end)
{
    if (end == LATE_FULL)
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                         "%u questions that winbindd does not answer are still waiting; nothing more is asked until "
                         "they end",
                         late_abandoned(LATE_WINBIND));
    return cause_set(SEC_E_INSUFFICIENT_MEMORY, "no memory, or no thread to wait for winbindd with");
}

SECURITY_STATUS wbclient_ask(const struct winbind_settings *settings, const struct wbclient_work *work, void **data)
{
    struct question *question = NULL;
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    unsigned seconds = settings->seconds != 0 ? settings->seconds : WINBIND_SECONDS;
    try(question_new(settings, work, *data, &question));
    void *asked = question;
    enum late_end end = late_run(LATE_WINBIND, &question_work, &asked, late_deadline(seconds), &status);
    if (end == LATE_OVER) {
        *data = NULL;
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                         "winbindd did not answer within %u seconds (winbind_seconds in [access])", seconds);
    }
    mem_free(question);
    return end == LATE_DONE ? status : not_asked(end);
}

SECURITY_STATUS wbclient_start(const struct winbind_settings *settings, const struct wbclient_work *work, void **data)
{
    struct question *question = NULL;
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    try(question_new(settings, work, *data, &question));
    void *asked = question;
    enum late_end end = late_run(LATE_WINBIND, &question_work, &asked, 0, &status);
    if (end == LATE_OVER || end == LATE_DONE) {
        if (end == LATE_DONE) { /* it was that quick */
            question_free(question);
            cause_drop(); /* nobody asked how it went */
        }
        *data = NULL;
        return SEC_E_OK;
    }
    mem_free(question);
    return not_asked(end);
}

SECURITY_STATUS wbclient_failed(int error)
{
    if (error == WBC_NO_MEMORY)
        return SEC_E_INSUFFICIENT_MEMORY;
    if (error == WBC_NOT_AVAILABLE)
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY,
                         "winbind does not answer: is winbindd running, and may this process use its socket? "
                         "(wbinfo -p)");
    return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbind does not answer (error %d of libwbclient)", error);
}

SECURITY_STATUS wbclient_unprivileged(const struct wbclient *wbc, void *context)
{
    struct wbc_details *details = NULL;
    int error = wbc->details(context, &details);
    wbc->free_memory(details);
    return error == WBC_SUCCESS ? cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "%s", WBCLIENT_UNPRIVILEGED)
                                : wbclient_failed(WBC_NOT_AVAILABLE);
}

struct wbc_sid wbclient_sid_of(const struct sid *sid)
{
    struct wbc_sid out;
    memcpy(&out, sid, sizeof out);
    return out;
}

SECURITY_STATUS wbclient_sid_take(const struct wbc_sid *found, struct sid *sid)
{
    require(found->revision == 1 && found->n_subauthorities <= SID_SUBAUTHORITIES_MAX,
            cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is no SID"));
    memcpy(sid, found, sizeof *sid);
    for (size_t i = sid->n_subauthorities; i < SID_SUBAUTHORITIES_MAX; i++)
        sid->subauthority[i] = 0;
    return SEC_E_OK;
}

SECURITY_STATUS wbclient_text_take(const char *text, char **copy)
{
    require(text != NULL && utf8_valid(slice_of_text(text)),
            cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is no text"));
    *copy = mem_strdup(text);
    return *copy != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
