/*
 * libuv's functions that lsad/ calls, without a kernel: connections are memory, and nothing happens but what the caller lets happen, in its order.
 * One loop.
 */
#ifndef OPENSSPI_TESTS_FAKE_LOOP_H
#define OPENSSPI_TESTS_FAKE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#define WIRES_MAX 40
#define NOT_TOLD ((uid_t)-1) /* a sender whom the kernel did not take down */

/* Bytes in memory that no fault is simulated for. */
struct bytes {
    uint8_t *data;
    size_t len, max;
};
void bytes_add(struct bytes *bytes, const void *data, size_t len);

/* A connection as its other end sees it. */
struct wire {
    bool used;              /* somebody connected; stays until wires_clear */
    bool accepted, hung_up; /* the other end closed it */
    uid_t uid, sender;      /* who connected; who sends what is read next */
    uv_pipe_t *pipe;        /* NULL: not accepted yet, or closed by the server */
    struct bytes to_server; /* sent; `n_read` of it was read */
    size_t n_read;
    struct bytes to_client; /* what the server wrote */
    size_t room;            /* bytes that the server may write before it has to wait */
    bool reading, told_end;
    uv_alloc_cb alloc;
    uv_read_cb read;
    uv_write_t *writes[64]; /* not done, oldest first */
    size_t n_writes;
};
extern struct wire wires[WIRES_MAX];

/* Where the next allocation of the server's to fail is; 0: none does. Armed while the server is called. */
extern unsigned long loop_fault;
extern bool loop_write_fails; /* uv_write does, and does nothing */

struct wire *loop_connect(uid_t uid); /* NULL: there are enough */
/* At most `most` bytes of what was sent, if the server reads. */
void loop_deliver(struct wire *wire, size_t most);
void loop_hang_up(struct wire *wire);
void loop_room(struct wire *wire, size_t room); /* more, after which writes go on */
/* One of the jobs that wait runs, or one that ran gets back to the loop; false: there is none. */
bool loop_work(unsigned which);
/* Idle handles have their turn, and closed handles their end. */
void loop_turn(void);
void loop_tick(void);
bool loop_is_idle(void); /* nothing but deliveries would change anything */
void loop_clear(void);   /* when all is closed */

#endif
