/*
 * The authority in this process.
 */
#ifndef OPENSSPI_LSA_LOCAL_H
#define OPENSSPI_LSA_LOCAL_H

#include "lsa/authority.h"

extern const struct authority local_authority;

#endif
