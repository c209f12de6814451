#include "api/api.h"

#include "access/impersonation.h"
#include "api/buffers.h"
#include "api/step.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "core/trace.h"
#include "lsa/authority.h"
#include "sasl/sasl.h"

/* InitializeSecurityContext and AcceptSecurityContext are one walk: find the objects, gather the input, ask the authority, deliver. Nothing is
 * published on failure. */

/* ISC_REQ_ALLOCATE_MEMORY and ISC_RET_ALLOCATED_MEMORY, and the acceptor's, are one bit. */
#define ALLOCATE_BIT 0x100u
_Static_assert(ISC_REQ_ALLOCATE_MEMORY == ALLOCATE_BIT && ASC_REQ_ALLOCATE_MEMORY == ALLOCATE_BIT, "");
_Static_assert(ISC_RET_ALLOCATED_MEMORY == ALLOCATE_BIT && ASC_RET_ALLOCATED_MEMORY == ALLOCATE_BIT, "");

static void handshake_end(struct context *context)
{
    if (context->handshake != NULL)
        context->credential->authority->abandon(context->handshake);
    context->handshake = NULL;
    context_credential_drop(context);
}

/* The handshake has succeeded, and there are no more steps. A server whose client came with a ticket and forwarded none keeps its own credential: to
 * act for the client takes both (S4U2Proxy). */
static void handshake_done(struct context *context)
{
    const struct session_facts *facts = context->session != NULL ? &context->session->facts : NULL;
    if (facts != NULL && !facts->initiator && facts->delegated.len > 0 && (facts->flags & ASC_RET_DELEGATE) == 0)
        context->service = credential_retain(context->credential);
    context_credential_drop(context);
}

/* Opens what the step ended with, if it did: a record, or a session handed over directly. */
static SECURITY_STATUS session_take(const struct context *context, struct step_out *out, struct session **session)
{
    if (out->stream != NULL)
        return session_adopt(context->package, context->initiator, STEAL(out->stream), session);
    return session_of_step(out, session);
}

/* EXTENDED_ERROR is one flag with two values. */
static bool wants_error_token(const struct step_call *call)
{
    return (call->flags & (call->initiator ? ISC_REQ_EXTENDED_ERROR : ASC_REQ_EXTENDED_ERROR)) != 0;
}

static SECURITY_STATUS token_deliver(const struct context *context, const struct step_call *call, struct step_out *out)
{
    bool allocate = (call->flags & ALLOCATE_BIT) != 0;
    if (context_is_stream(context))
        return buffers_stream_out(call->output, allocate, writer_slice_of(&out->token), false);
    require(out->token.len == 0 || call->output != NULL,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "there is a token to send and no output was given"));
    return buffers_step_out(call->output, allocate, writer_slice_of(&out->token));
}

/* A failed step may have words for the peer, and nothing else that it wrote goes out; their delivery cannot make things worse. That the token is one
 * to be sent in spite of the failure is what the flag tells the program. */
static void error_deliver(struct context *context, const struct step_call *call, struct step_out *out)
{
    bool allocate = (call->flags & ALLOCATE_BIT) != 0, delivered = false;
    bool whole = out->alert && writer_finish(&out->token) == WIRE_OK; /* without memory words may be cut off */
    struct slice words = whole ? writer_slice_of(&out->token) : slice_of(NULL, 0);
    if (context_is_stream(context)) {
        bool as_token = wants_error_token(call);
        if (buffers_stream_out(call->output, allocate, words, !as_token) == SEC_E_OK)
            delivered = as_token;
        else
            (void)buffers_stream_out(call->output, allocate, slice_of(NULL, 0), false); /* no room: nothing to send */
    } else if (words.len > 0)
        delivered = buffers_step_out(call->output, allocate, words) == SEC_E_OK;
    if (delivered && words.len > 0 && call->attributes != NULL)
        *call->attributes = (call->initiator ? ISC_RET_EXTENDED_ERROR : ASC_RET_EXTENDED_ERROR) | context->granted |
                            (call->flags & ALLOCATE_BIT);
}

static SECURITY_STATUS step_deliver(struct context *context, const struct step_call *call, struct step_out *out,
                                    SECURITY_STATUS status)
{
    struct session *session = NULL;
    require(writer_finish(&out->token) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(session_take(context, out, &session));
    /* A stream may be closed in mid-handshake, which succeeds and establishes nothing. */
    require(status != SEC_E_OK || session != NULL || context->session != NULL || context_is_stream(context),
            cause_set(SEC_E_INTERNAL_ERROR, "%s ended its handshake without a session", context->package->info.name));
    SECURITY_STATUS delivered = token_deliver(context, call, out);
    if (delivered != SEC_E_OK) {
        session_close(session);
        return delivered;
    }
    if (session != NULL)
        context_session_set(context, session);
    context->granted = out->granted;
    context->expiry = out->expiry;
    context->state = status == SEC_E_OK && context->session != NULL ? CONTEXT_ESTABLISHED : CONTEXT_HANDSHAKE;
    return status;
}

static uint32_t input_max(const struct package_info *info)
{
    return info->max_input != 0 ? info->max_input : info->max_token;
}

static SECURITY_STATUS step_input(const struct context *context, const struct step_call *call, struct step_in *in)
{
    in->flags_now = call->flags;
    if (!context_is_stream(context))
        return buffers_step_in(call->input, input_max(&context->package->info), in);
    return buffers_stream_step_in(call->input, in);
}

/* Where the context stands after a step. An established one survives wrong input; but records that were made and never reach the peer (`lost`) leave
 * it out of step with what comes after. */
static void step_settle(struct context *context, SECURITY_STATUS status, bool lost)
{
    bool failed = status < 0 && status != SEC_E_INCOMPLETE_MESSAGE; /* which may be repeated with more input */
    /* A stream that is being renegotiated has its session still, and for this answer has taken nothing. */
    bool untouched = status == SEC_E_OUT_OF_SEQUENCE && context_is_stream(context) && context->session != NULL;
    if (failed && (lost || (context->state != CONTEXT_ESTABLISHED && !untouched))) {
        context->state = CONTEXT_FAILED;
        context_session_set(context, NULL); /* of a datagram context that was used before */
        handshake_end(context);
    } else if (status == SEC_E_OK && context->handshake == NULL)
        handshake_done(context); /* the package keeps no more steps */
}

static SECURITY_STATUS step_run(struct context *context, const struct step_call *call)
{
    if (context_is_stream(context))
        try(buffers_stream_out_check(call->output, (call->flags & ALLOCATE_BIT) != 0));
    struct step_in in = {.target = context->target, .flags = context->flags_asked};
    SECURITY_STATUS status = step_input(context, call, &in);
    if (status != SEC_E_OK) { /* a peer's token that is too long ends a handshake like any other wrong one */
        step_settle(context, status, false);
        return status;
    }
    uint8_t token_room[2048], record_room[1024];
    struct step_out out = {/* a stream may hand over a token of its own (Schannel does) */
                           .token = context_is_stream(context) ? writer_growing(512)
                                                               : writer_lent(token_room, sizeof token_room),
                           .record = writer_lent(record_room, sizeof record_room),
                           .granted = context->granted,
                           .expiry = context->expiry};
    status = context->sasl != NULL ? sasl_step(context, &in, &out) : authority()->step(context, &in, &out);
    status = cause_answer(status);
    bool lost = false; /* what the package had to say */
    if (status >= 0) {
        status = cause_answer(step_deliver(context, call, &out, status));
        lost = status < 0;
    } else if (status != SEC_E_INCOMPLETE_MESSAGE)
        error_deliver(context, call, &out);
    if (context_is_stream(context))
        buffers_stream_step_done(call->input, status, &in, &out);
    TRACE(call->initiator ? "initiate" : "accept", "%s, asked 0x%x, in %zu bytes, out %zu bytes, granted 0x%x: 0x%08x",
          context->package->info.name, (unsigned)in.flags, in.token.len, out.token.len, (unsigned)out.granted,
          (unsigned)status);
    writer_release(&out.token);
    writer_release(&out.record);
    session_close(out.session);
    if (out.stream != NULL)
        context->package->session->close(out.stream);
    step_settle(context, status, lost);
    return status;
}

static SECURITY_STATUS step_in_lock(struct context *context, const struct step_call *call)
{
    require(context->state != CONTEXT_FAILED,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's handshake failed before"));
    require(context->credential != NULL, cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's handshake has ended"));
    return context->status = step_run(context, call);
}

static void step_report(const struct context *context, const struct step_call *call)
{
    if (call->attributes != NULL)
        *call->attributes = context->granted | (call->flags & ALLOCATE_BIT);
    if (call->expiry != NULL)
        *call->expiry = api_timestamp(context->expiry);
}

SECURITY_STATUS api_context_get(const SecHandle *handle, struct handle_ref *ref)
{
    SECURITY_STATUS status = handle_get(handle, HANDLE_CONTEXT, ref);
    return status != SEC_E_INVALID_HANDLE ? status : cause_set(status, "this is not the handle of a living context");
}

static SECURITY_STATUS step_first(const struct step_call *call)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    try(api_credential_get(call->credential, &ref));
    struct credential *credential = ref.object;
    require((credential->use & (call->initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND)) != 0,
            cause_set(SEC_E_NO_CREDENTIALS, "the credential was acquired for the other direction"));
    require(call->new_context != NULL, cause_set(SEC_E_INVALID_HANDLE, "no place for the context handle was given"));
    struct context *context = context_new(credential->package, call->initiator);
    require(context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    context_credential_set(context, &ref);
    context->flags_asked = call->flags;
    context->target = call->target != NULL ? mem_strdup(call->target) : NULL;

    /* The handle is made before the step, so that nothing can fail once the caller's buffers are filled; nobody has it before it is published. */
    SecHandle handle;
    SECURITY_STATUS status = call->sasl ? sasl_begin(context) : SEC_E_OK;
    if (status == SEC_E_OK && call->target != NULL && context->target == NULL)
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK)
        status = handle_create(HANDLE_CONTEXT, context, context_free, &handle);
    if (status != SEC_E_OK) {
        context_free(context);
        return status;
    }
    status = step_in_lock(context, call);
    if (status >= 0) {
        step_report(context, call);
        *call->new_context = handle;
    } else
        (void)handle_delete(&handle, HANDLE_CONTEXT); /* frees the context */
    return status;
}

/* One package, or one under several names, as Schannel's are. */
static bool same_package(const struct package *a, const struct package *b)
{
    return a == b || (a->authority == b->authority && a->session == b->session && a->info.rpc_id == b->info.rpc_id);
}

/* A stream package may be given another credential on a later leg, such as a certificate for which the server asked. What is not a fitting
 * credential changes nothing: many callers pass the handle that they began with, or none. */
static void credential_exchange(struct context *context, PCredHandle handle)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    if (context->credential == NULL || handle_get(handle, HANDLE_CREDENTIAL, &ref) != SEC_E_OK)
        return;
    struct credential *credential = ref.object;
    if (credential == context->credential || !same_package(credential->package, context->package) ||
        credential->use != context->credential->use)
        return;
    context_credential_set(context, &ref);
}

static SECURITY_STATUS step_next(const struct step_call *call)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    try(api_context_get(call->context, &ref));
    struct context *context = ref.object;
    require(context->initiator == call->initiator && (context->sasl != NULL) == call->sasl,
            cause_set(SEC_E_INVALID_HANDLE, "the context was begun by the other function"));
    pthread_mutex_lock(&context->handshake_lock);
    if (context_is_stream(context))
        credential_exchange(context, call->credential);
    SECURITY_STATUS status = step_in_lock(context, call);
    if (status >= 0) {
        step_report(context, call);
        if (call->new_context != NULL)
            *call->new_context = *call->context;
    }
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

SECURITY_STATUS api_step(const struct step_call *call)
{
    AS_PROCESS_SCOPE; /* keytabs, ticket caches and account stores are the process's */
    return handle_is_null(call->context) ? step_first(call) : step_next(call);
}

SECURITY_STATUS SEC_ENTRY InitializeSecurityContextW(PCredHandle phCredential, PCtxtHandle phContext,
                                                     SEC_WCHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                     ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                     PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                     ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *target = NULL;
    (void)Reserved1, (void)Reserved2,
        (void)TargetDataRep; /* no package here writes data that byte order would change */
    cause_clear();
    try(api_text_from_w(pszTargetName, &target));
    return api_step(&(struct step_call){true, false, phCredential, phContext, target, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

SECURITY_STATUS SEC_ENTRY InitializeSecurityContextA(PCredHandle phCredential, PCtxtHandle phContext,
                                                     SEC_CHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                     ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                     PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                     ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *target = NULL;
    (void)Reserved1, (void)Reserved2,
        (void)TargetDataRep; /* no package here writes data that byte order would change */
    cause_clear();
    try(api_text_from_a(pszTargetName, &target));
    return api_step(&(struct step_call){true, false, phCredential, phContext, target, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

SECURITY_STATUS SEC_ENTRY AcceptSecurityContext(PCredHandle phCredential, PCtxtHandle phContext, PSecBufferDesc pInput,
                                                ULONG fContextReq, ULONG TargetDataRep, PCtxtHandle phNewContext,
                                                PSecBufferDesc pOutput, ULONG *pfContextAttr, PTimeStamp ptsExpiry)
{
    (void)TargetDataRep;
    cause_clear();
    return api_step(&(struct step_call){false, false, phCredential, phContext, NULL, fContextReq, pInput, pOutput,
                                        phNewContext, pfContextAttr, ptsExpiry});
}

/* Under the handshake's lock. A handshake that waits for it ends with the completion of its token, one way or the other; one that goes on ends
 * only where that fails. */
static SECURITY_STATUS complete_locked(struct context *context, struct slice_mut token)
{
    uint8_t room[1024];
    struct session *session = NULL;
    struct step_out out = {
        .record = writer_lent(room, sizeof room), .granted = context->granted, .expiry = context->expiry};
    bool ends = context->state == CONTEXT_HANDSHAKE && context->status == SEC_I_COMPLETE_NEEDED;
    bool waits = ends || (context->state == CONTEXT_HANDSHAKE && context->status == SEC_I_COMPLETE_AND_CONTINUE);
    require(context->state != CONTEXT_FAILED,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's handshake failed before"));
    SECURITY_STATUS status = cause_answer(authority()->complete(context, token, &out));
    if (status == SEC_E_OK && ends) {
        status = cause_answer(session_of_step(&out, &session));
        if (status == SEC_E_OK && session == NULL)
            status = cause_set(SEC_E_INTERNAL_ERROR, "%s completed its token without a session",
                               context->package->info.name);
    }
    writer_release(&out.record);
    if (session != NULL) {
        context_session_set(context, session);
        context->state = CONTEXT_ESTABLISHED;
    }
    if (waits && status <= 0 && status != SEC_E_INCOMPLETE_MESSAGE) { /* else it goes on waiting */
        context->status = status < 0 || ends ? status : SEC_I_CONTINUE_NEEDED;
        step_settle(context, context->status, false);
    }
    return status;
}

SECURITY_STATUS SEC_ENTRY CompleteAuthToken(PCtxtHandle phContext, PSecBufferDesc pToken)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_context_get(phContext, &ref));
    struct context *context = ref.object;
    struct message message;
    try(buffers_message(pToken, MESSAGE_COMPLETE, &message));
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = complete_locked(context, message.token);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

SECURITY_STATUS SEC_ENTRY DeleteSecurityContext(PCtxtHandle phContext)
{
    AS_PROCESS_SCOPE;
    cause_clear();
    SECURITY_STATUS status = handle_delete(phContext, HANDLE_CONTEXT);
    return status == SEC_E_OK ? status : cause_set(status, "this is not the handle of a living context");
}

SECURITY_STATUS SEC_ENTRY ApplyControlToken(PCtxtHandle phContext, PSecBufferDesc pInput)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_context_get(phContext, &ref));
    struct context *context = ref.object;
    struct slice token = {0};
    /* A package that knows no control tokens says so, whatever the list is; one of a module's may know some. */
    if (context_is_stream(context) || context->package->info.process_bound || pInput == NULL)
        try(buffers_control(pInput, &token));
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = cause_answer(authority()->control(context, token));
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}
