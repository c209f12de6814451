/*
 * The replay cache of acceptors: in memory, shared by all contexts of the process, bounded. Lock: one a shard.
 */
#ifndef OPENSSPI_KERBEROS_REPLAY_H
#define OPENSSPI_KERBEROS_REPLAY_H

#include "base/slice.h"
#include <stdbool.h>

enum replay_answer { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL };

/* Remembers an authenticator, by its encrypted bytes, for `seconds`. SEEN when it came before; FULL when a shard holds more live ones than its
 * bound: the caller refuses, because forgetting one would let it be replayed. */
enum replay_answer replay_check(struct slice authenticator, unsigned seconds);

#endif
