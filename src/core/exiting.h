/*
 * What is left of a process that ends.
 */
#ifndef OPENSSPI_CORE_EXITING_H
#define OPENSSPI_CORE_EXITING_H

#include <sspi.h>

/* SEC_E_INTERNAL_ERROR, with its cause, once OpenSSL has ended among the functions of atexit: whoever is about to call it, itself or by libkrb5,
 * would crash there. SEC_E_OK before. */
SECURITY_STATUS exiting_check(void);

#endif
