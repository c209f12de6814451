#include "kerberos/handshake.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/bindings.h"
#include "core/cause.h"
#include "kerberos/package.h"
#include <string.h>

struct kerberos_handshake *kerberos_handshake_new(struct kerberos_credential *credential, const struct step_in *in,
                                                  enum kerberos_state state)
{
    struct kerberos_handshake *handshake = secret_block_alloc(sizeof *handshake);
    require(handshake != NULL, NULL);
    handshake->credential = credential;
    handshake->state = state;
    handshake->asked = in->flags;
    handshake->target = mem_strdup(in->target);
    if ((in->target != NULL && handshake->target == NULL) ||
        krb_pool_take(&credential->pool, &handshake->krb) != SEC_E_OK) {
        kerberos_handshake_free(handshake);
        return NULL;
    }
    return handshake;
}

void kerberos_handshake_free(void *handshake)
{
    struct kerberos_handshake *freed = handshake;
    if (freed->krb != NULL) {
        if (freed->auth != NULL)
            krb5_auth_con_free(freed->krb, freed->auth);
        krb_pool_give(&freed->credential->pool, freed->krb);
    }
    mem_free(freed->target);
    mem_free(freed->client_name);
    mem_free(freed->server_name);
    mem_free(freed->authority);
    secret_release(&freed->identity);
    secret_block_free(freed, sizeof *freed);
}

SECURITY_STATUS kerberos_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    (void)handshake, (void)value;
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u is known once the Kerberos handshake has ended",
                     (unsigned)attribute);
}

#define ENCTYPE_RC4 23 /* RFC 4757: its tokens know no acceptor subkey (RFC 1964), but for DCE style */

/* Which key protects messages (RFC 4121 2): the acceptor's subkey where it asserted one, else the initiator's, else the ticket's. */
static krb5_error_code key_choose(struct kerberos_handshake *handshake, bool initiator, krb5_key *key,
                                  bool *acceptor_subkey)
{
    krb5_context krb = handshake->krb;
    krb5_key acceptors = NULL, initiators = NULL;
    krb5_error_code code = initiator ? krb5_auth_con_getrecvsubkey_k(krb, handshake->auth, &acceptors)
                                     : krb5_auth_con_getsendsubkey_k(krb, handshake->auth, &acceptors);
    if (code == 0)
        code = initiator ? krb5_auth_con_getsendsubkey_k(krb, handshake->auth, &initiators)
                         : krb5_auth_con_getrecvsubkey_k(krb, handshake->auth, &initiators);
    bool mutual = (handshake->gss_flags & (GSS_MUTUAL | GSS_DCE_STYLE)) != 0;
    if (code == 0 && acceptors != NULL && initiators != NULL && krb5_k_key_enctype(krb, initiators) == ENCTYPE_RC4 &&
        krb5_k_key_enctype(krb, acceptors) == ENCTYPE_RC4 && (handshake->gss_flags & GSS_DCE_STYLE) == 0)
        mutual = false;
    *acceptor_subkey = code == 0 && mutual && acceptors != NULL;
    if (*acceptor_subkey)
        krb5_k_reference_key(krb, *key = acceptors);
    else if (code == 0 && initiators != NULL)
        krb5_k_reference_key(krb, *key = initiators);
    else if (code == 0)
        code = krb5_auth_con_getkey_k(krb, handshake->auth, key);
    krb5_k_free_key(krb, acceptors);
    krb5_k_free_key(krb, initiators);
    return code;
}

static SECURITY_STATUS seed_fill(struct kerberos_handshake *handshake, bool initiator,
                                 struct kerberos_session_seed *seed)
{
    krb5_context krb = handshake->krb;
    krb5_key key = NULL;
    krb5_keyblock *block = NULL;
    krb5_int32 local = 0, remote = 0;
    krb5_error_code code = key_choose(handshake, initiator, &key, &seed->acceptor_subkey);
    if (code == 0)
        code = krb5_k_key_keyblock(krb, key, &block);
    if (code == 0)
        code = krb5_auth_con_getlocalseqnumber(krb, handshake->auth, &local);
    if (code == 0)
        code = krb5_auth_con_getremoteseqnumber(krb, handshake->auth, &remote);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_REPLY, "taking the session key");
    if (status == SEC_E_OK && block == NULL)
        status = SEC_E_INTERNAL_ERROR; /* libkrb5 does not do so; the analyser cannot know */
    if (status == SEC_E_OK && block->length > sizeof seed->key)
        status = cause_set(SEC_E_KDC_UNKNOWN_ETYPE, "a session key of %u bytes", block->length);
    if (status == SEC_E_OK) {
        seed->enctype = block->enctype;
        seed->key_len = block->length;
        memcpy(seed->key, block->contents, block->length);
        seed->dce_style = (handshake->gss_flags & GSS_DCE_STYLE) != 0;
        bool replied = (handshake->gss_flags & (GSS_MUTUAL | GSS_DCE_STYLE)) != 0;
        /* without an AP-REP the acceptor begins where the initiator does (RFC 4121 4.1.1) */
        seed->send_seq = (uint32_t)(replied || initiator ? local : remote);
        seed->receive_seq = (uint32_t)(replied || !initiator ? remote : local);
    }
    krb5_free_keyblock(krb, block);
    krb5_k_free_key(krb, key);
    return status;
}

SECURITY_STATUS kerberos_handshake_finish(struct kerberos_handshake *handshake, bool initiator, struct step_out *out)
{
    struct kerberos_session_seed seed = {0};
    AUTO_WRITER struct writer own = writer_growing(256);
    try(seed_fill(handshake, initiator, &seed));
    kerberos_session_seed_write(&own, &seed);
    const struct session_facts facts = {
        .initiator = initiator,
        .flags = handshake->granted,
        .start = filetime_now(),
        .expiry = handshake->expiry,
        .client = handshake->client_name,
        .server = handshake->server_name,
        .target = initiator ? handshake->target : handshake->server_name,
        .authority = handshake->authority,
        .session_key = slice_of(seed.key, seed.key_len),
        .identity = secret_slice(&handshake->identity),
    };
    SECURITY_STATUS status = writer_finish(&own) == WIRE_OK
                                 ? session_record_write(&out->record, &kerberos_package, &facts, writer_slice_of(&own))
                                 : SEC_E_INSUFFICIENT_MEMORY;
    secret_wipe(&seed, sizeof seed);
    out->granted = handshake->granted;
    out->expiry = handshake->expiry;
    handshake->state = KERBEROS_DONE;
    return status;
}

SECURITY_STATUS kerberos_handshake_step(kerberos_step *const *steps, size_t n_steps, enum kerberos_state first_state,
                                        void *credential, void **handshake, const struct step_in *in,
                                        struct step_out *out)
{
    struct kerberos_handshake *now = *handshake;
    bool first = now == NULL;
    if (first)
        now = kerberos_handshake_new(credential, in, first_state);
    require(now != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = bindings_take(in->bindings, now->bindings, &now->has_bindings);
    if (status == SEC_E_OK) {
        bool legal = now->state < n_steps && steps[now->state] != NULL;
        status = legal ? steps[now->state](now, in, out)
                       : cause_set(SEC_E_OUT_OF_SEQUENCE, "this Kerberos handshake has ended");
    }
    bool over = status == SEC_E_OK && now->state == KERBEROS_DONE;
    if (over || (first && status < 0)) {
        kerberos_handshake_free(now);
        now = NULL;
    }
    *handshake = now;
    return status;
}
