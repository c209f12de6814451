/*
 * Text from elsewhere, on its way to a terminal or into JSON.
 */
#ifndef OPENSSPI_CLI_DECODE_CLEAN_H
#define OPENSSPI_CLI_DECODE_CLEAN_H

#include "base/slice.h"

#include <stdio.h>

enum clean_form {
    CLEAN_LINE,  /* one line for people */
    CLEAN_LINES, /* the same, but line ends and tabs pass */
    CLEAN_JSON,  /* what stands between quotation marks */
};

/* Control characters, those that turn the direction of writing or hide, and bytes that are no UTF-8 become escapes: nothing that is printed here
 * steers a terminal, reads as something else, or breaks JSON. */
void clean_put(FILE *out, struct slice text, enum clean_form form);

#endif
