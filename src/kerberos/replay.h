/*
 * The replay cache of acceptors: in memory, shared by all contexts of the process, bounded. Lock: one a shard.
 */
#ifndef OPENSSPI_KERBEROS_REPLAY_H
#define OPENSSPI_KERBEROS_REPLAY_H

#include <stdint.h>

enum replay_answer { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL };

#define REPLAY_TAG_LEN 16

/* Remembers an authenticator for `seconds`, by what no other one has: its checksum, which whoever has no key cannot make, and cipher text beside it
 * where that is shorter. SEEN when it came before; FULL when a shard holds more live ones than its
 * bound, or as many of this client's as one may have, or without memory or randomness: the caller refuses, because forgetting one would let it be
 * replayed. */
enum replay_answer replay_check(const uint8_t tag[REPLAY_TAG_LEN], const char *client, unsigned seconds);

/* Tests only: the odd number that places are chosen with; 0: a new one is drawn. What was remembered under another is not found again. */
void replay_mix(uint64_t odd);

#endif
