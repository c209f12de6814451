/*
 * The life (life.h) of a package whose handshakes are NTLM's, with the accounts of ntlm_loop.h: by SSPI's functions, and by the Sasl ones.
 */
#ifndef OPENSSPI_TESTS_NTLM_LIFE_H
#define OPENSSPI_TESTS_NTLM_LIFE_H

/* All of a test's main: `extra` is loop_configure's; answers how many of its tests failed. */
int ntlm_life(const char *package, const char *extra);

#endif
