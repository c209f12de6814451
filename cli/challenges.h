/*
 * The challenges of a WWW-Authenticate line (RFC 9110 11.6.1): many servers write a line for each, others several in one.
 */
#ifndef OPENSSPI_CLI_CHALLENGES_H
#define OPENSSPI_CLI_CHALLENGES_H

#include "base/slice.h"

struct challenge {
    struct slice scheme;
    struct slice rest; /* a token or parameters, without blanks and commas around them */
};

/* The next challenge of a list, which then begins behind it; false at its end. */
bool challenge_next(struct slice *list, struct challenge *challenge);

#endif
