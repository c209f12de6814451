/*
 * Logging on with a password, in this process.
 */
#ifndef OPENSSPI_LSA_LOGON_H
#define OPENSSPI_LSA_LOGON_H

#include "base/secret.h"
#include "lsa/authority.h"

/* What a proof leaves; logon_proof_release it. */
struct logon_proof {
    struct writer record;          /* the server's session record */
    bool keeps;                    /* in: something to act with as the user is wanted, too */
    const struct package *package; /* that proved */
    struct secret kept;            /* in its form, as acquire_delegated takes it; empty: nothing */
    struct credential *service;    /* that `delegated` in the record is to be used with (S4U2Proxy), held; or NULL */
};
void logon_proof_release(struct logon_proof *proof); /* safe on zero */
#define AUTO_PROOF __attribute__((cleanup(logon_proof_release)))

/* A client with the given request and a server with this computer's stores or keys authenticate in memory, so that a logon is refused, counted and
 * locked out as one over the network is. SEC_E_LOGON_DENIED also for nobody's (null) session; else what the handshake said. */
SECURITY_STATUS logon_prove(const struct package *package, const struct acquire_request *client,
                            struct logon_proof *proof);
/* The same with a credential to act for a user (S4U) in place of a request, to the very service that acts. Nothing is
 * kept, whatever is wanted: the user has left nothing, and what the credential logs on with is the service's own. */
SECURITY_STATUS logon_prove_s4u(const struct package *package, const struct config *config, void *credential,
                                struct logon_proof *proof);
/* The token of whom a proof tells, with what it left. Made with this process's view of Unix users. */
SECURITY_STATUS logon_token(const struct logon_request *request, const struct logon_proof *proof,
                            const struct token **token);
/* What a package that is named means for a logon: one that chooses, whoever knows the name. */
enum logon_provider logon_provider_of(const struct package *package);
/* Which package proves a name: accounts of this computer NTLM, others Kerberos. SEC_E_SECPKG_NOT_FOUND. */
SECURITY_STATUS logon_package(const struct config *config, const struct identity *identity,
                              enum logon_provider provider, const struct package **package);

/* After that status of that package: shall a domain's store be asked by NTLM, because Kerberos has no key, or no KDC answers? winbind's word is as
 * good. */
bool logon_other_way(const struct config *config, enum logon_provider provider, const struct package *package,
                     SECURITY_STATUS status);
/* logon_prove with whatever package knows the name. */
SECURITY_STATUS logon_prove_by(const struct config *config, const struct identity *identity,
                               enum logon_provider provider, struct logon_proof *proof);

/* authority()->logon of the embedded authority. */
SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token);

#endif
