/*
 * One side of a handshake, by the public interface: what connect, listen, get and bench share.
 */
#ifndef OPENSSPI_CLI_PEER_H
#define OPENSSPI_CLI_PEER_H

#include "cli.h"

#include <sspi.h>

struct peer {
    CredHandle credential;
    CtxtHandle context;
    bool has_credential, has_context, client, stream, credssp;
    bool insists; /* on the server's proof: a client's options name the flag */
    const char *package, *target;
    ULONG wanted, granted;
    SecPkgContext_Sizes sizes;
    SecPkgContext_StreamSizes stream_sizes;
    const SecPkgContext_Bindings *bindings; /* may be NULL */
};

/* Package, flags and credentials as the options say. Asks for a password where --user is given. */
int peer_open(struct peer *peer, const struct cli_options *options, bool client, ULONG default_flags);
/* The same for requests of HTTP, of which alone WDigest makes its tokens. */
int peer_open_http(struct peer *peer, const struct cli_options *options, ULONG default_flags);
/* "integrity,MUTUAL-AUTH,ISC_REQ_DELEGATE" */
int peer_flags_parse(const char *text, bool client, ULONG *flags);
void peer_close(struct peer *peer);
/* Ours. */
enum cli_side peer_side(const struct peer *peer);
/* Ends the context: the next step begins another one. */
void peer_forget(struct peer *peer);
#define AUTO_PEER __attribute__((cleanup(peer_close)))

/* One step: `token` receives what must be sent, even where the status is an error; free it with FreeContextBuffer. *n_extra counts the bytes at the
 * end of `in` that were not used. */
SECURITY_STATUS peer_step(struct peer *peer, struct slice in, SecBuffer *token, size_t *n_extra);
/* After the handshake: the sizes. */
SECURITY_STATUS peer_ready(struct peer *peer);
/* What was agreed, a line each, on standard error. */
void peer_describe(struct peer *peer);
/* Seals (or signs, where only that was agreed) into `sealed`: the length of the token in four bytes, token, data, padding. */
SECURITY_STATUS peer_protect(struct peer *peer, struct slice text, struct writer *sealed);
SECURITY_STATUS peer_unprotect(struct peer *peer, struct slice sealed, struct writer *text);
/* After the handshake: is the peer proved to us, where the options insist? TLS proves its servers by their certificates, whatever the flags. */
bool peer_proved(const struct peer *peer);
/* Says that it is not; gives CLI_REFUSED. */
int peer_unproved(void);
bool peer_seals(const struct peer *peer);
bool peer_signs(const struct peer *peer);

#endif
