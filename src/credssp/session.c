#include "credssp/session.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "credssp/package.h"
#include "credssp/packed.h"
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>

struct credssp_session {
    bool initiator;
    struct session *channel, *inner; /* channel: NULL in TSSSP, whose messages are the inner session's */
    uint32_t sent, received;         /* sequence numbers, after those of the handshake; for TSSSP they matter */
    struct session_facts facts;      /* the inner session's, with our own flags */
    uint32_t server_auth;
    CERT_TRUST_STATUS trust;
    /* Server: what the client handed over. */
    struct secret credentials, packed; /* TSCredentials, and in Windows' packed form; empty: none */
    struct identity identity;          /* a password's */
    bool has_identity;
};

static void credssp_close(void *state)
{
    struct credssp_session *closed = state;
    session_close(closed->channel);
    session_close(closed->inner);
    secret_release(&closed->credentials);
    secret_release(&closed->packed);
    identity_release(&closed->identity);
    mem_free(closed);
}

static SECURITY_STATUS text_read(struct slice utf16, char **text)
{
    if (utf16.len == 0)
        return SEC_E_OK;
    require(utf16le_to_text(utf16, text) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a name among the client's credentials is not valid UTF-16"));
    return SEC_E_OK;
}

static SECURITY_STATUS identity_read(struct credssp_session *session, const struct ts_credentials *credentials)
{
    try(text_read(credentials->domain, &session->identity.domain));
    try(text_read(credentials->user, &session->identity.user));
    require(credentials->password.len % 2 == 0,
            cause_set(SEC_E_INVALID_TOKEN, "a password of %zu bytes", credentials->password.len));
    require(credentials->password.len == 0 ||
                secret_set(&session->identity.password, credentials->password.data, credentials->password.len),
            SEC_E_INSUFFICIENT_MEMORY);
    session->identity.has_password = true;
    session->has_identity = true;
    return SEC_E_OK;
}

static SECURITY_STATUS credentials_take(struct credssp_session *session, struct slice bytes)
{
    struct ts_credentials credentials;
    require(ts_credentials_parse(bytes, &credentials) == WIRE_OK, SEC_E_INVALID_TOKEN);
    require(secret_set(&session->credentials, bytes.data, bytes.len), SEC_E_INSUFFICIENT_MEMORY);
    if (credentials.type == TS_PASSWORD)
        try(identity_read(session, &credentials));
    return packed_write(&credentials, &session->packed);
}

SECURITY_STATUS credssp_session_make(struct credssp_handshake *handshake, void **state)
{
    struct credssp_session *made = mem_zalloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = handshake->handed_over && !handshake->base.initiator
                                 ? credentials_take(made, secret_slice(&handshake->authorized))
                                 : SEC_E_OK;
    if (status != SEC_E_OK) {
        credssp_close(made);
        return status;
    }
    made->initiator = handshake->base.initiator;
    made->server_auth = handshake->server_auth;
    made->trust = handshake->trust;
    made->channel = STEAL(handshake->channel.session);
    made->inner = STEAL(handshake->session);
    made->sent = handshake->sent;
    made->received = handshake->received;
    made->facts = made->inner->facts;
    made->facts.flags = handshake->base.granted;
    made->facts.delegated = (struct slice){0}; /* the inner package's own form: nothing here could use it */
    secret_release(&handshake->authorized);
    *state = made;
    return SEC_E_OK;
}

static const struct session_facts *credssp_facts(const void *state)
{
    return &((const struct credssp_session *)state)->facts;
}

/* Messages are TLS records; TSSSP's are sealed as its handshake's fields were, for what the two ends say to each other beside the channel
 * (MS-RDPEAR), and are numbered here: both ends know how many those were. TLS numbers its records itself, and some packages do. */
static const struct session *messages_of(const struct credssp_session *session)
{
    return session->channel != NULL ? session->channel : session->inner;
}

/* A message that was refused takes no number. */
static SECURITY_STATUS counted(SECURITY_STATUS status, uint32_t *number)
{
    *number += status == SEC_E_OK ? 1 : 0;
    return status;
}

static SECURITY_STATUS credssp_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct credssp_session *session = state;
    const struct session *under = messages_of(session);
    (void)seq;
    require(under->package->session->seal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return counted(under->package->session->seal(under->state, qop, message, session->sent), &session->sent);
}

static SECURITY_STATUS credssp_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct credssp_session *session = state;
    const struct session *under = messages_of(session);
    (void)seq;
    require(under->package->session->unseal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return counted(under->package->session->unseal(under->state, message, session->received, qop), &session->received);
}

static SECURITY_STATUS credssp_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct credssp_session *session = state;
    const struct session *under = messages_of(session);
    (void)seq;
    require(under->package->session->sign != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return counted(under->package->session->sign(under->state, qop, message, session->sent), &session->sent);
}

static SECURITY_STATUS credssp_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct credssp_session *session = state;
    const struct session *under = messages_of(session);
    (void)seq;
    require(under->package->session->verify != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return counted(under->package->session->verify(under->state, message, session->received, qop), &session->received);
}

/* What was negotiated inside. */
static SECURITY_STATUS choice_query(const struct credssp_session *session, struct attribute *value)
{
    if (session->inner->package->info.chooses)
        return session_query(session->inner, SECPKG_ATTR_PACKAGE_INFO, value);
    value->choice.package = session->inner->package;
    value->choice.state = SECPKG_NEGOTIATION_COMPLETE;
    return SEC_E_OK;
}

static SECURITY_STATUS sizes_query(const struct credssp_session *session, struct attribute *value)
{
    struct attribute stream = {0};
    SecPkgContext_StreamSizes sizes;
    if (session->channel == NULL)
        return session_query(session->inner, SECPKG_ATTR_SIZES, value);
    try(session_query(session->channel, SECPKG_ATTR_STREAM_SIZES, &stream));
    memcpy(&sizes, stream.flat.bytes, sizeof sizes);
    value->sizes.max_token = CREDSSP_TOKEN_MAX;
    value->sizes.max_signature = 0;
    value->sizes.block = sizes.cbBlockSize;
    value->sizes.trailer = sizes.cbHeader + sizes.cbTrailer;
    return SEC_E_OK;
}

static SECURITY_STATUS credentials_query(const struct credssp_session *session, uint32_t attribute,
                                         struct attribute *value)
{
    require(!session->initiator,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's credentials are asked of the server's side"));
    require(session->credentials.len > 0, cause_set(SEC_E_NO_CREDENTIALS, "the client handed no credentials over"));
    if (attribute == OPENSSPI_ATTR_TS_CREDENTIALS)
        value->bytes = secret_slice(&session->credentials);
    else if (attribute == SECPKG_ATTR_CREDS_2) {
        require(session->packed.len > 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's credentials have no packed form"));
        value->bytes = secret_slice(&session->packed);
    } else {
        require(session->has_identity,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's credentials are no password"));
        value->identity = &session->identity;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS own_query(const struct credssp_session *session, uint32_t attribute, struct attribute *value)
{
    require(session->initiator,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "how the server proved itself is asked of the client's side"));
    if (attribute == SECPKG_ATTR_SERVER_AUTH_FLAGS) {
        value->number = session->server_auth;
        return SEC_E_OK;
    }
    return attribute_flat(value, &session->trust, sizeof session->trust);
}

static SECURITY_STATUS credssp_query(const void *state, uint32_t attribute, struct attribute *value)
{
    const struct credssp_session *session = state;
    switch (attribute) {
    case SECPKG_ATTR_PACKAGE_INFO:
        value->choice.package = session->channel != NULL ? &credssp_package : &tsssp_package;
        return SEC_E_OK;
    case SECPKG_ATTR_NEGOTIATION_PACKAGE:
        return choice_query(session, value);
    case SECPKG_ATTR_SIZES:
        return sizes_query(session, value);
    case SECPKG_ATTR_FLAGS:
        value->number = session->facts.flags;
        return SEC_E_OK;
    case SECPKG_ATTR_C_ACCESS_TOKEN: /* whoever asks has the token made: there is no value */
    case SECPKG_ATTR_C_FULL_ACCESS_TOKEN:
        return SEC_E_OK;
    case SECPKG_ATTR_CREDS:
    case SECPKG_ATTR_CREDS_2:
    case OPENSSPI_ATTR_TS_CREDENTIALS:
        return credentials_query(session, attribute, value);
    case SECPKG_ATTR_SERVER_AUTH_FLAGS:
    case SECPKG_ATTR_CERT_TRUST_STATUS:
        return own_query(session, attribute, value);
    case SECPKG_ATTR_NAMES:
    case SECPKG_ATTR_NATIVE_NAMES:
    case SECPKG_ATTR_AUTHORITY:
    case SECPKG_ATTR_DCE_INFO:
    case SECPKG_ATTR_LIFESPAN:
    case SECPKG_ATTR_SESSION_KEY:
    case SECPKG_ATTR_PASSWORD_EXPIRY:
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
    case SECPKG_ATTR_USER_FLAGS:
    case SECPKG_ATTR_LOGOFF_TIME:
    case OPENSSPI_ATTR_AUTHORIZATION_DATA:
        return session_query(session->inner, attribute, value);
    case SECPKG_ATTR_APP_DATA: /* nobody can set it here, and no session is resumed */
        return SEC_E_UNSUPPORTED_FUNCTION;
    default: /* the connection's and the certificates' */
        require(session->channel != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return session_query(session->channel, attribute, value);
    }
}

const struct package_session credssp_session_table = {
    .close = credssp_close,
    .facts = credssp_facts,
    .sign = credssp_sign,
    .seal = credssp_seal,
    .verify = credssp_verify,
    .unseal = credssp_unseal,
    .query = credssp_query,
};
