/*
 * What a TLS client says first, with and without the record around it, or in a datagram: every extension and name found lies in the input, and what is cut is short, never more.
 */
#include "wire/client_hello.h"

#include <stdlib.h>

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct slice piece, struct slice whole)
{
    MUST(piece.len == 0 || (piece.data >= whole.data && piece.len <= (size_t)(whole.data + whole.len - piece.data)));
}

static void look(struct slice bytes, enum client_hello_form form)
{
    struct slice list, extension, host;
    size_t missing;
    uint16_t type;
    enum wire_result result = client_hello_extensions(bytes, form, &list, &missing);
    MUST((result == WIRE_SHORT) == (missing > 0));
    if (result != WIRE_OK)
        return;
    inside(list, bytes);
    for (struct reader reader = reader_of(list); reader_left(&reader) > 0;) {
        if (client_hello_extension(&reader, &type, &extension) != WIRE_OK)
            return;
        inside(extension, list);
        if (client_hello_host(extension, &host) == WIRE_OK)
            inside(host, extension);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum client_hello_form form = CLIENT_HELLO_MESSAGE; form < CLIENT_HELLO_FORMS; form++)
        look(slice_of(data, size), form);
    return 0;
}
