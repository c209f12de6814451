/* SPDX-License-Identifier: MIT */
#include "collect.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>

struct item {
    struct item *next;
    DWORD key;
    size_t len;
    void *blob;
};

static struct item *first;

/* The pointer that points at the item, or at the end of the list. */
static struct item **Find(DWORD key)
{
    struct item **link = &first;
    while (*link != NULL && (*link)->key != key)
        link = &(*link)->next;
    return link;
}

void *CollectAdd(DWORD key, size_t len)
{
    struct item **link = Find(key);
    if (*link != NULL)
        return NULL;
    struct item *item = calloc(1, sizeof *item);
    void *blob = calloc(1, len);
    if (item == NULL || blob == NULL) {
        free(item);
        free(blob);
        return NULL;
    }
    *item = (struct item){NULL, key, len, blob};
    *link = item;
    return blob;
}

void *CollectGet(DWORD key)
{
    struct item *item = *Find(key);
    return item != NULL ? item->blob : NULL;
}

void CollectRemove(DWORD key)
{
    struct item **link = Find(key), *item = *link;
    if (item == NULL)
        return;
    *link = item->next;
    Wipe(item->blob, item->len);
    free(item->blob);
    free(item);
}
