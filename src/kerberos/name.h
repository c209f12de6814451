/*
 * Principal names as messages carry them (RFC 4120, sections 5.2.2 and 6.2).
 */
#ifndef OPENSSPI_KERBEROS_NAME_H
#define OPENSSPI_KERBEROS_NAME_H

#include "base/reader.h"
#include "base/writer.h"
#include <krb5.h>

#define KRB_NAME_PARTS 10 /* "ldap/host/domain@REALM" has three; nobody has more than four */

struct krb_name {
    int32_t type;
    unsigned n_parts;
    struct slice part[KRB_NAME_PARTS], realm; /* borrowed */
};

/* A PrincipalName from its SEQUENCE; the realm is the caller's. WIRE_BAD also for a name without parts or with too many. */
MUST_USE enum wire_result krb_name_read(struct reader *reader, struct krb_name *name);
void krb_name_write(struct writer *writer, const struct krb_name *name);
/* Realm as a KerberosString. */
MUST_USE enum wire_result krb_realm_read(struct reader *reader, struct slice *realm);
void krb_realm_write(struct writer *writer, struct slice realm);

/* Parts and realm; the type says nothing about who is meant (RFC 4120 6.2). */
bool krb_name_equal(const struct krb_name *a, const struct krb_name *b);
/* "part/part@REALM", with the escapes of krb5_unparse_name. NULL without memory, or when a part has a NUL inside. Free with mem_free. */
char *krb_name_text(const struct krb_name *name);
/* Has it a text at all: is no NUL inside? */
bool krb_name_has_text(const struct krb_name *name);
/* Nobody's name, in whatever realm, or one of nobody's realm (RFC 8062 3). */
bool krb_name_is_anonymous(const struct krb_name *name);
/* Is `text` what krb_name_text writes of it? */
bool krb_name_is(const struct krb_name *name, const char *text);
/* Borrows from a principal of libkrb5. False when it has no parts or too many. */
MUST_USE bool krb_name_of(krb5_const_principal principal, struct krb_name *name);

#endif
