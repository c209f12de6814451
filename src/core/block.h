/*
 * The blocks that callers free with FreeContextBuffer. A pointer that is not ours is told apart, not followed.
 * Lock: one a shard.
 */
#ifndef OPENSSPI_CORE_BLOCK_H
#define OPENSSPI_CORE_BLOCK_H

#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed block known to block_free, or NULL. */
void *block_alloc(size_t len);
/* The same in memory that is kept out of core dumps (base/secret.h). */
void *block_alloc_secret(size_t len);
/* The size of a live block; 0 for any other pointer. */
size_t block_len(const void *block);
/* Is it a live block of block_alloc_secret? */
bool block_is_secret(const void *block);
/* Wipes and frees. SEC_E_OK also for NULL; SEC_E_INVALID_HANDLE for what is not (or no longer) ours. */
SECURITY_STATUS block_free(void *block);

#endif
