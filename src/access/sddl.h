/*
 * Security descriptors as text (MS-DTYP 2.5.1): SDDL.
 */
#ifndef OPENSSPI_ACCESS_SDDL_H
#define OPENSSPI_ACCESS_SDDL_H

#include "access/descriptor.h"

#define SDDL_TEXT_MAX ((size_t)1 << 20) /* two full lists of shortest entries fit */

enum sddl_problem { SDDL_OK, SDDL_SYNTAX, SDDL_SID, SDDL_ACL, SDDL_TOO_LONG };

/* "S-1-5-...", or two letters of a SID that is the same everywhere. WIRE_BAD also for letters of a domain ("DA"): which one, nothing says. */
MUST_USE enum wire_result sddl_sid_from_text(const char *text, struct sid *sid);

/* Reads text into a self-relative descriptor appended to the writer. The problem tells what is wrong, SDDL_OK nothing; then check the writer. Each
 * part may stand once, in any order; entries with a condition and resource attributes are SDDL_ACL. */
enum sddl_problem sddl_parse(const char *text, struct writer *descriptor);

/* Parts to be written; as *_SECURITY_INFORMATION of winnt.h. */
enum { SDDL_OWNER = 1, SDDL_GROUP = 2, SDDL_DACL = 4, SDDL_SACL = 8, SDDL_LABEL = 16 };
/* Appends text without NUL. SDDL_ACL for an entry that has no text here. */
enum sddl_problem sddl_format(const struct descriptor *descriptor, uint32_t parts, struct writer *text);

#endif
