/*
 * May this token do that to an object? (MS-DTYP 2.5.3.2.)
 */
#ifndef OPENSSPI_ACCESS_ACCESS_CHECK_H
#define OPENSSPI_ACCESS_ACCESS_CHECK_H

#include "access/descriptor.h"
#include "access/token.h"

/* GENERIC_MAPPING of winnt.h */
struct access_mapping {
    uint32_t read, write, execute, all;
};
uint32_t access_map_generic(uint32_t mask, const struct access_mapping *mapping);

#define ACCESS_READ_CONTROL 0x00020000u
#define ACCESS_WRITE_DAC 0x00040000u
#define ACCESS_SACL 0x01000000u    /* ACCESS_SYSTEM_SECURITY */
#define ACCESS_MAXIMUM 0x02000000u /* MAXIMUM_ALLOWED */
#define ACCESS_GENERIC 0xF0000000u

enum access_verdict { ACCESS_GRANTED, ACCESS_REFUSED, ACCESS_NEEDS_PRIVILEGE };

/* `desired` has no generic bits. *granted is 0 unless ACCESS_GRANTED. Entries with a condition, and object entries that name an object, deny as if
 * they had none, and grant nothing: there is nothing to decide them by. An entry of a type that nobody knows refuses whatever is not granted yet.
 * Mandatory labels are not looked at. */
enum access_verdict access_check(const struct descriptor *descriptor, const struct token *token, uint32_t desired,
                                 const struct access_mapping *mapping, uint32_t *granted);

#endif
