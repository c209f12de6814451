/*
 * What the files of `sspi doctor` share.
 */
#ifndef OPENSSPI_CLI_DOCTOR_H
#define OPENSSPI_CLI_DOCTOR_H

#include "cli.h"

struct config;

enum verdict { GOOD, NOTE, BAD };

struct doctor {
    struct json_list list;
    unsigned n_bad;
};

/* One finding; `advice` is what to do, NULL when there is nothing. */
void doctor_tell(struct doctor *doctor, enum verdict verdict, const char *what, const char *advice, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));

/* The realm and its KDCs, each of which is asked whether it listens; not there without the Kerberos package. */
void doctor_check_realm(struct doctor *doctor);
/* A server's keys. */
void doctor_check_keytab(struct doctor *doctor, const struct config *config);

#endif
