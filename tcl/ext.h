/*
 * The Tcl package twapi_crypto: what its files share. It speaks public headers alone, of Tcl by stubs.
 *
 * Handles are names in a table of the interpreter: a stale or foreign one is an error, never a crash. When the interpreter goes, all go.
 */
#ifndef OPENSSPI_TCL_EXT_H
#define OPENSSPI_TCL_EXT_H

#include <schannel.h>
#include <sspi.h>
#include <sspi_ext.h>
#include <tcl.h>
#include <wincrypt.h>

#if TCL_MAJOR_VERSION < 9 && !defined(TCL_SIZE_MAX)
typedef int Tcl_Size;
#endif

#define EXT_INTERN __attribute__((visibility("hidden")))

enum ext_kind { EXT_CREDENTIALS, EXT_CONTEXT, EXT_CERTIFICATE, EXT_STORE, EXT_KINDS };

struct bytes {
    unsigned char *data;
    size_t len, room; /* behind `len` there may be room for more */
};

struct credentials {
    CredHandle handle;
    int stream; /* of a package that speaks streams: TLS */
};

struct context {
    CtxtHandle handle;
    int has_handle, client, stream, done, broken;
    int pending; /* the first step is done, and not yet told */
    SECURITY_STATUS pending_status;
    struct bytes pending_token;
    Tcl_Obj *credentials; /* the name: it must live while the handshake does */
    struct bytes target;
    ULONG wanted, granted, drep;
    struct bytes input;     /* received, not yet used */
    char cause[512];        /* of the last failure, which freeing its token would forget */
    SECURITY_STATUS failed; /* of a stream's record, told when the good ones before it have been taken */
};

struct ext {
    Tcl_HashTable handles[EXT_KINDS];
    unsigned long next;
};

/* Names a thing, which the table then owns; NULL-free. The name becomes the interpreter's result. */
EXT_INTERN void ext_add(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, void *thing);
EXT_INTERN Tcl_Obj *ext_name(struct ext *ext, enum ext_kind kind, void *thing);
/* The thing, or NULL with an error message in the interpreter (which may be NULL). */
EXT_INTERN void *ext_get(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, Tcl_Obj *name);
/* Releases the thing and its name; TCL_ERROR for a name that names nothing. */
EXT_INTERN int ext_drop(struct ext *ext, Tcl_Interp *interp, enum ext_kind kind, Tcl_Obj *name);
/* TCL_ERROR with a message, and errorCode {TWAPI_WIN32 STATUS MESSAGE}. */
EXT_INTERN int ext_fail(Tcl_Interp *interp, const char *what, SECURITY_STATUS status);
/* The same with a cause that was kept, and a token (or NULL) for the peer, which becomes errorCode's fourth element. */
EXT_INTERN int ext_fail_with(Tcl_Interp *interp, const char *what, SECURITY_STATUS status, const char *cause,
                             const struct bytes *token);
EXT_INTERN int ext_misuse(Tcl_Interp *interp, const char *format, ...) __attribute__((format(printf, 2, 3)));
EXT_INTERN Tcl_Obj *ext_text(const char *text);
EXT_INTERN Tcl_Obj *ext_bytes(const void *data, size_t len);
/* The bytes of a value, which stay its; NULL with an error message when it has letters above 255 (Tcl 8.6 would cut them off, Tcl 9 gives none). */
EXT_INTERN const unsigned char *ext_data(Tcl_Interp *interp, Tcl_Obj *value, size_t *len);
/* Room for `len` more and a NUL: a larger block takes the place of one that is too small, which is wiped. 0 without memory. */
EXT_INTERN int ext_reserve(struct bytes *bytes, size_t len);
/* Appends; behind the bytes stands a NUL, which is none of them. 0 without memory. */
EXT_INTERN int ext_take(struct bytes *bytes, const void *data, size_t len);
/* Drops the first `len` bytes, and room that the others do not need. */
EXT_INTERN void ext_cut(struct bytes *bytes, size_t len);
EXT_INTERN void ext_wipe(struct bytes *bytes);
/* Appends a value's text in UTF-8, which Tcl 8.6 has otherwise for letters beyond U+FFFF, and any Tcl for NUL. TCL_ERROR with a message without
 * memory. */
EXT_INTERN int ext_utf8(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *bytes);

/* The same for a file's name or a password, which a NUL ends: TCL_ERROR also for a text with one in it. To be wiped. */
EXT_INTERN int ext_line(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *bytes);

/* A value that conceals a text; NULL with a message. */
EXT_INTERN Tcl_Obj *ext_conceal(Tcl_Interp *interp, Tcl_Obj *text);
/* The text of such a value, in UTF-8, to be wiped. TCL_CONTINUE when the value is none; TCL_ERROR with a message when it cannot be decrypted. */
EXT_INTERN int ext_reveal(Tcl_Interp *interp, Tcl_Obj *value, struct bytes *text);

EXT_INTERN void conceal_commands(Tcl_Interp *interp, struct ext *ext);
EXT_INTERN void credentials_commands(Tcl_Interp *interp, struct ext *ext);
EXT_INTERN void context_commands(Tcl_Interp *interp, struct ext *ext);
EXT_INTERN void context_release(struct context *context);
EXT_INTERN void message_commands(Tcl_Interp *interp, struct ext *ext);
EXT_INTERN void certificate_commands(Tcl_Interp *interp, struct ext *ext);

struct ext_command {
    const char *name;
    Tcl_ObjCmdProc *run;
};
EXT_INTERN void ext_commands(Tcl_Interp *interp, struct ext *ext, const struct ext_command *commands,
                             size_t n_commands);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
