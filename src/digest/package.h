#ifndef OPENSSPI_DIGEST_PACKAGE_H
#define OPENSSPI_DIGEST_PACKAGE_H

#include "core/package.h"

/* A challenge is shorter than 2048 bytes, a response than 4096 ("Contents of a Digest Challenge", and what Windows reports as cbMaxToken). */
#define DIGEST_TOKEN_MAX 4096

extern const struct package digest_package;

#endif
