/* Messages: signed, sealed, and streams. */
#include "ext.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX (16U << 20) /* of one call; larger data is several messages */

struct message_options {
    int qop, seq;
};

static int options_read(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int first, struct message_options *options)
{
    static const char *const words[] = {"-qop", "-seqnum", NULL};
    *options = (struct message_options){0};
    for (int i = first; i < objc; i += 2) {
        int at;
        if (Tcl_GetIndexFromObj(interp, objv[i], words, "option", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        if (i + 1 == objc)
            return ext_misuse(interp, "%s wants a value", words[at]);
        if (Tcl_GetIntFromObj(interp, objv[i + 1], at == 0 ? &options->qop : &options->seq) != TCL_OK)
            return TCL_ERROR;
    }
    return TCL_OK;
}

static struct context *ready(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int min,
                             const char *usage, int stream)
{
    if (objc < min) {
        Tcl_WrongNumArgs(interp, 1, objv, usage);
        return NULL;
    }
    struct context *context = ext_get(data, interp, EXT_CONTEXT, objv[1]);
    if (context == NULL)
        return NULL;
    if (!context->done && context->pending_status != SEC_E_OK) {
        ext_misuse(interp, "the handshake is not done");
        return NULL;
    }
    if (!context->has_handle || context->stream != stream) {
        ext_misuse(interp,
                   stream
                       ? "the context is no stream: use sspi_encrypt, sspi_decrypt, sspi_sign and sspi_verify_signature"
                       : "the context is a stream: use sspi_encrypt_stream and sspi_decrypt_stream");
        return NULL;
    }
    return context;
}

/* A copy to work in, with `before` and `after` bytes of room. */
static int room_make(Tcl_Interp *interp, Tcl_Obj *data, size_t before, size_t after, struct bytes *room, size_t *len)
{
    const unsigned char *bytes = ext_data(interp, data, len);
    if (bytes == NULL)
        return TCL_ERROR;
    if (*len > MESSAGE_MAX)
        return ext_misuse(interp, "a message has at most %u bytes", MESSAGE_MAX);
    *room = (struct bytes){0};
    if (!ext_reserve(room, before + *len + after))
        return ext_misuse(interp, "out of memory");
    room->len = before + *len + after;
    memset(room->data, 0, before);
    memcpy(room->data + before, bytes, *len);
    memset(room->data + before + *len, 0, after + 1);
    return TCL_OK;
}

/* The context of a call that protects a message, its options and the context's sizes; NULL after an error. */
static struct context *protecting(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                                  const char *arguments, struct message_options *options, SecPkgContext_Sizes *sizes)
{
    struct context *context = ready(data, interp, objc, objv, 3, arguments, 0);
    if (context == NULL || options_read(interp, objc, objv, 3, options) != TCL_OK)
        return NULL;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, SECPKG_ATTR_SIZES, sizes);
    if (status == SEC_E_OK)
        return context;
    ext_fail(interp, "the context tells no sizes", status);
    return NULL;
}

static int encrypt(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct message_options options;
    SecPkgContext_Sizes sizes;
    struct bytes room = {0};
    size_t len = 0;
    struct context *context = protecting(data, interp, objc, objv, "CONTEXT BINDATA ?options?", &options, &sizes);
    if (context == NULL)
        return TCL_ERROR;
    ULONG trailer = sizes.cbSecurityTrailer, padding = sizes.cbBlockSize;
    if (room_make(interp, objv[2], trailer, padding, &room, &len) != TCL_OK)
        return TCL_ERROR;
    SecBuffer buffers[3] = {{trailer, SECBUFFER_TOKEN, room.data},
                            {(ULONG)len, SECBUFFER_DATA, room.data + trailer},
                            {padding, SECBUFFER_PADDING, room.data + trailer + len}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    SECURITY_STATUS status = EncryptMessage(&context->handle, (ULONG)options.qop, &list, (ULONG)options.seq);
    if (status == SEC_E_OK) {
        Tcl_Obj *parts[3];
        for (int i = 0; i < 3; i++)
            parts[i] = ext_bytes(buffers[i].pvBuffer, buffers[i].cbBuffer);
        Tcl_SetObjResult(interp, Tcl_NewListObj(3, parts));
    }
    ext_wipe(&room);
    return status == SEC_E_OK ? TCL_OK : ext_fail(interp, "the message cannot be encrypted", status);
}

static int decrypt(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct message_options options;
    struct bytes room = {0};
    struct context *context =
        ready(data, interp, objc, objv, 5, "CONTEXT ENCRYPTTOKEN ENCRYPTEDDATA PADDING ?options?", 0);
    if (context == NULL || options_read(interp, objc, objv, 5, &options) != TCL_OK)
        return TCL_ERROR;
    size_t at[4] = {0};
    for (int i = 0; i < 3; i++) {
        size_t n;
        const unsigned char *bytes = ext_data(interp, objv[2 + i], &n);
        if (bytes == NULL || n > MESSAGE_MAX || !ext_take(&room, bytes, n)) {
            ext_wipe(&room);
            return bytes == NULL ? TCL_ERROR : ext_misuse(interp, "the message is too long");
        }
        at[i + 1] = room.len;
    }
    SecBuffer buffers[3] = {{(ULONG)at[1], SECBUFFER_TOKEN, room.data},
                            {(ULONG)(at[2] - at[1]), SECBUFFER_DATA, room.data + at[1]},
                            {(ULONG)(at[3] - at[2]), SECBUFFER_PADDING, room.data + at[2]}};
    SecBufferDesc list = {SECBUFFER_VERSION, at[3] > at[2] ? 3 : 2, buffers};
    SECURITY_STATUS status = DecryptMessage(&context->handle, &list, (ULONG)options.seq, NULL);
    if (status == SEC_E_OK)
        Tcl_SetObjResult(interp, ext_bytes(buffers[1].pvBuffer, buffers[1].cbBuffer));
    ext_wipe(&room);
    return status == SEC_E_OK ? TCL_OK : ext_fail(interp, "the message cannot be decrypted", status);
}

static int sign(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct message_options options;
    SecPkgContext_Sizes sizes;
    struct bytes room = {0};
    size_t len = 0;
    struct context *context = protecting(data, interp, objc, objv, "CONTEXT DATA ?options?", &options, &sizes);
    if (context == NULL)
        return TCL_ERROR;
    if (room_make(interp, objv[2], sizes.cbMaxSignature, 0, &room, &len) != TCL_OK)
        return TCL_ERROR;
    SecBuffer buffers[2] = {{sizes.cbMaxSignature, SECBUFFER_TOKEN, room.data},
                            {(ULONG)len, SECBUFFER_DATA, room.data + sizes.cbMaxSignature}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = MakeSignature(&context->handle, (ULONG)options.qop, &list, (ULONG)options.seq);
    if (status == SEC_E_OK) {
        Tcl_Obj *parts[2] = {ext_bytes(buffers[0].pvBuffer, buffers[0].cbBuffer), objv[2]};
        Tcl_SetObjResult(interp, Tcl_NewListObj(2, parts));
    }
    ext_wipe(&room);
    return status == SEC_E_OK ? TCL_OK : ext_fail(interp, "the message cannot be signed", status);
}

static int verify(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct message_options options;
    struct bytes signature, text;
    size_t signature_len, len;
    ULONG qop = 0;
    struct context *context = ready(data, interp, objc, objv, 4, "CONTEXT SIGNATURE DATA ?options?", 0);
    if (context == NULL || options_read(interp, objc, objv, 4, &options) != TCL_OK ||
        room_make(interp, objv[2], 0, 0, &signature, &signature_len) != TCL_OK)
        return TCL_ERROR;
    if (room_make(interp, objv[3], 0, 0, &text, &len) != TCL_OK) {
        ext_wipe(&signature);
        return TCL_ERROR;
    }
    SecBuffer buffers[2] = {{(ULONG)signature_len, SECBUFFER_TOKEN, signature.data},
                            {(ULONG)len, SECBUFFER_DATA, text.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = VerifySignature(&context->handle, &list, (ULONG)options.seq, &qop);
    ext_wipe(&signature);
    ext_wipe(&text);
    if (status != SEC_E_OK)
        return ext_fail(interp, "the signature is not valid", status);
    Tcl_SetObjResult(interp, Tcl_NewWideIntObj(qop));
    return TCL_OK;
}

/* The records of all the data, each made where it stays: the room for all of them is there before the first. */
static int records_make(Tcl_Interp *interp, struct context *context, Tcl_Obj *data, int qop, struct bytes *records)
{
    SecPkgContext_StreamSizes sizes;
    size_t n;
    const unsigned char *bytes = ext_data(interp, data, &n);
    if (bytes == NULL)
        return TCL_ERROR;
    SECURITY_STATUS status = QueryContextAttributesA(&context->handle, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status == SEC_E_OK && sizes.cbMaximumMessage == 0) /* other people's packages say so themselves */
        status = SEC_E_UNSUPPORTED_FUNCTION;
    if (status == SEC_E_OK && n > 0 &&
        !ext_reserve(records, n + (n / sizes.cbMaximumMessage + 1) * (sizes.cbHeader + sizes.cbTrailer)))
        return ext_misuse(interp, "out of memory");
    for (size_t at = 0; status == SEC_E_OK && at < n;) {
        size_t len = n - at < sizes.cbMaximumMessage ? n - at : sizes.cbMaximumMessage;
        unsigned char *record = records->data + records->len;
        memcpy(record + sizes.cbHeader, bytes + at, len);
        SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                                {(ULONG)len, SECBUFFER_DATA, record + sizes.cbHeader},
                                {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + len},
                                {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
        status = EncryptMessage(&context->handle, (ULONG)qop, &list, 0);
        if (status == SEC_E_OK)
            records->len += (size_t)buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
        at += len;
    }
    return status == SEC_E_OK ? TCL_OK : ext_fail(interp, "the data cannot be encrypted", status);
}

static int encrypt_stream(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct message_options options;
    struct bytes records = {0};
    struct context *context = ready(data, interp, objc, objv, 3, "CONTEXT BINDATA ?options?", 1);
    if (context == NULL || options_read(interp, objc, objv, 3, &options) != TCL_OK)
        return TCL_ERROR;
    int code = records_make(interp, context, objv[2], options.qop, &records);
    if (code == TCL_OK)
        Tcl_SetObjResult(interp, ext_bytes(records.data, records.len));
    ext_wipe(&records);
    return code;
}

/* CONTEXT BINDATA CHANNEL ?-qop N? ?-flush BOOL? */
static int encrypt_and_write(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const words[] = {"-qop", "-flush", NULL};
    struct bytes records = {0};
    int mode, qop = 0, flush = 1;
    struct context *context = ready(data, interp, objc, objv, 4, "CONTEXT BINDATA CHANNEL ?options?", 1);
    if (context == NULL)
        return TCL_ERROR;
    for (int i = 4; i < objc; i += 2) {
        int at;
        if (Tcl_GetIndexFromObj(interp, objv[i], words, "option", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        if (i + 1 == objc)
            return ext_misuse(interp, "%s wants a value", words[at]);
        if ((at == 0 ? Tcl_GetIntFromObj(interp, objv[i + 1], &qop)
                     : Tcl_GetBooleanFromObj(interp, objv[i + 1], &flush)) != TCL_OK)
            return TCL_ERROR;
    }
    Tcl_Channel channel = Tcl_GetChannel(interp, Tcl_GetString(objv[3]), &mode);
    if (channel == NULL)
        return TCL_ERROR;
    if ((mode & TCL_WRITABLE) == 0)
        return ext_misuse(interp, "channel \"%.100s\" was not opened for writing", Tcl_GetString(objv[3]));
    int code = records_make(interp, context, objv[2], qop, &records);
    if (code == TCL_OK && (Tcl_Write(channel, (const char *)records.data, (Tcl_Size)records.len) < 0 ||
                           (flush && Tcl_Flush(channel) != TCL_OK)))
        code = ext_misuse(interp, "cannot write to \"%.100s\": %s", Tcl_GetString(objv[3]), Tcl_PosixError(interp));
    ext_wipe(&records);
    return code;
}

/* One record of the input, at *at, which goes on to the next; *go_on is 0 when more bytes are needed, or something else than data came. */
static SECURITY_STATUS record_open(struct context *context, size_t *at, struct bytes *text, int *go_on)
{
    SecBuffer buffers[4] = {{(ULONG)(context->input.len - *at), SECBUFFER_DATA, context->input.data + *at}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    size_t rest = 0;
    SECURITY_STATUS status = DecryptMessage(&context->handle, &list, 0, NULL);
    *go_on = status == SEC_E_OK;
    if (status == SEC_E_INCOMPLETE_MESSAGE)
        return SEC_E_OK;
    if (status < 0)
        return status;
    for (int i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_DATA && !ext_take(text, buffers[i].pvBuffer, buffers[i].cbBuffer))
            return SEC_E_INSUFFICIENT_MEMORY;
        if (buffers[i].BufferType == SECBUFFER_EXTRA)
            rest = buffers[i].cbBuffer;
    }
    *at = context->input.len - rest;
    return status;
}

/* {ok|expired|renegotiate TEXT} */
static int decrypt_stream(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct bytes text = {0};
    SECURITY_STATUS status = SEC_E_OK;
    int go_on = 1;
    size_t len, at = 0;
    struct context *context = ready(data, interp, objc, objv, 3, "CONTEXT ENCRYPTEDDATA", 1);
    if (context == NULL)
        return TCL_ERROR;
    const unsigned char *bytes = ext_data(interp, objv[2], &len);
    if (bytes == NULL)
        return TCL_ERROR;
    if (context->failed < 0) {
        status = context->failed;
        context->failed = SEC_E_OK;
        return ext_fail_with(interp, "the data cannot be decrypted", status, context->cause, NULL);
    }
    if (!ext_take(&context->input, bytes, len))
        return ext_misuse(interp, "out of memory");
    while (status == SEC_E_OK && go_on && at < context->input.len)
        status = record_open(context, &at, &text, &go_on);
    ext_cut(&context->input, at);
    if (status < 0 && text.len > 0) { /* how the bytes were cut is no matter: what is good is handed out first */
        context->failed = status;
        snprintf(context->cause, sizeof(context->cause), "%s", OpenSspiLastErrorText());
    } else if (status < 0) {
        ext_wipe(&text);
        return ext_fail(interp, "the data cannot be decrypted", status);
    }
    Tcl_Obj *parts[2] = {ext_text(status == SEC_I_CONTEXT_EXPIRED ? "expired"
                                  : status == SEC_I_RENEGOTIATE   ? "renegotiate"
                                                                  : "ok"),
                         ext_bytes(text.data, text.len)};
    ext_wipe(&text);
    Tcl_SetObjResult(interp, Tcl_NewListObj(2, parts));
    return TCL_OK;
}

void message_commands(Tcl_Interp *interp, struct ext *ext)
{
    static const struct ext_command commands[] = {
        {"sspi_encrypt", encrypt},
        {"sspi_decrypt", decrypt},
        {"sspi_sign", sign},
        {"sspi_verify_signature", verify},
        {"sspi_encrypt_stream", encrypt_stream},
        {"sspi_encrypt_and_write", encrypt_and_write},
        {"sspi_decrypt_stream", decrypt_stream},
    };
    ext_commands(interp, ext, commands, COUNT(commands));
}
