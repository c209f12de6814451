#include "digest/nonce.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/http_digest.h"
#include "crypto/random.h"
#include <pthread.h>
#include <string.h>

#define SETS 1024 /* with the ways 4096 nonces in use at a time, 160 KiB */
#define WAYS 4

struct entry {
    struct nonce nonce; /* made 0: free */
    struct count_window counts;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of these */
static struct entry entries[SETS][WAYS];
static int64_t
    forgotten[SETS]; /* the youngest nonce that had to go from each set: what is as old and not there is not known */
static uint8_t key[32];
static bool has_key;

/* A child of fork is another server: with its parent's key, but not its parent's counts, it would take what the parent took already. Where there is
 * no key, there are no counts; and pages that were never touched stay so. */
static void child_forget(void)
{
    pthread_mutex_init(&lock, NULL);
    if (!has_key)
        return;
    memset(entries, 0, sizeof entries);
    memset(forgotten, 0, sizeof forgotten);
    secret_wipe(key, sizeof key);
    has_key = false;
}

__attribute__((constructor)) static void guard(void)
{
    (void)pthread_atfork(NULL, NULL, child_forget);
}

static bool key_get(uint8_t copy[32])
{
    pthread_mutex_lock(&lock);
    if (!has_key)
        has_key = random_bytes(key, sizeof key);
    bool got = has_key;
    memcpy(copy, key, sizeof key);
    pthread_mutex_unlock(&lock);
    return got;
}

static void u64_put(uint8_t *to, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t u64_get(const uint8_t *from)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return value;
}

static bool tag_make(const uint8_t head[16], const char *realm, bool http, uint8_t tag[DIGEST_TAG_LEN])
{
    uint8_t copy[32];
    require(key_get(copy), false);
    const struct slice pieces[] = {slice_of(head, 16), slice_of(http ? "http" : "sasl", 4), slice_of_text(realm)};
    digest_tag(copy, pieces, COUNT_OF(pieces), tag);
    secret_wipe(copy, sizeof copy);
    return true;
}

bool nonce_make(const char *realm, bool http, char text[NONCE_LEN + 1])
{
    uint8_t bytes[16 + DIGEST_TAG_LEN];
    u64_put(bytes, (uint64_t)steady_now());
    require(random_bytes(bytes + 8, 8) && tag_make(bytes, realm, http, bytes + 16), false);
    memcpy(text, NONCE_UPGRADED, sizeof NONCE_UPGRADED - 1);
    hex_text(bytes, sizeof bytes, text + sizeof NONCE_UPGRADED - 1);
    return true;
}

bool nonce_opaque(struct slice nonce, char opaque[OPAQUE_LEN + 1])
{
    uint8_t copy[32], tag[DIGEST_TAG_LEN];
    require(key_get(copy), false);
    const struct slice pieces[] = {slice_of_text("opaque"), nonce}; /* no nonce's own code begins so: its time does */
    digest_tag(copy, pieces, COUNT_OF(pieces), tag);
    secret_wipe(copy, sizeof copy);
    hex_text(tag, sizeof tag, opaque);
    return true;
}

bool nonce_is_ours(struct slice text, const char *realm, bool http, struct nonce *nonce)
{
    size_t prefix = sizeof NONCE_UPGRADED - 1;
    uint8_t bytes[16 + DIGEST_TAG_LEN], tag[DIGEST_TAG_LEN];
    require(text.len == NONCE_LEN && nonce_is_upgraded(text), false);
    require(hex_read(slice_of(text.data + prefix, text.len - prefix), bytes, sizeof bytes) == WIRE_OK, false);
    require(tag_make(bytes, realm, http, tag) && secret_equal(tag, bytes + 16, sizeof tag), false);
    *nonce = (struct nonce){(int64_t)u64_get(bytes), u64_get(bytes + 8)};
    return true;
}

bool nonce_is_stale(const struct nonce *nonce, unsigned seconds)
{
    int64_t age = steady_now() - nonce->made;
    return age < 0 || age > (int64_t)seconds * FILETIME_SECOND;
}

#define WINDOW 64U

/* Is it so far behind that nobody knows whether it was used? */
static bool count_is_late(const struct count_window *window, uint32_t nc)
{
    return nc > 0 && window->highest >= WINDOW && nc <= window->highest - WINDOW;
}

bool count_take(struct count_window *window, uint32_t nc)
{
    require(nc > 0, false);
    if (nc > window->highest) {
        uint32_t ahead = nc - window->highest;
        window->seen = (ahead < WINDOW ? window->seen << ahead : 0) | 1;
        window->highest = nc;
        return true;
    }
    uint32_t behind = window->highest - nc;
    require(behind < WINDOW && (window->seen >> behind & 1) == 0, false);
    window->seen |= UINT64_C(1) << behind;
    return true;
}

/* The entry of a nonce that is not there yet: a free one, a stale one's, or the oldest one's, which is forgotten. */
static struct entry *entry_make(size_t set, const struct nonce *nonce, unsigned seconds)
{
    struct entry *oldest = &entries[set][0];
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *entry = &entries[set][i];
        if (entry->nonce.made == 0 || nonce_is_stale(&entry->nonce, seconds)) {
            oldest = entry;
            break;
        }
        if (entry->nonce.made < oldest->nonce.made)
            oldest = entry;
    }
    if (oldest->nonce.made > forgotten[set])
        forgotten[set] = oldest->nonce.made;
    *oldest = (struct entry){.nonce = *nonce};
    return oldest;
}

enum nonce_use nonce_use(const struct nonce *nonce, uint32_t nc, unsigned seconds)
{
    size_t set = nonce->name % SETS;
    struct entry *found = NULL;
    enum nonce_use use;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < WAYS && found == NULL; i++)
        if (entries[set][i].nonce.made == nonce->made && entries[set][i].nonce.name == nonce->name)
            found = &entries[set][i];
    if (found == NULL && nonce->made > forgotten[set])
        found = entry_make(set, nonce, seconds);
    if (found == NULL || count_is_late(&found->counts, nc))
        use = NONCE_FORGOTTEN;
    else
        use = count_take(&found->counts, nc) ? NONCE_NEW : NONCE_REPLAYED;
    pthread_mutex_unlock(&lock);
    return use;
}
