/*
 * What is known of addresses: a table that grows with what hangs in it, so that a pointer of a caller's is looked for and never followed. Whoever has
 * one has a lock for it.
 */
#ifndef OPENSSPI_WIN32_ADDRESSES_H
#define OPENSSPI_WIN32_ADDRESSES_H

#include <stddef.h>

#define ADDRESSES_FEW 64 /* a power of two: places that a table has by itself */

/* The first member of what hangs in a table. */
struct address_entry {
    struct address_entry *next;
    const void *address;
};

/* Zeroed it is empty. */
struct addresses {
    struct address_entry **grown; /* NULL: `few` */
    size_t n_places, n;           /* of `grown`, a power of two; entries */
    struct address_entry *few[ADDRESSES_FEW];
};

/* What hangs at `address`; NULL for nothing. */
struct address_entry *addresses_find(struct addresses *table, const void *address);
/* Hangs an entry at an address that has none. Without memory the table stays as large as it is, and is slower. */
void addresses_add(struct addresses *table, struct address_entry *entry, const void *address);
/* Takes out what hangs at `address`, NULL for nothing. An empty table has no memory of its own. */
struct address_entry *addresses_take(struct addresses *table, const void *address);
/* Takes out any entry, NULL when there is none; for whoever ends them all, and adds none meanwhile. *place begins as 0. */
struct address_entry *addresses_take_any(struct addresses *table, size_t *place);

#endif
