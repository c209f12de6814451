/*
 * Access tokens: who somebody is, to this computer. Immutable and counted; a duplicate of another type or level shares the facts.
 */
#ifndef OPENSSPI_ACCESS_TOKEN_H
#define OPENSSPI_ACCESS_TOKEN_H

#include "access/behalf.h"
#include "access/sid.h"
#include "access/unix_ids.h"
#include <sspi.h>
#include <stdatomic.h>

/* Windows' own logon sessions have small numbers (0x3e7 is the system's); ours have a random upper half. */
#define LUID_ANONYMOUS 0x3e6
#define TOKEN_SOURCE_LEN 8

struct token_group {
    struct sid sid;
    uint32_t attributes; /* GROUP_* */
};

struct token_facts {
    atomic_uint n_references;
    struct sid user, primary_group, logon_sid;
    struct token_group *groups; /* an array of mem_*, without the user */
    size_t n_groups;
    uint64_t logon_id;             /* a LUID: of the logon session */
    int64_t logon_time;            /* FILETIME: when that began, as far as is known here */
    uint64_t origin;               /* the logon session that made it, 0 for the network */
    char source[TOKEN_SOURCE_LEN]; /* the package, cut and padded with NULs */
    uint64_t source_id;
    char *account, *domain; /* as the package calls the client; NULL where unknown */
    char *principal;        /* "user@REALM", or NULL */
    int64_t expiry;         /* FILETIME */
    bool anonymous;
    struct unix_ids unix_ids;
};

struct token {
    atomic_uint n_references;
    struct token_facts *facts;
    bool primary;
    SECURITY_IMPERSONATION_LEVEL level; /* of impersonation tokens */
    uint64_t id;
    const struct behalf *behalf; /* what a thread that acts with it authenticates with; NULL: nothing */
};

/* A token over facts, one reference of which it takes over, also when there is no memory. NULL then. `behalf` is something to act with, which it
 * retains unless the token's level is too low for it; NULL: nothing. */
const struct token *token_new(struct token_facts *facts, bool primary, SECURITY_IMPERSONATION_LEVEL level,
                              const struct behalf *behalf);
/* Of a fresh token that nobody else has yet: which logon session it stands for, and who had it made (cut to TOKEN_SOURCE_LEN; NULL: as it is). */
void token_attribute(const struct token *fresh, uint64_t logon_id, const char *source, size_t source_len);
/* The same facts in another guise. What the new level is too low for is not in it, and not in what is made of it later. */
const struct token *token_duplicate(const struct token *token, bool primary, SECURITY_IMPERSONATION_LEVEL level);
const struct token *token_retain(const struct token *token);
void token_release(const struct token *token); /* NULL is fine */
static inline void token_cleanup(const struct token **token)
{
    token_release(*token);
}
#define AUTO_TOKEN __attribute__((cleanup(token_cleanup)))

/* Zeroed facts with one reference, room for `n_groups` and a logon session of their own. SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR without
 * randomness. */
SECURITY_STATUS token_facts_new(size_t n_groups, struct token_facts **facts);
void token_facts_release(struct token_facts *facts);
/* This process has one logon session, whoever asks for its token and how often: the facts become those of it. SEC_E_INTERNAL_ERROR without
 * randomness. */
SECURITY_STATUS token_facts_of_process(struct token_facts *facts);
/* Adds a group unless it is there. The room must suffice. */
void token_facts_add(struct token_facts *facts, const struct sid *sid, uint32_t attributes);
/* Adds a group whose attributes are known here, whatever somebody else said of it. The room must suffice. */
void token_facts_put(struct token_facts *facts, const struct sid *sid, uint32_t attributes);

/* May a thread act with it? Nobody's token may, whose level is the lowest; others need that of impersonation, whoever lowered theirs. */
bool token_may_act(const struct token *token);
/* May this SID open a door: the user's, or that of an enabled group that is not only for denying? */
bool token_has(const struct token *token, const struct sid *sid);
/* May it close one? Deny-only groups count here. */
bool token_has_to_deny(const struct token *token, const struct sid *sid);

#endif
