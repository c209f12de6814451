/*
 * Timing: runs a function for a while, several times, and prints the best round as "workload<TAB>nanoseconds". The best, because
 * other work on the machine only ever adds time.
 */
#ifndef OPENSSPI_BENCH_MEASURE_H
#define OPENSSPI_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t measure_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void measure_check(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

/* Many short rounds, so that on a busy machine some are not interrupted. */
#define MEASURE_ROUNDS 40
#define MEASURE_NS 5000000u /* a round */

static double measure_better(double best, uint64_t ns, uint64_t count)
{
    double each = (double)ns / (double)count;
    return best == 0 || each < best ? each : best;
}

/* For work that takes far longer than asking the clock. */
__attribute__((unused)) static void measure(const char *workload, void (*once)(void))
{
    double best = 0;
    once();
    for (int round = 0; round < MEASURE_ROUNDS; round++) {
        uint64_t start = measure_now(), now = start, count = 0;
        for (; now - start < MEASURE_NS; count++) {
            once();
            now = measure_now();
        }
        best = measure_better(best, now - start, count);
    }
    printf("%s\t%.1f\n", workload, best);
    fflush(stdout);
}

/*
 * Messages: a batch is protected, then unprotected in the same order, and each half has its own clock. So every message is checked as in
 * life, sequence numbers included, and both directions have a figure. A batch fits into the cache of one core.
 */
#define MEASURE_BATCH_MAX 256
#define MEASURE_BATCH_BYTES 262144u

struct measure_messages {
    const char *make_name, *open_name;
    void (*make)(unsigned slot, size_t len);
    void (*open)(unsigned slot, size_t len);
};

static unsigned measure_batch(size_t len)
{
    size_t fits = MEASURE_BATCH_BYTES / len;
    return fits < MEASURE_BATCH_MAX ? (unsigned)fits : MEASURE_BATCH_MAX;
}

__attribute__((unused)) static void measure_messages(const struct measure_messages *work, size_t len, const char *label)
{
    const unsigned batch = measure_batch(len);
    double best_make = 0, best_open = 0;
    for (int round = 0; round < MEASURE_ROUNDS; round++) {
        uint64_t make_ns = 0, open_ns = 0, count = 0;
        while (make_ns + open_ns < 2 * MEASURE_NS) {
            uint64_t start = measure_now();
            for (unsigned slot = 0; slot < batch; slot++)
                work->make(slot, len);
            uint64_t middle = measure_now();
            for (unsigned slot = 0; slot < batch; slot++)
                work->open(slot, len);
            open_ns += measure_now() - middle;
            make_ns += middle - start;
            count += batch;
        }
        best_make = measure_better(best_make, make_ns, count);
        best_open = measure_better(best_open, open_ns, count);
    }
    printf("%s %zu%s\t%.1f\n%s %zu%s\t%.1f\n", work->make_name, len, label, best_make, work->open_name, len, label,
           best_open);
    fflush(stdout);
}

/* The longest message; DIGEST-MD5 takes 65536 with its signature only, and sets less. */
static size_t measure_max = 65536;

/* All sizes, or 16 KiB alone under a label, which tells the encryption type. */
static inline void measure_sizes(const struct measure_messages *work, const char *label)
{
    static const size_t sizes[] = {64, 1024, 16384, 65536};
    char suffix[64];
    snprintf(suffix, sizeof suffix, " %s", label != NULL ? label : "");
    for (size_t i = 0; label == NULL && i < sizeof sizes / sizeof sizes[0] && sizes[i] <= measure_max; i++)
        measure_messages(work, sizes[i], "");
    if (label != NULL)
        measure_messages(work, 16384, suffix);
}

static size_t measure_resident(void)
{
    size_t pages = 0;
    FILE *status = fopen("/proc/self/statm", "r");
    measure_check(status != NULL && fscanf(status, "%*u %zu", &pages) == 1, "reading statm");
    fclose(status);
    return pages * 4096;
}

#define MEASURE_PAIRS 1000

/* What the process grows by, a context, while MEASURE_PAIRS pairs of them stand. */
static inline void measure_memory(void (*pair_make)(unsigned pair), void (*pair_delete)(unsigned pair))
{
    pair_make(0);
    pair_delete(0);
    size_t before = measure_resident();
    for (unsigned pair = 0; pair < MEASURE_PAIRS; pair++)
        pair_make(pair);
    printf("context bytes\t%.0f\n", (double)(measure_resident() - before) / (2.0 * MEASURE_PAIRS));
    for (unsigned pair = 0; pair < MEASURE_PAIRS; pair++)
        pair_delete(pair);
}

#endif
