/*
 * DecryptMessage of an open TLS connection: records of the input as they are, and honest ones with changes.
 */
#include "fuzz/tls_world.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_party client, server;
    static uint8_t records[1 << 16];
    struct reader input = reader_of(slice_of(data, size));
    uint8_t mode = world_u8(&input);
    tls_party_begin(&client, true, (mode & 1) != 0);
    tls_party_begin(&server, false, (mode & 1) != 0);
    tls_party_step(&client, slice_of(NULL, 0));
    for (int i = 0; i < 2; i++) {
        tls_party_step(&server, slice_of(client.out, client.out_len));
        if (client.status != SEC_E_OK)
            tls_party_step(&client, slice_of(server.out, server.out_len));
    }
    MUST(client.status == SEC_E_OK && server.status == SEC_E_OK);
    size_t len = 0;
    if ((mode & 2) != 0) { /* honest records, changed */
        for (int i = 0; i < 3; i++) {
            SecPkgContext_StreamSizes sizes;
            MUST(QueryContextAttributesA(&server.context, SECPKG_ATTR_STREAM_SIZES, &sizes) == SEC_E_OK);
            uint8_t *record = records + len;
            SecBuffer seal[3] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                                 {16, SECBUFFER_DATA, record + sizes.cbHeader},
                                 {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + 16}};
            SecBufferDesc list = {SECBUFFER_VERSION, 3, seal};
            MUST(EncryptMessage(&server.context, 0, &list, 0) == SEC_E_OK);
            len += (size_t)seal[0].cbBuffer + seal[1].cbBuffer + seal[2].cbBuffer;
        }
        len = world_mutate(&input, records, len, sizeof records);
        tls_party_use(&client, slice_of(records, len));
    } else
        tls_party_use((mode & 4) != 0 ? &server : &client, world_bytes(&input, SIZE_MAX));
    tls_party_end(&client);
    tls_party_end(&server);
    return 0;
}
