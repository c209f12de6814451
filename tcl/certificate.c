/* The certificate handles that TLS credentials and contexts need. */
#include "ext.h"

#include <stdio.h>

static PCCERT_CONTEXT certificate_of(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc == 2)
        return ext_get(data, interp, EXT_CERTIFICATE, objv[1]);
    Tcl_WrongNumArgs(interp, 1, objv, "CERTIFICATE");
    return NULL;
}

/* cert_import_pem CERTFILE ?KEYFILE ?PASSWORD??: ours; on Windows certificates with keys come out of stores. */
static int import_pem(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    PCCERT_CONTEXT certificate;
    if (objc < 2 || objc > 4) {
        Tcl_WrongNumArgs(interp, 1, objv, "CERTFILE ?KEYFILE? ?PASSWORD?");
        return TCL_ERROR;
    }
    struct bytes revealed = {0};
    int code = objc > 3 ? ext_reveal(interp, objv[3], &revealed) : TCL_CONTINUE;
    if (code == TCL_ERROR)
        return TCL_ERROR;
    struct bytes file = {0}, key = {0};
    if (code == TCL_CONTINUE)
        code = objc > 3 ? ext_line(interp, objv[3], &revealed) : TCL_OK;
    if (code == TCL_OK)
        code = ext_line(interp, objv[1], &file);
    if (code == TCL_OK && objc > 2)
        code = ext_line(interp, objv[2], &key);
    if (code == TCL_OK) {
        SECURITY_STATUS status = OpenSspiCertificateFromPem((const char *)file.data, (const char *)key.data,
                                                            (const char *)revealed.data, &certificate);
        if (status != SEC_E_OK)
            code = ext_fail(interp, "the certificate cannot be read", status);
    }
    ext_wipe(&revealed);
    ext_wipe(&file);
    ext_wipe(&key);
    if (code != TCL_OK)
        return code;
    ext_add(data, interp, EXT_CERTIFICATE, (void *)(uintptr_t)certificate);
    return TCL_OK;
}

static int release(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return certificate_of(data, interp, objc, objv) == NULL ? TCL_ERROR
                                                            : ext_drop(data, interp, EXT_CERTIFICATE, objv[1]);
}

static int name_of(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], DWORD flags)
{
    char name[1024];
    PCCERT_CONTEXT certificate = certificate_of(data, interp, objc, objv);
    if (certificate == NULL)
        return TCL_ERROR;
    if (CertGetNameStringA(certificate, CERT_NAME_RDN_TYPE, flags, NULL, name, sizeof(name)) == 0)
        return ext_misuse(interp, "the certificate has no such name");
    Tcl_SetObjResult(interp, ext_text(name));
    return TCL_OK;
}

static int subject_name(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return name_of(data, interp, objc, objv, 0);
}

static int issuer_name(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return name_of(data, interp, objc, objv, CERT_NAME_ISSUER_FLAG);
}

static int thumbprint(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    BYTE hash[20];
    DWORD len = sizeof(hash);
    char text[2 * sizeof(hash) + 1];
    PCCERT_CONTEXT certificate = certificate_of(data, interp, objc, objv);
    if (certificate == NULL)
        return TCL_ERROR;
    if (!CertGetCertificateContextProperty(certificate, CERT_SHA1_HASH_PROP_ID, hash, &len) || len != sizeof(hash))
        return ext_misuse(interp, "the certificate has no thumbprint");
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    Tcl_SetObjResult(interp, ext_text(text));
    return TCL_OK;
}

/* The certificate's bytes, in DER. */
static int export(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    PCCERT_CONTEXT certificate = certificate_of(data, interp, objc, objv);
    if (certificate == NULL)
        return TCL_ERROR;
    Tcl_SetObjResult(interp, ext_bytes(certificate->pbCertEncoded, certificate->cbCertEncoded));
    return TCL_OK;
}

static int store_open(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "FILE");
        return TCL_ERROR;
    }
    struct bytes file = {0};
    if (ext_line(interp, objv[1], &file) != TCL_OK) {
        ext_wipe(&file);
        return TCL_ERROR;
    }
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, X509_ASN_ENCODING, 0,
                                     CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG, file.data);
    ext_wipe(&file);
    if (store == NULL)
        return ext_misuse(interp, "no certificates can be read from \"%.200s\": %s", Tcl_GetString(objv[1]),
                          OpenSspiLastErrorText());
    ext_add(data, interp, EXT_STORE, store);
    return TCL_OK;
}

static int store_release(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc == 2)
        return ext_drop(data, interp, EXT_STORE, objv[1]);
    Tcl_WrongNumArgs(interp, 1, objv, "STORE");
    return TCL_ERROR;
}

void certificate_commands(Tcl_Interp *interp, struct ext *ext)
{
    static const struct ext_command commands[] = {
        {"cert_import_pem", import_pem},      {"cert_release", release},
        {"cert_subject_name", subject_name},  {"cert_issuer_name", issuer_name},
        {"cert_thumbprint", thumbprint},      {"cert_export", export},
        {"cert_file_store_open", store_open}, {"cert_store_release", store_release},
    };
    ext_commands(interp, ext, commands, COUNT(commands));
}
