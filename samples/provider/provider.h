/*
 * SharedKey: a small security package, to be read. Two sides that know one user name and one password prove it to each other, and sign messages
 * afterwards. It encrypts nothing. docs/writing-a-package.md walks through it.
 *
 * What it is not: an authority of names, a protection against a weak password (whoever listens can try passwords at leisure), or a protocol that
 * anybody but this sample speaks.
 *
 *   client  "SK1" 0, 16 random bytes, the user name in UTF-16LE
 *   server  16 random bytes, 32 bytes HMAC(key, "server", all of the first message, these 16 bytes)
 *   client  32 bytes HMAC(key, "client", all of the first message, all of the second one)
 *
 * key = HMAC-SHA256("SharedKey", password in UTF-16LE); session key = HMAC(key, "session", both messages);
 * a signature = HMAC(session key, direction, number of the message, its data).
 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_LEN 32
#define NONCE_LEN 16
#define USER_MAX 128 /* characters */
#define FIRST_MAX (4 + NONCE_LEN + 2 * USER_MAX)
#define SECOND_LEN (NONCE_LEN + KEY_LEN)
#define MAX_TOKEN 512

struct credential {
    uint16_t user[USER_MAX];
    size_t n_user;
    uint8_t key[KEY_LEN];
};

enum state { FRESH, WAITING, DONE, FAILED };

struct context {
    bool client;
    enum state state;
    ULONG flags;
    uint8_t first[FIRST_MAX], second[SECOND_LEN]; /* the messages as they were sent */
    size_t first_len;
    uint8_t key[KEY_LEN], session_key[KEY_LEN];
    uint16_t user[USER_MAX + 1];
    uint64_t sent, received;
};

/* A piece of what is hashed. */
struct piece {
    const void *data;
    size_t len;
};

bool key_hmac(const uint8_t *key, size_t key_len, const struct piece *pieces, size_t n_pieces, uint8_t mac[KEY_LEN]);
bool key_random(void *data, size_t len);
bool key_same(const uint8_t *a, const uint8_t *b, size_t len);
void key_wipe(void *data, size_t len);

/* Which handles are ours: a pointer and a mark. A package that programs load by themselves would rather keep a table, since a stale pointer crashes.
 * */
#define MARK_CREDENTIAL ((ULONG_PTR)0x534b4352)
#define MARK_CONTEXT ((ULONG_PTR)0x534b4354)
void *handle_object(const SecHandle *handle, ULONG_PTR mark);
/* A user and a password, in UTF-16, in either of the two common structures. Both sides need them. */
SECURITY_STATUS identity_read(const void *auth_data, struct credential *credential);
SecBuffer *buffer_find(const SecBufferDesc *list, ULONG type);

SECURITY_STATUS SEC_ENTRY sharedkey_initialize(PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target,
                                               ULONG flags, ULONG reserved1, ULONG drep, PSecBufferDesc input,
                                               ULONG reserved2, PCtxtHandle new_context, PSecBufferDesc output,
                                               ULONG *attributes, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY sharedkey_accept(PCredHandle credential, PCtxtHandle context, PSecBufferDesc input,
                                           ULONG flags, ULONG drep, PCtxtHandle new_context, PSecBufferDesc output,
                                           ULONG *attributes, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY sharedkey_delete(PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY sharedkey_sign(PCtxtHandle context, ULONG qop, PSecBufferDesc message, ULONG seq);
SECURITY_STATUS SEC_ENTRY sharedkey_verify(PCtxtHandle context, PSecBufferDesc message, ULONG seq, PULONG qop);
SECURITY_STATUS SEC_ENTRY sharedkey_query(PCtxtHandle context, ULONG attribute, void *buffer);

#endif
