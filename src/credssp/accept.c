#include "core/cause.h"
#include "core/status.h"
#include "credssp/handshake.h"

/* The server's side (MS-CSSP 3.1.5). */

#define STATUS_LOGON_FAILURE_CODE 0xC000006Du

static SECURITY_STATUS opened(struct credssp_handshake *handshake, struct step_out *out)
{
    (void)out;
    handshake->base.state = CREDSSP_SERVER_NEGO; /* the client speaks first */
    return SEC_I_CONTINUE_NEEDED;
}

/* NT statuses go out as they are; the rest is nobody's business but that it failed. */
static uint32_t error_code(SECURITY_STATUS status)
{
    return (uint32_t)status >> 30 == 3 ? (uint32_t)status : STATUS_LOGON_FAILURE_CODE;
}

/* errorCode, where the client's version has it (2.2.1). Can only be tried: TLS may be what failed. */
static void failed(struct credssp_handshake *handshake, SECURITY_STATUS status, struct step_out *out)
{
    uint32_t version = handshake->too_old ? handshake->peer_version : handshake->version;
    bool has_error = version != 0 && ts_version_has_error(version);
    struct ts_request request = {
        .has_error = has_error, .error = handshake->too_old ? TS_ERROR_VERSION : error_code(status), /* 3.1.5, step 4 */
    };
    AUTO_WRITER struct writer records = writer_growing(256);
    out->alert = true;
    if (handshake->refusal.len > 0)
        request.nego_token = writer_slice_of(&handshake->refusal);
    if ((has_error || request.nego_token.data != NULL) && request_send(handshake, &request, &records) == SEC_E_OK)
        writer_slice(&out->token, writer_slice_of(&records));
}

/* The client has bound the key that it saw: it is compared, and answered with what this side saw. */
static SECURITY_STATUS key_answer(struct credssp_handshake *handshake, const struct ts_request *request,
                                  struct slice token, struct step_out *out)
{
    AUTO_WRITER struct writer sealed = writer_growing(512);
    require(handshake->version < TS_VERSION_NONCE || handshake->has_nonce,
            cause_set(SEC_E_INVALID_TOKEN, "the client's nonce is due with its key, and did not come"));
    try(binding_check(handshake, request->pub_key_auth));
    try(binding_seal(handshake, &sealed));
    struct ts_request answer = {.nego_token = token, .pub_key_auth = writer_slice_of(&sealed)};
    try(request_send(handshake, &answer, &out->token));
    handshake->base.state = CREDSSP_SERVER_CREDENTIALS;
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS nego(struct credssp_handshake *handshake, const struct ts_request *request, struct step_out *out)
{
    AUTO_WRITER struct writer token = writer_growing(512);
    struct ts_request answer = {0};
    require(request->nego_token.data != NULL && request->auth_info.data == NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the client's TSRequest has no token of the inner handshake"));
    SECURITY_STATUS status = inner_step(handshake, request->nego_token, &token);
    if (token.len > 0)
        answer.nego_token = writer_slice_of(&token);
    if (status < 0) { /* what the inner package has to say of it goes with the error */
        writer_release(&handshake->refusal);
        handshake->refusal = token;
        token = (struct writer){0};
        return status;
    }
    if (handshake->inner_done && request->pub_key_auth.data != NULL)
        return key_answer(handshake, request, answer.nego_token, out);
    require(request->pub_key_auth.data == NULL,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "the client binds a key before the inner handshake has ended"));
    if (handshake->inner_done)
        handshake->base.state = CREDSSP_SERVER_KEY;
    if (answer.nego_token.data == NULL) { /* the client waits for a word: an empty token is one */
        answer.nego_token = slice_of("", 0);
        require(handshake->inner_done, cause_set(SEC_E_INTERNAL_ERROR, "the inner handshake has nothing to say"));
    }
    try(request_send(handshake, &answer, &out->token));
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS key(struct credssp_handshake *handshake, const struct ts_request *request, struct step_out *out)
{
    require(request->pub_key_auth.data != NULL && request->auth_info.data == NULL && request->nego_token.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the key that the client saw is due, and did not come"));
    return key_answer(handshake, request, (struct slice){0}, out);
}

/* Is there anything in it? A client in Restricted Admin mode sends nothing. */
static bool is_empty(const struct ts_credentials *credentials)
{
    return credentials->type == TS_PASSWORD && credentials->user.len == 0 && credentials->password.len == 0;
}

static SECURITY_STATUS credentials(struct credssp_handshake *handshake, const struct ts_request *request,
                                   struct step_out *out)
{
    struct ts_credentials handed;
    require(request->auth_info.data != NULL && request->pub_key_auth.data == NULL && request->nego_token.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the client's credentials are due, and did not come"));
    try(inner_unseal(handshake, request->auth_info, &handshake->authorized));
    require(ts_credentials_parse(secret_slice(&handshake->authorized), &handed) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the client's credentials are of an unknown kind, or damaged"));
    handshake->handed_over = !is_empty(&handed);
    return handshake_finish(handshake, out);
}

const struct credssp_role credssp_server = {
    .opened = opened,
    .steps = {[CREDSSP_SERVER_NEGO] = nego, [CREDSSP_SERVER_KEY] = key, [CREDSSP_SERVER_CREDENTIALS] = credentials},
    .failed = failed,
};
