/*
 * Timing: runs a function for a while, several times, and prints the best round as "workload<TAB>nanoseconds". The best, because
 * other work on the machine only ever adds time.
 */
#ifndef OPENSSPI_BENCH_MEASURE_H
#define OPENSSPI_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t measure_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define MEASURE_ROUNDS 3
#define MEASURE_NS 60000000u /* a round */

static void measure(const char *workload, void (*once)(void *), void *data)
{
    double best = 0;
    once(data);
    for (int round = 0; round < MEASURE_ROUNDS; round++) {
        uint64_t start = measure_now(), now;
        unsigned long count = 0, batch = 1;
        do {
            for (unsigned long i = 0; i < batch; i++)
                once(data);
            count += batch;
            if (batch < 1024)
                batch *= 2;
            now = measure_now();
        } while (now - start < MEASURE_NS);
        double each = (double)(now - start) / (double)count;
        if (best == 0 || each < best)
            best = each;
    }
    printf("%s\t%.1f\n", workload, best);
    fflush(stdout);
}

static void measure_check(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

#endif
