/*
 * Client and server handshakes of TLS against a hostile peer: the input is the peer's bytes, or changes of an honest peer's flights.
 */
#include "fuzz/tls_world.h"

#include <string.h>

static void hostile(struct tls_party *party, struct reader *input)
{
    if (party->client)
        tls_party_step(party, slice_of(NULL, 0));
    for (int i = 0; i < 4 && reader_left(input) > 0; i++)
        tls_party_step(party, world_bytes(input, i == 0 ? SIZE_MAX : world_u16(input)));
    if (party->begun)
        tls_party_use(party, slice_of("\x17\x03\x03\x00\x01x", 6));
}

#define NONE 99

/* An honest handshake in which flight `which` is changed. */
static void altered(struct tls_party *client, struct tls_party *server, unsigned which, struct reader *input)
{
    static uint8_t flight[1 << 16];
    struct tls_party *from = client, *to = server;
    tls_party_step(client, slice_of(NULL, 0));
    for (unsigned i = 0; i < 8 && from->status >= 0 && from->out_len > 0; i++) {
        size_t len = from->out_len;
        memcpy(flight, from->out, len);
        if (i == which)
            len = world_mutate(input, flight, len, sizeof flight);
        if (to->begun && to->status == SEC_E_OK) { /* tickets, after the end */
            tls_party_use(to, slice_of(flight, len));
            break;
        }
        tls_party_step(to, slice_of(flight, len));
        struct tls_party *other = from;
        from = to;
        to = other;
    }
}

static enum tls_kind kind_of(uint8_t mode)
{
    if ((mode & 32) != 0)
        return TLS_KIND_SRTP;
    return ((mode & 16) != 0 ? TLS_KIND_SHARED_1_2 : TLS_KIND_1_2) + (mode & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_party client, server;
    struct reader input = reader_of(slice_of(data, size));
    uint8_t mode = world_u8(&input);
    enum tls_kind kind = kind_of(mode);
    if ((mode & 18) == 18 && kind != TLS_KIND_SRTP) { /* there is a session for what follows to resume */
        tls_party_begin(&client, true, kind);
        tls_party_begin(&server, false, kind);
        altered(&client, &server, NONE, &input);
        tls_party_end(&client);
        tls_party_end(&server);
    }
    tls_party_begin(&client, true, kind);
    tls_party_begin(&server, false, kind);
    server.flags |= (mode & 8) != 0 ? ASC_REQ_MUTUAL_AUTH : 0;
    if ((mode & 2) != 0)
        altered(&client, &server, world_u8(&input) % 4, &input);
    else
        hostile((mode & 4) != 0 ? &client : &server, &input);
    tls_party_end(&client);
    tls_party_end(&server);
    return 0;
}
