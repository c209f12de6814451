/*
 * A directory of the test's own, with files that only this process reads.
 */
#ifndef OPENSSPI_TESTS_PLACE_H
#define OPENSSPI_TESTS_PLACE_H

#include <stdbool.h>

#define PLACE_LEN 64

/* Makes the directory and puts its path into `place`, unless one is named there already. True: it was made now. */
bool place_make(char place[PLACE_LEN]);
/* A file, 0600, of another inode than before: the library sees the change at once. */
void place_file(const char *place, const char *name, const char *text);
/* The same as opensspi.conf, which is the configuration from now on; no user file of the environment's counts. */
void place_configure(const char *place, const char *text);
/* Removes it with everything in it; "" is nothing. */
void place_remove(char place[PLACE_LEN]);

#endif
