/*
 * Kerberos without a KDC: a private directory with krb5.conf, a keytab and a ticket cache that holds a forged service ticket, so that handshakes run
 * through the public functions in one process. loop_run and the steps of ntlm_duel.h walk them: they take any package's credentials.
 */
#ifndef OPENSSPI_TESTS_KERBEROS_LOOP_H
#define OPENSSPI_TESTS_KERBEROS_LOOP_H

#include "support/kerberos_forge.h"
#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"

/* Makes the directory and points KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME and OPENSSPI_CONFIG there. `libdefaults` (which win over those of the fixture)
 * and `sections` go into krb5.conf, `own` into opensspi.conf; each may be NULL. Call again to change them: credentials acquired before keep libkrb5
 * contexts of the former krb5.conf. */
void kerberos_loop_configure(const char *libdefaults, const char *sections, const char *own);
void kerberos_loop_cleanup(void);
const char *kerberos_loop_directory(void);

/* Replaces the keytab by one with forge_key(enctype, 1) of all five types for FORGE_SERVER under number 2. */
void kerberos_loop_keytab(void);
/* An entry more for a keytab file in the directory. */
void kerberos_loop_keytab_add(const char *file, const char *principal, uint32_t kvno, const struct krb_key *key);
/* Replaces the cache by one with the forge's ticket alone. */
void kerberos_loop_ticket(const struct forge *forge);
/* Credentials of the default cache and keytab into `loop`, which then keeps them; false when one of them fails. */
bool kerberos_loop_acquire(struct loop *loop);
/* An honest ticket of this type into the cache, then credentials and a handshake with these flags. */
bool kerberos_loop_run(struct loop *loop, int32_t enctype, ULONG flags);
/* Contexts and credentials. */
void kerberos_loop_end(struct loop *loop);
void kerberos_duel_begin(struct duel *duel);

#define KERBEROS_PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define KERBEROS_TYPES 5
extern const int32_t kerberos_loop_types[KERBEROS_TYPES];

#endif
