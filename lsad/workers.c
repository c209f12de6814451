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

static void workers_feed(struct server *server, struct user *user);

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
    if (status != 0)
        job->status = SEC_E_INTERNAL_ERROR;
    connection_answer(connection, job);
    job_release(job);
    mem_free(job);
    workers_feed(server, user);
    user_drop(server, user);
}

static void workers_feed(struct server *server, struct user *user)
{
    /* One user's slow KDC leaves workers for the others. */
    unsigned most = server->limits.workers > 1 ? server->limits.workers / 2 : 1;
    while (user->waiting != NULL && user->n_running < most) {
        struct job *job = user->waiting;
        user->waiting = job->next;
        if (user->waiting == NULL)
            user->waiting_end = &user->waiting;
        user->n_running++;
        (void)uv_queue_work(&server->loop, &job->work, job_work, job_done); /* fails only without a function */
    }
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
    workers_feed(server, user);
    return true;
}
