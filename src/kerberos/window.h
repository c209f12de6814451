/*
 * Which message numbers were seen (RFC 2743 1.2.3): replays and what is too old to tell are refused, with sequence detection everything but the next.
 */
#ifndef OPENSSPI_KERBEROS_WINDOW_H
#define OPENSSPI_KERBEROS_WINDOW_H

#include "base/reader.h"
#include "base/writer.h"

#define WINDOW_WIDTH 64

struct window {
    bool replay, sequence; /* what is checked */
    bool narrow;           /* numbers of 32 bits */
    uint64_t next;         /* one more than the highest seen */
    uint64_t seen;         /* bit i: next - 1 - i was seen, or came before the first */
};

enum window_verdict { WINDOW_NEW, WINDOW_REPLAYED, WINDOW_OLD, WINDOW_GAP, WINDOW_REORDERED };

void window_start(struct window *window, uint64_t first);
/* Changes nothing. */
enum window_verdict window_check(const struct window *window, uint64_t seq);
/* After window_check let it pass and the message proved genuine. */
void window_commit(struct window *window, uint64_t seq);

void window_write(struct writer *own, const struct window *window);
MUST_USE enum wire_result window_read(struct reader *own, struct window *window);

#endif
