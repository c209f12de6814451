/*
 * Kerberos' messages several in one call, or one by one: together_opensspi TARGET COUNT.
 */
#include <sspi_ext.h>

#include "sspi_work.h"

#define TOGETHER_MAX 64

static unsigned count;
static OPENSSPI_MESSAGE array[TOGETHER_MAX];
static SecBuffer buffers[TOGETHER_MAX][2];
static SecBufferDesc lists[TOGETHER_MAX];

/* The slots from this one, if it is the first of so many. */
static int array_lay(unsigned slot, size_t len, int sealing)
{
    if (slot % count != 0)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned token_len = sealing ? (unsigned)overhead.cbSecurityTrailer : slots[slot + i].token_len;
        buffers[i][0] = (SecBuffer){token_len, SECBUFFER_TOKEN, slots[slot + i].token};
        buffers[i][1] = (SecBuffer){(unsigned)len, SECBUFFER_DATA, slots[slot + i].message};
        lists[i] = (SecBufferDesc){SECBUFFER_VERSION, 2, buffers[i]};
        array[i] = (OPENSSPI_MESSAGE){sealing ? &established_client : &established_server, &lists[i], 0, 0, 0};
    }
    return 1;
}

static void seal_together(unsigned slot, size_t len)
{
    if (!array_lay(slot, len, 1))
        return;
    measure_check(OpenSspiEncryptMessages(array, count) == SEC_E_OK, "sealing messages");
    for (unsigned i = 0; i < count; i++)
        slots[slot + i].token_len = (unsigned)buffers[i][0].cbBuffer;
}

static void unseal_together(unsigned slot, size_t len)
{
    if (array_lay(slot, len, 0))
        measure_check(OpenSspiDecryptMessages(array, count) == SEC_E_OK, "unsealing messages");
}

int main(int argc, char **argv)
{
    static const struct measure_messages one_by_one = {"seal", "unseal", seal, unseal};
    static const struct measure_messages together = {"seal", "unseal", seal_together, unseal_together};
    static const size_t sizes[] = {64, 1024, 16384};
    measure_check(argc == 3, "naming the target and how many messages a call");
    count = (unsigned)strtoul(argv[2], NULL, 10);
    measure_check(count >= 1 && count <= measure_batch(16384) && measure_batch(16384) % count == 0,
                  "reading the count, which divides a batch");
    table = InitSecurityInterfaceA();
    target = argv[1];
    credentials_acquire("Kerberos", NULL);
    client_flags |= ISC_REQ_MUTUAL_AUTH;
    server_flags |= ASC_REQ_MUTUAL_AUTH;
    handshake(&established_client, &established_server);
    measure_check(table->QueryContextAttributesA(&established_client, SECPKG_ATTR_SIZES, &overhead) == 0,
                  "asking for the sizes");
    measure_check(overhead.cbSecurityTrailer <= sizeof slots[0].token, "fitting a trailer");
    for (unsigned slot = 0; slot < MEASURE_BATCH_MAX; slot++)
        slots[slot].message = calloc(1, slot < measure_batch(16384) ? 16384 : 1024);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        measure_messages(count > 1 ? &together : &one_by_one, sizes[i], "");
    return 0;
}
