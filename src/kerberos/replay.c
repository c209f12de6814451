#include "kerberos/replay.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/time.h"
#include "crypto/random.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SHARD_BITS 4
#define SHARDS (1 << SHARD_BITS)
#define BUCKET_BITS 16 /* a shard: four live authenticators to each bucket when there are most */
#define BUCKETS (1 << BUCKET_BITS)
/* A shard: four million live authenticators in all, 7,000 handshakes a second for the 602 seconds that each lives under the usual clock skew; they
 * are 200 MB then, 48 bytes each, which are not taken before there are so many. */
#define ENTRIES_MAX 262144
/* Of these one client can have so many in a shard: one who asks again and again with its one ticket does not shut the others out. 1,741 requests a
 * second. */
#define OWNED_MAX (ENTRIES_MAX / 4)
#define OWNER_BITS 12 /* clients share a count now and then, and what it allows */
#define SWEEP_MS 1000 /* between two searches of a full shard for what has expired, which is long work under its lock */

struct entry {
    struct entry *next;
    uint64_t expires_ms;
    uint8_t tag[REPLAY_TAG_LEN];
    uint16_t owner; /* whose count it is in */
};

static struct shard {
    pthread_mutex_t lock;
    unsigned n_entries;
    uint64_t sweep_ms; /* when a full shard may be searched again */
    unsigned n_owned[1 << OWNER_BITS];
    struct entry *bucket[BUCKETS];
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

FORK_GUARD_ALL(shards, lock, FORK_RANK_REPLAY)

/* Odd, drawn once: a client can search for authenticators that end as it likes, but not for those that come into one place. 0: not drawn yet. */
static _Atomic uint64_t mixer;

void replay_mix(uint64_t odd)
{
    atomic_store(&mixer, odd);
}

static bool mixer_get(uint64_t *odd)
{
    *odd = atomic_load_explicit(&mixer, memory_order_relaxed);
    if (*odd != 0)
        return true;
    uint64_t drawn, none = 0;
    require(random_bytes(&drawn, sizeof drawn), false);
    *odd = drawn | 1;
    if (!atomic_compare_exchange_strong(&mixer, &none, *odd))
        *odd = none; /* another thread was first */
    return true;
}

/* Drops what has expired from one chain. */
static void chain_prune(struct shard *shard, struct entry **link, uint64_t now)
{
    while (*link != NULL) {
        struct entry *entry = *link;
        if (entry->expires_ms <= now) {
            *link = entry->next;
            shard->n_owned[entry->owner]--;
            shard->n_entries--;
            mem_free(entry);
        } else
            link = &entry->next;
    }
}

static bool shard_full(const struct shard *shard, unsigned owner)
{
    return shard->n_entries >= ENTRIES_MAX || shard->n_owned[owner] >= OWNED_MAX;
}

static enum replay_answer shard_check(struct shard *shard, struct entry **bucket, const struct entry *asked,
                                      uint64_t now)
{
    chain_prune(shard, bucket, now);
    for (const struct entry *entry = *bucket; entry != NULL; entry = entry->next)
        if (memcmp(entry->tag, asked->tag, sizeof entry->tag) == 0) /* no secret: the bytes came in the clear */
            return REPLAY_SEEN;
    if (shard_full(shard, asked->owner) && now >= shard->sweep_ms) {
        shard->sweep_ms = now + SWEEP_MS;
        for (size_t i = 0; i < BUCKETS; i++)
            chain_prune(shard, &shard->bucket[i], now);
    }
    if (shard_full(shard, asked->owner))
        return REPLAY_FULL;
    struct entry *entry = mem_zalloc(sizeof *entry);
    if (entry == NULL)
        return REPLAY_FULL;
    *entry = *asked;
    entry->next = *bucket;
    *bucket = entry;
    shard->n_owned[entry->owner]++;
    shard->n_entries++;
    return REPLAY_NEW;
}

/* Names are the KDC's, not their clients' to choose: nobody searches for one that shares another's count. But KDCs that ignore case repeat what they
 * were asked for: so it is ignored here, too. */
static uint16_t owner_of(const char *client, uint64_t odd)
{
    uint64_t hash = odd;
    for (; *client != 0; client++) {
        hash = (hash ^ ((uint8_t)*client | 0x20)) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return (uint16_t)(hash & ((1 << OWNER_BITS) - 1));
}

enum replay_answer replay_check(const uint8_t tag[REPLAY_TAG_LEN], const char *client, unsigned seconds)
{
    /* The last bytes are a checksum's, in which no byte is likelier than another, or of a cipher text. The product's highest bits depend on them all.
     * */
    uint64_t odd, tail, now = monotonic_ms();
    memcpy(&tail, &tag[REPLAY_TAG_LEN - sizeof tail], sizeof tail);
    require(mixer_get(&odd), REPLAY_FULL);
    uint64_t mixed = tail * odd;
    struct shard *shard = &shards[mixed >> (64 - SHARD_BITS)];
    struct entry **bucket = &shard->bucket[mixed >> (64 - SHARD_BITS - BUCKET_BITS) & (BUCKETS - 1)];
    struct entry asked = {.expires_ms = now + (uint64_t)seconds * 1000, .owner = owner_of(client, odd)};
    memcpy(asked.tag, tag, sizeof asked.tag);
    pthread_mutex_lock(&shard->lock);
    enum replay_answer answer = shard_check(shard, bucket, &asked, now);
    pthread_mutex_unlock(&shard->lock);
    return answer;
}
