#include "kerberos/handshake.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "kerberos/keys.h"
#include "kerberos/package.h"
#include <string.h>

static SECURITY_STATUS begun(void *opaque, void *credential)
{
    struct kerberos_handshake *handshake = opaque;
    handshake->credential = credential;
    return kerberos_kit_take(handshake->credential, &handshake->kit);
}

void kerberos_abandon(void *handshake)
{
    struct kerberos_handshake *freed = handshake;
    if (!freed->base.initiator)
        kerberos_names_release(&freed->names);
    kerberos_kit_give(freed->credential, &freed->kit);
    mem_free(freed->own_name);
    mem_free(freed->target);
    secret_release(&freed->identity);
    secret_release(&freed->delegated);
    secret_release(&freed->ticket_plain);
    handshake_free(&kerberos_handshake_kind, freed);
}

const struct handshake_kind kerberos_handshake_kind = {"Kerberos", sizeof(struct kerberos_handshake), begun,
                                                       kerberos_abandon, NULL};

bool kerberos_only_computes(void *credential, const void *handshake, const struct step_in *in)
{
    const struct kerberos_handshake *begun = handshake;
    if (begun != NULL) /* user-to-user asks for its ticket when it has the peer's */
        return begun->base.state == KERBEROS_CLIENT_REPLY || begun->base.state == KERBEROS_SERVER_THIRD;
    return in->target != NULL && (in->flags & (ISC_REQ_DELEGATE | ISC_REQ_USE_SESSION_KEY)) == 0 &&
           kerberos_ticket_is_ready(credential, in->target);
}

/* For keys that are not in memory (of a password, whose salts the KDC knows), for those that are so many that trying them takes long, and for the
 * server's own ticket-granting ticket. */
bool kerberos_accept_may_wait(void *credential, const void *handshake, const struct step_in *in)
{
    const struct kerberos_handshake *begun = handshake;
    enum krb_token id;
    struct slice message;
    enum krb_framing framing;
    struct krb_ap_req request;
    if (begun != NULL && begun->base.state == KERBEROS_SERVER_THIRD)
        return false;
    if (krb_token_parse(in->token, &id, &message, &framing) != WIRE_OK)
        return false;
    if (id != TOKEN_AP_REQ)
        return id == TOKEN_TGT_REQ;
    return krb_ap_req_parse(message, &request) == WIRE_OK && kerberos_keys_take_long(credential, &request.ticket.part);
}

SECURITY_STATUS kerberos_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct kerberos_handshake *asked = handshake;
    int32_t enctype = asked->exchange.session.enctype;
    /* Both sides go on with the type of the ticket's key, but for RC4, which the server may upgrade (RFC 4537). */
    if (enctype != 0 && enctype != KRB_RC4_HMAC &&
        kerberos_attribute(enctype, (asked->gss_flags & GSS_DCE_STYLE) != 0, attribute, value) == SEC_E_OK)
        return SEC_E_OK;
    if (attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS &&
        (asked->base.state == KERBEROS_CLIENT_TGT || asked->base.state == KERBEROS_CLIENT_REPLY)) {
        bool more = asked->base.state == KERBEROS_CLIENT_TGT || (asked->gss_flags & GSS_DCE_STYLE) != 0;
        /* Its request is the last, but for Windows' clients, which answer an error about the clock with another (MS-KILE 3.2.5.8). */
        value->number = more ? SecPkgAttrLastClientTokenNo : SecPkgAttrLastClientTokenMaybe;
        return SEC_E_OK;
    }
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u is known once the Kerberos handshake has ended",
                     (unsigned)attribute);
}

/* Which key protects messages (RFC 4121 2): the acceptor's subkey where it asserted one, else the initiator's, else the ticket's. Tokens of RC4 know
 * no acceptor subkey (RFC 1964), but for DCE style. */
static const struct krb_key *key_choose(const struct kerberos_handshake *handshake, bool *acceptor_subkey)
{
    const struct kerberos_exchange *exchange = &handshake->exchange;
    const struct krb_key *initiator_key = kerberos_initiator_key(exchange);
    bool rc4 = initiator_key->enctype == KRB_RC4_HMAC && exchange->acceptor_subkey.enctype == KRB_RC4_HMAC;
    *acceptor_subkey = exchange->acceptor_subkey.enctype != 0 && (!rc4 || (handshake->gss_flags & GSS_DCE_STYLE) != 0);
    return *acceptor_subkey ? &exchange->acceptor_subkey : initiator_key;
}

static void seed_fill(const struct kerberos_handshake *handshake, struct kerberos_session_seed *seed)
{
    bool initiator = handshake->base.initiator;
    const struct krb_key *key = key_choose(handshake, &seed->acceptor_subkey);
    seed->enctype = key->enctype;
    seed->key_len = key->len;
    memcpy(seed->key, key->bytes, key->len);
    seed->dce_style = (handshake->gss_flags & GSS_DCE_STYLE) != 0;
    /* without an AP-REP the acceptor begins where the initiator does (RFC 4121 4.1.1) */
    bool replied = (handshake->gss_flags & (GSS_MUTUAL | GSS_DCE_STYLE)) != 0;
    uint32_t initiators = handshake->exchange.initiator_seq,
             acceptors = replied ? handshake->exchange.acceptor_seq : initiators;
    seed->send_seq = initiator ? initiators : acceptors;
    seed->receive_seq = initiator ? acceptors : initiators;
}

SECURITY_STATUS kerberos_handshake_finish(struct kerberos_handshake *handshake, struct step_out *out)
{
    bool initiator = handshake->base.initiator;
    struct kerberos_session_seed seed = {0};
    uint8_t room[128];
    AUTO_WRITER struct writer own = writer_lent(room, sizeof room);
    seed_fill(handshake, &seed);
    kerberos_session_seed_write(&own, &seed);
    const struct session_facts facts = {
        .initiator = initiator,
        .flags = handshake->base.granted,
        .start = filetime_now(),
        .expiry = handshake->base.expiry,
        .client = handshake->names.client,
        .server = handshake->names.server,
        .target = initiator                   ? handshake->base.target
                  : handshake->target != NULL ? handshake->target
                                              : handshake->names.server,
        .authority = handshake->names.authority,
        .session_key = slice_of(seed.key, seed.key_len),
        .identity = secret_slice(&handshake->identity),
        .delegated = secret_slice(&handshake->delegated),
        .authorization = handshake->authorization,
        .has_logon = handshake->has_logon,
        .user_flags = handshake->user_flags,
        .logoff = handshake->logoff,
    };
    SECURITY_STATUS status = writer_finish(&own) == WIRE_OK
                                 ? session_record_write(&out->record, &kerberos_package, &facts, writer_slice_of(&own))
                                 : SEC_E_INSUFFICIENT_MEMORY;
    secret_wipe(&seed, sizeof seed);
    if (status == SEC_E_OK)
        handshake->base.state = HANDSHAKE_DONE;
    return status;
}
