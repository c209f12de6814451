#include "sasl/sasl.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include "lsa/authority.h"
#include "sasl/layer.h"
#include <string.h>

/* SASL's part of a handshake. GSSAPI: the package's tokens, then RFC 4752's two messages in the context's own protection. */

enum sasl_state {
    SASL_INNER,      /* the package walks its handshake */
    SASL_EMPTY_DUE,  /* server: its last token is out, the client's empty answer is due */
    SASL_OFFER_DUE,  /* client: the server's layers are due */
    SASL_CHOICE_DUE, /* server: the client's layer is due */
    SASL_OPEN,       /* messages may flow */
    N_SASL_STATES,
};

struct sasl {
    const struct sasl_profile *profile;
    enum sasl_state state;
    uint8_t layer;   /* the one agreed on; 0 before, and where none is agreed on */
    uint8_t offered; /* server */
    uint32_t peer_max;
    uint32_t send_size, receive_size;
    bool send_size_set, receive_size_set, announced; /* receive_size has gone out */
    SASL_AUTHZID_STATE processing;
    struct secret authzid; /* the client's own, or what the server was told */
};

static void sasl_free(struct sasl *sasl)
{
    secret_release(&sasl->authzid);
    mem_free(sasl);
}

SECURITY_STATUS sasl_begin(struct context *context)
{
    const struct sasl_profile *profile = sasl_profile_of(context->package);
    require(profile != NULL && profile->kind != SASL_OUTSIDE,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no SASL mechanism, or one without tokens",
                      context->package->info.name));
    struct sasl *sasl = mem_zalloc(sizeof *sasl);
    require(sasl != NULL, SEC_E_INSUFFICIENT_MEMORY);
    sasl->profile = profile;
    sasl->send_size = SASL_SIZE_USUAL;
    sasl->receive_size = profile->kind == SASL_SIZED ? SASL_SIZED_USUAL : SASL_SIZE_USUAL;
    sasl->processing = Sasl_AuthZIDProcessed;
    context->sasl = sasl;
    context->sasl_free = sasl_free;
    /* RFC 4752 3.1: who wants a layer wants mutual authentication and messages in order */
    if (profile->kind == SASL_LAYERED && context->initiator && layer_wanted(context->flags_asked) != LAYER_NONE)
        context->flags_asked |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_INTEGRITY;
    return SEC_E_OK;
}

/* The session moves in here, before its time: the messages to come are under its protection. */
static SECURITY_STATUS session_take(struct context *context, struct step_out *out)
{
    struct session *session = NULL;
    try(session_of_step(out, &session));
    require(session != NULL,
            cause_set(SEC_E_INTERNAL_ERROR, "%s ended its handshake without a session", context->package->info.name));
    writer_release(&out->record);
    context_session_set(context, session);
    context->granted = out->granted;
    return SEC_E_OK;
}

static void state_set(struct context *context, enum sasl_state state, uint8_t layer)
{
    pthread_mutex_lock(&context->send_lock);
    pthread_mutex_lock(&context->receive_lock);
    context->sasl->state = state;
    context->sasl->layer = layer;
    pthread_mutex_unlock(&context->receive_lock);
    pthread_mutex_unlock(&context->send_lock);
}

/* GSS_Wrap without confidentiality (RFC 4752 3.1): signature, text, padding. */
static SECURITY_STATUS wrap(struct context *context, const struct layer_message *plain, struct step_out *out)
{
    struct attribute sizes = {0};
    AUTO_WRITER struct writer text = writer_growing(64);
    AUTO_SECRET struct secret token = {0}, padding = {0};
    const struct package_session *table = context->session->package->session;
    layer_message_write(&text, plain);
    try(session_query(context->session, SECPKG_ATTR_SIZES, &sizes));
    require(table->seal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    require(writer_finish(&text) == WIRE_OK && secret_alloc(&token, sizes.sizes.trailer) &&
                secret_alloc(&padding, sizes.sizes.block),
            SEC_E_INSUFFICIENT_MEMORY);
    struct message message = {.token = {token.data, token.len}, .padding = {padding.data, padding.len}, .n_data = 1};
    message.data[0] = (struct segment){.data = text.data, .len = text.len};
    pthread_mutex_lock(&context->send_lock);
    SECURITY_STATUS status = table->seal(context->session->state, SECQOP_WRAP_NO_ENCRYPT, &message, 0);
    pthread_mutex_unlock(&context->send_lock);
    try(status);
    writer_bytes(&out->token, message.token.data, message.token.len);
    writer_bytes(&out->token, message.data[0].data, message.data[0].len);
    writer_bytes(&out->token, message.padding.data, message.padding.len);
    return writer_finish(&out->token) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* `room` keeps what `plain` points into. */
static SECURITY_STATUS unwrap(struct context *context, struct slice token, struct secret *room,
                              struct layer_message *plain)
{
    const struct package_session *table = context->session->package->session;
    uint32_t qop = 0;
    require(token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the peer's security layer is due, and no token was given"));
    require(table->unseal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    require(secret_set(room, token.data, token.len), SEC_E_INSUFFICIENT_MEMORY);
    struct message message = {.stream = {room->data, room->len}};
    pthread_mutex_lock(&context->receive_lock);
    SECURITY_STATUS status = table->unseal(context->session->state, &message, 0, &qop);
    pthread_mutex_unlock(&context->receive_lock);
    try(status);
    struct slice text = slice_of(message.stream_data.data, message.stream_data.len);
    require(
        layer_message_parse(text, !context->initiator, plain) == WIRE_OK,
        cause_set(SEC_E_INVALID_TOKEN, "the peer's security layer is not what RFC 4752 writes: %zu bytes", text.len));
    return SEC_E_OK;
}

/* The flags that the caller reads say what the layer does, not what the context could do. */
static SECURITY_STATUS agreed(struct context *context, uint8_t layer, uint32_t peer_max, struct step_out *out)
{
    uint32_t integrity = context->initiator ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY;
    uint32_t granted = context->granted & ~(integrity | ISC_RET_CONFIDENTIALITY);
    granted |= layer != LAYER_NONE ? integrity : 0;
    granted |= layer == LAYER_CONFIDENTIALITY ? ISC_RET_CONFIDENTIALITY : 0;
    out->granted = granted;
    context->session->facts.flags = granted;
    context->sasl->peer_max = peer_max;
    state_set(context, SASL_OPEN, layer);
    TRACE("sasl", "%s, layer %u, the peer takes %u bytes, we %u", context->sasl->profile->name, (unsigned)layer,
          (unsigned)peer_max, (unsigned)context->sasl->receive_size);
    return SEC_E_OK;
}

static SECURITY_STATUS offer(struct context *context, struct step_out *out)
{
    struct sasl *sasl = context->sasl;
    sasl->offered = layers_offered(context->flags_asked, context->granted);
    require(sasl->offered != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the client's context can do less than the server asks for: it has no %s",
                      (context->flags_asked & ASC_REQ_CONFIDENTIALITY) != 0 ? "confidentiality" : "integrity"));
    sasl->announced = true;
    uint32_t max = sasl->offered == LAYER_NONE ? 0 : sasl->receive_size;
    try(wrap(context, &(struct layer_message){.layers = sasl->offered, .max = max}, out));
    state_set(context, SASL_CHOICE_DUE, 0);
    return SEC_I_CONTINUE_NEEDED;
}

/* Where the context's flags are the layer: less than this side asked for is none of what it takes or offers. */
static SECURITY_STATUS flags_check(const struct context *context, const struct step_out *out)
{
    uint8_t wanted = layer_wanted(context->flags_asked);
    if (!context->initiator) {
        require(layers_offered(context->flags_asked, out->granted) != 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's context can do less than the server asks for: 0x%x",
                          (unsigned)out->granted));
        return SEC_E_OK;
    }
    bool enough = wanted == LAYER_NONE || (out->granted & ISC_RET_CONFIDENTIALITY) != 0 ||
                  (wanted == LAYER_INTEGRITY && (out->granted & ISC_RET_INTEGRITY) != 0);
    require(enough,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the server's context can do less than this client asks for: 0x%x",
                      (unsigned)out->granted));
    return SEC_E_OK;
}

static SECURITY_STATUS plain_end(struct context *context, struct step_out *out)
{
    SECURITY_STATUS status = flags_check(context, out);
    if (status != SEC_E_OK) {
        writer_release(&out->token); /* the peer is not to take it for the end */
        return status;
    }
    state_set(context, SASL_OPEN, 0);
    return SEC_E_OK;
}

static SECURITY_STATUS step_inner(struct context *context, const struct step_in *in, struct step_out *out)
{
    struct step_in told = *in;
    told.receive_size = context->sasl->receive_size_set ? context->sasl->receive_size : 0;
    SECURITY_STATUS status = authority()->step(context, &told, out);
    /* A client's first token is empty; every other one tells the size, or the peer takes the usual one. */
    if (context->sasl->profile->kind == SASL_SIZED && status >= 0 && out->token.len > 0)
        context->sasl->announced = true;
    if (status != SEC_E_OK)
        return status;
    if (context->sasl->profile->kind != SASL_LAYERED)
        return plain_end(context, out);
    try(session_take(context, out));
    if (context->initiator)
        state_set(context, SASL_OFFER_DUE, 0);
    else if (out->token.len > 0)
        state_set(context, SASL_EMPTY_DUE, 0);
    else
        return offer(context, out);
    return SEC_I_CONTINUE_NEEDED;
}

/* RFC 4752 3.2: a client whose context is whole already answers the server's last token with nothing. */
static SECURITY_STATUS step_empty(struct context *context, const struct step_in *in, struct step_out *out)
{
    require(in->token.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the client's empty answer is due, and %zu bytes came", in->token.len));
    return offer(context, out);
}

/* RFC 4752 3.1: the client takes what it asked for, or nothing. */
static SECURITY_STATUS step_offer(struct context *context, const struct step_in *in, struct step_out *out)
{
    struct sasl *sasl = context->sasl;
    AUTO_SECRET struct secret room = {0};
    struct layer_message theirs;
    uint8_t layer = layer_wanted(context->flags_asked);
    try(unwrap(context, in->token, &room, &theirs));
    require((theirs.layers & (LAYER_INTEGRITY | LAYER_CONFIDENTIALITY)) != 0 || theirs.max == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the server offers no security layer, and a size for one"));
    require((theirs.layers & layer) != 0,
            cause_set(SEC_E_QOP_NOT_SUPPORTED,
                      "the server offers security layers 0x%02x and this client asked for 0x%02x (1 none, 2 integrity, "
                      "4 confidentiality)",
                      (unsigned)theirs.layers, (unsigned)layer));
    sasl->announced = true;
    const struct layer_message ours = {
        .layers = layer,
        .max = layer == LAYER_NONE ? 0 : sasl->receive_size,
        .authzid = secret_slice(&sasl->authzid),
    };
    try(wrap(context, &ours, out));
    return agreed(context, layer, theirs.max, out);
}

/* RFC 4752 3.2: the server holds the client to what it offered. */
static SECURITY_STATUS step_choice(struct context *context, const struct step_in *in, struct step_out *out)
{
    struct sasl *sasl = context->sasl;
    AUTO_SECRET struct secret room = {0};
    struct layer_message theirs;
    try(unwrap(context, in->token, &room, &theirs));
    bool one =
        theirs.layers == LAYER_NONE || theirs.layers == LAYER_INTEGRITY || theirs.layers == LAYER_CONFIDENTIALITY;
    require(one && (theirs.layers & sasl->offered) != 0,
            cause_set(SEC_E_QOP_NOT_SUPPORTED,
                      "the client takes security layer 0x%02x of the 0x%02x that it was offered",
                      (unsigned)theirs.layers, (unsigned)sasl->offered));
    require(theirs.layers != LAYER_NONE || theirs.max == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the client takes no security layer, and names a size for one"));
    require(theirs.authzid.len <= SASL_AUTHZID_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "an authorization identity of %zu bytes", theirs.authzid.len));
    require(theirs.authzid.len == 0 || sasl->processing == Sasl_AuthZIDProcessed,
            cause_set(SEC_E_LOGON_DENIED, "the client asks for another identity, and Sasl_AuthZIDForbidden is set"));
    if (theirs.authzid.len > 0)
        require(secret_set(&sasl->authzid, theirs.authzid.data, theirs.authzid.len), SEC_E_INSUFFICIENT_MEMORY);
    return agreed(context, theirs.layers, theirs.max, out);
}

SECURITY_STATUS sasl_step(struct context *context, const struct step_in *in, struct step_out *out)
{
    static SECURITY_STATUS (*const steps[N_SASL_STATES])(struct context *, const struct step_in *,
                                                         struct step_out *) = {
        [SASL_INNER] = step_inner,
        [SASL_EMPTY_DUE] = step_empty,
        [SASL_OFFER_DUE] = step_offer,
        [SASL_CHOICE_DUE] = step_choice,
    };
    enum sasl_state state = context->sasl->state;
    require(state < N_SASL_STATES && steps[state] != NULL,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this SASL exchange has ended"));
    return steps[state](context, in, out);
}

static SECURITY_STATUS check_open(const struct sasl *sasl)
{
    require(sasl->state == SASL_OPEN,
            cause_set(SEC_E_INVALID_HANDLE, "the %s exchange has not ended yet", sasl->profile->name));
    require(sasl->layer != LAYER_NONE,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "no security layer was agreed on: messages go as they are"));
    return SEC_E_OK;
}

/* How long a protected message may be; SIZE_MAX where nothing limits it. */
static size_t send_limit(const struct sasl *sasl)
{
    size_t limit = sasl->layer != 0 || sasl->send_size_set ? sasl->send_size : SIZE_MAX;
    return sasl->layer != 0 && sasl->peer_max < limit ? sasl->peer_max : limit;
}

static size_t message_len(const struct message *message)
{
    size_t len = 0;
    for (unsigned i = 0; i < message->n_data; i++)
        len += message->data[i].len;
    return len;
}

SECURITY_STATUS sasl_check_send(const struct context *context, const struct message *message, uint32_t qop, bool seal)
{
    const struct sasl *sasl = context->sasl;
    require(sasl != NULL, SEC_E_OK);
    try(check_open(sasl));
    bool encrypts = seal && qop != SECQOP_WRAP_NO_ENCRYPT;
    require(sasl->layer == 0 || encrypts == (sasl->layer == LAYER_CONFIDENTIALITY),
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the security layer that was agreed on %s",
                      sasl->layer == LAYER_CONFIDENTIALITY ? "encrypts every message"
                                                           : "does not encrypt: SECQOP_WRAP_NO_ENCRYPT"));
    size_t limit = send_limit(sasl), len = message_len(message);
    require(limit != SIZE_MAX, SEC_E_OK);
    struct attribute sizes = {0};
    try(session_query(context->session, SECPKG_ATTR_SIZES, &sizes));
    size_t more = (size_t)sizes.sizes.trailer + sizes.sizes.block;
    require(len <= limit && more <= limit - len,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes, %zu under its protection; the peer takes %zu", len,
                      len + more, limit));
    return SEC_E_OK;
}

SECURITY_STATUS sasl_check_receive(const struct context *context, const struct message *message, bool unseal)
{
    const struct sasl *sasl = context->sasl;
    require(sasl != NULL, SEC_E_OK);
    try(check_open(sasl));
    require(sasl->layer != LAYER_CONFIDENTIALITY || unseal,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the security layer that was agreed on encrypts every message"));
    size_t len = message->stream.data != NULL ? message->stream.len
                                              : message->token.len + message_len(message) + message->padding.len;
    require((sasl->layer == 0 && !sasl->receive_size_set) || len <= sasl->receive_size,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes; this side takes %u", len,
                      (unsigned)sasl->receive_size));
    return SEC_E_OK;
}

SECURITY_STATUS sasl_check_received(const struct context *context, uint32_t qop, bool unseal)
{
    const struct sasl *sasl = context->sasl;
    require(sasl != NULL && sasl->layer != 0 && unseal, SEC_E_OK);
    bool plain = qop == SECQOP_WRAP_NO_ENCRYPT, secret = sasl->layer == LAYER_CONFIDENTIALITY;
    require(!plain || !secret,
            cause_set(SEC_E_MESSAGE_ALTERED, "a message that is only signed, under a layer that encrypts"));
    require(plain || secret,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "a message that is encrypted, under a layer that only signs"));
    return SEC_E_OK;
}

static SECURITY_STATUS number_read(struct slice value, uint32_t *number)
{
    require(value.len >= sizeof *number,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "this option is a ULONG, and %zu bytes were given", value.len));
    memcpy(number, value.data, sizeof *number);
    return SEC_E_OK;
}

static SECURITY_STATUS size_set(struct slice value, uint32_t min, uint32_t *size, bool *set)
{
    uint32_t number;
    try(number_read(value, &number));
    require(number >= min && number <= SASL_SIZE_MAX,
            cause_set(SEC_E_INVALID_PARAMETER, "a size of %u bytes: here it is %u to %u", (unsigned)number,
                      (unsigned)min, (unsigned)SASL_SIZE_MAX));
    *size = number;
    *set = true;
    return SEC_E_OK;
}

static SECURITY_STATUS authzid_possible(const struct sasl *sasl)
{
    require(sasl->profile->kind == SASL_LAYERED,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no authorization identity", sasl->profile->name));
    require(sasl->processing == Sasl_AuthZIDProcessed,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Sasl_AuthZIDForbidden is set"));
    return SEC_E_OK;
}

static SECURITY_STATUS authzid_set(struct context *context, struct slice value)
{
    struct sasl *sasl = context->sasl;
    try(authzid_possible(sasl));
    require(context->initiator, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client names the authorization identity"));
    require(sasl->state != SASL_OPEN, cause_set(SEC_E_OUT_OF_SEQUENCE, "this SASL exchange has ended"));
    if (value.len > 0 && value.data[value.len - 1] == 0)
        value.len--;
    require(
        value.len <= SASL_AUTHZID_MAX && utf8_valid(value),
        cause_set(SEC_E_INVALID_PARAMETER, "an authorization identity is UTF-8 of at most %d bytes", SASL_AUTHZID_MAX));
    return secret_set(&sasl->authzid, value.data, value.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS option_set(struct context *context, ULONG option, struct slice value)
{
    struct sasl *sasl = context->sasl;
    uint32_t number;
    switch (option) {
    case SASL_OPTION_SEND_SIZE:
        return size_set(value, 1, &sasl->send_size, &sasl->send_size_set);
    case SASL_OPTION_RECV_SIZE:
        require(!sasl->announced, cause_set(SEC_E_OUT_OF_SEQUENCE, "the peer has been told the size already"));
        return size_set(value, sasl->profile->kind == SASL_SIZED ? SASL_SIZED_MIN : 1, &sasl->receive_size,
                        &sasl->receive_size_set);
    case SASL_OPTION_AUTHZ_STRING:
        return authzid_set(context, value);
    case SASL_OPTION_AUTHZ_PROCESSING:
        try(number_read(value, &number));
        require(number == Sasl_AuthZIDForbidden || number == Sasl_AuthZIDProcessed,
                cause_set(SEC_E_INVALID_PARAMETER, "%u is no SASL_AUTHZID_STATE", (unsigned)number));
        sasl->processing = (SASL_AUTHZID_STATE)number;
        return SEC_E_OK;
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "SASL contexts have no option %u", (unsigned)option);
    }
}

static SECURITY_STATUS not_sasl(void)
{
    return cause_set(SEC_E_INVALID_HANDLE, "this context was not begun by a SASL function");
}

SECURITY_STATUS sasl_option_set(struct context *context, ULONG option, struct slice value)
{
    require(context->sasl != NULL, not_sasl());
    pthread_mutex_lock(&context->handshake_lock);
    pthread_mutex_lock(&context->send_lock);
    pthread_mutex_lock(&context->receive_lock);
    SECURITY_STATUS status = option_set(context, option, value);
    pthread_mutex_unlock(&context->receive_lock);
    pthread_mutex_unlock(&context->send_lock);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

/* Once the sizes are settled: how much text a message may carry, less what protection may add at most. */
static uint32_t text_size(const struct context *context)
{
    const struct sasl *sasl = context->sasl;
    struct attribute sizes = {.sizes = {0}};
    size_t limit = send_limit(sasl) != SIZE_MAX ? send_limit(sasl) : sasl->send_size;
    if (sasl->state != SASL_OPEN || context->session == NULL ||
        session_query(context->session, SECPKG_ATTR_SIZES, &sizes) != SEC_E_OK)
        return sasl->send_size;
    if (sizes.sizes.peer_max != 0 && sizes.sizes.peer_max < limit)
        limit = sizes.sizes.peer_max;
    size_t more = (size_t)sizes.sizes.trailer + sizes.sizes.block + sizes.sizes.max_signature;
    return limit > more ? (uint32_t)(limit - more) : 0;
}

static SECURITY_STATUS option_get(const struct context *context, ULONG option, struct writer *value)
{
    const struct sasl *sasl = context->sasl;
    uint32_t number;
    switch (option) {
    case SASL_OPTION_SEND_SIZE:
        number = text_size(context);
        break;
    case SASL_OPTION_RECV_SIZE:
        number = sasl->receive_size;
        break;
    case SASL_OPTION_AUTHZ_PROCESSING:
        number = sasl->processing;
        break;
    case SASL_OPTION_AUTHZ_STRING:
        try(authzid_possible(sasl));
        writer_slice(value, secret_slice(&sasl->authzid));
        return SEC_E_OK;
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "SASL contexts have no option %u", (unsigned)option);
    }
    writer_bytes(value, &number, sizeof number);
    return SEC_E_OK;
}

SECURITY_STATUS sasl_option_get(struct context *context, ULONG option, struct writer *value)
{
    require(context->sasl != NULL, not_sasl());
    pthread_mutex_lock(&context->handshake_lock); /* nothing of this changes without it */
    SECURITY_STATUS status = option_get(context, option, value);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}
