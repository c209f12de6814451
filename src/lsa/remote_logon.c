#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include "lsa/logon.h"
#include "lsa/remote.h"

/* Proofs of names and passwords that a daemon makes. */

SECURITY_STATUS remote_proof_read(const struct lsa_message *reply, struct logon_proof *proof)
{
    struct slice kept = reply->field[LSA_DELEGATED];
    const char *package = lsa_text(reply, LSA_PACKAGE);
    writer_release(&proof->record);
    proof->record = writer_growing(reply->field[LSA_RECORD].len);
    writer_slice(&proof->record, reply->field[LSA_RECORD]);
    proof->package = package != NULL ? registry_find(package) : NULL;
    require(writer_finish(&proof->record) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(proof->package != NULL, SEC_E_SECPKG_NOT_FOUND);
    return kept.len == 0 || secret_set(&proof->kept, kept.data, kept.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS remote_prove(const struct logon_request *request, struct logon_proof *proof, bool *not_here)
{
    static const char *const names[] = {
        [LOGON_BY_DOMAIN] = "Negotiate", [LOGON_BY_STORES] = "NTLM", [LOGON_BY_KERBEROS] = "Kerberos"};
    AUTO_REPLY struct lsa_reply reply = {0};
    struct lsa_daemon *daemon = remote_daemon(request->config);
    *not_here = false;
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    AUTO_WRITER struct writer asked = lsa_request(LSA_PROVE);
    lsa_text_write(&asked, LSA_PACKAGE, names[request->provider]);
    lsa_number_write(&asked, LSA_FLAGS, proof->keeps ? LSA_WANTS_KEPT : 0);
    remote_identity_write(&asked, request->identity);
    enum lsa_result result = lsa_ask(daemon, &asked, LSA_PROVE, request->config->lsa_seconds, 0, &reply, NULL);
    *not_here = result == LSA_UNREACHABLE;
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status == SEC_E_OK, reply.status);
    return remote_proof_read(&reply.message, proof);
}
