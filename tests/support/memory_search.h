/*
 * Does a secret stand anywhere in this process's memory? Looked for through /proc/self/mem, by a needle that is itself disguised.
 */
#ifndef OPENSSPI_TESTS_MEMORY_SEARCH_H
#define OPENSSPI_TESTS_MEMORY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_DISGUISE 0x5a /* each byte of the needle is XORed with it, so that the needle does not find itself */

/* Asserts that memory can be read. */
bool memory_holds(const uint8_t *disguised, size_t len);

#endif
