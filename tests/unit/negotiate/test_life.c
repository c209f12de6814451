/*
 * Memory runs out, anywhere in the life of Negotiate's credentials and contexts, with NTLM inside (Kerberos: unit/kerberos/test_life.c).
 * build: all
 */
#include "support/ntlm_life.h"

int main(void)
{
    return ntlm_life("Negotiate", "[negotiate]\npackages = ntlm\n");
}
