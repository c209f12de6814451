/*
 * `sspi connect` and `sspi listen`: a handshake by hand, then a chat. Packages with messages speak frames: length in four bytes (of what follows), a
 * letter, content. T token, A accepted, E refused (a status), M message. Stream packages speak TLS as it is, so that any TLS peer will do.
 */
#include "peer.h"
#include "socket.h"

#include "base/memory.h"
#include "base/reader.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sspi_ext.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define FRAME_MAX 65536 /* above every package's largest token, and a chunk of the chat */
#define CHUNK_MAX 8192
#define LEGS_MAX 32       /* a handshake that does not end is a wrong peer */
#define RECORD_OF_DATA 23 /* TLS: the first byte of a record of application data */

struct line {
    int socket;
    struct peer *peer;
    const struct cli_options *options;
    struct writer pending; /* of a stream: received, not yet used */
};

static int unreachable(const char *what)
{
    cli_fail("%s: %s", what,
             errno == EAGAIN || errno == EWOULDBLOCK ? "the peer is silent for too long (--timeout)" : strerror(errno));
    return CLI_UNREACHABLE;
}

static int send_all(int socket, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t put = send(socket, at, len, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return unreachable("cannot send");
        at += put;
        len -= (size_t)put;
    }
    return CLI_OK;
}

/* CLI_OK with *got 0 at the end of what the peer sends. */
static int receive_some(int socket, void *room, size_t max, size_t *got)
{
    ssize_t n;
    do
        n = recv(socket, room, max, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return unreachable("cannot receive");
    *got = (size_t)n;
    return CLI_OK;
}

static int receive_all(int socket, void *room, size_t len, bool *ended)
{
    uint8_t *at = room;
    *ended = false;
    for (size_t have = 0; have < len;) {
        size_t got;
        try(receive_some(socket, at + have, len - have, &got));
        if (got == 0 && have == 0) {
            *ended = true;
            return CLI_OK;
        }
        if (got == 0)
            return cli_fail("the peer closed the connection inside a message");
        have += got;
    }
    return CLI_OK;
}

static int frame_send(const struct line *line, char kind, struct slice content)
{
    uint8_t head[5];
    struct writer writer = writer_fixed(head, sizeof(head));
    writer_u32be(&writer, (uint32_t)content.len + 1);
    writer_u8(&writer, (uint8_t)kind);
    if (content.len + 1 > FRAME_MAX || writer_finish(&writer) != WIRE_OK)
        return cli_fail("a message of %zu bytes is too long for this chat", content.len);
    try(send_all(line->socket, head, sizeof(head)));
    return send_all(line->socket, content.data, content.len);
}

/* *kind is 0 at the peer's end. */
static int frame_receive(const struct line *line, char *kind, uint8_t room[FRAME_MAX], struct slice *content)
{
    uint8_t head[4];
    uint32_t len = 0;
    bool ended;
    *kind = 0;
    *content = slice_of(NULL, 0);
    try(receive_all(line->socket, head, sizeof(head), &ended));
    if (ended)
        return CLI_OK;
    struct reader reader = reader_of(slice_of(head, sizeof(head)));
    if (reader_u32be(&reader, &len) != WIRE_OK || len < 1 || len > FRAME_MAX)
        return cli_fail("the peer does not speak as \"sspi connect\" and \"sspi listen\" do: it announces %u bytes; "
                        "for TLS servers give "
                        "--package Schannel",
                        (unsigned)len);
    try(receive_all(line->socket, room, len, &ended));
    if (ended)
        return cli_fail("the peer closed the connection inside a message");
    *kind = (char)room[0];
    *content = slice_of(room + 1, len - 1);
    return CLI_OK;
}

static int refused(const struct line *line, struct slice content)
{
    struct reader reader = reader_of(content);
    uint32_t status = 0;
    if (reader_u32be(&reader, &status) != WIRE_OK)
        return cli_fail("the peer refused without a status");
    const char *advice =
        cli_status_advice((SECURITY_STATUS)status, line->peer->client ? SIDE_OTHER_SERVER : SIDE_OTHER_CLIENT, false);
    cli_fail("the peer refused: %s%s%s", cli_status_name((SECURITY_STATUS)status), advice == NULL ? "" : ": ",
             advice == NULL ? "" : advice);
    return CLI_REFUSED;
}

/* The peer learns the status alone; that it cannot be told is no second failure. */
static void refuse(const struct line *line, SECURITY_STATUS status)
{
    uint8_t number[4];
    struct writer writer = writer_fixed(number, sizeof(number));
    writer_u32be(&writer, (uint32_t)status);
    if (!line->peer->stream)
        (void)frame_send(line, 'E', writer_slice_of(&writer));
}

/* An alert of the peer's has the status that our own finding would have; the cause tells. */
static enum cli_side side_of_failure(const struct line *line)
{
    bool alert = line->peer->stream && strstr(OpenSspiLastErrorText(), "the peer sent the alert") != NULL;
    return alert ? SIDE_ALERT : peer_side(line->peer);
}

static int step_failed(const struct line *line, SECURITY_STATUS status)
{
    int code = cli_sspi_status_of("the handshake failed", status, side_of_failure(line));
    /* An alert of the peer's may be told by a status that is otherwise our own. */
    if (code == CLI_FAILED && line->peer->stream && line->peer->has_context && status != SEC_E_INSUFFICIENT_MEMORY)
        code = CLI_REFUSED;
    refuse(line, status);
    return code;
}

static void tell_step(const struct line *line, size_t in, ULONG out, SECURITY_STATUS status)
{
    if (line->options->verbose)
        fprintf(stderr, "step: %zu bytes in, %u bytes out, %s\n", in, (unsigned)out, cli_status_name(status));
}

static int handshake_framed(struct line *line)
{
    uint8_t *room = mem_zalloc(FRAME_MAX);
    struct slice in = {0};
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    int code = CLI_OK;
    char kind = 'T';
    if (room == NULL)
        return cli_fail("out of memory");
    for (unsigned leg = 0; code == CLI_OK; leg++) {
        SecBuffer token = {0};
        size_t n_extra;
        if (leg > 0 || !line->peer->client)
            code = frame_receive(line, &kind, room, &in);
        if (code == CLI_OK && kind == 'E')
            code = refused(line, in);
        else if (code == CLI_OK && kind == 0)
            code = cli_fail("the peer closed the connection before the handshake was over");
        if (code != CLI_OK || (kind == 'A' && status == SEC_E_OK))
            break;
        if (kind != 'T' || status == SEC_E_OK || leg == LEGS_MAX) {
            code = cli_fail("the peer does not keep to the handshake");
            break;
        }
        status = peer_step(line->peer, in, &token, &n_extra);
        tell_step(line, in.len, token.cbBuffer, status);
        if (status < 0)
            code = step_failed(line, status);
        else if (token.cbBuffer > 0)
            code = frame_send(line, 'T', slice_of(token.pvBuffer, token.cbBuffer));
        if (token.pvBuffer != NULL)
            FreeContextBuffer(token.pvBuffer);
        if (code == CLI_OK && status == SEC_E_OK && !line->peer->client) {
            code = frame_send(line, 'A', slice_of(NULL, 0));
            break;
        }
    }
    mem_free(room);
    return code;
}

static void pending_keep(struct line *line, size_t n_extra)
{
    struct writer rest = writer_growing(n_extra);
    writer_bytes(&rest, line->pending.data + line->pending.len - n_extra, n_extra);
    writer_release(&line->pending);
    line->pending = rest;
}

static int pending_receive(struct line *line, bool *ended)
{
    uint8_t room[CHUNK_MAX];
    size_t got = 0;
    try(receive_some(line->socket, room, sizeof(room), &got));
    *ended = got == 0;
    writer_bytes(&line->pending, room, got);
    return line->pending.failed ? cli_fail("out of memory") : CLI_OK;
}

/* A step of a stream with all that is pending. */
static int stream_step(struct line *line, SECURITY_STATUS *status)
{
    SecBuffer token;
    size_t n_extra, in_len = line->pending.len;
    int code = CLI_OK;
    *status = peer_step(line->peer, writer_slice_of(&line->pending), &token, &n_extra);
    if (*status != SEC_E_INCOMPLETE_MESSAGE) {
        tell_step(line, in_len, token.cbBuffer, *status);
        pending_keep(line, n_extra);
    }
    bool failed = *status < 0 && *status != SEC_E_INCOMPLETE_MESSAGE;
    if (token.cbBuffer > 0 && failed) /* an alert; that it cannot be told is no second failure */
        (void)send(line->socket, token.pvBuffer, token.cbBuffer, MSG_NOSIGNAL);
    else if (token.cbBuffer > 0)
        code = send_all(line->socket, token.pvBuffer, token.cbBuffer);
    if (failed)
        code = step_failed(line, *status); /* before the next call, which forgets the cause */
    if (token.pvBuffer != NULL)
        FreeContextBuffer(token.pvBuffer);
    return code;
}

static int handshake_stream(struct line *line)
{
    SECURITY_STATUS status = SEC_E_INCOMPLETE_MESSAGE;
    bool ended = false;
    int code = CLI_OK;
    if (line->peer->client)
        try(stream_step(line, &status));
    while (code == CLI_OK && status != SEC_E_OK) {
        if (line->pending.len == 0 || status == SEC_E_INCOMPLETE_MESSAGE)
            code = pending_receive(line, &ended);
        if (code == CLI_OK && ended)
            return cli_fail("the peer closed the connection before the handshake was over");
        if (code == CLI_OK)
            code = stream_step(line, &status);
    }
    return code;
}

static int say_framed(struct line *line, struct slice text)
{
    AUTO_WRITER struct writer sealed = writer_growing(CHUNK_MAX + 256);
    SECURITY_STATUS status = peer_protect(line->peer, text, &sealed);
    return status != SEC_E_OK ? cli_sspi_status("cannot protect the message", status)
                              : frame_send(line, 'M', writer_slice_of(&sealed));
}

static int say_stream(struct line *line, struct slice text)
{
    const SecPkgContext_StreamSizes *sizes = &line->peer->stream_sizes;
    uint8_t room[CHUNK_MAX + 512];
    if (sizes->cbHeader + sizes->cbTrailer > 512 || text.len > CHUNK_MAX)
        return cli_fail("the records of this connection need more room than there is");
    memcpy(room + sizes->cbHeader, text.data, text.len);
    SecBuffer buffers[4] = {{sizes->cbHeader, SECBUFFER_STREAM_HEADER, room},
                            {(ULONG)text.len, SECBUFFER_DATA, room + sizes->cbHeader},
                            {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, room + sizes->cbHeader + text.len},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = EncryptMessage(&line->peer->context, 0, &list, 0);
    if (status != SEC_E_OK)
        return cli_sspi_status("cannot protect the message", status);
    return send_all(line->socket, room, buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
}

static int hear_framed(struct line *line, bool *ended)
{
    AUTO_WRITER struct writer text = writer_growing(CHUNK_MAX);
    uint8_t *room = mem_zalloc(FRAME_MAX);
    struct slice content;
    char kind = 0;
    if (room == NULL)
        return cli_fail("out of memory");
    int code = frame_receive(line, &kind, room, &content);
    *ended = kind == 0;
    if (code == CLI_OK && kind != 0 && kind != 'M')
        code = kind == 'E' ? refused(line, content) : cli_fail("the peer sent something that is no message");
    if (code == CLI_OK && kind == 'M') {
        code = cli_sspi_status("a message was refused", peer_unprotect(line->peer, content, &text));
        cli_show(writer_slice_of(&text));
    }
    mem_free(room);
    return code;
}

/* Opens one record of what is pending. `status`: SEC_E_OK, or what became of it; SEC_E_INCOMPLETE_MESSAGE: it is not whole. */
static int record_open(struct line *line, SECURITY_STATUS *status)
{
    SecBuffer buffers[4] = {{(ULONG)line->pending.len, SECBUFFER_DATA, line->pending.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    size_t n_extra = 0;
    *status = DecryptMessage(&line->peer->context, &list, 0, NULL);
    if (*status == SEC_E_INCOMPLETE_MESSAGE)
        return CLI_OK;
    if (*status != SEC_E_OK && *status != SEC_I_CONTEXT_EXPIRED && *status != SEC_I_RENEGOTIATE)
        return cli_sspi_status_of("a record was refused", *status, side_of_failure(line));
    for (unsigned i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_DATA)
            cli_show(slice_of(buffers[i].pvBuffer, buffers[i].cbBuffer));
        if (buffers[i].BufferType == SECBUFFER_EXTRA)
            n_extra = buffers[i].cbBuffer;
    }
    pending_keep(line, n_extra);
    return CLI_OK;
}

/* What SEC_I_RENEGOTIATE is answered for. While TLS 1.2 negotiates anew, what the peer had sent before it knew comes amid that, and is text. */
static int stream_renegotiate(struct line *line)
{
    SECURITY_STATUS status = SEC_I_RENEGOTIATE;
    while (status != SEC_E_OK) {
        bool closed = false;
        if (status == SEC_E_INCOMPLETE_MESSAGE || line->pending.len == 0)
            try(pending_receive(line, &closed));
        if (closed || status == SEC_I_CONTEXT_EXPIRED)
            return cli_fail("the peer closed the connection inside a handshake");
        if (status == SEC_I_RENEGOTIATE || line->pending.data[0] != RECORD_OF_DATA) {
            try(stream_step(line, &status));
            continue;
        }
        try(record_open(line, &status));
        if (status == SEC_E_OK)
            status = SEC_I_CONTINUE_NEEDED;
    }
    return CLI_OK;
}

/* Opens what is pending, record by record. */
static int stream_open(struct line *line, bool *ended)
{
    while (line->pending.len > 0) {
        SECURITY_STATUS status;
        try(record_open(line, &status));
        if (status == SEC_E_INCOMPLETE_MESSAGE)
            return CLI_OK;
        if (status == SEC_I_CONTEXT_EXPIRED) {
            *ended = true;
            return CLI_OK;
        }
        if (status == SEC_I_RENEGOTIATE)
            try(stream_renegotiate(line));
    }
    return CLI_OK;
}

static int hear_stream(struct line *line, bool *ended)
{
    bool closed = false;
    try(pending_receive(line, &closed));
    if (closed) {
        *ended = true;
        return cli_fail("the connection was cut off: no close_notify came");
    }
    return stream_open(line, ended);
}

static int say_goodbye(struct line *line)
{
    DWORD shutdown_token = 1; /* SCHANNEL_SHUTDOWN */
    SecBuffer buffer = {sizeof(shutdown_token), SECBUFFER_TOKEN, &shutdown_token}, token;
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    size_t n_extra;
    int code = CLI_OK;
    if (line->peer->stream && ApplyControlToken(&line->peer->context, &list) == SEC_E_OK) {
        peer_step(line->peer, slice_of(NULL, 0), &token, &n_extra);
        if (token.cbBuffer > 0)
            code = send_all(line->socket, token.pvBuffer, token.cbBuffer);
        if (token.pvBuffer != NULL)
            FreeContextBuffer(token.pvBuffer);
    }
    shutdown(line->socket, SHUT_WR);
    return code;
}

/* How much is sent at once: TLS clients may ask for short records (RFC 6066 4). */
static size_t chunk_of(const struct line *line)
{
    size_t max = line->peer->stream_sizes.cbMaximumMessage;
    return line->peer->stream && max < CHUNK_MAX ? max : CHUNK_MAX;
}

/* Standard input goes to the peer, what the peer says to standard output, until both have ended. On a terminal the peer's end is ours: nobody would
 * notice that nobody listens. */
static int chat(struct line *line)
{
    struct pollfd ends[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = line->socket, .events = POLLIN}};
    bool ended = false;
    int code = line->peer->stream ? stream_open(line, &ended) : CLI_OK;
    while (code == CLI_OK && (!ended || ends[0].fd >= 0)) {
        if (ended && isatty(STDIN_FILENO) == 1)
            break;
        if (ended)
            ends[1].fd = -1;
        if (poll(ends, 2, -1) < 0) {
            if (errno != EINTR)
                code = cli_fail("cannot wait: %s", strerror(errno));
            continue;
        }
        if (!ended && (ends[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            code = line->peer->stream ? hear_stream(line, &ended) : hear_framed(line, &ended);
        if (code == CLI_OK && ends[0].fd >= 0 && (ends[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            uint8_t room[CHUNK_MAX];
            ssize_t got = read(STDIN_FILENO, room, chunk_of(line));
            if (got > 0) {
                code = line->peer->stream ? say_stream(line, slice_of(room, (size_t)got))
                                          : say_framed(line, slice_of(room, (size_t)got));
            } else if (got == 0 || errno != EINTR) {
                code = say_goodbye(line);
                ends[0].fd = -1;
            }
        }
    }
    if (ended && ends[0].fd >= 0)
        say_goodbye(line);
    return code;
}

static int converse(struct line *line)
{
    int code = line->peer->stream ? handshake_stream(line) : handshake_framed(line);
    if (code != CLI_OK)
        return code;
    if (!peer_proved(line->peer)) {
        refuse(line, SEC_E_MUTUAL_AUTH_FAILED);
        return peer_unproved();
    }
    /* The peer may now be silent for as long as it likes. */
    struct timeval forever = {0};
    setsockopt(line->socket, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
    peer_describe(line->peer);
    if (!line->peer->stream && !peer_seals(line->peer) && !peer_signs(line->peer)) {
        cli_fail("the context neither seals nor signs, so there is no chat; ask for confidentiality with --flags");
        return say_goodbye(line);
    }
    if (!line->peer->stream && !peer_seals(line->peer))
        fputs("messages are signed, not sealed: everybody on the way can read them\n", stderr);
    code = cli_sspi_status("the context tells no sizes", peer_ready(line->peer));
    return code == CLI_OK ? chat(line) : code;
}

static int timeout_of(const struct cli_options *options, int64_t *seconds)
{
    *seconds = 30;
    return options->timeout == NULL ? CLI_OK : cli_number("timeout", options->timeout, seconds);
}

static int run_line(int socket, struct peer *peer, const struct cli_options *options, int64_t seconds)
{
    struct line line = {.socket = socket, .peer = peer, .options = options, .pending = writer_growing(CHUNK_MAX)};
    struct timeval patience = {.tv_sec = (time_t)seconds};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    int code = converse(&line);
    writer_release(&line.pending);
    close(socket);
    return code;
}

#define CLIENT_FLAGS                                                                                   \
    (ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY | \
     ISC_REQ_INTEGRITY)
#define SERVER_FLAGS (ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY)

static int connect_run(const struct cli_options *options)
{
    AUTO_PEER struct peer peer = {0};
    char host[256], port[32], target[300];
    int64_t seconds;
    int file;
    try(socket_address(options->operand[0], NULL, host, port));
    try(timeout_of(options, &seconds));
    try(peer_open(&peer, options, true, CLIENT_FLAGS));
    if (!peer.stream && (options->ca != NULL || options->insecure))
        return cli_misuse("%s has no certificates: --ca and --insecure are for --package Schannel and CREDSSP",
                          peer.package);
    snprintf(target, sizeof(target), "%s%s", peer.credssp ? "TERMSRV/" : peer.stream ? "" : "host/", host);
    if (peer.target == NULL)
        peer.target = target;
    try(socket_dial(host, port, seconds, &file));
    return run_line(file, &peer, options, seconds);
}

static int listen_run(const struct cli_options *options)
{
    AUTO_PEER struct peer peer = {0};
    char host[256], port[32], name[256], service[32];
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    int64_t seconds;
    int listener, file;
    try(socket_address(options->operand[0], "127.0.0.1", host, port));
    try(timeout_of(options, &seconds));
    try(peer_open(&peer, options, false, SERVER_FLAGS));
    try(socket_listen(host, port, &listener));
    if (getsockname(listener, (struct sockaddr *)&address, &len) == 0 &&
        getnameinfo((struct sockaddr *)&address, len, name, sizeof(name), service, sizeof(service),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        fprintf(stderr, "listening: %s port %s\n", name, service);
    int code = socket_accept(listener, options->timeout == NULL ? 0 : seconds, &file);
    close(listener);
    try(code);
    return run_line(file, &peer, options, seconds);
}

static const struct cli_command connect_commands[] = {
    {"", "HOST:PORT",
     "Connects to \"sspi listen\", or with --package Schannel or CREDSSP to any server that speaks them; "
     "authenticates, tells what was agreed, "
     "and chats under its protection",
     OPTION_PACKAGE | OPTION_USER | OPTION_TARGET | OPTION_FLAGS | OPTION_CERTIFICATE | OPTION_CA | OPTION_TIMEOUT, 1,
     1, connect_run},
};
const struct cli_family cli_connect = {"connect", "try a handshake as the client, then chat", connect_commands, 1};

static const struct cli_command listen_commands[] = {
    {"", "[HOST:]PORT",
     "Waits for one client on this computer (or at HOST), authenticates it, tells what was agreed, and chats under its "
     "protection; port 0 takes a free one",
     OPTION_PACKAGE | OPTION_FLAGS | OPTION_CERTIFICATE | OPTION_TIMEOUT_LISTEN, 1, 1, listen_run},
};
const struct cli_family cli_listen = {"listen", "try a handshake as the server, then chat", listen_commands, 1};
