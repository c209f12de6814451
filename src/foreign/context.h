/*
 * A context of a foreign module. Handshake and sessions share it; records are claims to it, good in this process while its handshake or a session
 * lives, and in the thread that wrote one until it opens it.
 */
#ifndef OPENSSPI_FOREIGN_CONTEXT_H
#define OPENSSPI_FOREIGN_CONTEXT_H

#include "foreign/module.h"
#include <pthread.h>
#include <stdatomic.h>

#define CLAIM_LEN 16

struct foreign_credential {
    const struct foreign_package *package;
    pthread_mutex_t lock; /* guards `name` */
    char *name;           /* as the module gave it, once it was asked; NULL */
    CredHandle handle;
};

struct foreign_context {
    struct foreign_context *next; /* the list of claims */
    uint8_t claim[CLAIM_LEN];     /* random: nobody guesses one */
    atomic_uint n_references;
    const struct foreign_package *package;
    pthread_mutex_t lock; /* the module's calls for this context come one by one */
    bool initiator, has_handle;
    bool finished;      /* there are no more steps */
    bool recorded;      /* a record was written; until then a finished context waits for its token to be completed */
    char *target;       /* meanwhile the name that the client means, or NULL */
    atomic_bool opened; /* a session was opened from its record */
    CtxtHandle handle;
    /* The last answers that had text or bytes, borrowed by the caller until the next query. */
    char *text[2];
    struct secret bytes;
};

/* A fresh context with one reference, known to foreign_context_claim; NULL without memory or randomness. */
struct foreign_context *foreign_context_new(const struct foreign_package *package, bool initiator);
/* The context that a record's claim names, with a reference of the caller's; NULL when there is none. */
struct foreign_context *foreign_context_claim(struct slice claim);
void foreign_context_put(struct foreign_context *context);
/* A record with the context's claim is about to be opened by this thread: it keeps the context until then, or until it promises the next. */
void foreign_context_promise(struct foreign_context *context);

/* An answer of the module's as ours: what no function of the interface answers becomes SEC_E_INTERNAL_ERROR, and a failure gets a cause. */
SECURITY_STATUS foreign_status(const struct foreign_package *package, const char *call, SECURITY_STATUS status);
/* The module's text as UTF-8 (mem_free) and freed; NULL for NULL, what is not valid, and where there is no memory. */
char *foreign_text_take(const struct foreign_module *module, void *text);
/* A TimeStamp in local time, as packages give it, as FILETIME in UTC. */
int64_t foreign_time(TimeStamp stamp);
/* One attribute as the module's structure; SEC_E_UNSUPPORTED_FUNCTION where its table has no such call. The caller holds context->lock. */
SECURITY_STATUS foreign_attribute(struct foreign_context *context, ULONG attribute, void *structure);

#endif
