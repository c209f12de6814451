#include "ext.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKAGE_VERSION "4.2" /* of the package whose commands these are */

static const char *const prefixes[EXT_KINDS] = {"sspicred", "sspictx", "cert", "certstore"};

void ext_wipe(struct bytes *bytes)
{
    if (bytes->data != NULL)
        explicit_bzero(bytes->data, bytes->room);
    free(bytes->data);
    *bytes = (struct bytes){0};
}

int ext_reserve(struct bytes *bytes, size_t len)
{
    size_t needed = bytes->len + len + 1;
    if (needed <= bytes->room)
        return 1;
    /* At least twice the former room, so that many small pieces are not copied again for each. A fresh block, so that the former one can be wiped. */
    size_t room = needed < 2 * bytes->room ? 2 * bytes->room : needed;
    struct bytes larger = {malloc(room), bytes->len, room};
    if (larger.data == NULL)
        return 0;
    if (bytes->len > 0)
        memcpy(larger.data, bytes->data, bytes->len);
    ext_wipe(bytes);
    *bytes = larger;
    return 1;
}

int ext_take(struct bytes *bytes, const void *data, size_t len)
{
    if (!ext_reserve(bytes, len))
        return 0;
    if (len > 0)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
    bytes->data[bytes->len] = '\0'; /* for functions that take text */
    return 1;
}

void ext_cut(struct bytes *bytes, size_t len)
{
    if (len == 0)
        return;
    if (len >= bytes->len) {
        ext_wipe(bytes);
        return;
    }
    memmove(bytes->data, bytes->data + len, bytes->len - len);
    bytes->len -= len;
    explicit_bzero(bytes->data + bytes->len,
                   bytes->room - bytes->len); /* where records are opened, their text stands */
    /* What is left has not been opened: it is no secret where the smaller block lies elsewhere. */
    unsigned char *smaller = realloc(bytes->data, bytes->len + 1);
    if (smaller == NULL)
        return;
    bytes->data = smaller;
    bytes->room = bytes->len + 1;
}

int ext_utf8(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *bytes)
{
    Tcl_Size len = 0;
    const char *text = Tcl_GetStringFromObj(value, &len);
    Tcl_Encoding utf8 = Tcl_GetEncoding(interp, "utf-8");
    if (utf8 == NULL)
        return TCL_ERROR;
    if (len > INT_MAX - 8) { /* Tcl counts here in int, in Tcl 9 too */
        Tcl_FreeEncoding(utf8);
        return ext_misuse(interp, "text of 2 GiB");
    }
    /* It may be a password: one block, which does not grow, wiped afterwards. The encoding never takes more than Tcl's own form. */
    struct bytes own = {0};
    int written = 0, kept = 0;
    if (ext_reserve(&own, (size_t)len + 8) &&
        Tcl_UtfToExternal(interp, utf8, text, (int)len, TCL_ENCODING_START | TCL_ENCODING_END, NULL, (char *)own.data,
                          (int)len + 8, NULL, &written, NULL) == TCL_OK)
        kept = ext_take(bytes, own.data, (size_t)written);
    ext_wipe(&own);
    Tcl_FreeEncoding(utf8);
    return kept ? TCL_OK : ext_misuse(interp, "out of memory");
}

int ext_line(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *bytes)
{
    if (ext_utf8(interp, value, bytes) != TCL_OK)
        return TCL_ERROR;
    return memchr(bytes->data, '\0', bytes->len) == NULL ? TCL_OK : ext_misuse(interp, "there is a NUL in a text");
}

Tcl_Obj *ext_text(const char *text)
{
    Tcl_DString own;
    Tcl_Encoding utf8 = Tcl_GetEncoding(NULL, "utf-8");
    if (utf8 == NULL)
        return Tcl_NewStringObj(text, -1);
    Tcl_ExternalToUtfDString(utf8, text, -1, &own);
    Tcl_FreeEncoding(utf8);
    Tcl_Obj *value = Tcl_NewStringObj(Tcl_DStringValue(&own), Tcl_DStringLength(&own));
    Tcl_DStringFree(&own);
    return value;
}

Tcl_Obj *ext_bytes(const void *data, size_t len)
{
    return Tcl_NewByteArrayObj(data, (Tcl_Size)len);
}

const unsigned char *ext_data(Tcl_Interp *interp, Tcl_Obj *value, size_t *len)
{
    Tcl_Size n = 0;
    const unsigned char *bytes;
    int good = 1;
    /* Letters that a value of bytes has too are what it was made of: Tcl 8.6 cut them off, and kept them. */
    if (value->bytes != NULL || value->typePtr == NULL || strcmp(value->typePtr->name, "bytearray") != 0) {
        bytes = (const unsigned char *)Tcl_GetStringFromObj(value, &n);
        for (Tcl_Size i = 0; i < n && good; i++)
            good = bytes[i] < 0xC4; /* what begins U+0100 in UTF-8 */
    }
    n = 0;
    bytes = good ? Tcl_GetByteArrayFromObj(value, &n) : NULL;
    if (bytes == NULL)
        ext_misuse(interp, "binary data has no letters above 255");
    *len = (size_t)n;
    return bytes;
}

int ext_misuse(Tcl_Interp *interp, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    Tcl_SetObjResult(interp, ext_text(text));
    return TCL_ERROR;
}

int ext_fail(Tcl_Interp *interp, const char *what, SECURITY_STATUS status)
{
    return ext_fail_with(interp, what, status, OpenSspiLastErrorText(), NULL);
}

int ext_fail_with(Tcl_Interp *interp, const char *what, SECURITY_STATUS status, const char *cause,
                  const struct bytes *token)
{
    const char *name = OpenSspiStatusName(status);
    char text[1024];
    snprintf(text, sizeof(text), "%s: %s (0x%08X)%s%s", what, name, (unsigned)status, *cause == '\0' ? "" : ": ",
             cause);
    int n = 3;
    Tcl_Obj *code[4] = {ext_text("TWAPI_WIN32"), Tcl_NewWideIntObj((int)status), ext_text(text)};
    if (token != NULL && token->len > 0)
        code[n++] = ext_bytes(token->data, token->len);
    Tcl_SetObjErrorCode(interp, Tcl_NewListObj(n, code));
    Tcl_SetObjResult(interp, ext_text(text));
    return TCL_ERROR;
}

static void release(enum ext_kind kind, void *thing)
{
    switch (kind) {
    case EXT_CREDENTIALS:
        FreeCredentialsHandle(&((struct credentials *)thing)->handle);
        free(thing);
        break;
    case EXT_CONTEXT:
        context_release(thing);
        break;
    case EXT_CERTIFICATE:
        CertFreeCertificateContext(thing);
        break;
    default:
        CertCloseStore(thing, 0);
    }
}

Tcl_Obj *ext_name(struct ext *ext, enum ext_kind kind, void *thing)
{
    char name[40];
    int fresh;
    snprintf(name, sizeof(name), "%s#%lu", prefixes[kind], ++ext->next);
    Tcl_SetHashValue(Tcl_CreateHashEntry(&ext->handles[kind], name, &fresh), thing);
    return ext_text(name);
}

void ext_add(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, void *thing)
{
    Tcl_SetObjResult(interp, ext_name(ext, kind, thing));
}

void *ext_get(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, Tcl_Obj *name)
{
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&ext->handles[kind], Tcl_GetString(name));
    if (entry != NULL)
        return Tcl_GetHashValue(entry);
    if (interp != NULL)
        ext_misuse(interp, "\"%.200s\" is no handle \"%s#...\", or was released", Tcl_GetString(name), prefixes[kind]);
    return NULL;
}

int ext_drop(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, Tcl_Obj *name)
{
    void *thing = ext_get(ext, interp, kind, name);
    if (thing == NULL)
        return TCL_ERROR;
    Tcl_DeleteHashEntry(Tcl_FindHashEntry(&ext->handles[kind], Tcl_GetString(name)));
    release(kind, thing);
    return TCL_OK;
}

/* Contexts go before the credentials that they were made with. */
static void ext_end(void *data, Tcl_Interp *interp)
{
    static const enum ext_kind order[EXT_KINDS] = {EXT_CONTEXT, EXT_CREDENTIALS, EXT_CERTIFICATE, EXT_STORE};
    struct ext *ext = data;
    (void)interp;
    for (size_t i = 0; i < EXT_KINDS; i++) {
        Tcl_HashSearch search;
        for (Tcl_HashEntry *entry = Tcl_FirstHashEntry(&ext->handles[order[i]], &search); entry != NULL;
             entry = Tcl_NextHashEntry(&search))
            release(order[i], Tcl_GetHashValue(entry));
        Tcl_DeleteHashTable(&ext->handles[order[i]]);
    }
    free(ext);
}

void ext_commands(Tcl_Interp *interp, struct ext *ext, const struct ext_command *commands, size_t n_commands)
{
    Tcl_Namespace *space = Tcl_FindNamespace(interp, "::twapi", NULL, 0);
    for (size_t i = 0; i < n_commands; i++) {
        char name[80];
        snprintf(name, sizeof(name), "::twapi::%s", commands[i].name);
        Tcl_CreateObjCommand(interp, name, commands[i].run, ext, NULL);
        Tcl_Export(interp, space, commands[i].name, 0);
    }
}

__attribute__((visibility("default"))) int Twapi_crypto_Init(Tcl_Interp *interp);

int Twapi_crypto_Init(Tcl_Interp *interp)
{
    if (Tcl_InitStubs(interp, "8.6-", 0) == NULL)
        return TCL_ERROR;
    struct ext *ext = calloc(1, sizeof(*ext));
    if (ext == NULL)
        return ext_misuse(interp, "out of memory");
    for (size_t i = 0; i < EXT_KINDS; i++)
        Tcl_InitHashTable(&ext->handles[i], TCL_STRING_KEYS);
    Tcl_CallWhenDeleted(interp, ext_end, ext);
    if (Tcl_FindNamespace(interp, "::twapi", NULL, 0) == NULL &&
        Tcl_CreateNamespace(interp, "::twapi", NULL, NULL) == NULL)
        return TCL_ERROR;
    conceal_commands(interp, ext);
    credentials_commands(interp, ext);
    context_commands(interp, ext);
    message_commands(interp, ext);
    certificate_commands(interp, ext);
    return Tcl_PkgProvide(interp, "twapi_crypto", PACKAGE_VERSION);
}
