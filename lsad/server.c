#include "server.h"

#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/cause.h"
#include <string.h>
#include <sys/socket.h>

/* The loop: connections, frames, and which request runs where. */

#define BACKLOG 1024
#define TICK_MS 1000

static uint8_t input_room[64 << 10]; /* of the loop's thread; wiped after each read */

static void input_parse(struct connection *connection);
static void job_start(struct server *server, struct job *job);

static void connection_free(uv_handle_t *handle)
{
    struct connection *connection = (struct connection *)handle;
    connection->closed = true;
    if (connection->job != NULL)
        return; /* a worker has it; job_done comes back here */
    struct server *server = connection->server;
    client_leave(server, connection->client);
    if (connection->user != NULL) {
        connection->user->n_connections--;
        connection->user->n_bytes -= connection->n_counted;
        user_drop(server, connection->user);
    }
    *connection->at = connection->next;
    if (connection->next != NULL)
        connection->next->at = connection->at;
    server->n_connections--;
    writer_release(&connection->input);
    mem_free(connection);
}

static void connection_end(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    uv_close((uv_handle_t *)&connection->pipe, connection_free);
}

/* A reply that did not go out at once. */
struct output {
    uv_write_t write; /* first */
    struct writer bytes;
};

static void output_sent(uv_write_t *write, int status)
{
    struct output *output = (struct output *)write;
    if (status != 0)
        connection_end((struct connection *)write->handle);
    writer_release(&output->bytes);
    mem_free(output);
}

static void bytes_send(struct connection *connection, struct writer *bytes)
{
    uv_buf_t rest = uv_buf_init((char *)bytes->data, (unsigned)bytes->len);
    int sent = uv_try_write((uv_stream_t *)&connection->pipe, &rest, 1);
    if (sent == (int)bytes->len)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        connection_end(connection);
        return;
    }
    struct output *output = mem_zalloc(sizeof *output);
    if (output == NULL) {
        connection_end(connection);
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    output->bytes = *bytes;
    *bytes = (struct writer){.growing = true};
    rest = uv_buf_init((char *)output->bytes.data + done, (unsigned)(output->bytes.len - done));
    if (uv_write(&output->write, (uv_stream_t *)&connection->pipe, &rest, 1, output_sent) != 0)
        output_sent(&output->write, UV_EPIPE);
}

static void reply_send(struct connection *connection, const struct lsa_head *asked, SECURITY_STATUS status,
                       const char *cause, const struct writer *fields)
{
    AUTO_WRITER struct writer reply = writer_growing((fields != NULL ? fields->len : 0) + 640);
    lsa_head_write(&reply, (enum lsa_operation)asked->operation, true, asked->sequence);
    lsa_number_write(&reply, LSA_STATUS, (uint32_t)status);
    if (*cause != '\0')
        lsa_text_write(&reply, LSA_CAUSE, cause);
    if (fields != NULL && (status >= 0 || fields->len > 0))
        writer_slice(&reply, writer_slice_of(fields));
    if (lsa_body_end(&reply) != WIRE_OK || (fields != NULL && fields->failed))
        connection_end(connection);
    else if (!connection->closing)
        bytes_send(connection, &reply);
}

static bool has_reply(const struct job *job)
{
    return job->head.operation != LSA_RELEASE && job->head.operation != LSA_ABANDON;
}

static void job_release(struct job *job)
{
    if (job->body != NULL)
        secret_wipe(job->body, job->head.body_len);
    mem_free(job->body);
    writer_release(&job->reply);
    secret_wipe(job, sizeof *job);
}

static void job_answer(struct server *server, struct job *job)
{
    struct connection *connection = job->connection;
    job_finish(server, job);
    if (has_reply(job))
        reply_send(connection, &job->head, job->status, job->cause, &job->reply);
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
        job_start(server, job);
    }
}

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
    job_answer(server, job);
    job_release(job);
    mem_free(job);
    connection->job = NULL;
    if (connection->closed)
        connection_free((uv_handle_t *)&connection->pipe);
    else
        input_parse(connection);
    workers_feed(server, user);
    user_drop(server, user);
}

static void job_start(struct server *server, struct job *job)
{
    job->connection->user->n_running++;
    if (uv_queue_work(&server->loop, &job->work, job_work, job_done) != 0) {
        job->status = SEC_E_INTERNAL_ERROR;
        job_done(&job->work, 0);
    }
}

/* Gives a worker a copy of its own, since the loop's input goes on. */
static bool job_hand_over(struct server *server, struct job *job, struct slice body)
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

static void greet(struct connection *connection, const struct lsa_head *head, const struct lsa_message *message)
{
    struct server *server = connection->server;
    AUTO_WRITER struct writer fields = writer_growing(64);
    if (connection->client != NULL) {
        connection_end(connection);
        return;
    }
    struct client *client = lsa_has(message, LSA_CLIENT) ? client_find(server, message->field[LSA_CLIENT]) : NULL;
    if (client == NULL)
        client = client_new(server);
    if (client == NULL) {
        connection_end(connection);
        return;
    }
    client->n_connections++;
    connection->client = client;
    lsa_bytes_write(&fields, LSA_CLIENT, slice_of(client->name, sizeof client->name));
    reply_send(connection, head, SEC_E_OK, "", &fields);
}

static void request_take(struct connection *connection, const struct lsa_head *head, struct slice body)
{
    struct server *server = connection->server;
    struct job job = {.connection = connection, .head = *head, .uid = connection->user->uid};
    if (head->reply || head->version != LSA_PROTOCOL_VERSION) {
        if (!head->reply)
            reply_send(connection, head, SEC_E_UNSUPPORTED_FUNCTION,
                       "this security authority speaks another version of the protocol", NULL);
        connection_end(connection);
        return;
    }
    bool first = connection->client == NULL;
    if (lsa_body_read(body, (enum lsa_operation)head->operation, false, &job.message) != WIRE_OK ||
        first != (head->operation == LSA_HELLO)) {
        connection_end(connection);
        return;
    }
    if (first) {
        greet(connection, head, &job.message);
        return;
    }
    job.reply = writer_growing(1024);
    job_prepare(server, &job);
    if (job.may_wait && job.status == SEC_E_OK) {
        if (job_hand_over(server, &job, body))
            return;
        job.status = SEC_E_INSUFFICIENT_MEMORY;
    } else if (has_reply(&job))
        job_run(&job);
    job_answer(server, &job);
    job_release(&job);
}

/* What waits for its rest, or for the job before it, is moved together; long frames count against their user. */
static bool input_count(struct connection *connection, size_t n_bytes)
{
    struct user *user = connection->user;
    size_t counted = n_bytes > BODY_SMALL ? n_bytes : 0;
    user->n_bytes -= connection->n_counted;
    connection->n_counted = 0;
    if (user->n_bytes + counted > USER_BYTES_MAX)
        return false;
    user->n_bytes += counted;
    connection->n_counted = counted;
    return true;
}

/* Takes the whole frames at the start of `input`; how many bytes that were. */
static size_t frames_take(struct connection *connection, struct slice input)
{
    size_t taken = 0;
    while (connection->job == NULL && !connection->closing) {
        struct reader reader = reader_of(slice_of(input.data + taken, input.len - taken));
        struct lsa_head head;
        struct slice body;
        enum wire_result result = lsa_head_read(&reader, &head);
        if (result == WIRE_BAD || (result == WIRE_OK && !input_count(connection, head.body_len))) {
            connection_end(connection);
            break;
        }
        if (result != WIRE_OK || reader_bytes(&reader, head.body_len, &body) != WIRE_OK)
            break;
        taken += LSA_HEAD_LEN + head.body_len;
        request_take(connection, &head, body);
    }
    return taken;
}

static void input_room_give(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)handle, (void)suggested;
    *room = uv_buf_init((char *)input_room, sizeof input_room);
}

static void input_read(uv_stream_t *stream, ssize_t n_bytes, const uv_buf_t *room);

static void input_flow(struct connection *connection, bool on)
{
    if (connection->closing)
        return;
    if (on)
        (void)uv_read_start((uv_stream_t *)&connection->pipe, input_room_give, input_read);
    else
        (void)uv_read_stop((uv_stream_t *)&connection->pipe);
}

/* Keeps what is left of the input, in memory of its own size. */
static void input_keep(struct connection *connection, struct slice rest)
{
    struct writer kept = writer_growing(rest.len);
    if (rest.len > 0)
        writer_slice(&kept, rest);
    bool failed = kept.failed;
    writer_release(&connection->input);
    connection->input = kept;
    if (failed)
        connection_end(connection);
    if (rest.len == 0)
        (void)input_count(connection, 0);
    if (rest.len == 0 || connection->job != NULL)
        connection->since = connection->client == NULL ? connection->since : 0;
    else if (connection->since == 0)
        connection->since = monotonic_ms();
}

static void input_parse(struct connection *connection)
{
    struct slice input = writer_slice_of(&connection->input);
    size_t taken = frames_take(connection, input);
    input_keep(connection, slice_of(input.data + taken, input.len - taken));
    input_flow(connection, connection->job == NULL);
}

static void input_read(uv_stream_t *stream, ssize_t n_bytes, const uv_buf_t *room)
{
    struct connection *connection = (struct connection *)stream;
    if (n_bytes < 0) {
        connection_end(connection);
        return;
    }
    struct slice fresh = slice_of(room->base, (size_t)n_bytes);
    if (connection->input.len == 0) {
        size_t taken = frames_take(connection, fresh);
        if (taken < fresh.len || connection->since != 0 || connection->n_counted != 0)
            input_keep(connection, slice_of(fresh.data + taken, fresh.len - taken));
        if (connection->job != NULL)
            input_flow(connection, false);
    } else {
        writer_slice(&connection->input, fresh);
        if (connection->input.failed)
            connection_end(connection);
        else
            input_parse(connection);
    }
    secret_wipe(room->base, (size_t)n_bytes);
}

static bool peer_uid(const uv_pipe_t *pipe, uid_t *uid)
{
    uv_os_fd_t fd;
    struct ucred peer;
    socklen_t len = sizeof peer;
    require(uv_fileno((const uv_handle_t *)pipe, &fd) == 0, false);
    require(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer, false);
    *uid = peer.uid;
    return true;
}

static const struct lsa_head nothing_asked = {.operation = LSA_HELLO, .sequence = 1};

static void connection_admit(struct server *server, struct connection *connection)
{
    uid_t uid;
    if (!peer_uid(&connection->pipe, &uid) || (connection->user = user_hold(server, uid)) == NULL) {
        connection_end(connection);
        return;
    }
    connection->user->n_connections++;
    if (server->n_connections > server->limits.connections ||
        connection->user->n_connections > server->limits.user_connections) {
        reply_send(connection, &nothing_asked, SEC_E_INSUFFICIENT_MEMORY, "there are too many connections", NULL);
        connection_end(connection);
        return;
    }
    input_flow(connection, true);
}

static void connection_arrive(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    struct connection *connection = status == 0 ? mem_zalloc(sizeof *connection) : NULL;
    if (connection == NULL)
        return;
    connection->server = server;
    connection->since = monotonic_ms();
    connection->input = writer_growing(0);
    if (uv_pipe_init(&server->loop, &connection->pipe, 0) != 0) {
        mem_free(connection);
        return;
    }
    connection->at = &server->connections;
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->at = &connection->next;
    server->connections = connection;
    server->n_connections++;
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) != 0)
        connection_end(connection);
    else
        connection_admit(server, connection);
}

/* Ends those that keep half a message, or never said who they are. */
static void clock_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = monotonic_ms();
    for (struct connection *connection = server->connections, *next; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->since != 0 && connection->job == NULL && now - connection->since > GREETING_MS)
            connection_end(connection);
    }
}

static void signal_arrive(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    log_line("signal %d: ending", number);
    uv_stop(&server->loop);
}

bool server_listen(struct server *server, int fd)
{
    require(uv_loop_init(&server->loop) == 0, false);
    require(uv_pipe_init(&server->loop, &server->listener, 0) == 0, false);
    server->listener.data = server->clock.data = server->interrupt.data = server->terminate.data = server;
    require(uv_pipe_open(&server->listener, fd) == 0, false);
    require(uv_timer_init(&server->loop, &server->clock) == 0, false);
    require(uv_signal_init(&server->loop, &server->interrupt) == 0, false);
    require(uv_signal_init(&server->loop, &server->terminate) == 0, false);
    require(uv_timer_start(&server->clock, clock_tick, TICK_MS, TICK_MS) == 0, false);
    require(uv_signal_start(&server->interrupt, signal_arrive, SIGINT) == 0, false);
    require(uv_signal_start(&server->terminate, signal_arrive, SIGTERM) == 0, false);
    return uv_listen((uv_stream_t *)&server->listener, BACKLOG, connection_arrive) == 0;
}

static void handle_close(uv_handle_t *handle, void *argument)
{
    struct server *server = argument;
    if (uv_is_closing(handle))
        return;
    bool is_connection = handle->type == UV_NAMED_PIPE && handle != (uv_handle_t *)&server->listener;
    if (is_connection)
        connection_end((struct connection *)handle);
    else
        uv_close(handle, NULL);
}

void server_run(struct server *server)
{
    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    /* Requests that run get their end; those that wait and connections do not. */
    uv_walk(&server->loop, handle_close, server);
    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&server->loop);
}
