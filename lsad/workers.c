#include "server.h"

#include "base/memory.h"
#include "base/secret.h"

/* Requests that may wait, and the workers that do. */

bool job_has_reply(const struct job *job)
{
    return job->head.operation != LSA_RELEASE && job->head.operation != LSA_ABANDON;
}

void job_release(struct job *job)
{
    if (job->body != NULL)
        secret_wipe(job->body, job->head.body_len);
    mem_free(job->body);
    writer_release(&job->reply);
    secret_wipe(job, sizeof *job);
}

static void workers_feed(struct server *server);

static void job_work(uv_work_t *work)
{
    job_run((struct job *)work);
}

static void job_done(uv_work_t *work, int status)
{
    struct job *job = (struct job *)work;
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    struct user *user = connection->user;
    user->n_holders++; /* the connection may go below */
    user->n_running--;
    server->n_running--;
    if (status != 0)
        job->status = SEC_E_INTERNAL_ERROR;
    connection_answer(connection, job);
    job_release(job);
    mem_free(job);
    user_drop(server, user);
    workers_feed(server);
}

/* One user's slow KDC leaves workers for the others, and that of many users some for root and for who has none. */
static bool may_run(const struct server *server, const struct user *user)
{
    unsigned workers = server->limits.workers;
    return user->n_running < (workers > 1 ? workers / 2 : 1) &&
           server->n_running < limits_share(user, workers, user->n_running == 0);
}

static void user_feed(struct server *server, struct user *user)
{
    struct job *job = user->waiting;
    user->waiting = job->next;
    if (user->waiting == NULL)
        user->waiting_end = &user->waiting;
    user->turn = ++server->n_turns;
    server->n_waiting--;
    user->n_running++;
    server->n_running++;
    if (job->connection->closing)
        job->status = SEC_E_INTERNAL_ERROR; /* nobody will hear the answer: nothing is done */
    (void)uv_queue_work(&server->loop, &job->work, job_work, job_done); /* fails only without a function */
}

/* Whose last turn is longest ago, of those who may. */
static struct user *user_next(struct server *server)
{
    struct user *next = NULL;
    for (struct user *user = server->users; user != NULL; user = user->next)
        if (user->waiting != NULL && (next == NULL || user->turn < next->turn) && may_run(server, user))
            next = user;
    return next;
}

static void workers_feed(struct server *server)
{
    struct user *user;
    while (server->n_waiting > 0 && (user = user_next(server)) != NULL)
        user_feed(server, user);
}

bool job_hand_over(struct server *server, const struct job *job, struct slice body)
{
    struct job *own = mem_zalloc(sizeof *own);
    uint8_t *copy = own != NULL ? mem_dup(body.data, body.len) : NULL;
    if (copy == NULL) {
        mem_free(own);
        return false;
    }
    *own = *job;
    own->body = copy;
    if (lsa_body_read(slice_of(copy, body.len), (enum lsa_operation)own->head.operation, false, &own->message) !=
        WIRE_OK)
        own->status = SEC_E_INTERNAL_ERROR; /* it was read before */
    struct user *user = own->connection->user;
    own->connection->job = own;
    *user->waiting_end = own;
    user->waiting_end = &own->next;
    server->n_waiting++;
    workers_feed(server);
    return true;
}
