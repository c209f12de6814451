#include "kerberos/replay.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/time.h"
#include <pthread.h>
#include <string.h>

#define SHARDS 16
#define BUCKETS 16384 /* a shard: four live authenticators to each when there are most */
#define ENTRIES_MAX \
    65536 /* a shard: a million live authenticators, 3,000 handshakes a second over five minutes; 48 MiB */

struct entry {
    struct entry *next;
    uint64_t expires_ms;
    uint8_t tag[REPLAY_TAG_LEN];
};

static struct shard {
    pthread_mutex_t lock;
    unsigned n_entries;
    struct entry *bucket[BUCKETS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(shards, lock, FORK_RANK_REPLAY)

/* Drops what has expired from one chain. */
static void chain_prune(struct shard *shard, struct entry **link, uint64_t now)
{
    while (*link != NULL) {
        struct entry *entry = *link;
        if (entry->expires_ms <= now) {
            *link = entry->next;
            mem_free(entry);
            shard->n_entries--;
        } else
            link = &entry->next;
    }
}

static enum replay_answer shard_check(struct shard *shard, struct entry **bucket, const uint8_t *tag, uint64_t now,
                                      unsigned seconds)
{
    chain_prune(shard, bucket, now);
    for (const struct entry *entry = *bucket; entry != NULL; entry = entry->next)
        if (memcmp(entry->tag, tag, sizeof entry->tag) == 0) /* no secret: the bytes came in the clear */
            return REPLAY_SEEN;
    if (shard->n_entries >= ENTRIES_MAX)
        for (size_t i = 0; i < BUCKETS; i++)
            chain_prune(shard, &shard->bucket[i], now);
    if (shard->n_entries >= ENTRIES_MAX)
        return REPLAY_FULL;
    struct entry *entry = mem_zalloc(sizeof *entry);
    if (entry == NULL)
        return REPLAY_FULL;
    memcpy(entry->tag, tag, sizeof entry->tag);
    entry->expires_ms = now + (uint64_t)seconds * 1000;
    entry->next = *bucket;
    *bucket = entry;
    shard->n_entries++;
    return REPLAY_NEW;
}

enum replay_answer replay_check(const uint8_t tag[REPLAY_TAG_LEN], unsigned seconds)
{
    /* The last bytes are a checksum's, in which no byte is likelier than another, or of a cipher text. */
    struct shard *shard = &shards[tag[REPLAY_TAG_LEN - 1] % SHARDS];
    struct entry **bucket = &shard->bucket[(tag[REPLAY_TAG_LEN - 2] | tag[REPLAY_TAG_LEN - 3] << 8) % BUCKETS];
    pthread_mutex_lock(&shard->lock);
    enum replay_answer answer = shard_check(shard, bucket, tag, monotonic_ms(), seconds);
    pthread_mutex_unlock(&shard->lock);
    return answer;
}
