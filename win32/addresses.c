#include "addresses.h"

#include <stdint.h>
#include <stdlib.h>

static size_t n_places(const struct addresses *table)
{
    return table->grown != NULL ? table->n_places : ADDRESSES_FEW;
}

/* Blocks lie 16 bytes apart, one behind the other: times the golden ratio, the product's uppermost bits lie far apart for neighbours (Knuth, 6.4). */
static size_t place_of(const void *address, size_t n)
{
    return (size_t)(((uintptr_t)address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - __builtin_ctzll(n)));
}

/* Where those begin that hang at the address's place. */
static struct address_entry **first_of(struct addresses *table, const void *address)
{
    struct address_entry **places = table->grown != NULL ? table->grown : table->few;
    return &places[place_of(address, n_places(table))];
}

static struct address_entry **link_of(struct addresses *table, const void *address)
{
    struct address_entry **link = first_of(table, address);
    while (*link != NULL && (*link)->address != address)
        link = &(*link)->next;
    return link;
}

static void places_free(struct addresses *table)
{
    free(table->grown);
    table->grown = NULL;
}

static void grow(struct addresses *table)
{
    size_t n = n_places(table), more = n * 2;
    struct address_entry **from = table->grown != NULL ? table->grown : table->few;
    struct address_entry **places = calloc(more, sizeof(void *));
    if (places == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        while (from[i] != NULL) {
            struct address_entry *entry = from[i], **to = &places[place_of(entry->address, more)];
            from[i] = entry->next;
            entry->next = *to;
            *to = entry;
        }
    places_free(table);
    table->grown = places;
    table->n_places = more;
}

struct address_entry *addresses_find(struct addresses *table, const void *address)
{
    return *link_of(table, address);
}

void addresses_add(struct addresses *table, struct address_entry *entry, const void *address)
{
    if (table->n >= n_places(table))
        grow(table);
    struct address_entry **first = first_of(table, address);
    entry->address = address;
    entry->next = *first;
    *first = entry;
    table->n++;
}

struct address_entry *addresses_take(struct addresses *table, const void *address)
{
    struct address_entry **link = link_of(table, address), *entry = *link;
    if (entry == NULL)
        return NULL;
    *link = entry->next;
    if (--table->n == 0)
        places_free(table);
    return entry;
}

struct address_entry *addresses_take_any(struct addresses *table, size_t *place)
{
    struct address_entry **places = table->grown != NULL ? table->grown : table->few;
    for (; table->n > 0 && *place < n_places(table); (*place)++)
        if (places[*place] != NULL)
            return addresses_take(table, places[*place]->address);
    return NULL;
}
