/*
 * The session half of Negotiate: it holds the chosen package's session and hands everything on.
 */
#ifndef OPENSSPI_NEGOTIATE_SESSION_H
#define OPENSSPI_NEGOTIATE_SESSION_H

#include "core/session.h"

extern const struct package_session negotiate_session_table;

/* Wraps the chosen package's record into one of Negotiate's. */
SECURITY_STATUS negotiate_record_write(struct writer *record, struct slice inner);

/* The chosen package and the negotiation's state, for PACKAGE_INFO, NEGOTIATION_INFO and NEGOTIATION_PACKAGE. False for other attributes. */
bool negotiate_choice(const struct package *chosen, uint32_t state, uint32_t attribute, struct attribute *value);

#endif
