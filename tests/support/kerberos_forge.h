/*
 * Tickets and AP-REQs of any content, for tests that are their own KDC: whoever has the service's key can write them. What libkrb5 can do (cipher
 * texts, checksums) it does here, so that the library is tested against another implementation.
 */
#ifndef OPENSSPI_TESTS_KERBEROS_FORGE_H
#define OPENSSPI_TESTS_KERBEROS_FORGE_H

#include "kerberos/ap.h"
#include "kerberos/checksum.h"
#include "kerberos/delegated.h"

#define FORGE_REALM "EXAMPLE.TEST"
#define FORGE_CLIENT "alice@EXAMPLE.TEST"
#define FORGE_SERVER "host/server.example.test@EXAMPLE.TEST"

struct forge {
    /* the ticket */
    struct krb_key service, session;
    const char *server, *client; /* "part/part@REALM", without escapes */
    bool no_kvno, no_start_time;
    uint32_t kvno, flags;
    int64_t auth_time, start_time, end_time, renew_till; /* renew_till 0: none */
    int64_t transited_type;
    const char *transited;
    bool with_addresses;
    struct slice authorization; /* content of AuthorizationData; data NULL: none */
    /* the authenticator */
    const char *authenticator_client; /* NULL: the ticket's */
    struct krb_key authenticator_key; /* enctype 0: the session key */
    struct krb_key subkey;            /* enctype 0: none */
    bool no_checksum;
    int32_t checksum_type;
    struct gss_checksum checksum;
    int64_t time;
    uint32_t microseconds, seq;
    struct slice restrictions; /* authorization data: content of AuthorizationData; data NULL: none but enctypes */
    const int32_t *enctypes;   /* of RFC 4537 */
    size_t n_enctypes;
    /* the AP-REQ */
    uint32_t options;
    bool raw; /* without GSS framing */
};

/* An honest request of now, with keys of this type: the service key is forge_key(enctype, 1), the session key forge_key(enctype, 2), the subkey 3. */
void forge_begin(struct forge *forge, int32_t enctype);
/* The same key for the same numbers. */
struct krb_key forge_key(int32_t enctype, uint8_t seed);

/* "part/part@REALM" in place; the name borrows from `text`. */
struct krb_name forge_name(const char *text);
/* EncTicketPart and Ticket (RFC 4120 5.3). */
void forge_ticket_part(struct writer *writer, const struct forge *forge);
void forge_ticket(struct writer *writer, const struct forge *forge);
/* A Ticket around any plain text. */
void forge_ticket_around(struct writer *writer, const struct forge *forge, struct slice plain);
/* AP-REQ around a Ticket and the authenticator's plain text; each NULL: made of `forge`. */
void forge_request(struct writer *writer, const struct forge *forge, const struct slice *ticket,
                   const struct slice *authenticator);
void forge_authenticator(struct writer *writer, const struct forge *forge);
/* What AcceptSecurityContext takes. */
void forge_token(struct writer *writer, const struct forge *forge);

/* Encrypts with libkrb5 (krb5_c_encrypt), and its keyed checksum of an encryption type. */
void forge_encrypt(struct writer *writer, const struct krb_key *key, int32_t usage, struct slice plain);
void forge_checksum(const struct krb_key *key, int32_t usage, struct slice text, uint8_t *mac, size_t mac_len);

#define FORGE_DELEGATED_MAX 1024
/* What a server's session keeps of FORGE_CLIENT: a ticket for `server`, good for an hour; how many bytes it has. */
size_t forge_delegated(enum kerberos_delegated kind, const char *server, uint8_t bytes[FORGE_DELEGATED_MAX]);

/* One element of AuthorizationData, and AD-IF-RELEVANT around a list of them. */
void forge_authdata(struct writer *writer, int32_t type, struct slice data);
void forge_if_relevant(struct writer *writer, struct slice list);
/* A PAC as an MIT KDC writes it, for the forge's client and auth_time, signed with its service key: CLIENT_INFO, server and KDC signature, and before
 * them `more`, parts of unit/kerberos/pac_builder.h. */
struct pac_part;
void forge_pac(struct writer *writer, const struct forge *forge, const struct pac_part *more, size_t n_more);

#endif
