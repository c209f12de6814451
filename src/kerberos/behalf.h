/*
 * Credentials to act for somebody else with: what a client handed over (a forwarded ticket), and what a service may get by itself (S4U2Self and
 * S4U2Proxy, MS-SFU).
 */
#ifndef OPENSSPI_KERBEROS_BEHALF_H
#define OPENSSPI_KERBEROS_BEHALF_H

#include "kerberos/credential.h"
#include "kerberos/task.h"

/* Makes an outbound credential of what a server's session keeps of its client (delegated.h). `service` is the service's own credential, needed for
 * evidence: what it gets tickets with is then shared; NULL is fine for a ticket-granting ticket. SEC_E_OK; SEC_E_INVALID_TOKEN for damaged bytes;
 * SEC_E_NO_CREDENTIALS for evidence without a service; SEC_E_INSUFFICIENT_MEMORY. Asks no KDC. */
SECURITY_STATUS kerberos_delegated_acquire(const struct acquire_request *request, struct slice delegated, void *service,
                                           void **credential, int64_t *expiry);

/* package_authority.keep: the ticket-granting ticket, not what it was got with. Asks the KDC only if the credential has none. */
SECURITY_STATUS kerberos_keep(void *credential, struct secret *delegated);

/* S4U2Self (MS-SFU 3.1.5.1.1): gets a ticket for the service itself in the name of a user, "user@suffix", "DOMAIN\user" or "user". krb5_free_creds
 * it. SEC_E_LOGON_DENIED for an unknown user, SEC_E_NO_S4U_PROT_SUPPORT, and what krb.h maps. */
SECURITY_STATUS kerberos_s4u_self(struct kerberos_credential *service, krb5_context krb, const char *user,
                                  krb5_creds **creds);
/* The same as an outbound credential: a handshake with it gets its ticket by S4U2Proxy. */
SECURITY_STATUS kerberos_s4u_acquire(const struct acquire_request *request, const char *user, void *service,
                                     void **credential, int64_t *expiry);

/* S4U2Proxy (MS-SFU 3.1.5.2.1), as a task's work: task->name is the target, task->service the evidence, `cache` the service's. */
SECURITY_STATUS kerberos_s4u_proxy(struct kerberos_task *task, krb5_ccache cache);

#endif
