#include "kerberos/window.h"

void window_start(struct window *window, uint64_t first)
{
    window->next = first;
    window->seen = UINT64_MAX; /* what comes before the first number was never sent */
}

/* How far a number is ahead of the next one; negative for the past. Numbers wrap around. */
static int64_t ahead(const struct window *window, uint64_t seq)
{
    uint64_t distance = seq - window->next;
    return window->narrow ? (int32_t)(uint32_t)distance : (int64_t)distance;
}

static bool was_seen(const struct window *window, int64_t distance)
{
    return (window->seen >> (-1 - distance) & 1) != 0;
}

enum window_verdict window_check(const struct window *window, uint64_t seq)
{
    int64_t distance = ahead(window, seq);
    if (!window->replay && !window->sequence)
        return WINDOW_NEW;
    if (distance >= 0)
        return distance > 0 && window->sequence ? WINDOW_GAP : WINDOW_NEW;
    if (distance < -WINDOW_WIDTH)
        return WINDOW_OLD;
    if (was_seen(window, distance))
        return WINDOW_REPLAYED;
    return window->sequence ? WINDOW_REORDERED : WINDOW_NEW;
}

void window_commit(struct window *window, uint64_t seq)
{
    int64_t distance = ahead(window, seq);
    if (distance >= 0) {
        window->seen = distance < WINDOW_WIDTH - 1 ? window->seen << (distance + 1) : 0;
        window->seen |= 1;
        window->next = window->narrow ? (uint32_t)(seq + 1) : seq + 1;
    } else if (distance >= -WINDOW_WIDTH)
        window->seen |= UINT64_C(1) << (-1 - distance);
}

void window_write(struct writer *own, const struct window *window)
{
    writer_u64le(own, window->next);
    writer_u64le(own, window->seen);
}

enum wire_result window_read(struct reader *own, struct window *window)
{
    try(reader_u64le(own, &window->next));
    return reader_u64le(own, &window->seen);
}
