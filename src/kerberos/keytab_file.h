/*
 * What a keytab file holds, read from memory: identities carry keytabs that are in no file.
 */
#ifndef OPENSSPI_KERBEROS_KEYTAB_FILE_H
#define OPENSSPI_KERBEROS_KEYTAB_FILE_H

#include "base/reader.h"

#define KEYTAB_COMPONENTS_MAX 16 /* parts of a principal's name; those in use have one to three */

/* One key, borrowed from the file. */
struct keytab_entry {
    struct slice realm, component[KEYTAB_COMPONENTS_MAX];
    unsigned n_components;
    uint32_t name_type, timestamp, kvno;
    uint16_t enctype;
    struct slice key;
};

/* Begins a file: MIT's format ("Keytab file format" of its documentation), version 2, which is big-endian. WIRE_BAD for another one. */
MUST_USE enum wire_result keytab_file_begin(struct reader *file);
/* The next key; holes are passed over. WIRE_SHORT at the end of the file, WIRE_BAD when it is damaged. */
MUST_USE enum wire_result keytab_file_next(struct reader *file, struct keytab_entry *entry);

#endif
