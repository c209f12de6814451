/*
 * NTLM by this library. Also the memory of established contexts: "context bytes" is what the heap grew by, a context.
 * build: pkg libcrypto
 */
#include <sspi.h>

#include "ntlm_sspi.h"

#include <malloc.h>

static void memory(void)
{
    enum { PAIRS = 1000 };
    static CtxtHandle client[PAIRS], server[PAIRS];
    handshake_once(NULL);
    size_t mapped = 0;
    FILE *status = fopen("/proc/self/statm", "r");
    measure_check(status != NULL && fscanf(status, "%*u %zu", &mapped) == 1, "reading statm");
    fclose(status);
    for (int i = 0; i < PAIRS; i++)
        handshake(&client[i], &server[i]);
    size_t after = 0;
    status = fopen("/proc/self/statm", "r");
    measure_check(status != NULL && fscanf(status, "%*u %zu", &after) == 1, "reading statm");
    fclose(status);
    printf("context bytes\t%.0f\n", (double)(after - mapped) * 4096 / (2.0 * PAIRS));
    for (int i = 0; i < PAIRS; i++) {
        table->DeleteSecurityContext(&client[i]);
        table->DeleteSecurityContext(&server[i]);
    }
}

int main(void)
{
    table = InitSecurityInterfaceA();
    run_all();
    memory();
    return 0;
}
