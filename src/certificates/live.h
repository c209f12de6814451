/*
 * The objects that callers hold by their address: certificates, revocation lists, stores, chains, engines, keys. A pointer that is not, or no longer,
 * one of them is told apart and not followed.
 *
 * Three kinds of reference keep an object: users (callers'), holds (the library's own), and that its store keeps it. Each user and each hold of an
 * object also holds its companion, the store it lives in. A closed store takes the callers' references away when they say so
 * (CERT_CLOSE_STORE_FORCE_FLAG); holds stay good.
 * Lock: one a shard. No other lock is taken under it.
 */
#ifndef OPENSSPI_CERTIFICATES_LIVE_H
#define OPENSSPI_CERTIFICATES_LIVE_H

#include <stdbool.h>
#include <stddef.h>

enum live_kind { LIVE_ANY, LIVE_CERTIFICATE, LIVE_CRL, LIVE_STORE, LIVE_CHAIN, LIVE_ENGINE, LIVE_KEY };

/* A zeroed object with one user, or NULL. `destroy` runs when nothing keeps it; it releases what the object owns, not the object itself. */
void *live_alloc(enum live_kind kind, size_t len, void (*destroy)(void *object));

/* Each is false, and nothing happens, for what is not a live object of this kind. */
bool live_user_add(const void *object, enum live_kind kind);
bool live_user_drop(const void *object, enum live_kind kind); /* false as well when no user is left to drop */
bool live_hold(const void *object, enum live_kind kind);
void live_unhold(const void *object); /* only of an object that is held */
/* A hold becomes a user. */
void live_hand_out(const void *object);
/* How many holds it has. */
unsigned live_holds(const void *object);

/* Makes a store keep an object that has one user and no companion yet. */
void live_keep(const void *object, const void *store);
/* The store lets go. */
void live_unkeep(const void *object);
/* Takes all users away. */
void live_revoke(const void *object);

/* How many objects live; for tests. */
size_t live_count(void);

#endif
