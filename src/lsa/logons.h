/*
 * Logon sessions of whoever the configuration says: the daemon's, or this process's (lsa/sessions.h).
 */
#ifndef OPENSSPI_LSA_LOGONS_H
#define OPENSSPI_LSA_LOGONS_H

#include "lsa/sessions.h"

/* A session as it is told; logon_told_release it. */
struct logon_told {
    uint64_t id, owner;
    uint32_t type;
    int64_t time;
    char *package, *user, *domain;
};
void logon_told_release(struct logon_told *told); /* safe on zero */
#define AUTO_TOLD __attribute__((cleanup(logon_told_release)))

/* sessions_log_on for the calling user. An identity without a password but with a name asks for a service's word (sessions_log_on_s4u). `proof` as in
 * struct session_request. */
SECURITY_STATUS logons_log_on(const struct config *config, const struct package *package,
                              const struct identity *identity, enum session_logon type, uint64_t *id,
                              struct logon_proof *proof);
/* As sessions_log_off. */
SECURITY_STATUS logons_log_off(const struct config *config, uint64_t id);
/* As sessions_list. */
SECURITY_STATUS logons_list(const struct config *config, uint64_t **ids, size_t *n_ids);
/* The session that this process runs in, which nobody logged on here and no list has; 0 for a thread that impersonates somebody. */
SECURITY_STATUS logons_own(const struct config *config, uint64_t *id);
/* SEC_E_INVALID_HANDLE: there is no such session that the caller may see. id 0: the one that defaults come from, else the process's own. */
SECURITY_STATUS logons_describe(const struct config *config, uint64_t id, struct logon_told *told);
/* A package's tickets in the session's cache (core/tickets.h), or with id 0 and no session of the caller's those of the default cache. A daemon lists
 * and removes them, and gives none out: SEC_E_UNSUPPORTED_FUNCTION. */
SECURITY_STATUS logons_tickets(const struct package *package, uint64_t id, const struct tickets_request *request,
                               struct writer *answer);

#endif
