#include "server.h"

#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include <string.h>

/* A connection: what comes in, frame by frame, and the replies. It is read while there is nothing of it to be done and its replies are fetched. */

static uint8_t input_room[64 << 10]; /* of the loop's thread; wiped after each read */

static void ready_leave(struct connection *connection)
{
    struct server *server = connection->server;
    if (!connection->ready)
        return;
    struct connection **at = &server->ready;
    while (*at != connection)
        at = &(*at)->ready_next;
    *at = connection->ready_next;
    if (*at == NULL)
        server->ready_end = at;
    connection->ready = false;
}

static void connection_free(uv_handle_t *handle)
{
    struct connection *connection = (struct connection *)handle;
    connection->closed = true;
    if (connection->job != NULL)
        return; /* a worker has it; connection_answer comes back here */
    struct server *server = connection->server;
    ready_leave(connection);
    client_leave(server, connection->client);
    if (connection->user != NULL) {
        connection->user->n_connections--;
        (void)bytes_pass(server, connection->user, &connection->n_counted, 0);
        user_drop(server, connection->user);
    }
    *connection->at = connection->next;
    if (connection->next != NULL)
        connection->next->at = connection->at;
    server->n_connections--;
    writer_release(&connection->input);
    writer_release(&connection->output);
    mem_free(connection);
}

void connection_end(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    uv_close((uv_handle_t *)&connection->pipe, connection_free);
}

/* All that waits here of and for this connection, against its user; who has too much of it loses the connection. */
static void bytes_count(struct connection *connection)
{
    size_t waiting =
        connection->input.len + connection->n_output + (connection->job != NULL ? connection->job->head.body_len : 0);
    if (!bytes_pass(connection->server, connection->user, &connection->n_counted, waiting))
        connection_end(connection);
}

/* Replies that did not go out at once: one write at a time, and what comes meanwhile is one piece more. */
struct output {
    uv_write_t write; /* first */
    struct connection *connection;
    struct writer bytes;
    size_t n_left; /* of them */
};

static void connection_go_on(struct connection *connection);
static void output_keep(struct connection *connection, struct writer *bytes, size_t n_sent);

/* A write that failed. Who reads no more, but has the connection open, gave up waiting for this reply and holds his client by the connection: what
 * else he sends is not done. Where he is gone, reading tells. */
static void output_fail(struct connection *connection, int error)
{
    connection->unheard = true;
    if (error != UV_EPIPE)
        connection_end(connection);
}

static void output_free(struct output *output)
{
    struct connection *connection = output->connection;
    connection->sending = NULL;
    connection->n_output -= output->n_left;
    writer_release(&output->bytes);
    mem_free(output);
}

/* Before the connection's own end, whatever happens. */
static void output_sent(uv_write_t *write, int status)
{
    struct output *output = (struct output *)write;
    struct connection *connection = output->connection;
    output_free(output);
    if (status != 0)
        output_fail(connection, status);
    if (connection->unheard) {
        connection->n_output -= connection->output.len;
        writer_release(&connection->output);
        connection->output = writer_growing(0);
    }
    if (connection->output.len > 0 && !connection->closing) {
        connection->n_output -= connection->output.len;
        output_keep(connection, &connection->output, 0);
    }
    bytes_count(connection);
    connection_go_on(connection);
}

/* Takes the bytes. */
static void output_keep(struct connection *connection, struct writer *bytes, size_t n_sent)
{
    struct output *output = mem_zalloc(sizeof *output);
    if (output == NULL) {
        writer_release(bytes);
        connection_end(connection);
        return;
    }
    output->connection = connection;
    output->bytes = *bytes;
    *bytes = writer_growing(0);
    output->n_left = output->bytes.len - n_sent;
    connection->n_output += output->n_left;
    connection->sending = output;
    uv_buf_t rest = uv_buf_init((char *)output->bytes.data + n_sent, (unsigned)output->n_left);
    if (uv_write(&output->write, (uv_stream_t *)&connection->pipe, &rest, 1, output_sent) != 0) {
        output_free(output);
        connection_end(connection);
    }
}

static void bytes_send(struct connection *connection, struct writer *bytes)
{
    if (connection->sending != NULL) {
        writer_slice(&connection->output, writer_slice_of(bytes));
        connection->n_output += bytes->len;
        if (connection->output.failed)
            connection_end(connection);
        return;
    }
    uv_buf_t whole = uv_buf_init((char *)bytes->data, (unsigned)bytes->len);
    int sent = uv_try_write((uv_stream_t *)&connection->pipe, &whole, 1);
    if (sent == (int)bytes->len)
        return;
    if (sent < 0 && sent != UV_EAGAIN)
        output_fail(connection, sent);
    else
        output_keep(connection, bytes, sent > 0 ? (size_t)sent : 0);
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
    if (!connection->sender_is_known) {
        connection_end(connection);
        return;
    }
    job.reply = writer_growing(1024);
    job_prepare(connection->server, &job);
    if (job.may_wait && job.status == SEC_E_OK) {
        if (job_hand_over(connection->server, &job, body))
            return;
        job.status = SEC_E_INSUFFICIENT_MEMORY;
    } else if (job_has_reply(&job))
        job_run(&job);
    connection_answer(connection, &job);
    job_release(&job);
}

static bool may_take(const struct connection *connection)
{
    return connection->job == NULL && !connection->closing && connection->n_output <= OUTPUT_MAX;
}

/* Takes whole frames at the start of `input`, as many as one turn has; how many bytes that were. *more: there may be others. */
static size_t frames_take(struct connection *connection, struct slice input, bool *more)
{
    size_t taken = 0;
    *more = false;
    for (unsigned n_frames = 0; may_take(connection) && !connection->unheard; n_frames++) {
        struct reader reader = reader_of(slice_of(input.data + taken, input.len - taken));
        struct lsa_head head;
        struct slice body;
        enum wire_result result = lsa_head_read(&reader, &head);
        if (result == WIRE_BAD) {
            connection_end(connection);
            break;
        }
        if (result != WIRE_OK || reader_bytes(&reader, head.body_len, &body) != WIRE_OK)
            break;
        if (n_frames == TURN_FRAMES) {
            *more = true;
            break;
        }
        taken += LSA_HEAD_LEN + head.body_len;
        request_take(connection, &head, body);
    }
    return taken;
}

/* Is what comes next of the user whom the connection counts as? A process that gave its user up still has its connections, and so has whoever breaks
 * into it; a child inherits them. What root sends on another user's connection is that user's. A greeting, which gives nothing, may have been sent
 * before the daemon was there to be told of senders. */
static bool sender_is_user(struct connection *connection, enum peer_input input, uid_t sender)
{
    bool is_user = sender == connection->user->uid;
    connection->sender_is_known = input == PEER_SENT || is_user;
    switch (input) {
    case PEER_ENDED:
        return true;
    case PEER_SENT:
        return is_user || sender == 0;
    default:
        return is_user || connection->client == NULL;
    }
}

#define SILENT_MAX \
    16 /* looks in a row that find nothing, though the loop was told of something: nobody waits for such a connection */

/* Before each read. No room: it is put off (nothing is there yet), or the connection ends. */
static void input_room_give(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *connection = (struct connection *)handle;
    uid_t sender = 0;
    enum peer_input input = peer_sender(&connection->pipe, &sender);
    (void)suggested;
    *room = uv_buf_init(NULL, 0);
    connection->n_silent = input == PEER_SILENT ? connection->n_silent + 1 : 0;
    connection->misused =
        input == PEER_SILENT ? connection->n_silent > SILENT_MAX : !sender_is_user(connection, input, sender);
    if (input != PEER_SILENT && !connection->misused)
        *room = uv_buf_init((char *)input_room, sizeof input_room);
}

static void input_read(uv_stream_t *stream, ssize_t n_bytes, const uv_buf_t *room);

static void input_flow(struct connection *connection, bool on)
{
    if (connection->closing || connection->reading == on)
        return;
    connection->reading = on;
    if (on)
        (void)uv_read_start((uv_stream_t *)&connection->pipe, input_room_give, input_read);
    else
        (void)uv_read_stop((uv_stream_t *)&connection->pipe);
}

/* Keeps what is left of the input, in memory of its own size; nothing where it will not be done. */
static void input_keep(struct connection *connection, struct slice rest)
{
    bool wanted = rest.len > 0 && !connection->unheard;
    struct writer kept = writer_growing(wanted ? rest.len : 0);
    if (wanted)
        writer_slice(&kept, rest);
    bool failed = kept.failed;
    writer_release(&connection->input);
    connection->input = kept;
    if (failed)
        connection_end(connection);
}

static void turn_run(uv_idle_t *turn)
{
    struct server *server = turn->data;
    size_t n_ready = 0; /* who gets ready again meanwhile waits for the next turn */
    for (const struct connection *connection = server->ready; connection != NULL; connection = connection->ready_next)
        n_ready++;
    for (; n_ready > 0 && server->ready != NULL; n_ready--) {
        struct connection *connection = server->ready;
        ready_leave(connection);
        connection_take_turn(connection);
    }
    if (server->ready == NULL)
        (void)uv_idle_stop(turn);
}

static void turn_wait(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->ready)
        return;
    if (server->ready == NULL)
        (void)uv_idle_start(&server->turn, turn_run);
    connection->ready = true;
    connection->ready_next = NULL;
    *server->ready_end = connection;
    server->ready_end = &connection->ready_next;
}

/* What is to become of it after frames were taken: read on, wait for another turn, or wait for the job or the replies to be fetched. */
static void input_settle(struct connection *connection, bool more)
{
    if (connection->closing)
        return;
    bytes_count(connection);
    bool reads = may_take(connection) && !more;
    if (more && may_take(connection))
        turn_wait(connection);
    input_flow(connection, reads);
    if (!reads || connection->input.len == 0) /* it is late with nothing, but with its greeting */
        connection->since = connection->client == NULL ? connection->since : 0;
    else if (connection->since == 0)
        connection->since = monotonic_ms();
}

void connection_take_turn(struct connection *connection)
{
    bool more = false;
    struct slice input = writer_slice_of(&connection->input);
    size_t taken = input.len > 0 ? frames_take(connection, input, &more) : 0;
    if (taken > 0 || connection->unheard)
        input_keep(connection, slice_of(input.data + taken, input.len - taken));
    if (taken > 0 && connection->client != NULL)
        connection->since = 0; /* it gets on */
    input_settle(connection, more);
}

/* Something that it waited for is there. What it has sent meanwhile has its turn when the others had theirs. */
static void connection_go_on(struct connection *connection)
{
    if (connection->closing || connection->reading || !may_take(connection))
        return;
    if (connection->input.len > 0)
        turn_wait(connection);
    else
        input_settle(connection, false);
}

void connection_answer(struct connection *connection, struct job *job)
{
    bool was_handed_over = connection->job != NULL;
    connection->job = NULL;
    job_finish(connection->server, job);
    if (job_has_reply(job))
        reply_send(connection, &job->head, job->status, job->cause, &job->reply);
    if ((connection->closing || connection->unheard) &&
        job->made != NULL) /* nobody heard its name, so nobody would ever give it back */
        object_end(connection->server, connection->client, job->made);
    job->made = NULL;
    if (!was_handed_over)
        return;
    if (connection->closed)
        connection_free((uv_handle_t *)&connection->pipe);
    else {
        bytes_count(connection);
        connection_go_on(connection);
    }
}

static void input_read(uv_stream_t *stream, ssize_t n_bytes, const uv_buf_t *room)
{
    struct connection *connection = (struct connection *)stream;
    bool more;
    if (n_bytes == UV_ENOBUFS && !connection->misused)
        return;
    if (n_bytes < 0 || (n_bytes > 0 && connection->unheard)) {
        secret_wipe(room->base, n_bytes > 0 ? (size_t)n_bytes : 0);
        connection_end(connection);
        return;
    }
    struct slice fresh = slice_of(room->base, (size_t)n_bytes);
    if (connection->input.len == 0) {
        size_t taken = frames_take(connection, fresh, &more);
        if (taken < fresh.len)
            input_keep(connection, slice_of(fresh.data + taken, fresh.len - taken));
        input_settle(connection, more);
    } else {
        writer_slice(&connection->input, fresh);
        if (connection->input.failed)
            connection_end(connection);
        else
            connection_take_turn(connection);
    }
    secret_wipe(room->base, (size_t)n_bytes);
}

struct connection *connection_begin(struct server *server)
{
    struct connection *connection = mem_zalloc(sizeof *connection);
    require(connection != NULL, NULL);
    connection->server = server;
    connection->since = monotonic_ms();
    connection->input = connection->output = writer_growing(0);
    if (uv_pipe_init(&server->loop, &connection->pipe, 0) != 0) {
        mem_free(connection);
        return NULL;
    }
    connection->at = &server->connections;
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->at = &connection->next;
    server->connections = connection;
    server->n_connections++;
    return connection;
}

static const struct lsa_head nothing_asked = {.operation = LSA_HELLO, .sequence = 1};

void connection_admit(struct connection *connection)
{
    struct server *server = connection->server;
    uid_t uid;
    if (!peer_uid(&connection->pipe, &uid) || (connection->user = user_hold(server, uid)) == NULL) {
        connection_end(connection);
        return;
    }
    connection->user->n_connections++;
    if (!limits_admit(server, connection->user)) {
        reply_send(connection, &nothing_asked, SEC_E_INSUFFICIENT_MEMORY, "there are too many connections", NULL);
        connection_end(connection);
        return;
    }
    input_flow(connection, true);
}
