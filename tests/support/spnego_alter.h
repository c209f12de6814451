/*
 * Somebody between the two sides of a Negotiate handshake, who takes SPNEGO's tokens apart and puts them together anew.
 */
#ifndef OPENSSPI_TESTS_SPNEGO_ALTER_H
#define OPENSSPI_TESTS_SPNEGO_ALTER_H

#include "negotiate/spnego.h"
#include "support/ntlm_loop.h"

/* For loop.alter_data; loop.alter is spnego_alter. Leg 1 is the client's first token, 2 the server's answer. */
struct alteration {
    int leg;
    void (*init)(struct spnego_init *init,
                 struct writer *list); /* changes fields; a list that was written replaces theirs */
    void (*resp)(struct spnego_resp *resp);
    void (*bytes)(uint8_t *token, ULONG *len);
    unsigned n_done;
};
void spnego_alter(struct loop *loop, int leg, unsigned char *token, ULONG *len);

#endif
