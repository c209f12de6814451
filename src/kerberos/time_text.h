/*
 * KerberosTime (RFC 4120 5.2.3): "19851106210627Z", no fractions, no other zone. Without the C library: a handshake has several.
 */
#ifndef OPENSSPI_KERBEROS_TIME_TEXT_H
#define OPENSSPI_KERBEROS_TIME_TEXT_H

#include "base/result.h"
#include "base/slice.h"

#define KRB_TIME_LEN 15 /* bytes; no NUL */

/* `time` is in seconds since 1970, which no text is before. WIRE_BAD. */
MUST_USE enum wire_result krb_time_parse(struct slice text, int64_t *time);
/* False for times before 1970 or after the year 9999. */
MUST_USE bool krb_time_text(int64_t time, uint8_t text[KRB_TIME_LEN]);

#endif
