#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include "credssp/handshake.h"
#include "credssp/policy.h"
#include "crypto/random.h"
#include <credssp.h>

/* The client's side (MS-CSSP 3.1.5). */

static bool delegates(const struct credssp_handshake *handshake)
{
    return (handshake->base.asked & ISC_REQ_DELEGATE) != 0 || handshake->credential->redirects;
}

/* By which lists it is judged: what the program set is fresh. */
static enum credssp_source source_of(const struct credssp_handshake *handshake)
{
    return handshake->authorized.len > 0 ? CREDSSP_SOURCE_FRESH : handshake->credential->source;
}

/* Credentials that the program set, where it said that only a remote guard's may go. */
static SECURITY_STATUS redirection_check(const struct credssp_handshake *handshake)
{
    struct ts_credentials set;
    if (!handshake->credential->redirects)
        return SEC_E_OK;
    require(handshake->authorized.len > 0 &&
                ts_credentials_parse(secret_slice(&handshake->authorized), &set) == WIRE_OK &&
                set.type == TS_REMOTE_GUARD,
            cause_set(SEC_E_NO_CREDENTIALS,
                      "CREDSSP_FLAG_REDIRECT hands over nothing but a remote guard's credentials, and the program that "
                      "answers for them has set none (OPENSSPI_CRED_ATTR_TS_CREDENTIALS)"));
    return SEC_E_OK;
}

/* Is there something to hand over, and may it go there? Asked before anything is sent. */
static SECURITY_STATUS delegation_check(struct credssp_handshake *handshake)
{
    const struct credssp_credential *credential = handshake->credential;
    if (!delegates(handshake))
        return SEC_E_OK;
    try(redirection_check(handshake));
    if (handshake->authorized.len > 0)
        return policy_allows(credential->config, source_of(handshake), handshake->base.target);
    const struct identity *identity = &credential->identity;
    require(identity->proof_kind == IDENTITY_PASSWORD && identity->has_password && !identity->password_is_hash,
            cause_set(SEC_E_NO_CREDENTIALS, "ISC_REQ_DELEGATE, and there is no password to hand over"));
    return policy_allows(credential->config, credential->source, handshake->base.target);
}

/* How the server proved itself, beyond knowing what the password proves. */
static SECURITY_STATUS server_judge(struct credssp_handshake *handshake)
{
    bool trusted;
    try(channel_server_trusted(&handshake->channel, &trusted, &handshake->trust));
    if (trusted)
        handshake->server_auth |= CREDSSP_SERVER_AUTH_CERTIFICATE;
    if ((handshake->inner_granted & ISC_RET_MUTUAL_AUTH) != 0)
        handshake->server_auth |= CREDSSP_SERVER_AUTH_NEGOTIATE;
    if (!delegates(handshake))
        return SEC_E_OK;
    return policy_allows_proved(handshake->credential->config, source_of(handshake), handshake->base.target,
                                handshake->server_auth != 0);
}

/* A token of the inner package's, and pubKeyAuth as soon as it has ended. */
static SECURITY_STATUS nego_send(struct credssp_handshake *handshake, struct slice token, struct step_out *out)
{
    AUTO_WRITER struct writer answer = writer_growing(512), sealed = writer_growing(512);
    struct ts_request request = {0};
    if (!handshake->inner_done) {
        SECURITY_STATUS status = inner_step(handshake, token, &answer);
        require(status >= 0, status);
    }
    if (answer.len > 0)
        request.nego_token = writer_slice_of(&answer);
    require(answer.len > 0 || handshake->inner_done,
            cause_set(SEC_E_INTERNAL_ERROR, "the inner handshake has nothing to say, and has not ended"));
    /* Which form binds the key is known once the server has told its version. */
    if (handshake->inner_done && handshake->version != 0) {
        try(server_judge(handshake));
        try(binding_seal(handshake, &sealed));
        request.pub_key_auth = writer_slice_of(&sealed);
        if (handshake->version >= TS_VERSION_NONCE)
            request.nonce = slice_of(handshake->nonce, TS_NONCE_LEN);
    }
    try(request_send(handshake, &request, &out->token));
    handshake->base.state = request.pub_key_auth.data != NULL ? CREDSSP_CLIENT_KEY : CREDSSP_CLIENT_NEGO;
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS opened(struct credssp_handshake *handshake, struct step_out *out)
{
    require(random_bytes(handshake->nonce, TS_NONCE_LEN), SEC_E_INTERNAL_ERROR);
    handshake->has_nonce = true;
    return nego_send(handshake, (struct slice){0}, out);
}

/* errorCode is an NTSTATUS; some servers send what SSPI answered them. What says more than no is the account's state. A status of SSPI is not passed
 * on: it would speak of this side, as SEC_E_INCOMPLETE_MESSAGE does. The cause tells the number. */
static SECURITY_STATUS error_status(uint32_t error)
{
    static const SECURITY_STATUS kept[] = {
        STATUS_ACCOUNT_DISABLED,     STATUS_PASSWORD_EXPIRED,   STATUS_ACCOUNT_EXPIRED,
        STATUS_PASSWORD_MUST_CHANGE, STATUS_ACCOUNT_LOCKED_OUT,
    };
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if ((uint32_t)kept[i] == error)
            return kept[i];
    return error == TS_ERROR_VERSION ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_LOGON_DENIED;
}

static SECURITY_STATUS error_check(const struct ts_request *request)
{
    require(!request->has_error || request->error == 0,
            cause_set(error_status(request->error), "the server refused: 0x%08x", (unsigned)request->error));
    return SEC_E_OK;
}

static SECURITY_STATUS nego(struct credssp_handshake *handshake, const struct ts_request *request, struct step_out *out)
{
    try(error_check(request));
    require(request->auth_info.data == NULL && request->pub_key_auth.data == NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the server binds its key before it has seen ours"));
    require(request->nego_token.data != NULL || handshake->inner_done,
            cause_set(SEC_E_INVALID_TOKEN, "the server's TSRequest has no token of the inner handshake"));
    require(!handshake->inner_done || request->nego_token.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the inner handshake has ended, and the server goes on with it"));
    return nego_send(handshake, request->nego_token, out);
}

static SECURITY_STATUS text_write(const char *text, struct writer *writer)
{
    require(text == NULL || utf16le_write(writer, text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* What the program set, else TSPasswordCreds; without ISC_REQ_DELEGATE an empty one, as in Restricted Admin mode. */
static SECURITY_STATUS credentials_write(const struct credssp_handshake *handshake, struct writer *writer)
{
    const struct identity *identity = &handshake->credential->identity;
    AUTO_WRITER struct writer domain = writer_growing(64), user = writer_growing(64);
    struct ts_credentials credentials = {.type = TS_PASSWORD};
    if (delegates(handshake) && handshake->authorized.len > 0) {
        writer_slice(writer, secret_slice(&handshake->authorized));
        return writer_finish(writer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    if (delegates(handshake)) {
        try(text_write(identity->domain, &domain));
        try(text_write(identity->user, &user));
        require(writer_finish(&domain) == WIRE_OK && writer_finish(&user) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        credentials.domain = writer_slice_of(&domain);
        credentials.user = writer_slice_of(&user);
        credentials.password = secret_slice(&identity->password);
    }
    ts_credentials_write(writer, &credentials);
    return writer_finish(writer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The server has shown that it saw the key that this side saw: only now the credentials go. */
static SECURITY_STATUS key(struct credssp_handshake *handshake, const struct ts_request *request, struct step_out *out)
{
    AUTO_WRITER struct writer plain = writer_growing(256), sealed = writer_growing(512);
    try(error_check(request));
    require(request->pub_key_auth.data != NULL && request->auth_info.data == NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the server's proof of its key is due, and did not come"));
    /* A token behind the end of the inner handshake has nobody to read it; some servers send an empty one. */
    require(request->nego_token.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the inner handshake has ended, and the server goes on with it"));
    try(binding_check(handshake, request->pub_key_auth));
    try(credentials_write(handshake, &plain));
    try(inner_seal(handshake, writer_slice_of(&plain), &sealed));
    struct ts_request answer = {.auth_info = writer_slice_of(&sealed)};
    try(request_send(handshake, &answer, &out->token));
    handshake->handed_over = delegates(handshake);
    return handshake_finish(handshake, out);
}

const struct credssp_role credssp_client = {
    .begun = delegation_check,
    .opened = opened,
    .steps = {[CREDSSP_CLIENT_NEGO] = nego, [CREDSSP_CLIENT_KEY] = key},
};
