/*
 * Memory runs out, anywhere in the life of NTLM's credentials and contexts.
 * build: all
 */
#include "support/ntlm_life.h"

#include <stddef.h>

int main(void)
{
    return ntlm_life("NTLM", NULL);
}
