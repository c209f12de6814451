#include "server.h"

#include "base/time.h"

/* The loop: who comes, who is late, and the end. */

#define TICK_MS 1000

/* An arrival that is not accepted keeps all others out (uv_accept): without memory it waits for the next tick. */
static void connection_arrive(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    struct connection *connection = status == 0 ? connection_begin(server) : NULL;
    server->arrival_waits = status == 0 && connection == NULL;
    if (connection == NULL)
        return;
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) != 0)
        connection_end(connection);
    else
        connection_admit(connection);
}

/* Ends those that keep half a message, or never said who they are. */
static void clock_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->arrival_waits)
        connection_arrive((uv_stream_t *)&server->listener, 0);
    uint64_t now = monotonic_ms(); /* not before who came just now: nothing here is younger than that */
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
    server->turn.data = server;
    server->ready_end = &server->ready;
    require(peer_senders_told(fd) && uv_pipe_open(&server->listener, fd) == 0, false);
    require(uv_timer_init(&server->loop, &server->clock) == 0, false);
    require(uv_idle_init(&server->loop, &server->turn) == 0, false);
    require(uv_signal_init(&server->loop, &server->interrupt) == 0, false);
    require(uv_signal_init(&server->loop, &server->terminate) == 0, false);
    require(uv_timer_start(&server->clock, clock_tick, TICK_MS, TICK_MS) == 0, false);
    require(uv_signal_start(&server->interrupt, signal_arrive, SIGINT) == 0, false);
    require(uv_signal_start(&server->terminate, signal_arrive, SIGTERM) == 0, false);
    return uv_listen((uv_stream_t *)&server->listener, SERVER_BACKLOG, connection_arrive) == 0;
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
