/* Contexts: building, asking, closing. */
#include "ext.h"

#include <stdlib.h>
#include <string.h>

static const struct flag {
    const char *name;
    ULONG client, server, client_granted, server_granted; /* 0: not on this side */
} flags[] = {
    {"-confidentiality", ISC_REQ_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY,
     ASC_RET_CONFIDENTIALITY},
    {"-connection", ISC_REQ_CONNECTION, ASC_REQ_CONNECTION, ISC_RET_CONNECTION, ASC_RET_CONNECTION},
    {"-delegate", ISC_REQ_DELEGATE, ASC_REQ_DELEGATE, ISC_RET_DELEGATE, ASC_RET_DELEGATE},
    {"-extendederror", ISC_REQ_EXTENDED_ERROR, ASC_REQ_EXTENDED_ERROR, ISC_RET_EXTENDED_ERROR, ASC_RET_EXTENDED_ERROR},
    {"-integrity", ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY, ISC_RET_INTEGRITY, ASC_RET_INTEGRITY},
    {"-manualvalidation", ISC_REQ_MANUAL_CRED_VALIDATION, 0, 0, 0},
    {"-mutualauth", ISC_REQ_MUTUAL_AUTH, ASC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH, ASC_RET_MUTUAL_AUTH},
    {"-replaydetect", ISC_REQ_REPLAY_DETECT, ASC_REQ_REPLAY_DETECT, ISC_RET_REPLAY_DETECT, ASC_RET_REPLAY_DETECT},
    {"-sequencedetect", ISC_REQ_SEQUENCE_DETECT, ASC_REQ_SEQUENCE_DETECT, ISC_RET_SEQUENCE_DETECT,
     ASC_RET_SEQUENCE_DETECT},
    {"-stream", ISC_REQ_STREAM, ASC_REQ_STREAM, ISC_RET_STREAM, ASC_RET_STREAM},
    {"-usesessionkey", ISC_REQ_USE_SESSION_KEY, 0, 0, 0},
};

static int option_take(Tcl_Interp *interp, struct context *context, Tcl_Obj *option, Tcl_Obj *value)
{
    static const char *const datareps[] = {"network", "native", NULL};
    const char *name = Tcl_GetString(option);
    int set, at;
    if (strcmp(name, "-datarep") == 0) {
        if (Tcl_GetIndexFromObj(interp, value, datareps, "data representation", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        context->drep = at == 0 ? SECURITY_NETWORK_DREP : SECURITY_NATIVE_DREP;
        return TCL_OK;
    }
    if (strcmp(name, "-target") == 0 && context->client) {
        ext_wipe(&context->target);
        return ext_line(interp, value, &context->target);
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        ULONG bit = context->client ? flags[i].client : flags[i].server;
        if (bit == 0 || strcmp(name, flags[i].name) != 0)
            continue;
        if (Tcl_GetBooleanFromObj(interp, value, &set) != TCL_OK)
            return TCL_ERROR;
        context->wanted = set ? context->wanted | bit : context->wanted & ~bit;
        return TCL_OK;
    }
    return ext_misuse(interp, "there is no option \"%.100s\" of a %s's context", name,
                      context->client ? "client" : "server");
}

static SECURITY_STATUS call_package(struct ext *ext, struct context *context, SecBufferDesc *in, SecBufferDesc *out)
{
    struct credentials *credentials = ext_get(ext, NULL, EXT_CREDENTIALS, context->credentials);
    PCredHandle handle = credentials == NULL ? NULL : &credentials->handle;
    PCtxtHandle former = context->has_handle ? &context->handle : NULL;
    if (credentials == NULL && former == NULL)
        return SEC_E_INVALID_HANDLE;
    if (context->client)
        return InitializeSecurityContextA(handle, former, (SEC_CHAR *)context->target.data, context->wanted, 0,
                                          context->drep, former == NULL ? NULL : in, 0, &context->handle, out,
                                          &context->granted, NULL);
    return AcceptSecurityContext(handle, former, in, context->wanted, context->drep, &context->handle, out,
                                 &context->granted, NULL);
}

/* A step with all that came; *token is to be freed with FreeContextBuffer. */
static SECURITY_STATUS call(struct ext *ext, struct context *context, SecBuffer *token)
{
    SecBuffer in[2] = {{(ULONG)context->input.len, SECBUFFER_TOKEN, context->input.data}, {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, context->stream ? 2 : 1, in}, out_list = {SECBUFFER_VERSION, 1, token};
    *token = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    SECURITY_STATUS status = call_package(ext, context, &in_list, &out_list);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) {
        /* The server asks for a certificate, and there is none: the same once more, to go on without. */
        context->wanted |= ISC_REQ_USE_SUPPLIED_CREDS;
        in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        status = call_package(ext, context, &in_list, &out_list);
    }
    if (status >= 0)
        context->has_handle = 1;
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SECURITY_STATUS completed = CompleteAuthToken(&context->handle, &out_list);
        status = completed != SEC_E_OK ? completed : status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    }
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return status; /* what came is kept */
    size_t rest = context->stream && in[1].BufferType == SECBUFFER_EXTRA && in[1].cbBuffer <= context->input.len
                      ? in[1].cbBuffer
                      : 0;
    ext_cut(&context->input, context->input.len - rest);
    return status;
}

/* Steps until the package wants more from the peer; output of several steps is put together. */
static SECURITY_STATUS advance(struct ext *ext, struct context *context, struct bytes *token)
{
    for (;;) {
        SecBuffer piece = {0, SECBUFFER_TOKEN, NULL};
        SECURITY_STATUS status = call(ext, context, &piece);
        if (status < 0)
            snprintf(context->cause, sizeof(context->cause), "%s", OpenSspiLastErrorText());
        if (piece.cbBuffer > 0 && !ext_take(token, piece.pvBuffer, piece.cbBuffer))
            status = SEC_E_INSUFFICIENT_MEMORY;
        if (piece.pvBuffer != NULL)
            FreeContextBuffer(piece.pvBuffer);
        if (status != SEC_I_CONTINUE_NEEDED || context->input.len == 0)
            return status;
    }
}

static int context_new(struct ext *ext, Tcl_Interp *interp, struct context *context, int objc, Tcl_Obj *const objv[],
                       int first)
{
    int code = TCL_OK;
    struct credentials *credentials = ext_get(ext, interp, EXT_CREDENTIALS, objv[1]);
    if (credentials == NULL)
        return TCL_ERROR;
    context->wanted = ISC_REQ_ALLOCATE_MEMORY; /* the same bit on both sides */
    context->drep = SECURITY_NETWORK_DREP;
    context->credentials = objv[1];
    Tcl_IncrRefCount(objv[1]);
    for (int i = first; code == TCL_OK && i < objc; i += 2)
        code = i + 1 == objc ? ext_misuse(interp, "%.100s wants a value", Tcl_GetString(objv[i]))
                             : option_take(interp, context, objv[i], objv[i + 1]);
    if (code != TCL_OK)
        return code;
    context->stream = credentials->stream;
    if (context->stream)
        context->wanted |= context->client ? (ULONG)ISC_REQ_STREAM : (ULONG)ASC_REQ_STREAM;
    SECURITY_STATUS status = advance(ext, context, &context->pending_token);
    if (status < 0 && status != SEC_E_INCOMPLETE_MESSAGE)
        return ext_fail_with(interp, "the handshake failed", status, context->cause, &context->pending_token);
    context->pending = 1;
    context->pending_status = status;
    ext_add(ext, interp, EXT_CONTEXT, context);
    return TCL_OK;
}

void context_release(struct context *context)
{
    if (context->has_handle)
        DeleteSecurityContext(&context->handle);
    ext_wipe(&context->pending_token);
    ext_wipe(&context->input);
    if (context->credentials != NULL)
        Tcl_DecrRefCount(context->credentials);
    ext_wipe(&context->target);
    free(context);
}

static int client_context(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct context *context;
    if (objc < 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "CREDENTIALS ?options?");
        return TCL_ERROR;
    }
    context = calloc(1, sizeof(*context));
    if (context == NULL)
        return ext_misuse(interp, "out of memory");
    context->client = 1;
    int code = context_new(data, interp, context, objc, objv, 2);
    if (code != TCL_OK)
        context_release(context);
    return code;
}

static int server_context(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct context *context;
    size_t len;
    if (objc < 3) {
        Tcl_WrongNumArgs(interp, 1, objv, "CREDENTIALS CLIENTDATA ?options?");
        return TCL_ERROR;
    }
    const unsigned char *bytes = ext_data(interp, objv[2], &len);
    if (bytes == NULL)
        return TCL_ERROR;
    context = calloc(1, sizeof(*context));
    if (context == NULL || !ext_take(&context->input, bytes, len)) {
        free(context);
        return ext_misuse(interp, "out of memory");
    }
    int code = context_new(data, interp, context, objc, objv, 3);
    if (code != TCL_OK)
        context_release(context);
    return code;
}

/* {done|continue|disconnected TOKEN ?EXTRA?} */
static int step_result(Tcl_Interp *interp, struct context *context, SECURITY_STATUS status, struct bytes *token)
{
    Tcl_Obj *parts[3];
    int n = 2;
    parts[0] = ext_text(status == SEC_E_OK ? "done" : status == SEC_I_CONTEXT_EXPIRED ? "disconnected" : "continue");
    parts[1] = ext_bytes(token->data, token->len);
    if (status == SEC_E_OK) {
        context->done = 1;
        if (context->input.len > 0) {
            parts[n++] = ext_bytes(context->input.data, context->input.len);
            ext_wipe(&context->input);
        }
    }
    ext_wipe(token);
    Tcl_SetObjResult(interp, Tcl_NewListObj(n, parts));
    return TCL_OK;
}

static int step(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct bytes token = {0};
    size_t len = 0;
    if (objc != 2 && objc != 3) {
        Tcl_WrongNumArgs(interp, 1, objv, "CONTEXT ?RESPONSE?");
        return TCL_ERROR;
    }
    struct context *context = ext_get(data, interp, EXT_CONTEXT, objv[1]);
    if (context == NULL)
        return TCL_ERROR;
    const unsigned char *bytes = objc == 3 ? ext_data(interp, objv[2], &len) : NULL;
    if (objc == 3 && bytes == NULL)
        return TCL_ERROR;
    if (context->broken)
        return ext_misuse(interp, "the handshake has failed: delete the context");
    if (context->pending && (len == 0 || context->pending_token.len > 0)) {
        /* What the first step gave, which was taken when the context was made. */
        if (len > 0)
            return ext_misuse(interp, "call sspi_step without a response first, and send what it returns");
        context->pending = 0;
        return step_result(interp, context, context->pending_status, &context->pending_token);
    }
    if (len > 0 && !ext_take(&context->input, bytes, len))
        return ext_misuse(interp, "out of memory");
    context->pending = 0;
    SECURITY_STATUS status = advance(data, context, &token);
    if (status < 0 && status != SEC_E_INCOMPLETE_MESSAGE) {
        context->broken = 1;
        ext_fail_with(interp, "the handshake failed", status, context->cause, &token);
        ext_wipe(&token);
        return TCL_ERROR;
    }
    return step_result(interp, context, status, &token);
}

static struct context *context_of(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "CONTEXT");
        return NULL;
    }
    struct context *context = ext_get(data, interp, EXT_CONTEXT, objv[1]);
    if (context != NULL && !context->has_handle) {
        ext_misuse(interp, "the context has not begun");
        return NULL;
    }
    return context;
}

static int features(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    const struct context *context = context_of(data, interp, objc, objv);
    if (context == NULL)
        return TCL_ERROR;
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    for (size_t i = 0; i < COUNT(flags); i++) {
        ULONG bit = context->client ? flags[i].client_granted : flags[i].server_granted;
        if (bit == 0)
            continue;
        Tcl_ListObjAppendElement(NULL, list, ext_text(flags[i].name));
        Tcl_ListObjAppendElement(NULL, list, Tcl_NewBooleanObj((context->granted & bit) != 0));
    }
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

static int sizes(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct context *context = context_of(data, interp, objc, objv);
    SecPkgContext_Sizes found;
    if (context == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, SECPKG_ATTR_SIZES, &found);
    if (status != SEC_E_OK)
        return ext_fail(interp, "the context tells no sizes", status);
    const struct {
        const char *name;
        ULONG value;
    } fields[] = {{"-maxtoken", found.cbMaxToken},
                  {"-maxsig", found.cbMaxSignature},
                  {"-blocksize", found.cbBlockSize},
                  {"-trailersize", found.cbSecurityTrailer}};
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    for (size_t i = 0; i < COUNT(fields); i++) {
        Tcl_ListObjAppendElement(NULL, list, ext_text(fields[i].name));
        Tcl_ListObjAppendElement(NULL, list, Tcl_NewWideIntObj(fields[i].value));
    }
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

static int username(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct context *context = context_of(data, interp, objc, objv);
    SecPkgContext_NamesA names;
    if (context == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK)
        return ext_fail(interp, "the context tells no name", status);
    Tcl_SetObjResult(interp, ext_text(names.sUserName));
    FreeContextBuffer(names.sUserName);
    return TCL_OK;
}

static int issuers(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct context *context = context_of(data, interp, objc, objv);
    SecPkgContext_IssuerListInfoEx list;
    if (context == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, SECPKG_ATTR_ISSUER_LIST_EX, &list);
    if (status != SEC_E_OK)
        return ext_fail(interp, "the server named no issuers", status);
    Tcl_Obj *result = Tcl_NewListObj(0, NULL);
    for (DWORD i = 0; i < list.cIssuers; i++) {
        char name[1024];
        if (CertNameToStrA(X509_ASN_ENCODING, &list.aIssuers[i], CERT_X500_NAME_STR, name, sizeof(name)) > 1)
            Tcl_ListObjAppendElement(NULL, result, ext_text(name));
    }
    if (list.aIssuers != NULL)
        FreeContextBuffer(list.aIssuers);
    Tcl_SetObjResult(interp, result);
    return TCL_OK;
}

static int certificate_of(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], ULONG attribute)
{
    struct context *context = context_of(data, interp, objc, objv);
    PCCERT_CONTEXT certificate = NULL;
    if (context == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, attribute, (void *)&certificate);
    if (status != SEC_E_OK)
        return ext_fail(interp, "there is no certificate", status);
    ext_add(data, interp, EXT_CERTIFICATE, (void *)(uintptr_t)certificate);
    return TCL_OK;
}

static int local_cert(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return certificate_of(data, interp, objc, objv, SECPKG_ATTR_LOCAL_CERT_CONTEXT);
}

static int remote_cert(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return certificate_of(data, interp, objc, objv, SECPKG_ATTR_REMOTE_CERT_CONTEXT);
}

/* {done|continue TOKEN}: our close_notify; the caller sends it. */
static int shutdown_context(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    DWORD order = SCHANNEL_SHUTDOWN;
    SecBuffer buffer = {sizeof(order), SECBUFFER_TOKEN, &order};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    struct bytes token = {0};
    struct context *context = context_of(data, interp, objc, objv);
    if (context == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = ApplyControlToken(&context->handle, &list);
    if (status < 0)
        return ext_fail(interp, "the context cannot be shut down", status);
    ext_wipe(&context->input);
    status = advance(data, context, &token);
    if (status < 0 && status != SEC_E_INCOMPLETE_MESSAGE) {
        ext_wipe(&token);
        return ext_fail(interp, "the context cannot be shut down", status);
    }
    Tcl_Obj *parts[2] = {ext_text(status == SEC_I_CONTINUE_NEEDED ? "continue" : "done"),
                         ext_bytes(token.data, token.len)};
    ext_wipe(&token);
    Tcl_SetObjResult(interp, Tcl_NewListObj(2, parts));
    return TCL_OK;
}

static int delete_context(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "CONTEXT");
        return TCL_ERROR;
    }
    return ext_drop(data, interp, EXT_CONTEXT, objv[1]);
}

void context_commands(Tcl_Interp *interp, struct ext *ext)
{
    static const struct ext_command commands[] = {
        {"sspi_client_context", client_context},
        {"sspi_server_context", server_context},
        {"sspi_step", step},
        {"sspi_context_features", features},
        {"sspi_context_sizes", sizes},
        {"sspi_context_username", username},
        {"sspi_issuers_accepted_by_peer", issuers},
        {"sspi_local_cert", local_cert},
        {"sspi_remote_cert", remote_cert},
        {"sspi_shutdown_context", shutdown_context},
        {"sspi_delete_context", delete_context},
    };
    ext_commands(interp, ext, commands, COUNT(commands));
}
