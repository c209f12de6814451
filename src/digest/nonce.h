/*
 * A server's nonces. Each tells its own age and maker by a code under a key that this process made for itself, so that challenges which nobody
 * answers cost no memory; counts are kept of nonces that proved a password, in a table that does not grow.
 */
#ifndef OPENSSPI_DIGEST_NONCE_H
#define OPENSSPI_DIGEST_NONCE_H

#include "base/result.h"
#include "base/slice.h"
#include "base/writer.h"
#include <string.h>

/* What Windows begins its nonces with: "channel bindings are understood" (draft-santesson-digestbind-01). */
#define NONCE_UPGRADED "+Upgraded+v1"
#define NONCE_LEN (sizeof NONCE_UPGRADED - 1 + 64)

static inline bool nonce_is_upgraded(struct slice nonce)
{
    return nonce.len >= sizeof NONCE_UPGRADED - 1 && memcmp(nonce.data, NONCE_UPGRADED, sizeof NONCE_UPGRADED - 1) == 0;
}

struct nonce {
    int64_t
        /* FILETIME, of a clock that nobody sets (steady_now): a wall clock that goes back would let what is forgotten serve again, and refuse what is
         * new */
        made;
    uint64_t name; /* random */
};

/* A fresh nonce of a realm, as text of NONCE_LEN bytes. False: no randomness. */
MUST_USE bool nonce_make(const char *realm, bool http, char text[NONCE_LEN + 1]);
#define OPAQUE_LEN 32
/* What goes with a nonce as `opaque`: a code of it, as text. False: no randomness. */
MUST_USE bool nonce_opaque(struct slice nonce, char opaque[OPAQUE_LEN + 1]);
/* Is it one that this process made for this realm? */
bool nonce_is_ours(struct slice text, const char *realm, bool http, struct nonce *nonce);
/* Older than `seconds`? */
bool nonce_is_stale(const struct nonce *nonce, unsigned seconds);

enum nonce_use {
    NONCE_NEW,       /* this count was not used before; now it is */
    NONCE_REPLAYED,  /* it was */
    NONCE_FORGOTTEN, /* nobody knows any more: too many others came since. Its holder gets a fresh one */
};

/* Uses count `nc` of a nonce. Counts may come in any order within 64 of the highest; what comes later is forgotten. */
enum nonce_use nonce_use(const struct nonce *nonce, uint32_t nc, unsigned seconds);

/* The same rule for one sequence of counts; false for what was used, and for what comes later. */
struct count_window {
    uint32_t highest;
    uint64_t seen; /* bit n: highest - n was used */
};
bool count_take(struct count_window *window, uint32_t nc);

#endif
