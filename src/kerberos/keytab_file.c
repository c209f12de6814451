#include "kerberos/keytab_file.h"

#include "base/memory.h"

#define VERSION_FIRST 5
#define VERSION_SECOND 2

enum wire_result keytab_file_begin(struct reader *file)
{
    static const uint8_t version[] = {VERSION_FIRST, VERSION_SECOND};
    return reader_expect(file, version, sizeof version) == WIRE_OK ? WIRE_OK : WIRE_BAD;
}

static enum wire_result counted_read(struct reader *record, struct slice *bytes)
{
    uint16_t len;
    try(reader_u16be(record, &len));
    return reader_bytes(record, len, bytes);
}

static enum wire_result name_read(struct reader *record, struct keytab_entry *entry)
{
    uint16_t n_components;
    try(reader_u16be(record, &n_components));
    require(n_components <= KEYTAB_COMPONENTS_MAX, WIRE_BAD);
    try(counted_read(record, &entry->realm));
    for (unsigned i = 0; i < n_components; i++)
        try(counted_read(record, &entry->component[i]));
    entry->n_components = n_components;
    return reader_u32be(record, &entry->name_type);
}

static enum wire_result entry_read(struct slice bytes, struct keytab_entry *entry)
{
    struct reader record = reader_of(bytes);
    struct keytab_entry read = {0};
    uint8_t kvno;
    uint32_t long_kvno;
    try(name_read(&record, &read));
    try(reader_u32be(&record, &read.timestamp));
    try(reader_u8(&record, &kvno));
    try(reader_u16be(&record, &read.enctype));
    try(counted_read(&record, &read.key));
    read.kvno = kvno;
    if (reader_left(&record) >= 4) { /* newer writers; 0 says nothing. What follows, nobody knows */
        try(reader_u32be(&record, &long_kvno));
        if (long_kvno != 0)
            read.kvno = long_kvno;
    }
    *entry = read;
    return WIRE_OK;
}

enum wire_result keytab_file_next(struct reader *file, struct keytab_entry *entry)
{
    struct slice record;
    for (;;) {
        uint32_t size;
        if (reader_left(file) == 0)
            return WIRE_SHORT;
        require(reader_u32be(file, &size) == WIRE_OK, WIRE_BAD);
        if (size == 0) /* so a writer marks the end */
            return WIRE_SHORT;
        bool hole = size > INT32_MAX; /* a negative length: a key was deleted */
        if (hole)
            size = 0u - size;
        require(reader_bytes(file, size, &record) == WIRE_OK, WIRE_BAD);
        if (!hole)
            return entry_read(record, entry) == WIRE_OK ? WIRE_OK : WIRE_BAD;
    }
}
