/*
 * What this processor has instructions for. Asked once: in a virtual machine the question alone takes longer than everything else that opens a
 * session.
 */
#ifndef OPENSSPI_CRYPTO_PROCESSOR_H
#define OPENSSPI_CRYPTO_PROCESSOR_H

#include <stdbool.h>

enum processor_part {
    PROCESSOR_AES = 1, /* AES-NI, with SSE 4.1 */
    PROCESSOR_SHA = 2, /* SHA-NI, with SSE 4.1 */
};

/* Has it all of `parts`? */
bool processor_has(unsigned parts);

/* Tests only: it has none of `parts` from now on; 0 ends that. Keys that exist go on as they were made. */
void processor_lacks(unsigned parts);

#endif
