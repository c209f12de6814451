#include "schannel/record.h"

#include "base/reader.h"

#define TLS_MAJOR 3
#define DTLS_MAJOR 254

enum wire_result record_look(struct slice input, bool datagram, struct record *record)
{
    size_t header_len = datagram ? RECORD_HEADER_LEN_DTLS : RECORD_HEADER_LEN;
    struct reader reader = reader_of(input);
    struct slice header; /* type, version, with datagrams epoch and sequence number, length */
    *record = (struct record){.missing = header_len - (input.len < header_len ? input.len : header_len)};
    require(reader_bytes(&reader, header_len, &header) == WIRE_OK, WIRE_SHORT);
    record->type = header.data[0];
    uint8_t major = header.data[1];
    size_t body_len = (size_t)header.data[header_len - 2] << 8 | header.data[header_len - 1];
    require(record->type >= RECORD_CHANGE_CIPHER_SPEC && record->type <= RECORD_APPLICATION_DATA, WIRE_BAD);
    require(major == (datagram ? DTLS_MAJOR : TLS_MAJOR) && body_len <= RECORD_BODY_MAX, WIRE_BAD);
    record->is_protected = datagram && (header.data[3] != 0 || header.data[4] != 0);
    record->body_len = body_len;
    record->len = header_len + body_len;
    record->missing = input.len < record->len ? record->len - input.len : 0;
    return record->missing == 0 ? WIRE_OK : WIRE_SHORT;
}

size_t record_whole(struct slice input, bool datagram)
{
    size_t whole = 0;
    struct record record;
    while (whole < input.len &&
           record_look(slice_of(input.data + whole, input.len - whole), datagram, &record) == WIRE_OK)
        whole += record.len;
    return whole;
}
