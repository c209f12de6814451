#include "api/message.h"

#include "api/api.h"
#include "api/buffers.h"
#include "core/cause.h"
#include "sasl/sasl.h"

#include <sspi_ext.h>

/* OpenSspiEncryptMessages and OpenSspiDecryptMessages. Messages of packages that gain by it are collected, some at a time, and handed to their
 * package together, under the locks of all their contexts; the others are done one by one, as all of a group are when one of their contexts is busy.
 * A context's messages all go the same way, so that each context's are in order. */

/* A message that waits for its group. */
struct waiting {
    OPENSSPI_MESSAGE *one;
    struct handle_ref ref;
    struct context *context;
    struct message message;
    bool alone; /* its package does not take several, as was found out late */
};

struct group {
    bool seal;
    unsigned n;
    struct waiting list[MESSAGES_TOGETHER];
};

static void one_alone(OPENSSPI_MESSAGE *one, bool seal)
{
    one->Status = seal ? message_send(one->phContext, one->fQOP, one->pMessage, one->MessageSeqNo, true)
                       : message_receive(one->phContext, one->pMessage, one->MessageSeqNo, &one->fQOP, true);
}

static pthread_mutex_t *lock_of(struct context *context, bool seal)
{
    return seal ? &context->send_lock : &context->receive_lock;
}

/* The group's contexts, each once and by address: two calls with the same contexts meet at the first. */
static unsigned contexts_sorted(const struct group *group, struct context **contexts)
{
    unsigned n = 0;
    for (unsigned i = 0; i < group->n; i++) {
        struct context *context = group->list[i].context;
        unsigned place = 0;
        while (place < n && (uintptr_t)contexts[place] < (uintptr_t)context)
            place++;
        if (place < n && contexts[place] == context)
            continue;
        for (unsigned k = n++; k > place; k--)
            contexts[k] = contexts[k - 1];
        contexts[place] = context;
    }
    return n;
}

static bool takes_several(const struct package *package, bool seal)
{
    return (seal ? package->session->seal_several : package->session->unseal_several) != NULL;
}

/* What a single message's call asks under the lock before its package does. */
static SECURITY_STATUS group_admit(const struct group *group, struct waiting *waiting, struct session_message *entry)
{
    const struct context *context = waiting->context;
    require(context->session != NULL, message_not_established(context));
    const struct session *session = session_inside(context->session);
    waiting->alone = !takes_several(session->package, group->seal);
    if (waiting->alone)
        return SEC_E_OK;
    *entry = (struct session_message){.state = session->state,
                                      .message = &waiting->message,
                                      .qop = waiting->one->fQOP,
                                      .seq = waiting->one->MessageSeqNo};
    return group->seal ? sasl_check_send(context, &waiting->message, entry->qop, true)
                       : sasl_check_receive(context, &waiting->message, true);
}

/* Gives what was admitted to its package, a package's messages in one call. */
static void group_call(const struct group *group, struct session_message *entries, bool *admitted)
{
    for (unsigned first = 0; first < group->n; first++) {
        if (!admitted[first])
            continue;
        const struct package *package = session_inside(group->list[first].context->session)->package;
        struct session_message some[MESSAGES_TOGETHER];
        unsigned whose[MESSAGES_TOGETHER], n = 0;
        for (unsigned i = first; i < group->n; i++)
            if (admitted[i] && session_inside(group->list[i].context->session)->package == package) {
                whose[n] = i;
                some[n++] = entries[i];
                admitted[i] = false;
            }
        (group->seal ? package->session->seal_several : package->session->unseal_several)(some, n);
        for (unsigned k = 0; k < n; k++)
            entries[whose[k]] = some[k];
    }
}

static void group_locked(struct group *group)
{
    struct session_message entries[MESSAGES_TOGETHER] = {0};
    bool admitted[MESSAGES_TOGETHER] = {false}, called[MESSAGES_TOGETHER] = {false};
    for (unsigned i = 0; i < group->n; i++) {
        struct waiting *waiting = &group->list[i];
        waiting->one->Status = group_admit(group, waiting, &entries[i]);
        called[i] = admitted[i] = waiting->one->Status == SEC_E_OK && !waiting->alone;
    }
    group_call(group, entries, admitted);
    for (unsigned i = 0; i < group->n; i++) {
        struct waiting *waiting = &group->list[i];
        if (!called[i])
            continue;
        waiting->one->Status = entries[i].status;
        if (entries[i].status == SEC_E_OK && !group->seal)
            waiting->one->Status = sasl_check_received(waiting->context, entries[i].qop, true);
        if (waiting->one->Status == SEC_E_OK)
            waiting->one->fQOP = entries[i].qop;
    }
}

static void contexts_unlock(struct context *const *contexts, unsigned n, bool seal)
{
    while (n-- > 0)
        pthread_mutex_unlock(lock_of(contexts[n], seal));
}

/* Takes all the locks, or none and gives false: nobody waits for a context while it holds another one. Under the lock of one of Negotiate's, a module
 * of somebody else's may run, which may wait, or call back. */
static bool contexts_lock(struct context *const *contexts, unsigned n, bool seal)
{
    pthread_mutex_lock(lock_of(contexts[0], seal));
    for (unsigned i = 1; i < n; i++)
        if (pthread_mutex_trylock(lock_of(contexts[i], seal)) != 0) {
            contexts_unlock(contexts, i, seal);
            return false;
        }
    return true;
}

static void group_flush(struct group *group)
{
    struct context *contexts[MESSAGES_TOGETHER];
    unsigned n_contexts = contexts_sorted(group, contexts);
    bool locked = n_contexts > 0 && contexts_lock(contexts, n_contexts, group->seal);
    if (locked) {
        group_locked(group);
        contexts_unlock(contexts, n_contexts, group->seal);
    }
    for (unsigned i = 0; i < group->n; i++) {
        struct waiting *waiting = &group->list[i];
        if (!locked || waiting->alone)
            one_alone(waiting->one, group->seal);
        else if (waiting->one->Status == SEC_E_OK)
            buffers_message_done(waiting->one->pMessage, group->seal ? MESSAGE_SEAL : MESSAGE_UNSEAL,
                                 &waiting->message);
        handle_put(&waiting->ref);
    }
    group->n = 0;
}

/* Puts a message into the group, or does it at once where it cannot gain. */
static void group_add(struct group *group, OPENSSPI_MESSAGE *one)
{
    struct waiting *waiting = &group->list[group->n];
    waiting->alone = false;
    waiting->one = one;
    one->Status = api_context_get(one->phContext, &waiting->ref);
    if (one->Status != SEC_E_OK)
        return;
    waiting->context = waiting->ref.object;
    const struct package *package = waiting->context->package;
    bool joins = !context_is_stream(waiting->context) && (package->info.chooses || takes_several(package, group->seal));
    if (!joins)
        one_alone(one, group->seal);
    else
        one->Status = buffers_message(one->pMessage, group->seal ? MESSAGE_SEAL : MESSAGE_UNSEAL, &waiting->message);
    if (joins && one->Status == SEC_E_OK)
        group->n++;
    else
        handle_put(&waiting->ref);
}

static SECURITY_STATUS messages(OPENSSPI_MESSAGE *list, ULONG n, bool seal)
{
    struct group group;
    cause_clear();
    require(list != NULL || n == 0, cause_set(SEC_E_INVALID_PARAMETER, "no messages were given"));
    group.seal = seal;
    group.n = 0;
    for (ULONG i = 0; i < n; i++) {
        group_add(&group, &list[i]);
        if (group.n == MESSAGES_TOGETHER || i == n - 1)
            group_flush(&group);
    }
    for (ULONG i = 0; i < n; i++)
        if (list[i].Status != SEC_E_OK)
            return list[i].Status;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY OpenSspiEncryptMessages(OPENSSPI_MESSAGE *Messages, ULONG Count)
{
    return messages(Messages, Count, true);
}

SECURITY_STATUS SEC_ENTRY OpenSspiDecryptMessages(OPENSSPI_MESSAGE *Messages, ULONG Count)
{
    return messages(Messages, Count, false);
}
