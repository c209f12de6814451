/*
 * Security descriptors (MS-DTYP 2.4.6) with their lists (2.4.5) and entries (2.4.4).
 */
#ifndef OPENSSPI_ACCESS_DESCRIPTOR_H
#define OPENSSPI_ACCESS_DESCRIPTOR_H

#include "access/sid.h"

#define DESCRIPTOR_HEADER_LEN 20 /* self-relative */
#define ACL_HEADER_LEN 8
#define ACL_BYTES_MAX 65532 /* AclSize has 16 bits, and is a multiple of 4 */

/* SE_* of winnt.h */
enum {
    DESCRIPTOR_DACL_PRESENT = 0x4,
    DESCRIPTOR_SACL_PRESENT = 0x10,
    DESCRIPTOR_DACL_AUTO_INHERIT_REQ = 0x100,
    DESCRIPTOR_SACL_AUTO_INHERIT_REQ = 0x200,
    DESCRIPTOR_DACL_AUTO_INHERITED = 0x400,
    DESCRIPTOR_SACL_AUTO_INHERITED = 0x800,
    DESCRIPTOR_DACL_PROTECTED = 0x1000,
    DESCRIPTOR_SACL_PROTECTED = 0x2000,
    DESCRIPTOR_SELF_RELATIVE = 0x8000,
};

struct descriptor {
    uint16_t control;
    bool has_owner, has_group;
    struct sid owner, group;
    /* The whole list with its header, borrowed; data NULL: a NULL list, or none (control tells). */
    struct slice sacl, dacl;
};

/* Reads a self-relative descriptor and everything in it. WIRE_BAD for what contradicts itself or lies outside. */
MUST_USE enum wire_result descriptor_read(struct slice bytes, struct descriptor *descriptor);
/* Reads one in a program's memory, self-relative or with pointers (SECURITY_DESCRIPTOR). Its parts say their own lengths: the program vouches for the
 * memory. */
MUST_USE enum wire_result descriptor_of_memory(const void *memory, struct descriptor *descriptor);
/* Self-relative. */
void descriptor_write(struct writer *writer, const struct descriptor *descriptor);
size_t descriptor_len(const struct descriptor *descriptor);

/* MS-DTYP 2.4.4.1 */
enum {
    ACE_ALLOWED = 0x0,
    ACE_DENIED = 0x1,
    ACE_AUDIT = 0x2,
    ACE_ALARM = 0x3,
    ACE_ALLOWED_OBJECT = 0x5,
    ACE_DENIED_OBJECT = 0x6,
    ACE_AUDIT_OBJECT = 0x7,
    ACE_ALARM_OBJECT = 0x8,
    ACE_ALLOWED_CALLBACK = 0x9, /* with a condition, in the bytes after the SID */
    ACE_DENIED_CALLBACK = 0xA,
    ACE_ALLOWED_CALLBACK_OBJECT = 0xB,
    ACE_DENIED_CALLBACK_OBJECT = 0xC,
    ACE_SYSTEM_FIRST = 0xD, /* from here on to ACE_SYSTEM_LAST all belong into a SACL */
    ACE_MANDATORY_LABEL = 0x11,
    ACE_SYSTEM_LAST = 0x15,
};
enum { ACE_INHERIT_ONLY = 0x8 };

struct ace {
    uint8_t type, flags;
    bool understood; /* one of the types above; of others nothing below is known */
    uint32_t mask;
    bool has_object, has_inherited_object;
    uint8_t object[16], inherited_object[16]; /* GUIDs as on the wire */
    struct sid sid;
};

struct acl_walk {
    struct reader reader;
    uint16_t left;
    uint8_t revision;
};
/* Opens a whole list for reading its entries one by one. */
MUST_USE enum wire_result acl_open(struct slice acl, struct acl_walk *walk);
/* `walk->left` says how many are still to come; only then call it. */
MUST_USE enum wire_result acl_next(struct acl_walk *walk, struct ace *ace);
/* Begins a list in the writer; entries are added, and acl_end back-fills. Gives where it began. */
size_t acl_begin(struct writer *writer);
void acl_add(struct writer *writer, const struct ace *ace);
void acl_end(struct writer *writer, size_t begin, uint16_t n_entries, bool object_entries);
bool ace_type_is_object(uint8_t type);

#endif
