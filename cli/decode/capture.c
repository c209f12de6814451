/* Captures: pcap, and pcapng as Wireshark writes it. Connections are put together from their segments; what is missing is said. */
#include "decode/decode.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/writer.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define FLOWS_MAX 1024      /* directions of connections */
#define FLOW_MAX (4U << 20) /* bytes kept of each */
#define INTERFACES_MAX 64
#define YEAR_9999 253402300799 /* its last second; further ahead is a damaged file */

struct flow {
    uint8_t from[16], to[16]; /* addresses */
    uint8_t address_len;
    uint16_t from_port, to_port;
    bool udp, gap;
    uint32_t next_seq;
    int64_t time; /* of the first packet, Unix seconds */
    struct writer bytes;
};

/* What pcapng says of an interface: time is Unix seconds, of so many ticks of one, after an offset. */
struct interface {
    uint16_t link;
    uint64_t ticks; /* 0: none that 64 bits can count */
    int64_t offset;
};

struct capture {
    struct flow *flows;
    size_t n_flows;
    bool big_endian, full;
    unsigned long n_packets;
    struct interface interfaces[INTERFACES_MAX];
    uint32_t n_interfaces;
};

static enum wire_result read_u32(const struct capture *capture, struct reader *reader, uint32_t *value)
{
    return capture->big_endian ? reader_u32be(reader, value) : reader_u32le(reader, value);
}

static enum wire_result read_u16(const struct capture *capture, struct reader *reader, uint16_t *value)
{
    return capture->big_endian ? reader_u16be(reader, value) : reader_u16le(reader, value);
}

static struct flow *flow_of(struct capture *capture, const struct flow *key)
{
    for (size_t i = capture->n_flows; i-- > 0;) {
        struct flow *flow = &capture->flows[i];
        if (flow->udp == key->udp && flow->address_len == key->address_len && flow->from_port == key->from_port &&
            flow->to_port == key->to_port && memcmp(flow->from, key->from, key->address_len) == 0 &&
            memcmp(flow->to, key->to, key->address_len) == 0)
            return flow;
    }
    if (capture->n_flows == FLOWS_MAX) {
        capture->full = true;
        return NULL;
    }
    struct flow *flow = &capture->flows[capture->n_flows++];
    *flow = *key;
    flow->bytes = writer_growing(256);
    return flow;
}

static void flow_add(struct flow *flow, struct slice payload)
{
    if (flow->bytes.len + payload.len <= FLOW_MAX)
        writer_slice(&flow->bytes, payload);
    else
        flow->gap = true;
}

/* Segments as they come; what was seen is dropped, what is missing leaves a gap. */
static void take_tcp(struct capture *capture, struct flow *key, struct slice segment)
{
    struct reader reader = reader_of(segment);
    uint32_t seq;
    uint8_t offset, flags;
    if (reader_u16be(&reader, &key->from_port) != WIRE_OK || reader_u16be(&reader, &key->to_port) != WIRE_OK ||
        reader_u32be(&reader, &seq) != WIRE_OK || reader_skip(&reader, 4) != WIRE_OK ||
        reader_u8(&reader, &offset) != WIRE_OK || reader_u8(&reader, &flags) != WIRE_OK ||
        (size_t)(offset >> 4) * 4 > segment.len || (offset >> 4) < 5)
        return;
    struct slice payload = slice_of(segment.data + (size_t)(offset >> 4) * 4, segment.len - (size_t)(offset >> 4) * 4);
    bool syn = (flags & 0x02) != 0;
    struct flow *flow = flow_of(capture, key);
    if (flow == NULL)
        return;
    if (syn || flow->bytes.len == 0)
        flow->next_seq = seq + (syn ? 1 : 0);
    if (payload.len == 0)
        return;
    uint32_t late = flow->next_seq - seq;
    if (late != 0 && late < 0x80000000U) {
        if (late >= payload.len)
            return;
        payload = slice_of(payload.data + late, payload.len - late);
    } else if (late != 0) {
        flow->gap = true;
        flow->next_seq = seq;
    }
    flow_add(flow, payload);
    flow->next_seq += (uint32_t)payload.len;
}

static void take_udp(struct capture *capture, struct flow *key, struct slice datagram)
{
    struct reader reader = reader_of(datagram);
    uint16_t len;
    key->udp = true;
    if (reader_u16be(&reader, &key->from_port) != WIRE_OK || reader_u16be(&reader, &key->to_port) != WIRE_OK ||
        reader_u16be(&reader, &len) != WIRE_OK || reader_skip(&reader, 2) != WIRE_OK)
        return;
    struct flow *flow = flow_of(capture, key);
    if (flow != NULL)
        flow_add(flow, reader_rest(&reader));
}

static void take_ip(struct capture *capture, struct slice packet, int64_t time)
{
    struct flow key = {.time = time};
    uint8_t protocol = 0;
    size_t header = 0, len = packet.len;
    if (packet.len >= 20 && packet.data[0] >> 4 == 4) {
        header = (size_t)(packet.data[0] & 0xf) * 4;
        size_t total = (size_t)packet.data[2] << 8 | packet.data[3];
        protocol = packet.data[9];
        if (total >= header && total < len)
            len = total; /* Ethernet pads */
        key.address_len = 4;
        memcpy(key.from, packet.data + 12, 4);
        memcpy(key.to, packet.data + 16, 4);
        if ((packet.data[6] & 0x1f) != 0 || packet.data[7] != 0)
            return; /* a later fragment */
    } else if (packet.len >= 40 && packet.data[0] >> 4 == 6) {
        header = 40;
        protocol = packet.data[6];
        key.address_len = 16;
        memcpy(key.from, packet.data + 8, 16);
        memcpy(key.to, packet.data + 24, 16);
    }
    if (header < 20 || header > len)
        return;
    struct slice content = slice_of(packet.data + header, len - header);
    if (protocol == 6)
        take_tcp(capture, &key, content);
    else if (protocol == 17)
        take_udp(capture, &key, content);
}

/* By link type, as tcpdump.org lists them. */
static void take_packet(struct capture *capture, uint32_t link, struct slice packet, int64_t time)
{
    size_t skip = 0;
    capture->n_packets++;
    if (link == 1) { /* Ethernet, with VLAN tags */
        skip = 14;
        while (skip <= packet.len && skip < 30 && packet.data[skip - 2] == 0x81 && packet.data[skip - 1] == 0)
            skip += 4;
    } else if (link == 0 || link == 108) {
        skip = 4; /* loopback */
    } else if (link == 113) {
        skip = 16; /* Linux "any" */
    } else if (link == 276) {
        skip = 20; /* Linux "any", second edition */
    } else if (link != 101 && link != 12 && link != 14 && link != 228 && link != 229) {
        return;
    }
    if (skip < packet.len)
        take_ip(capture, slice_of(packet.data + skip, packet.len - skip), time);
}

static bool pcap_magic(struct slice file, bool *big_endian)
{
    static const uint8_t magics[4][4] = {
        {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}};
    for (unsigned i = 0; i < 4; i++)
        if (file.len >= 24 && memcmp(file.data, magics[i], 4) == 0) {
            *big_endian = i % 2 == 1;
            return true;
        }
    return false;
}

static bool pcapng_magic(struct slice file)
{
    static const uint8_t magic[4] = {0x0a, 0x0d, 0x0d, 0x0a};
    return file.len >= 28 && memcmp(file.data, magic, 4) == 0;
}

bool decode_is_capture(struct slice bytes)
{
    bool big_endian;
    return pcap_magic(bytes, &big_endian) || pcapng_magic(bytes);
}

/* False when the file ends in the middle of a packet. */
static bool read_pcap(struct capture *capture, struct slice file)
{
    struct reader reader = reader_of(file);
    uint32_t link, seconds, fraction, len, original;
    struct slice packet;
    if (reader_skip(&reader, 20) != WIRE_OK || read_u32(capture, &reader, &link) != WIRE_OK)
        return false;
    while (reader_left(&reader) > 0) {
        if (read_u32(capture, &reader, &seconds) != WIRE_OK || read_u32(capture, &reader, &fraction) != WIRE_OK ||
            read_u32(capture, &reader, &len) != WIRE_OK || read_u32(capture, &reader, &original) != WIRE_OK ||
            reader_bytes(&reader, len, &packet) != WIRE_OK)
            return false;
        take_packet(capture, link & 0xffff, packet, seconds);
    }
    return true;
}

/* if_tsresol: a negative power of ten, or of two where the top bit is set. 0 where 64 bits hold no such number. */
static uint64_t ticks_of(uint8_t resolution)
{
    unsigned power = resolution & 0x7f;
    uint64_t ticks = 1;
    if ((resolution & 0x80) != 0)
        return power < 64 ? ticks << power : 0;
    for (; power > 0; power--)
        if (__builtin_mul_overflow(ticks, 10, &ticks))
            return 0;
    return ticks;
}

/* An Interface Description Block (pcapng 4.2): link type, two reserved bytes, snapshot length, options. */
static void take_interface(struct capture *capture, struct reader *reader)
{
    struct interface interface = {.ticks = 1000000};
    uint16_t code, len;
    struct slice value;
    if (capture->n_interfaces == INTERFACES_MAX || read_u16(capture, reader, &interface.link) != WIRE_OK)
        return;
    enum wire_result more = reader_skip(reader, 6);
    while (more == WIRE_OK && read_u16(capture, reader, &code) == WIRE_OK && code != 0 &&
           read_u16(capture, reader, &len) == WIRE_OK && reader_bytes(reader, len, &value) == WIRE_OK) {
        struct reader inside = reader_of(value);
        uint32_t first, second;
        if (code == 9 && len == 1)
            interface.ticks = ticks_of(value.data[0]);
        else if (code == 14 && len == 8 && read_u32(capture, &inside, &first) == WIRE_OK &&
                 read_u32(capture, &inside, &second) == WIRE_OK)
            interface.offset = (int64_t)((uint64_t)(capture->big_endian ? first : second) << 32 |
                                         (capture->big_endian ? second : first));
        more = reader_skip(reader, (4 - len % 4U) % 4);
    }
    capture->interfaces[capture->n_interfaces++] = interface;
}

/* Unix seconds; 0, which is not shown, for what is no time between 1970 and 9999. */
static int64_t time_of(const struct interface *interface, uint64_t count)
{
    int64_t seconds;
    if (interface->ticks == 0 || __builtin_add_overflow(count / interface->ticks, interface->offset, &seconds) ||
        seconds < 0 || seconds > YEAR_9999)
        return 0;
    return seconds;
}

static void take_block(struct capture *capture, uint32_t type, struct slice body)
{
    struct reader reader = reader_of(body);
    uint32_t interface = 0, high = 0, low = 0, len, original;
    struct slice packet;
    if (type == 1)
        take_interface(capture, &reader);
    if (type == 6 && read_u32(capture, &reader, &interface) == WIRE_OK && interface < capture->n_interfaces &&
        read_u32(capture, &reader, &high) == WIRE_OK && read_u32(capture, &reader, &low) == WIRE_OK &&
        read_u32(capture, &reader, &len) == WIRE_OK && read_u32(capture, &reader, &original) == WIRE_OK &&
        reader_bytes(&reader, len, &packet) == WIRE_OK)
        take_packet(capture, capture->interfaces[interface].link, packet,
                    time_of(&capture->interfaces[interface], (uint64_t)high << 32 | low));
    if (type == 3 && capture->n_interfaces > 0 && read_u32(capture, &reader, &original) == WIRE_OK)
        take_packet(capture, capture->interfaces[0].link, reader_rest(&reader), 0);
}

static bool read_pcapng(struct capture *capture, struct slice file)
{
    struct reader reader = reader_of(file);
    uint32_t type, len, again;
    struct slice body;
    while (reader_left(&reader) > 0) {
        struct slice rest = reader_rest(&reader);
        if (pcapng_magic(rest)) {
            capture->big_endian = rest.data[8] == 0x1a;
            capture->n_interfaces = 0;
        }
        if (read_u32(capture, &reader, &type) != WIRE_OK || read_u32(capture, &reader, &len) != WIRE_OK || len < 12 ||
            reader_bytes(&reader, len - 12, &body) != WIRE_OK || read_u32(capture, &reader, &again) != WIRE_OK)
            return false;
        take_block(capture, type, body);
    }
    return true;
}

static unsigned long put_flow(struct tree *tree, const struct flow *flow)
{
    char from[INET6_ADDRSTRLEN] = "?", to[INET6_ADDRSTRLEN] = "?";
    struct slice bytes = writer_slice_of(&flow->bytes);
    int family = flow->address_len == 4 ? AF_INET : AF_INET6;
    unsigned long n_found = 0;
    if (bytes.len == 0)
        return 0;
    inet_ntop(family, flow->from, from, sizeof(from));
    inet_ntop(family, flow->to, to, sizeof(to));
    tree_open(tree, "connection", "%s port %u to %s port %u, %s, %zu bytes", from, flow->from_port, to, flow->to_port,
              flow->udp ? "UDP" : "TCP", bytes.len);
    if (flow->time != 0)
        tree_unix_time(tree, "begins", flow->time);
    if (flow->gap)
        tree_wrong(tree, "segments are missing, out of order, or too many: tokens may be cut");
    if (!flow->udp && decode_is_tls(bytes)) {
        decode_tls(tree, bytes);
        n_found = 1;
    } else {
        n_found = decode_stream(tree, bytes, "") + decode_text(tree, bytes, "");
    }
    tree_close(tree);
    return n_found;
}

unsigned long decode_capture(struct tree *tree, struct slice file)
{
    struct capture capture = {0};
    unsigned long n_found = 0;
    capture.flows = mem_zalloc_array(FLOWS_MAX, sizeof(*capture.flows));
    if (capture.flows == NULL)
        return 0;
    bool whole = pcap_magic(file, &capture.big_endian) ? read_pcap(&capture, file) : read_pcapng(&capture, file);
    tree_open(tree, "capture", "%lu packets, %zu directions of connections", capture.n_packets, capture.n_flows);
    if (!whole)
        tree_wrong(tree, "the file ends in the middle of a packet, or is damaged");
    if (capture.full)
        tree_wrong(tree, "only the first %d directions are shown", FLOWS_MAX);
    for (size_t i = 0; i < capture.n_flows; i++) {
        n_found += put_flow(tree, &capture.flows[i]);
        writer_release(&capture.flows[i].bytes);
    }
    tree_close(tree);
    mem_free(capture.flows);
    return n_found;
}
