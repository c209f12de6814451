/*
 * NTLM step by step: a test stands between client and server, or plays one of them with messages that no honest peer makes.
 * Configure with loop_configure first.
 */
#ifndef OPENSSPI_TESTS_NTLM_DUEL_H
#define OPENSSPI_TESTS_NTLM_DUEL_H

#include "base/slice.h"
#include "ntlm/messages.h"

#include <sspi.h>

struct token {
    uint8_t data[4096];
    size_t len;
};

static inline struct slice token_slice(const struct token *token)
{
    return slice_of(token->data, token->len);
}

struct duel {
    /* set before the first step, all optional */
    ULONG client_flags, server_flags;
    const char *target;
    const char *client_bindings, *server_bindings; /* application data of channel bindings */
    /* results */
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
    ULONG client_attributes, server_attributes;
    struct token out; /* what the last step wants sent */
};

/* Acquires alice's credential and the server's; fails the test when it cannot. */
void duel_begin(struct duel *duel);
SECURITY_STATUS duel_client(struct duel *duel, struct slice in);
SECURITY_STATUS duel_server(struct duel *duel, struct slice in);
/* Deletes the contexts, so that another handshake can begin under the same credentials. */
void duel_restart(struct duel *duel);
void duel_end(struct duel *duel);
/* The three messages of an honest handshake up to AUTHENTICATE, which is not delivered. */
void duel_honest(struct duel *duel, struct token *negotiate, struct token *challenge, struct token *authenticate);

/* Time stands still and random bytes repeat from here on: two handshakes are alike byte by byte. */
void duel_freeze(void);
void duel_thaw(void);
#define DUEL_TIME INT64_C(133500000000000000)

enum craft_kind { CRAFT_V2, CRAFT_LMV2, CRAFT_V1, CRAFT_V1_EXTENDED };

/* An AUTHENTICATE of alice's, made here and not by the library's client. */
struct craft {
    enum craft_kind kind;
    uint32_t flags;       /* 0: those of the challenge */
    struct slice pairs;   /* with end pair; data NULL: the server's as they are */
    uint64_t timestamp;   /* of the client's blob; 0: DUEL_TIME */
    bool mic;             /* field and value; the pairs have to promise it themselves */
    const char *user;     /* alice where NULL */
    const char *hashed;   /* the domain that the response is computed with; EXAMPLE, as the message says, where NULL */
    bool no_session_key;  /* although KEY_EXCH is agreed */
    uint8_t *session_key; /* out: 16 bytes; NULL: not wanted */
};
void craft_authenticate(const struct craft *craft, const struct token *negotiate, const struct token *challenge,
                        struct token *authenticate);
/* The server's pairs without those of `left_out` (-1: none), then `more` and an end pair. */
void craft_pairs(const struct token *challenge, int left_out, struct slice more, struct token *pairs);
void craft_append_pair(struct token *pairs, unsigned id, const void *value, size_t len);
/* A copy of a challenge with other flags and pairs. */
void craft_challenge(const struct token *challenge, uint32_t flags, struct slice pairs, struct token *out);

#endif
