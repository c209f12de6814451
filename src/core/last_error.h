/*
 * The thread's last error, as GetLastError gives it on Windows: the code of the last failure of a function that reports by BOOL or NULL. Success
 * leaves it.
 */
#ifndef OPENSSPI_CORE_LAST_ERROR_H
#define OPENSSPI_CORE_LAST_ERROR_H

#include <stdint.h>

void last_error_set(uint32_t code);
uint32_t last_error(void);

#endif
