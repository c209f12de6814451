/*
 * What a TLS client says first, with and without the record around it, or in a datagram: every extension and name found lies in the input, and what
 * is cut is short, never more.
 */
#include "fuzz/world.h"
#include "wire/client_hello.h"

static void look(struct slice bytes, enum client_hello_form form)
{
    struct slice list, extension, host;
    size_t missing;
    uint16_t type;
    enum wire_result result = client_hello_extensions(bytes, form, &list, &missing);
    MUST((result == WIRE_SHORT) == (missing > 0));
    if (result != WIRE_OK)
        return;
    world_inside(bytes, list);
    for (struct reader reader = reader_of(list); reader_left(&reader) > 0;) {
        if (client_hello_extension(&reader, &type, &extension) != WIRE_OK)
            return;
        world_inside(list, extension);
        if (client_hello_host(extension, &host) == WIRE_OK)
            world_inside(extension, host);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum client_hello_form form = CLIENT_HELLO_MESSAGE; form < CLIENT_HELLO_FORMS; form++)
        look(slice_of(data, size), form);
    return 0;
}
