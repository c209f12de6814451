/*
 * The fault hook seen from the ground floor's other allocators (secret.c). Programs of ours use memory.h alone.
 */
#ifndef OPENSSPI_BASE_MEMORY_FAULT_H
#define OPENSSPI_BASE_MEMORY_FAULT_H

#include <stdbool.h>

/* Counts one allocation when a test has armed mem_fault_set; true when this one must fail. One relaxed load otherwise. */
bool mem_fault_strikes(void);
/* Remembers for mem_refused that there was no memory. */
void mem_refuse(void);

#endif
