/*
 * Handles: an index, a generation and a kind, never a pointer. Look-up is lock-free and counts a reference, so that an object that another thread
 * deletes dies after the last user let go. Lock: one mutex for taking and giving back slots, but for the few
 * that each thread keeps for its next handles.
 */
#ifndef OPENSSPI_CORE_HANDLE_H
#define OPENSSPI_CORE_HANDLE_H

#include <sspi.h>
#include <stdbool.h>

enum handle_kind { HANDLE_CREDENTIAL = 1, HANDLE_CONTEXT = 2, HANDLE_TOKEN = 3 };

/* A reference in hand; opaque but for `object`. */
struct handle_ref {
    void *object;
    void *slot;
};

/* Publishes an object. `destroy` runs when the handle is deleted and no reference is left. SEC_E_INSUFFICIENT_MEMORY when the table is full: a
 * million handles, less the four free slots that each other thread may keep; a deleted handle keeps its slot while there are references to it. */
SECURITY_STATUS handle_create(enum handle_kind kind, void *object, void (*destroy)(void *object), SecHandle *handle);
/* SEC_E_INVALID_HANDLE for NULL, zero, all ones, stale, foreign or of another kind; SEC_E_INSUFFICIENT_MEMORY for more references than can be
 * counted. Give the reference back with handle_put. */
SECURITY_STATUS handle_get(const SecHandle *handle, enum handle_kind kind, struct handle_ref *ref);
void handle_put(struct handle_ref *ref);
/* Unpublishes: of several threads one gets SEC_E_OK, the others SEC_E_INVALID_HANDLE. */
SECURITY_STATUS handle_delete(const SecHandle *handle, enum handle_kind kind);
bool handle_is_null(const SecHandle *handle); /* NULL, or both halves zero */

/* A handle of known kind as one value as wide as a pointer, for a HANDLE: a multiple of 4 as Windows' are, and never 0. A value that no handle has
 * unpacks to one that handle_get refuses. */
void *handle_pack(const SecHandle *handle);
SecHandle handle_unpack(const void *value, enum handle_kind kind);

#define AUTO_HANDLE __attribute__((cleanup(handle_put)))

#endif
