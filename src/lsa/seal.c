#include "lsa/seal.h"

#include "base/memory.h"
#include "base/reader.h"
#include "core/cause.h"
#include "core/package.h"
#include "core/session.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include <stdatomic.h>
#include <string.h>

/* magic, nonce, tag, cipher text */
static const uint8_t magic[4] = {'O', 'S', 'S', 'E'};
#define HEAD_LEN (sizeof magic + AEAD_NONCE_LEN + AEAD_TAG_LEN)

static uint8_t key[AEAD_KEY_LEN]; /* written once, by seal_start */
static bool started;
static atomic_uint_least64_t n_sealed;  /* a number serves once as a nonce, and the key lives no longer than it */
static _Thread_local uid_t thread_user; /* root's where nobody said: tests and the daemon itself */

bool seal_is(struct slice delegated)
{
    return delegated.len >= sizeof magic && memcmp(delegated.data, magic, sizeof magic) == 0;
}

void seal_for(uid_t user)
{
    thread_user = user;
}

struct binding {
    uint8_t user[4];
    struct slice bound[3];
};

/* The name's length is no question: it is the last. */
static void binding_fill(struct binding *binding, const struct package *package)
{
    struct writer user = writer_fixed(binding->user, sizeof binding->user);
    writer_u32le(&user, (uint32_t)thread_user);
    binding->bound[0] = slice_of(magic, sizeof magic);
    binding->bound[1] = slice_of(binding->user, sizeof binding->user);
    binding->bound[2] = slice_of_text(package->info.name);
}

SECURITY_STATUS seal_write(const struct package *package, struct slice plain, struct writer *sealed)
{
    struct binding binding;
    uint8_t nonce[AEAD_NONCE_LEN] = {0}, tag[AEAD_TAG_LEN];
    AUTO_SECRET struct secret text = {0};
    if (seal_is(plain)) { /* a package that chooses writes another one's record anew */
        writer_slice(sealed, plain);
        return SEC_E_OK;
    }
    uint64_t number = atomic_fetch_add(&n_sealed, 1);
    for (size_t i = 0; i < sizeof number; i++)
        nonce[i] = (uint8_t)(number >> (8 * i));
    binding_fill(&binding, package);
    require(secret_set(&text, plain.data, plain.len), SEC_E_INSUFFICIENT_MEMORY);
    require(aead_seal(key, nonce, binding.bound, COUNT_OF(binding.bound), (struct slice_mut){text.data, text.len}, tag),
            SEC_E_INSUFFICIENT_MEMORY);
    writer_bytes(sealed, magic, sizeof magic);
    writer_bytes(sealed, nonce, sizeof nonce);
    writer_bytes(sealed, tag, sizeof tag);
    writer_slice(sealed, secret_slice(&text));
    return SEC_E_OK;
}

bool seal_start(void)
{
    require(random_bytes(key, sizeof key), false);
    started = true;
    session_delegated_hook(seal_write);
    return true;
}

static bool sealed_open(const struct package *package, struct slice sealed, struct secret *plain)
{
    struct binding binding;
    const uint8_t *nonce = sealed.data + sizeof magic, *tag = nonce + AEAD_NONCE_LEN;
    binding_fill(&binding, package);
    return secret_set(plain, sealed.data + HEAD_LEN, sealed.len - HEAD_LEN) &&
           aead_open(key, nonce, binding.bound, COUNT_OF(binding.bound), (struct slice_mut){plain->data, plain->len},
                     tag);
}

SECURITY_STATUS seal_open(const struct package *package, struct slice sealed, struct secret *plain)
{
    AUTO_SECRET struct secret text = {0};
    require(seal_is(sealed) && started && sealed.len > HEAD_LEN && sealed_open(package, sealed, &text),
            cause_set(SEC_E_NO_CREDENTIALS,
                      "what the client handed over was sealed for another user or package, by another security "
                      "authority, or before this one was started"));
    *plain = text;
    text = (struct secret){0};
    return SEC_E_OK;
}
