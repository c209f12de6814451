/*
 * Concealed texts, passwords above all: values that hold a text encrypted for this process, by the key of SspiEncryptAuthIdentity. Nothing else holds
 * it: who lets go of the value lets go of the text. A value is "concealed#" and hexadecimal digits, as a string as good as any other.
 */
#include "ext.h"

#include <string.h>

#define PREFIX "concealed#"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define TEXT_MAX 65000 /* packed credentials have 16-bit lengths */

/* An identity without names whose packed credentials are of a type that no package knows: it opens nothing if somebody hands it to one. */
struct form {
    SEC_WINNT_AUTH_IDENTITY_EX2 identity;
    SEC_WINNT_AUTH_PACKED_CREDENTIALS packed;
};
static const GUID text_type = {0x2d4f6a1c, 0x93b7, 0x4e58, {0x8a, 0x1d, 0x6c, 0x0e, 0x57, 0xb2, 0xf4, 0x39}};

static int form_make(const struct bytes *text, struct bytes *whole)
{
    struct form form;
    memset(&form, 0, sizeof(form)); /* the holes, too */
    form.identity.Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2;
    form.identity.cbHeaderLength = sizeof(form.identity);
    form.identity.cbStructureLength = (ULONG)(sizeof(form) + text->len);
    form.identity.PackedCredentialsOffset = sizeof(form.identity);
    form.identity.PackedCredentialsLength = (unsigned short)(sizeof(form.packed) + text->len);
    form.identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED |
                          SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER | SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN;
    form.packed.cbHeaderLength = sizeof(form.packed);
    form.packed.cbStructureLength = form.identity.PackedCredentialsLength;
    form.packed.AuthData.CredType = text_type;
    form.packed.AuthData.CredData.ByteArrayOffset = sizeof(form.packed);
    form.packed.AuthData.CredData.ByteArrayLength = (unsigned short)text->len;
    return ext_reserve(whole, sizeof(form) + text->len) && ext_take(whole, &form, sizeof(form)) &&
           ext_take(whole, text->data, text->len);
}

static int seal(Tcl_Interp *interp, const struct bytes *text, char **sealed, ULONG *len)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    struct bytes whole = {0};
    if (!form_make(text, &whole)) {
        ext_wipe(&whole);
        return ext_misuse(interp, "out of memory");
    }
    SECURITY_STATUS status = SspiUnmarshalAuthIdentity((ULONG)whole.len, (char *)whole.data, &identity);
    ext_wipe(&whole);
    if (status == SEC_E_OK)
        status = SspiEncryptAuthIdentity(identity);
    if (status == SEC_E_OK)
        status = SspiMarshalAuthIdentity(identity, len, sealed);
    int code = status == SEC_E_OK ? TCL_OK : ext_fail(interp, "the text cannot be concealed", status);
    SspiFreeAuthIdentity(identity);
    return code;
}

Tcl_Obj *ext_conceal(Tcl_Interp *interp, Tcl_Obj *text)
{
    static const char digits[] = "0123456789abcdef";
    struct bytes plain = {0}, value = {0};
    Tcl_Obj *concealed = NULL;
    char *sealed = NULL;
    ULONG len = 0;
    if (ext_utf8(interp, text, &plain) != TCL_OK)
        return NULL;
    if (plain.len > TEXT_MAX) {
        ext_wipe(&plain);
        ext_misuse(interp, "a text of more than %d bytes cannot be concealed", TEXT_MAX);
        return NULL;
    }
    int code = seal(interp, &plain, &sealed, &len);
    ext_wipe(&plain);
    if (code == TCL_OK && ext_reserve(&value, PREFIX_LEN + 2 * (size_t)len)) {
        ext_take(&value, PREFIX, PREFIX_LEN);
        for (ULONG i = 0; i < len; i++) {
            const char pair[2] = {digits[(unsigned char)sealed[i] >> 4], digits[sealed[i] & 15]};
            ext_take(&value, pair, sizeof(pair));
        }
        concealed = Tcl_NewStringObj((const char *)value.data, (Tcl_Size)value.len);
    } else if (code == TCL_OK)
        ext_misuse(interp, "out of memory");
    SspiLocalFree(sealed);
    ext_wipe(&value);
    return concealed;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that a value spells; TCL_CONTINUE when it is no concealed text. */
static int sealed_of(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *sealed)
{
    Tcl_Size n = 0;
    const char *text = Tcl_GetStringFromObj(value, &n);
    size_t len = (size_t)n;
    if (len <= PREFIX_LEN || (len - PREFIX_LEN) % 2 != 0 || memcmp(text, PREFIX, PREFIX_LEN) != 0)
        return TCL_CONTINUE;
    for (size_t i = PREFIX_LEN; i < len; i++)
        if (digit_of(text[i]) < 0)
            return TCL_CONTINUE;
    if (!ext_reserve(sealed, (len - PREFIX_LEN) / 2))
        return ext_misuse(interp, "out of memory");
    for (size_t i = PREFIX_LEN; i < len; i += 2)
        sealed->data[sealed->len++] = (unsigned char)(digit_of(text[i]) << 4 | digit_of(text[i + 1]));
    return TCL_OK;
}

/* The text of an identity that has been decrypted, which nobody could alter. */
static SECURITY_STATUS text_take(PSEC_WINNT_AUTH_IDENTITY_OPAQUE opaque, struct bytes *text)
{
    const unsigned char *start = opaque;
    const SEC_WINNT_AUTH_IDENTITY_EX2 *identity = opaque;
    SEC_WINNT_AUTH_PACKED_CREDENTIALS packed;
    if (identity->PackedCredentialsLength < sizeof(packed))
        return SEC_E_DECRYPT_FAILURE;
    memcpy(&packed, start + identity->PackedCredentialsOffset, sizeof(packed));
    const SEC_WINNT_AUTH_BYTE_VECTOR *data = &packed.AuthData.CredData;
    if (memcmp(&packed.AuthData.CredType, &text_type, sizeof(text_type)) != 0 ||
        data->ByteArrayOffset > identity->PackedCredentialsLength ||
        data->ByteArrayLength > identity->PackedCredentialsLength - data->ByteArrayOffset)
        return SEC_E_DECRYPT_FAILURE;
    return ext_take(text, start + identity->PackedCredentialsOffset + data->ByteArrayOffset, data->ByteArrayLength)
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

int ext_reveal(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *text)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity = NULL;
    struct bytes sealed = {0};
    int code = sealed_of(interp, value, &sealed);
    if (code != TCL_OK)
        return code;
    SECURITY_STATUS status = SspiUnmarshalAuthIdentity((ULONG)sealed.len, (char *)sealed.data, &identity);
    ext_wipe(&sealed);
    /* Without encryption it is somebody's own: what is not of this process proves nothing. */
    if (status == SEC_E_OK && !SspiIsAuthIdentityEncrypted(identity))
        status = SEC_E_DECRYPT_FAILURE;
    if (status == SEC_E_OK)
        status = SspiDecryptAuthIdentity(identity);
    if (status == SEC_E_OK)
        status = text_take(identity, text);
    if (status != SEC_E_OK) /* told before the next call forgets why */
        code = ext_fail(interp, "the concealed text is of another process, or was altered",
                        status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_DECRYPT_FAILURE);
    SspiFreeAuthIdentity(identity);
    return code;
}

/* conceal TEXT: a value for it, in which no trace or error message shows it. */
static int conceal(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)data;
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "TEXT");
        return TCL_ERROR;
    }
    Tcl_Obj *concealed = ext_conceal(interp, objv[1]);
    if (concealed == NULL)
        return TCL_ERROR;
    Tcl_SetObjResult(interp, concealed);
    return TCL_OK;
}

static int reveal(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct bytes plain = {0};
    Tcl_DString text;
    (void)data;
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "CONCEALED");
        return TCL_ERROR;
    }
    int code = ext_reveal(interp, objv[1], &plain);
    if (code != TCL_OK)
        return code == TCL_CONTINUE ? ext_misuse(interp, "this was not made by conceal") : code;
    Tcl_Encoding utf8 = Tcl_GetEncoding(interp, "utf-8");
    if (utf8 != NULL) {
        /* By its length, an int in Tcl 8.6: there may be a NUL in it. */
        Tcl_ExternalToUtfDString(utf8, (const char *)plain.data, (int)plain.len, &text);
        Tcl_FreeEncoding(utf8);
        Tcl_DStringResult(interp, &text);
    }
    ext_wipe(&plain);
    return utf8 != NULL ? TCL_OK : TCL_ERROR;
}

void conceal_commands(Tcl_Interp *interp, struct ext *ext)
{
    static const struct ext_command commands[] = {{"conceal", conceal}, {"reveal", reveal}};
    ext_commands(interp, ext, commands, COUNT(commands));
}
