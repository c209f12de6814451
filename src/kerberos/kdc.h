/*
 * Work that may wait for KDCs: core/late.h, with its failures in words.
 */
#ifndef OPENSSPI_KERBEROS_KDC_H
#define OPENSSPI_KERBEROS_KDC_H

#include "core/late.h"
#include <krb5.h>

/* late_run; a thread that is left behind ends when libkrb5 gives up, after half a minute or so. Answers its status and cause, and *data is the
 * caller's as before; or SEC_E_NO_AUTHENTICATING_AUTHORITY when the deadline (late_deadline) passed first: then *data is the thread's, and NULL.
 * Without a thread to be had (too many left behind: SEC_E_NO_AUTHENTICATING_AUTHORITY; none at all: SEC_E_INSUFFICIENT_MEMORY) *data stays too. */
SECURITY_STATUS kdc_run(const struct late_work *work, void **data, uint64_t deadline);

/* For a context that such work is done with: where the process began to end while it waited, it goes no further (late_checkpoint), as far as libkrb5
 * lets us in: after a KDC's answer, and by whoever calls libkrb5 for what may wait, when that returns. Between its own look-ups of names, and while a
 * password is changed, it does not. */
void kdc_context_prepare(krb5_context krb);

#endif
