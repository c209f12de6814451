/* Packages, identities, credentials. */
#include "ext.h"

#include <credssp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CERTIFICATES_MAX 16

static const struct {
    const char *name;
    ULONG bit;
} capabilities[] = {
    {"integrity", SECPKG_FLAG_INTEGRITY},
    {"privacy", SECPKG_FLAG_PRIVACY},
    {"tokenonly", SECPKG_FLAG_TOKEN_ONLY},
    {"datagram", SECPKG_FLAG_DATAGRAM},
    {"connection", SECPKG_FLAG_CONNECTION},
    {"multirequired", SECPKG_FLAG_MULTI_REQUIRED},
    {"clientonly", SECPKG_FLAG_CLIENT_ONLY},
    {"extendederror", SECPKG_FLAG_EXTENDED_ERROR},
    {"impersonation", SECPKG_FLAG_IMPERSONATION},
    {"acceptwin32name", SECPKG_FLAG_ACCEPT_WIN32_NAME},
    {"stream", SECPKG_FLAG_STREAM},
    {"negotiable", SECPKG_FLAG_NEGOTIABLE},
    {"gsscompatible", SECPKG_FLAG_GSS_COMPATIBLE},
    {"logon", SECPKG_FLAG_LOGON},
    {"asciibuffers", SECPKG_FLAG_ASCII_BUFFERS},
    {"fragment", SECPKG_FLAG_FRAGMENT},
    {"mutualauth", SECPKG_FLAG_MUTUAL_AUTH},
    {"delegation", SECPKG_FLAG_DELEGATION},
    {"readonlywithchecksum", SECPKG_FLAG_READONLY_WITH_CHECKSUM},
};

enum package_field {
    FIELD_ALL,
    FIELD_CAPABILITIES,
    FIELD_COMMENT,
    FIELD_RPCID,
    FIELD_MAXTOKENSIZE,
    FIELD_NAME,
    FIELD_VERSION
};

static Tcl_Obj *package_value(const SecPkgInfoA *package, enum package_field field)
{
    Tcl_Obj *list;
    switch (field) {
    case FIELD_CAPABILITIES:
        list = Tcl_NewListObj(0, NULL);
        for (size_t i = 0; i < COUNT(capabilities); i++)
            if ((package->fCapabilities & capabilities[i].bit) != 0)
                Tcl_ListObjAppendElement(NULL, list, ext_text(capabilities[i].name));
        return list;
    case FIELD_COMMENT:
        return ext_text(package->Comment);
    case FIELD_RPCID:
        return Tcl_NewWideIntObj(package->wRPCID);
    case FIELD_MAXTOKENSIZE:
        return Tcl_NewWideIntObj(package->cbMaxToken);
    case FIELD_NAME:
        return ext_text(package->Name);
    default:
        return Tcl_NewWideIntObj(package->wVersion);
    }
}

static int enumerate_packages(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const words[] = {"-all",          "-capabilities", "-comment", "-rpcid",
                                        "-maxtokensize", "-name",         "-version", NULL};
    int wanted[COUNT(words)] = {0};
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    (void)data;
    for (int i = 1; i < objc; i++) {
        int at;
        if (Tcl_GetIndexFromObj(interp, objv[i], words, "option", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        for (size_t j = 0; j < COUNT(words); j++)
            if (at == FIELD_ALL || (int)j == at)
                wanted[j] = 1;
    }
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&n_packages, &packages);
    if (status != SEC_E_OK)
        return ext_fail(interp, "cannot list the packages", status);
    Tcl_Obj *result = objc == 1 ? Tcl_NewListObj(0, NULL) : Tcl_NewDictObj();
    for (ULONG i = 0; i < n_packages; i++) {
        if (objc == 1) {
            Tcl_ListObjAppendElement(NULL, result, ext_text(packages[i].Name));
            continue;
        }
        Tcl_Obj *fields = Tcl_NewDictObj();
        for (int field = FIELD_CAPABILITIES; field <= FIELD_VERSION; field++)
            if (wanted[field])
                Tcl_DictObjPut(NULL, fields, ext_text(words[field]),
                               package_value(&packages[i], (enum package_field)field));
        Tcl_DictObjPut(NULL, result, ext_text(packages[i].Name), fields);
    }
    FreeContextBuffer(packages);
    Tcl_SetObjResult(interp, result);
    return TCL_OK;
}

/* {USER DOMAIN CONCEALED}: what comes out of here shows no password. */
static int winnt_identity(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)data;
    if (objc != 4) {
        Tcl_WrongNumArgs(interp, 1, objv, "USER DOMAIN PASSWORD");
        return TCL_ERROR;
    }
    struct bytes text = {0};
    int code = ext_reveal(interp, objv[3], &text);
    ext_wipe(&text);
    Tcl_Obj *password = code == TCL_CONTINUE ? ext_conceal(interp, objv[3]) : objv[3];
    if (code == TCL_ERROR || password == NULL)
        return TCL_ERROR;
    Tcl_Obj *parts[3] = {objv[1], objv[2], password};
    Tcl_SetObjResult(interp, Tcl_NewListObj(3, parts));
    return TCL_OK;
}

struct schannel {
    SCHANNEL_CRED credential;
    PCCERT_CONTEXT certificates[CERTIFICATES_MAX];
};

static int set_protocols(Tcl_Interp *interp, Tcl_Obj *list, DWORD *protocols)
{
    static const char *const words[] = {"ssl2", "ssl3", "tls1", "tls1.1", "tls1.2", "tls1.3", NULL};
    static const DWORD bits[] = {SP_PROT_SSL2,   SP_PROT_SSL3,   SP_PROT_TLS1,
                                 SP_PROT_TLS1_1, SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    Tcl_Size n;
    Tcl_Obj **elements;
    if (Tcl_ListObjGetElements(interp, list, &n, &elements) != TCL_OK)
        return TCL_ERROR;
    for (Tcl_Size i = 0; i < n; i++) {
        int at;
        if (Tcl_GetIndexFromObj(interp, elements[i], words, "protocol", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        *protocols |= bits[at];
    }
    return TCL_OK;
}

static int set_strength(Tcl_Interp *interp, Tcl_Obj *list, SCHANNEL_CRED *credential)
{
    Tcl_Size n;
    Tcl_Obj **elements;
    int value[2];
    if (Tcl_ListObjGetElements(interp, list, &n, &elements) != TCL_OK)
        return TCL_ERROR;
    if (n < 1 || n > 2)
        return ext_misuse(interp, "-cipherstrength wants one or two numbers of bits");
    for (Tcl_Size i = 0; i < n; i++)
        if (Tcl_GetIntFromObj(interp, elements[i], &value[i]) != TCL_OK)
            return TCL_ERROR;
    credential->dwMinimumCipherStrength = (DWORD)value[0];
    credential->dwMaximumCipherStrength = (DWORD)value[n - 1];
    return TCL_OK;
}

static int set_certificates(struct ext *ext, Tcl_Interp *interp, Tcl_Obj *list, struct schannel *schannel)
{
    Tcl_Size n;
    Tcl_Obj **elements;
    if (Tcl_ListObjGetElements(interp, list, &n, &elements) != TCL_OK)
        return TCL_ERROR;
    if (n > CERTIFICATES_MAX)
        return ext_misuse(interp, "at most %d certificates", CERTIFICATES_MAX);
    for (Tcl_Size i = 0; i < n; i++) {
        schannel->certificates[i] = ext_get(ext, interp, EXT_CERTIFICATE, elements[i]);
        if (schannel->certificates[i] == NULL)
            return TCL_ERROR;
    }
    schannel->credential.cCreds = (DWORD)n;
    schannel->credential.paCred = schannel->certificates;
    return TCL_OK;
}

/* From the options of sspi_schannel_credentials, which are kept as they were given: handles count when credentials are acquired. */
static int schannel_read(struct ext *ext, Tcl_Interp *interp, Tcl_Size n, Tcl_Obj *const options[],
                         struct schannel *schannel)
{
    static const char *const words[] = {"-certificates", "-cipherstrength",  "-protocols",
                                        "-rootstore",    "-sessionlifespan", NULL};
    *schannel = (struct schannel){.credential = {.dwVersion = SCHANNEL_CRED_VERSION}};
    for (Tcl_Size i = 0; i < n; i += 2) {
        int at, number, code = TCL_OK;
        if (Tcl_GetIndexFromObj(interp, options[i], words, "option", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        if (i + 1 == n)
            return ext_misuse(interp, "%s wants a value", words[at]);
        Tcl_Obj *value = options[i + 1];
        if (at == 0) {
            code = set_certificates(ext, interp, value, schannel);
        } else if (at == 1) {
            code = set_strength(interp, value, &schannel->credential);
        } else if (at == 2) {
            code = set_protocols(interp, value, &schannel->credential.grbitEnabledProtocols);
        } else if (at == 3) {
            schannel->credential.hRootStore = ext_get(ext, interp, EXT_STORE, value);
            code = schannel->credential.hRootStore == NULL ? TCL_ERROR : TCL_OK;
        } else {
            code = Tcl_GetIntFromObj(interp, value, &number);
            if (code == TCL_OK && number < 0)
                code = ext_misuse(interp, "-sessionlifespan wants milliseconds");
            else if (code == TCL_OK)
                schannel->credential.dwSessionLifespan = (DWORD)number;
        }
        if (code != TCL_OK)
            return code;
    }
    return TCL_OK;
}

static int schannel_credentials(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct schannel schannel;
    if (schannel_read(data, interp, objc - 1, objv + 1, &schannel) != TCL_OK)
        return TCL_ERROR;
    Tcl_SetObjResult(interp, Tcl_NewListObj(objc - 1, objv + 1));
    return TCL_OK;
}

struct acquisition {
    Tcl_Obj *credentials;
    const char *package;
    struct bytes principal; /* to be wiped */
    int expiration;
    ULONG use;
};

static int acquisition_read(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], struct acquisition *wanted)
{
    static const char *const words[] = {"-credentials", "-getexpiration", "-package", "-principal", "-role", NULL};
    static const char *const roles[] = {"client", "outbound", "server", "inbound", "both", NULL};
    static const ULONG uses[] = {SECPKG_CRED_OUTBOUND, SECPKG_CRED_OUTBOUND, SECPKG_CRED_INBOUND, SECPKG_CRED_INBOUND,
                                 SECPKG_CRED_BOTH};
    *wanted = (struct acquisition){.package = "NTLM", .use = SECPKG_CRED_BOTH};
    for (int i = 1; i < objc; i++) {
        int at, role;
        if (Tcl_GetIndexFromObj(interp, objv[i], words, "option", TCL_EXACT, &at) != TCL_OK)
            return TCL_ERROR;
        if (at == 1) {
            wanted->expiration = 1;
            continue;
        }
        if (++i == objc)
            return ext_misuse(interp, "%s wants a value", words[at]);
        if (at == 0)
            wanted->credentials = objv[i];
        else if (at == 2)
            wanted->package = Tcl_GetString(objv[i]);
        else if (at == 3) {
            ext_wipe(&wanted->principal);
            if (ext_line(interp, objv[i], &wanted->principal) != TCL_OK)
                return TCL_ERROR;
        } else if (Tcl_GetIndexFromObj(interp, objv[i], roles, "role", TCL_EXACT, &role) != TCL_OK)
            return TCL_ERROR;
        else
            wanted->use = uses[role];
    }
    return TCL_OK;
}

/* The identity points into the texts (user, domain, password), which the caller wipes. */
static int identity_read(Tcl_Interp *interp, Tcl_Size n, Tcl_Obj *const parts[], struct bytes texts[3],
                         SEC_WINNT_AUTH_IDENTITY_A *identity)
{
    int code = n == 3 ? ext_reveal(interp, parts[2], &texts[2]) : TCL_CONTINUE;
    if (code == TCL_CONTINUE)
        return ext_misuse(interp, "-credentials wants what sspi_winnt_identity_credentials returned");
    if (code != TCL_OK || ext_utf8(interp, parts[0], &texts[0]) != TCL_OK ||
        ext_utf8(interp, parts[1], &texts[1]) != TCL_OK)
        return TCL_ERROR;
    identity->User = texts[0].data;
    identity->UserLength = (ULONG)texts[0].len;
    identity->Domain = texts[1].data;
    identity->DomainLength = (ULONG)texts[1].len;
    identity->Password = texts[2].data;
    identity->PasswordLength = (ULONG)texts[2].len;
    identity->Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    return TCL_OK;
}

static int package_is_stream(Tcl_Interp *interp, const char *package, int *stream)
{
    PSecPkgInfoA info;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)(uintptr_t)package, &info);
    if (status != SEC_E_OK)
        return ext_fail(interp, "there is no such package", status);
    *stream = (info->fCapabilities & SECPKG_FLAG_STREAM) != 0;
    FreeContextBuffer(info);
    return TCL_OK;
}

/* What -credentials holds, as the package takes it: *secret is NULL for default credentials. */
static int secret_read(struct ext *ext, Tcl_Interp *interp, const struct acquisition *wanted, int stream,
                       struct schannel *schannel, struct bytes texts[3], SEC_WINNT_AUTH_IDENTITY_A *identity,
                       void **secret)
{
    Tcl_Size n = 0;
    Tcl_Obj **parts = NULL;
    int code = TCL_OK;
    if (wanted->credentials != NULL && Tcl_ListObjGetElements(interp, wanted->credentials, &n, &parts) != TCL_OK)
        return TCL_ERROR;
    if (n == 0)
        return TCL_OK;
    if (strcasecmp(wanted->package, CREDSSP_NAME_A) == 0 || strcasecmp(wanted->package, TS_SSP_NAME_A) == 0)
        return ext_misuse(interp, "%s takes no -credentials here", wanted->package); /* a structure of its own */
    if (stream)
        code = schannel_read(ext, interp, n, parts, schannel);
    else
        code = identity_read(interp, n, parts, texts, identity);
    *secret = stream ? (void *)&schannel->credential : (void *)identity;
    return code;
}

static int acquire(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    struct ext *ext = data;
    struct acquisition wanted;
    struct schannel schannel;
    struct bytes texts[3] = {{0}};
    SEC_WINNT_AUTH_IDENTITY_A identity = {0};
    TimeStamp expiry = {0};
    void *secret = NULL;
    int stream = 0;
    struct credentials *credentials = calloc(1, sizeof(*credentials));
    if (credentials == NULL)
        return ext_misuse(interp, "out of memory");
    int code = acquisition_read(interp, objc, objv, &wanted);
    if (code == TCL_OK)
        code = package_is_stream(interp, wanted.package, &stream);
    credentials->stream = stream;
    if (code == TCL_OK)
        code = secret_read(ext, interp, &wanted, stream, &schannel, texts, &identity, &secret);
    if (code == TCL_OK) {
        SECURITY_STATUS status =
            AcquireCredentialsHandleA((SEC_CHAR *)wanted.principal.data, (SEC_CHAR *)(uintptr_t)wanted.package,
                                      wanted.use, NULL, secret, NULL, NULL, &credentials->handle, &expiry);
        if (status != SEC_E_OK)
            code = ext_fail(interp, "cannot get credentials", status);
    }
    ext_wipe(&wanted.principal);
    for (size_t i = 0; i < COUNT(texts); i++)
        ext_wipe(&texts[i]);
    if (code != TCL_OK) {
        free(credentials);
        return code;
    }
    Tcl_Obj *name = ext_name(ext, EXT_CREDENTIALS, credentials);
    if (!wanted.expiration) {
        Tcl_SetObjResult(interp, name);
        return TCL_OK;
    }
    Tcl_WideInt time = (Tcl_WideInt)((uint64_t)(uint32_t)expiry.HighPart << 32 | (uint32_t)expiry.LowPart);
    Tcl_Obj *pair[4] = {ext_text("-handle"), name, ext_text("-expiration"), Tcl_NewWideIntObj(time)};
    Tcl_SetObjResult(interp, Tcl_NewListObj(4, pair));
    return TCL_OK;
}

static int free_credentials(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc != 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "CREDENTIALS");
        return TCL_ERROR;
    }
    return ext_drop(data, interp, EXT_CREDENTIALS, objv[1]);
}

void credentials_commands(Tcl_Interp *interp, struct ext *ext)
{
    static const struct ext_command commands[] = {
        {"sspi_enumerate_packages", enumerate_packages},     {"sspi_acquire_credentials", acquire},
        {"sspi_free_credentials", free_credentials},         {"sspi_winnt_identity_credentials", winnt_identity},
        {"sspi_schannel_credentials", schannel_credentials},
    };
    ext_commands(interp, ext, commands, COUNT(commands));
}
