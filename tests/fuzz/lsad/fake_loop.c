#include "fuzz/lsad/fake_loop.h"

#include "base/memory.h"
#include "fuzz/world.h"
#include "server.h"
#include <string.h>

#define JOBS_MAX 256
#define HANDLES_MAX (WIRES_MAX + 8)

struct wire wires[WIRES_MAX];
unsigned long loop_fault;
bool loop_write_fails;

static struct {
    uv_work_t *work;
    uv_work_cb run;
    uv_after_work_cb after;
    bool ran;
} jobs[JOBS_MAX];
static size_t n_jobs;

static struct {
    uv_handle_t *handle;
    uv_close_cb done;
    bool closing;
} handles[HANDLES_MAX];
static size_t n_handles;

static uv_connection_cb arrive;
static uv_stream_t *listener;
static struct wire *arriving;
static uv_timer_t *timer;
static uv_timer_cb tick;
static uv_idle_t *idle;
static uv_idle_cb turn;

/* The server's calls fail where the caller says; the harness' own do not. */
static void server_begin(void)
{
    if (loop_fault != 0)
        mem_fault_set(loop_fault, false);
}

static void server_ended(void)
{
    mem_fault_set(0, false);
    loop_fault = 0;
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
    if (len > bytes->max - bytes->len) {
        bytes->max = 2 * (bytes->len + len) + 256;
        bytes->data = realloc(bytes->data, bytes->max);
        MUST(bytes->data != NULL);
    }
    if (len > 0)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

static size_t handle_index(const uv_handle_t *handle)
{
    for (size_t i = 0; i < n_handles; i++)
        if (handles[i].handle == handle)
            return i;
    return HANDLES_MAX;
}

static void handle_add(uv_handle_t *handle, uv_handle_type type)
{
    MUST(n_handles < HANDLES_MAX && handle_index(handle) == HANDLES_MAX);
    handle->type = type;
    handles[n_handles].handle = handle;
    handles[n_handles].closing = false;
    n_handles++;
}

static struct wire *wire_of(const uv_pipe_t *pipe)
{
    for (size_t i = 0; i < WIRES_MAX; i++)
        if (wires[i].pipe == pipe)
            return &wires[i];
    return NULL;
}

int uv_loop_init(uv_loop_t *loop)
{
    (void)loop;
    return 0;
}

int uv_loop_close(uv_loop_t *loop)
{
    (void)loop;
    return 0;
}

int uv_pipe_init(uv_loop_t *loop, uv_pipe_t *pipe, int ipc)
{
    (void)loop, (void)ipc;
    handle_add((uv_handle_t *)pipe, UV_NAMED_PIPE);
    return 0;
}

int uv_pipe_open(uv_pipe_t *pipe, uv_file file)
{
    (void)pipe, (void)file;
    return 0;
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *handle)
{
    (void)loop;
    handle_add((uv_handle_t *)handle, UV_TIMER);
    return 0;
}

int uv_timer_start(uv_timer_t *handle, uv_timer_cb callback, uint64_t first, uint64_t repeat)
{
    (void)first, (void)repeat;
    timer = handle;
    tick = callback;
    return 0;
}

int uv_signal_init(uv_loop_t *loop, uv_signal_t *handle)
{
    (void)loop;
    handle_add((uv_handle_t *)handle, UV_SIGNAL);
    return 0;
}

int uv_signal_start(uv_signal_t *handle, uv_signal_cb callback, int number)
{
    (void)handle, (void)callback, (void)number;
    return 0;
}

int uv_idle_init(uv_loop_t *loop, uv_idle_t *handle)
{
    (void)loop;
    handle_add((uv_handle_t *)handle, UV_IDLE);
    return 0;
}

int uv_idle_start(uv_idle_t *handle, uv_idle_cb callback)
{
    MUST(!uv_is_closing((uv_handle_t *)handle));
    idle = handle;
    turn = callback;
    return 0;
}

int uv_idle_stop(uv_idle_t *handle)
{
    (void)handle;
    turn = NULL;
    return 0;
}

int uv_listen(uv_stream_t *stream, int backlog, uv_connection_cb callback)
{
    (void)backlog;
    listener = stream;
    arrive = callback;
    return 0;
}

int uv_accept(uv_stream_t *server, uv_stream_t *client)
{
    MUST(server == listener && arriving != NULL);
    arriving->pipe = (uv_pipe_t *)client;
    arriving->accepted = true;
    arriving = NULL;
    return 0;
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read)
{
    struct wire *wire = wire_of((uv_pipe_t *)stream);
    MUST(wire != NULL && !uv_is_closing((uv_handle_t *)stream));
    wire->reading = true;
    wire->alloc = alloc;
    wire->read = read;
    return 0;
}

int uv_read_stop(uv_stream_t *stream)
{
    wire_of((uv_pipe_t *)stream)->reading = false;
    return 0;
}

/* As much as there is room for. */
static size_t wire_write(struct wire *wire, const char *data, size_t len)
{
    size_t sent = len < wire->room ? len : wire->room;
    bytes_add(&wire->to_client, data, sent);
    wire->room -= sent;
    return sent;
}

int uv_try_write(uv_stream_t *stream, const uv_buf_t buffers[], unsigned n_buffers)
{
    struct wire *wire = wire_of((uv_pipe_t *)stream);
    MUST(wire != NULL && n_buffers == 1 && !uv_is_closing((uv_handle_t *)stream));
    if (wire->hung_up)
        return UV_EPIPE;
    if (wire->n_writes > 0 || wire->room == 0)
        return UV_EAGAIN;
    return (int)wire_write(wire, buffers[0].base, buffers[0].len);
}

int uv_write(uv_write_t *request, uv_stream_t *stream, const uv_buf_t buffers[], unsigned n_buffers, uv_write_cb done)
{
    struct wire *wire = wire_of((uv_pipe_t *)stream);
    if (loop_write_fails)
        return UV_ENOMEM;
    MUST(wire != NULL && n_buffers == 1 && wire->n_writes < sizeof wire->writes / sizeof *wire->writes);
    request->handle = stream;
    request->cb = done;
    request->data = buffers[0].base;
    request->reserved[0] = (void *)(uintptr_t)buffers[0].len;
    wire->writes[wire->n_writes++] = request;
    return 0;
}

static void write_end(struct wire *wire, int status)
{
    uv_write_t *request = wire->writes[0];
    memmove(wire->writes, wire->writes + 1, --wire->n_writes * sizeof *wire->writes);
    request->cb(request, status);
}

int uv_is_closing(const uv_handle_t *handle)
{
    size_t i = handle_index(handle);
    return i == HANDLES_MAX || handles[i].closing;
}

void uv_close(uv_handle_t *handle, uv_close_cb done)
{
    size_t i = handle_index(handle);
    MUST(i < HANDLES_MAX && !handles[i].closing);
    handles[i].closing = true;
    handles[i].done = done;
    if (handle == (uv_handle_t *)idle)
        turn = NULL;
    struct wire *wire = handle->type == UV_NAMED_PIPE ? wire_of((uv_pipe_t *)handle) : NULL;
    if (wire != NULL)
        wire->reading = false;
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb run, uv_after_work_cb after)
{
    (void)loop;
    MUST(n_jobs < JOBS_MAX);
    jobs[n_jobs].work = work;
    jobs[n_jobs].run = run;
    jobs[n_jobs].after = after;
    jobs[n_jobs++].ran = false;
    return 0;
}

uv_buf_t uv_buf_init(char *base, unsigned len)
{
    return (uv_buf_t){.base = base, .len = len};
}

void uv_walk(uv_loop_t *loop, uv_walk_cb callback, void *argument)
{
    (void)loop;
    for (size_t i = n_handles; i > 0; i--)
        callback(handles[i - 1].handle, argument);
}

/* Only the end: what runs is done, what is closing closes. */
int uv_run(uv_loop_t *loop, uv_run_mode mode)
{
    (void)loop, (void)mode;
    while (!loop_is_idle()) {
        (void)loop_work(0);
        loop_turn();
    }
    return 0;
}

void uv_stop(uv_loop_t *loop)
{
    (void)loop;
}

bool peer_uid(const uv_pipe_t *pipe, uid_t *uid)
{
    const struct wire *wire = wire_of(pipe);
    MUST(wire != NULL);
    *uid = wire->uid;
    return true;
}

bool peer_senders_told(int listening)
{
    (void)listening;
    return true;
}

enum peer_input peer_sender(const uv_pipe_t *pipe, uid_t *uid)
{
    const struct wire *wire = wire_of(pipe);
    MUST(wire != NULL);
    *uid = wire->sender;
    if (wire->sender == NOT_TOLD)
        return PEER_UNKNOWN;
    return wire->n_read < wire->to_server.len ? PEER_SENT : wire->hung_up ? PEER_ENDED : PEER_SILENT;
}

struct wire *loop_connect(uid_t uid)
{
    struct wire *wire = NULL;
    for (size_t i = 0; i < WIRES_MAX && wire == NULL; i++)
        if (!wires[i].used)
            wire = &wires[i];
    if (wire == NULL || arriving != NULL)
        return NULL;
    *wire = (struct wire){.used = true, .uid = uid, .sender = uid, .room = (size_t)1 << 20};
    arriving = wire;
    server_begin();
    arrive(listener, 0);
    server_ended();
    return wire;
}

void loop_deliver(struct wire *wire, size_t most)
{
    uv_buf_t room;
    if (wire->pipe == NULL || !wire->reading)
        return;
    size_t left = wire->to_server.len - wire->n_read, n = left < most ? left : most;
    server_begin();
    if (n > 0) {
        wire->alloc((uv_handle_t *)wire->pipe, 65536, &room);
        if (room.len == 0) {
            wire->read((uv_stream_t *)wire->pipe, UV_ENOBUFS, &room);
            server_ended();
            return;
        }
        n = n < room.len ? n : room.len;
        memcpy(room.base, wire->to_server.data + wire->n_read, n);
        wire->n_read += n;
        wire->read((uv_stream_t *)wire->pipe, (ssize_t)n, &room);
    } else if (wire->hung_up && !wire->told_end && left == 0) {
        wire->told_end = true;
        wire->alloc((uv_handle_t *)wire->pipe, 65536, &room);
        wire->read((uv_stream_t *)wire->pipe, UV_EOF, &room);
    }
    server_ended();
}

void loop_hang_up(struct wire *wire)
{
    wire->hung_up = true;
    server_begin();
    while (wire->pipe != NULL && wire->n_writes > 0)
        write_end(wire, UV_EPIPE);
    server_ended();
}

void loop_room(struct wire *wire, size_t room)
{
    wire->room += room;
    while (wire->n_writes > 0 && !wire->hung_up) {
        uv_write_t *request = wire->writes[0];
        size_t len = (size_t)(uintptr_t)request->reserved[0], sent = wire_write(wire, request->data, len);
        request->data = (char *)request->data + sent;
        request->reserved[0] = (void *)(uintptr_t)(len - sent);
        if (sent < len)
            break;
        server_begin();
        write_end(wire, 0);
        server_ended();
    }
}

bool loop_work(unsigned which)
{
    if (n_jobs == 0)
        return false;
    size_t i = which % n_jobs;
    uv_work_t *work = jobs[i].work;
    server_begin();
    if (!jobs[i].ran) {
        jobs[i].ran = true;
        jobs[i].run(work);
    } else {
        uv_after_work_cb after = jobs[i].after;
        memmove(jobs + i, jobs + i + 1, (--n_jobs - i) * sizeof *jobs);
        after(work, 0);
    }
    server_ended();
    return true;
}

void loop_turn(void)
{
    if (turn != NULL && idle != NULL) {
        server_begin();
        turn(idle);
        server_ended();
    }
    for (size_t i = 0; i < n_handles;) {
        if (!handles[i].closing) {
            i++;
            continue;
        }
        uv_handle_t *handle = handles[i].handle;
        uv_close_cb done = handles[i].done;
        struct wire *wire = handle->type == UV_NAMED_PIPE ? wire_of((uv_pipe_t *)handle) : NULL;
        while (wire != NULL && wire->n_writes > 0)
            write_end(wire, UV_ECANCELED);
        if (wire != NULL)
            wire->pipe = NULL;
        memmove(handles + i, handles + i + 1, (--n_handles - i) * sizeof *handles);
        if (done != NULL)
            done(handle);
    }
}

void loop_tick(void)
{
    server_begin();
    tick(timer);
    server_ended();
}

bool loop_is_idle(void)
{
    bool is_idle = turn == NULL;
    for (size_t i = 0; i < n_handles; i++)
        is_idle = is_idle && !handles[i].closing;
    return is_idle && n_jobs == 0;
}

void loop_clear(void)
{
    MUST(n_handles == 0 && n_jobs == 0);
    for (size_t i = 0; i < WIRES_MAX; i++) {
        MUST(wires[i].pipe == NULL);
        free(wires[i].to_server.data);
        free(wires[i].to_client.data);
        wires[i] = (struct wire){0};
    }
    arriving = NULL;
    turn = NULL;
}
