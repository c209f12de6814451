/*
 * A security package of a third party: negotiable, most preferred, and of as many legs as a test wants. Its keys are no secret.
 */
#ifndef OPENSSPI_TESTS_FAKE_PACKAGE_H
#define OPENSSPI_TESTS_FAKE_PACKAGE_H

#include "core/package.h"

/* What the package does from now on; a test sets it before its handshake. */
struct fake {
    unsigned legs;                                    /* tokens of a handshake: 1 to 3 */
    SECURITY_STATUS acquire, initiate, accept, reply; /* not SEC_E_OK: that step fails so; accept with an error token */
    bool no_alert;                                    /* and that token is not marked as one */
    size_t error_len;                                 /* and it is of so many bytes, if of more than five */
    bool no_integrity;
    bool wants_list_mic;
    bool loses_record;                            /* a last step succeeds, and there was no memory for its record */
    long n_credentials, n_handshakes, n_sessions; /* that live */
};
extern struct fake fake;
extern const struct package fake_package;

/* The package's two names, as OID contents. */
struct slice fake_oid(unsigned number);
/* Puts the package before the built-in ones: call it before any other function of the library. */
void fake_register(void);
/* Two legs, and nothing fails. */
void fake_reset(void);

#endif
