#include "kerberos/exchange.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "crypto/random.h"
#include "kerberos/checksum.h"
#include <stdio.h>
#include <string.h>

#define SEQ_MASK 0x3fffffffu /* of the first number: peers that count in signed 32 bits do not wrap soon */

static bool seq_generate(uint32_t *seq)
{
    require(random_bytes(seq, sizeof *seq), false);
    *seq &= SEQ_MASK;
    return true;
}

static SECURITY_STATUS no_randomness(void)
{
    return cause_set(SEC_E_INTERNAL_ERROR, "no randomness, or no memory, for a key");
}

/* The initiator */

/* Types better than RC4, best first: what an initiator asks for that got a ticket with an RC4 key (RFC 4537). */
static const int32_t upgrades[] = {KRB_AES256_SHA1, KRB_AES128_SHA1, KRB_AES256_SHA384, KRB_AES128_SHA256};

static size_t upgrades_wanted(krb5_context krb, int32_t enctype, int32_t wanted[COUNT_OF(upgrades)])
{
    size_t n_wanted = 0;
    if (enctype != KRB_RC4_HMAC)
        return 0;
    uint32_t permitted = kerberos_enctypes_permitted(krb);
    for (size_t i = 0; i < COUNT_OF(upgrades); i++)
        if ((permitted & KERBEROS_ENCTYPE_BIT(upgrades[i])) != 0)
            wanted[n_wanted++] = upgrades[i];
    return n_wanted;
}

static SECURITY_STATUS authenticator_make(struct kerberos_exchange *exchange, krb5_context krb,
                                          const struct kerberos_ticket *ticket, struct slice checksum,
                                          struct writer *cipher)
{
    const struct krb_prepared *prepared = &ticket->session[KERBEROS_MAKES_REQUEST];
    int32_t wanted[COUNT_OF(upgrades)];
    struct krb_authenticator authenticator = {
        .has_checksum = true,
        .checksum_type = GSS_CHECKSUM_TYPE,
        .checksum = checksum,
        .time = exchange->time,
        .microseconds = exchange->microseconds,
        .subkey = exchange->initiator_subkey,
        .seq = exchange->initiator_seq,
    };
    uint8_t room[512];
    AUTO_WRITER struct writer plain = writer_lent(room, sizeof room);
    const struct krb_initiator_data told = {
        .enctypes = wanted,
        .n_enctypes = upgrades_wanted(krb, exchange->session.enctype, wanted),
        .ap_options = exchange->ap_options,
        .target = utf16le_len(ticket->names.server) > 0 ? ticket->names.server : NULL,
    };
    bool named = krb_name_of(ticket->creds->client, &authenticator.client);
    if (named)
        krb_authenticator_write(&plain, &authenticator, &told);
    krb_key_wipe(&authenticator.subkey);
    require(named, cause_set(SEC_E_INTERNAL_ERROR, "the ticket's client has no name, or one of too many parts"));
    require(writer_finish(&plain) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(prepared->enctype != 0 ? krb_prepared_encrypt(prepared, writer_slice_of(&plain), cipher)
                                   : krb_encrypt(&exchange->session, KRB_USAGE_AP_REQ, writer_slice_of(&plain), cipher),
            no_randomness());
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_request_make(struct kerberos_exchange *exchange, krb5_context krb,
                                      const struct kerberos_ticket *ticket, uint32_t options, struct slice checksum,
                                      struct writer *message)
{
    const krb5_creds *creds = ticket->creds;
    uint8_t room[1024];
    AUTO_WRITER struct writer cipher = writer_lent(room, sizeof room);
    require(krb_key_set(&exchange->session, creds->keyblock.enctype,
                        slice_of(creds->keyblock.contents, creds->keyblock.length)),
            cause_set(SEC_E_KDC_UNKNOWN_ETYPE, "the ticket's key is of encryption type %d, which is not supported",
                      creds->keyblock.enctype));
    int64_t now = krb_time_unique(ticket->clock);
    exchange->time = now / KRB_MICROSECONDS;
    exchange->microseconds = (uint32_t)(now % KRB_MICROSECONDS);
    require(krb_key_generate(&exchange->initiator_subkey, exchange->session.enctype) &&
                seq_generate(&exchange->initiator_seq),
            no_randomness());
    try(authenticator_make(exchange, krb, ticket, checksum, &cipher));
    const struct krb_ap_req request = {
        .options = options,
        .ticket_message = slice_of(creds->ticket.data, creds->ticket.length),
        .authenticator = {.enctype = exchange->session.enctype, .cipher = writer_slice_of(&cipher)},
    };
    krb_ap_req_write(message, &request);
    return writer_finish(message) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* `prepared` is the session key, or NULL. */
static SECURITY_STATUS part_open(const struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                 struct slice message, const char *whose, struct krb_ap_rep_part *part)
{
    struct krb_encrypted encrypted;
    AUTO_SECRET struct secret buffer = {0};
    struct slice plain;
    require(krb_ap_rep_parse(message, &encrypted) == WIRE_OK, cause_set(SEC_E_INVALID_TOKEN, "%s is damaged", whose));
    require(encrypted.enctype == exchange->session.enctype,
            cause_set(SEC_E_MESSAGE_ALTERED, "%s is encrypted with type %d, the ticket's key has type %d", whose,
                      encrypted.enctype, exchange->session.enctype));
    require(prepared != NULL ? krb_prepared_decrypt(prepared, encrypted.cipher, &buffer, &plain)
                             : krb_decrypt(&exchange->session, KRB_USAGE_AP_REP, encrypted.cipher, &buffer, &plain),
            cause_set(SEC_E_MESSAGE_ALTERED, "%s does not open: it was changed, or the server has another key", whose));
    require(krb_ap_rep_part_parse(plain, part) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "%s is damaged, or has a key of an unknown type", whose));
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_reply_open(struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                    struct slice message)
{
    struct krb_ap_rep_part part;
    try(part_open(exchange, prepared, message, "the server's AP-REP", &part));
    bool ours = part.time == exchange->time && part.microseconds == exchange->microseconds;
    if (ours) {
        exchange->acceptor_subkey = part.subkey;
        exchange->acceptor_seq = part.seq;
    }
    krb_key_wipe(&part.subkey);
    return ours ? SEC_E_OK : cause_set(SEC_E_MUTUAL_AUTH_FAILED, "the server's AP-REP answers another request");
}

static SECURITY_STATUS part_make(const struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                 const struct krb_ap_rep_part *part, struct writer *message)
{
    uint8_t plain_room[128], cipher_room[256];
    AUTO_WRITER struct writer plain = writer_lent(plain_room, sizeof plain_room),
                              cipher = writer_lent(cipher_room, sizeof cipher_room);
    krb_ap_rep_part_write(&plain, part);
    require(writer_finish(&plain) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(prepared != NULL ? krb_prepared_encrypt(prepared, writer_slice_of(&plain), &cipher)
                             : krb_encrypt(&exchange->session, KRB_USAGE_AP_REP, writer_slice_of(&plain), &cipher),
            no_randomness());
    const struct krb_encrypted encrypted = {.enctype = exchange->session.enctype, .cipher = writer_slice_of(&cipher)};
    krb_ap_rep_write(message, &encrypted);
    return writer_finish(message) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS kerberos_third_make(const struct kerberos_exchange *exchange, struct writer *message)
{
    const struct krb_ap_rep_part part = {
        .time = (int64_t)filetime_to_unix(filetime_now()), /* of its own: peers compare the number alone */
        .has_seq = true,
        .seq = exchange->acceptor_seq,
    };
    return part_make(exchange, NULL, &part, message);
}

/* The acceptor */

void kerberos_request_release(struct kerberos_request *request)
{
    krb_key_wipe(&request->ticket.key);
    krb_key_wipe(&request->authenticator.subkey);
    krb_key_wipe(&request->ticket_key);
    for (size_t i = 0; i < COUNT_OF(request->session); i++)
        krb_prepared_wipe(&request->session[i]);
    secret_release(&request->ticket_plain);
    secret_release(&request->authenticator_plain);
    mem_free(request->client_name);
    mem_free(request->server_name);
    mem_free(request->target);
    request->client_name = request->server_name = request->target = NULL;
}

#define RANK_NAMED 4
#define RANK_SIMILAR 2 /* named in other letters */

/* How well an entry fits: the best are tried first. A key is tried under whatever name and number the keytab gives it, as aliases and copied keytabs
 * need; only the type must be the ticket's. `name`: the ticket's as text, or NULL, when no key is similar. */
static int key_rank(const struct kerberos_key *key, const struct krb_ticket *ticket, const char *name)
{
    const struct krb_encrypted *part = &ticket->part;
    if (key->key.enctype != part->enctype)
        return -1;
    bool named = krb_name_is(&ticket->server, key->principal), numbered = part->has_kvno && key->kvno == part->kvno,
         similar = !named && name != NULL && text_equal_fold(name, key->principal); /* as Windows' KDCs take names */
    return (named ? RANK_NAMED : similar ? RANK_SIMILAR : 0) + (numbered ? 1 : 0);
}

/* Nothing tells which key fits but the whole text decrypted with it, and anybody may send long texts that none fits. A key under another name is
 * found among 700 of its type for a ticket of 5 KB, 80 for the longest. */
#define TRIED_MAX ((size_t)4 << 20)

static bool key_opens(const struct kerberos_key *key, struct slice cipher, struct secret *buffer, struct slice *plain)
{
    const struct krb_prepared *prepared = kerberos_key_prepared(key);
    return prepared != NULL ? krb_prepared_decrypt(&prepared[KERBEROS_OPENS_TICKET], cipher, buffer, plain)
                            : krb_decrypt(&key->key, KRB_USAGE_TICKET, cipher, buffer, plain);
}

#define NUMBERS_MAX 64

/* "; it has number 2, 3 of this name": a keytab that is newer than the ticket, or older, shows so. */
static void numbers_tell(const struct kerberos_keys *keys, const char *name, char text[NUMBERS_MAX])
{
    size_t len = 0;
    uint32_t last = 0;
    text[0] = '\0';
    for (size_t i = 0; i < keys->n_keys && len < NUMBERS_MAX - sizeof(", 4294967295 of this name"); i++) {
        const struct kerberos_key *key = &keys->keys[i];
        if (!text_equal_fold(name, key->principal) || (len > 0 && key->kvno == last))
            continue; /* another type */
        last = key->kvno;
        len += (size_t)snprintf(text + len, NUMBERS_MAX - len, "%s %u", len == 0 ? "; it has number" : ",", last);
    }
    snprintf(text + len, NUMBERS_MAX - len, len == 0 ? "; it has none of this name" : " of this name");
}

static SECURITY_STATUS not_opened(const struct krb_ticket *ticket, const struct kerberos_keys *keys, size_t n_tried,
                                  bool more)
{
    AUTO_FREE char *name = krb_name_text(&ticket->server);
    char numbers[NUMBERS_MAX];
    require(name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    numbers_tell(keys, name, numbers);
    require(
        !more,
        cause_set(SEC_E_WRONG_PRINCIPAL,
                  "%zu keys of the keytab do not open the ticket for %s (number %u, type %d), and no more are tried "
                  "on one of %zu bytes",
                  n_tried, name, ticket->part.kvno, ticket->part.enctype, ticket->part.cipher.len));
    return cause_set(SEC_E_WRONG_PRINCIPAL,
                     n_tried > 0 ? "no key of the keytab opens the ticket for %s (number %u, type %d)%s"
                                 : "the keytab has no key for a ticket for %s (number %u, type %d)%s",
                     name, ticket->part.kvno, ticket->part.enctype, numbers);
}

/* In any case of letters, as Windows' KDCs take names. */
static bool names_us(const char *name, const struct kerberos_keys *keys)
{
    for (size_t i = 0; i < keys->n_keys; i++)
        if (text_equal_fold(name, keys->keys[i].principal))
            return true;
    return false;
}

/* Not protected, and yet what an honest client meant. */
static SECURITY_STATUS name_check(const struct krb_ticket *ticket, const struct kerberos_keys *keys)
{
    AUTO_FREE char *name = krb_name_text(&ticket->server);
    require(name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return names_us(name, keys)
               ? SEC_E_OK
               : cause_set(SEC_E_WRONG_PRINCIPAL, "the ticket is for %s, and not for this server", name);
}

/* `plain` is what this key opened. */
static SECURITY_STATUS ticket_take(struct kerberos_request *request, struct kerberos_key *key, struct slice plain)
{
    require(krb_ticket_part_parse(plain, &request->ticket) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the ticket is damaged, or its key is of an unknown type"));
    if (kerberos_key_prepared(key) == NULL)
        kerberos_key_prepare(key);
    request->ticket_key = key->key;
    request->prepared = kerberos_key_prepared(key);
    request->server_name = mem_strdup(key->principal);
    return request->server_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS ticket_decrypt(struct kerberos_request *request, struct kerberos_keys *keys)
{
    const struct krb_ticket *ticket = &request->outer.ticket;
    const size_t n_max = 1 + TRIED_MAX / kerberos_key_cost(ticket->part.cipher.len);
    AUTO_FREE char *name = NULL;
    struct slice plain;
    size_t n_tried = 0;
    for (int rank = RANK_NAMED + 1; rank >= 0; rank--) {
        if (rank == RANK_NAMED - 1) /* most tickets are open by now */
            require((name = krb_name_text(&ticket->server)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
        for (size_t i = 0; i < keys->n_keys; i++) {
            if (key_rank(&keys->keys[i], ticket, name) != rank)
                continue;
            if (n_tried == n_max)
                return not_opened(ticket, keys, n_tried, true);
            n_tried++;
            if (key_opens(&keys->keys[i], ticket->part.cipher, &request->ticket_plain, &plain))
                return ticket_take(request, &keys->keys[i], plain);
        }
    }
    return not_opened(ticket, keys, n_tried, false);
}

static SECURITY_STATUS ticket_decrypt_user(struct kerberos_request *request, const struct krb_key *session,
                                           const char *session_name)
{
    const struct krb_encrypted *part = &request->outer.ticket.part;
    struct slice plain;
    require(session != NULL,
            cause_set(SEC_E_WRONG_PRINCIPAL, "the ticket is for user-to-user authentication, which was not asked for"));
    require(part->enctype == session->enctype &&
                krb_decrypt(session, KRB_USAGE_TICKET, part->cipher, &request->ticket_plain, &plain),
            cause_set(SEC_E_WRONG_PRINCIPAL, "the session key of this side's own ticket does not open the client's"));
    require(krb_ticket_part_parse(plain, &request->ticket) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the ticket is damaged, or its key is of an unknown type"));
    request->ticket_key = *session;
    request->server_name = mem_strdup(session_name);
    return request->server_name != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS ticket_open(struct kerberos_request *request, struct kerberos_keys *keys,
                                   const struct krb_key *session, const char *session_name)
{
    if ((request->outer.options & KRB_AP_USE_SESSION_KEY) != 0)
        return ticket_decrypt_user(request, session, session_name);
    require(keys != NULL, cause_set(SEC_E_WRONG_PRINCIPAL, "this side has no keys: it authenticates user-to-user"));
    require(krb_name_has_text(&request->outer.ticket.server),
            cause_set(SEC_E_INVALID_TOKEN, "the ticket's service has no name"));
    if (keys->by_name)
        try(name_check(&request->outer.ticket, keys));
    SECURITY_STATUS status = ticket_decrypt(request, keys);
    request->unopened = status == SEC_E_WRONG_PRINCIPAL &&
                        (keys->permitted & KERBEROS_ENCTYPE_BIT(request->outer.ticket.part.enctype)) != 0;
    return status;
}

static SECURITY_STATUS authenticator_open(struct kerberos_request *request)
{
    static const struct krb_purpose purposes[KERBEROS_SESSION_USES] = {
        [KERBEROS_OPENS_REQUEST] = {KRB_DECRYPTING, KRB_USAGE_AP_REQ},
        [KERBEROS_MAKES_REPLY] = {KRB_ENCRYPTING, KRB_USAGE_AP_REP},
    };
    const struct krb_encrypted *encrypted = &request->outer.authenticator;
    struct slice plain;
    /* Nothing protects the option: one that is wrong about the reply costs time, and no more. */
    size_t n_purposes =
        (request->outer.options & KRB_AP_MUTUAL_REQUIRED) != 0 ? KERBEROS_SESSION_USES : KERBEROS_OPENS_REQUEST + 1;
    require(encrypted->enctype == request->ticket.key.enctype &&
                krb_prepare(&request->ticket.key, purposes, n_purposes, request->session) &&
                krb_prepared_decrypt(&request->session[KERBEROS_OPENS_REQUEST], encrypted->cipher,
                                     &request->authenticator_plain, &plain),
            cause_set(SEC_E_MESSAGE_ALTERED, "the authenticator does not open with the ticket's key"));
    require(krb_authenticator_parse(plain, &request->authenticator) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the authenticator is damaged, or its subkey is of an unknown type"));
    require(krb_name_equal(&request->authenticator.client, &request->ticket.client),
            cause_set(SEC_E_WRONG_PRINCIPAL, "ticket and authenticator name different clients"));
    request->client_name = krb_name_text(&request->ticket.client);
    return request->client_name != NULL
               ? SEC_E_OK
               : cause_set(SEC_E_INVALID_TOKEN, "the client's name cannot be written, or there is no memory for it");
}

/* MS-KILE 3.2.5.8: the service that the client meant, which whoever rewrote the ticket's name could not rewrite. What is damaged is passed over, as
 * all that is not understood there. `keys` NULL: user-to-user. */
static SECURITY_STATUS target_read(struct kerberos_request *request, const struct kerberos_keys *keys)
{
    struct slice told;
    if (!krb_authdata_find(request->authenticator.authorization, KRB_AD_CLIENT_TARGET, &told) || told.len == 0 ||
        !utf16le_valid(told))
        return SEC_E_OK;
    require(utf16le_to_text(told, &request->target) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(keys == NULL || !keys->by_name || names_us(request->target, keys),
            cause_set(SEC_E_WRONG_PRINCIPAL, "the client meant %s, and its ticket was brought to this server",
                      request->target));
    return SEC_E_OK;
}

static bool within_skew(krb5_context krb, int64_t time)
{
    return time >= 0 && time <= UINT32_MAX && krb5_check_clockskew(krb, (krb5_timestamp)(uint32_t)time) == 0;
}

static SECURITY_STATUS times_check(const struct kerberos_request *request, krb5_context krb)
{
    krb5_timestamp now_seconds;
    try(krb_status(krb, krb5_timeofday(krb, &now_seconds), KRB_STAGE_ACCEPT, "reading the clock"));
    int64_t now = (int64_t)(uint32_t)now_seconds;
    const struct krb_ticket_part *ticket = &request->ticket;
    require(within_skew(krb, request->authenticator.time),
            cause_set(SEC_E_TIME_SKEW, "the clocks differ too much: the client's is %lld seconds off",
                      (long long)(request->authenticator.time - now)));
    require(ticket->start_time <= now || within_skew(krb, ticket->start_time),
            cause_set(SEC_E_TIME_SKEW, "the ticket is not yet valid; are the clocks right?"));
    require(ticket->end_time >= now || within_skew(krb, ticket->end_time),
            cause_set(SEC_E_CONTEXT_EXPIRED, "the ticket has expired"));
    require((ticket->flags & KRB_TICKET_INVALID) == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the ticket is postdated and was not validated"));
    return SEC_E_OK;
}

/* Exported by libkrb5 with the rest of its interface, and missing from its header. */
krb5_error_code krb5_check_transited_list(krb5_context krb, const krb5_data *transited, const krb5_data *client_realm,
                                          const krb5_data *server_realm);

#define TRANSITED_X500_COMPRESS 1

/* RFC 4120 2.7: the realms between the client's and ours, where no KDC vouches for them. [capaths] of krb5.conf says which may be, else the
 * hierarchy. Ours is the realm of the key: that of the ticket is not protected, and its bearer would write one to which any path leads. */
static SECURITY_STATUS transited_check(const struct kerberos_request *request, krb5_context krb)
{
    const struct krb_ticket_part *ticket = &request->ticket;
    if (ticket->transited.len == 0 || (ticket->flags & KRB_TICKET_TRANSITED_CHECKED) != 0)
        return SEC_E_OK;
    krb5_principal server = NULL;
    krb5_data transited = krb_data(ticket->transited), client = krb_data(ticket->client.realm);
    require(ticket->transited_type == TRANSITED_X500_COMPRESS,
            cause_set(SEC_E_WRONG_PRINCIPAL, "the ticket lists its realms in an unknown way"));
    krb5_error_code code = krb5_parse_name(krb, request->server_name, &server);
    if (code == 0)
        code = krb5_check_transited_list(krb, &transited, &client, &server->realm);
    krb5_free_principal(krb, server);
    return krb_status(krb, code, KRB_STAGE_ACCEPT, "the realms that the ticket went through");
}

static SECURITY_STATUS types_check(const struct kerberos_request *request, uint32_t permitted)
{
    const int32_t types[] = {request->outer.ticket.part.enctype, request->ticket.key.enctype,
                             request->authenticator.subkey.enctype};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        require(types[i] == 0 || (permitted & KERBEROS_ENCTYPE_BIT(types[i])) != 0,
                cause_set(SEC_E_KDC_UNKNOWN_ETYPE, "krb5.conf does not permit encryption type %d", types[i]));
    return SEC_E_OK;
}

/* RFC 4120 5.2.6: what ticket or authenticator say outside AD-IF-RELEVANT must be understood. */
static SECURITY_STATUS authorization_check(struct slice authorization, int32_t first_known, int32_t last_known,
                                           const char *whose)
{
    struct reader list = reader_of(authorization);
    struct krb_authdata element;
    enum wire_result result;
    if (authorization.data == NULL)
        return SEC_E_OK;
    while ((result = krb_authdata_next(&list, &element)) == WIRE_OK)
        require(element.type == KRB_AD_IF_RELEVANT || (element.type >= first_known && element.type <= last_known),
                cause_set(SEC_E_INVALID_TOKEN,
                          "the %s has authorization data of type %d, which must be obeyed and is "
                          "not known",
                          whose, element.type));
    return result == WIRE_SHORT ? SEC_E_OK
                                : cause_set(SEC_E_INVALID_TOKEN, "the %s's authorization data is damaged", whose);
}

SECURITY_STATUS kerberos_request_open(struct kerberos_request *request, krb5_context krb, struct kerberos_keys *keys,
                                      const struct krb_key *session, const char *session_name, struct slice message)
{
    require(krb_ap_req_parse(message, &request->outer) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the AP-REQ is damaged"));
    try(ticket_open(request, keys, session, session_name));
    try(authenticator_open(request));
    try(target_read(request, keys));
    try(times_check(request, krb));
    try(transited_check(request, krb));
    try(types_check(request, keys != NULL ? keys->permitted : kerberos_enctypes_permitted(krb)));
    try(authorization_check(request->ticket.authorization, KRB_AD_WIN2K_PAC, KRB_AD_WIN2K_PAC, "ticket"));
    return authorization_check(request->authenticator.authorization, KRB_AD_WINDOWS_FIRST, KRB_AD_WINDOWS_LAST,
                               "authenticator");
}

/* The first type of RFC 4537's list that we know, that is permitted and better than RC4. */
static int32_t upgrade_find(struct slice authorization, uint32_t permitted)
{
    struct slice data;
    struct reader list;
    int32_t enctype;
    if (!krb_authdata_find(authorization, KRB_AD_ETYPE_NEGOTIATION, &data) ||
        krb_authdata_inside(data, &list) != WIRE_OK)
        return 0;
    while (krb_etype_list_next(&list, &enctype) == WIRE_OK)
        if (enctype != KRB_RC4_HMAC && krb_enctype_key_len(enctype) != 0 &&
            (permitted & KERBEROS_ENCTYPE_BIT(enctype)) != 0)
            return enctype;
    return 0;
}

void kerberos_exchange_of_request(struct kerberos_exchange *exchange, const struct kerberos_request *request,
                                  uint32_t permitted)
{
    const struct krb_authenticator *authenticator = &request->authenticator;
    *exchange = (struct kerberos_exchange){
        .session = request->ticket.key,
        .initiator_subkey = authenticator->subkey,
        .initiator_seq = authenticator->seq,
        .time = authenticator->time,
        .microseconds = authenticator->microseconds,
    };
    if (kerberos_initiator_key(exchange)->enctype == KRB_RC4_HMAC)
        exchange->upgrade = upgrade_find(authenticator->authorization, permitted);
}

SECURITY_STATUS kerberos_reply_make(struct kerberos_exchange *exchange, const struct krb_prepared *prepared,
                                    bool with_subkey, struct writer *message)
{
    int32_t enctype = exchange->upgrade != 0 ? exchange->upgrade : kerberos_initiator_key(exchange)->enctype;
    if (with_subkey || exchange->upgrade != 0)
        require(krb_key_generate(&exchange->acceptor_subkey, enctype), no_randomness());
    require(seq_generate(&exchange->acceptor_seq), no_randomness());
    struct krb_ap_rep_part part = {
        .time = exchange->time,
        .microseconds = exchange->microseconds,
        .subkey = exchange->acceptor_subkey,
        .has_seq = true,
        .seq = exchange->acceptor_seq,
    };
    SECURITY_STATUS status = part_make(exchange, prepared, &part, message);
    krb_key_wipe(&part.subkey);
    return status;
}

SECURITY_STATUS kerberos_third_open(const struct kerberos_exchange *exchange, struct slice message)
{
    struct krb_ap_rep_part part;
    try(part_open(exchange, NULL, message, "the client's third leg", &part));
    /* Both AP-REPs are under one key and usage: what says the same as ours is ours, sent back by somebody without the key. */
    bool reflected = part.subkey.enctype == exchange->acceptor_subkey.enctype && part.time == exchange->time &&
                     part.microseconds == exchange->microseconds &&
                     secret_equal(part.subkey.bytes, exchange->acceptor_subkey.bytes, sizeof part.subkey.bytes);
    krb_key_wipe(&part.subkey);
    require(!reflected, cause_set(SEC_E_MUTUAL_AUTH_FAILED, "the third leg is this server's own reply, sent back"));
    require(part.has_seq && part.seq == exchange->acceptor_seq,
            cause_set(SEC_E_MUTUAL_AUTH_FAILED, "the client's third leg answers another reply"));
    return SEC_E_OK;
}
