#include "accounts/digest_hashes.h"

#include "accounts/accounts.h"
#include "base/latin1.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/login.h"
#include <string.h>

enum digest_algorithm digest_form_algorithm(enum digest_form form)
{
    switch (form) {
    case DIGEST_FORM_SHA256:
        return DIGEST_SHA256;
    case DIGEST_FORM_SHA512_256:
        return DIGEST_SHA512_256;
    default:
        return DIGEST_MD5;
    }
}

enum digest_form digest_form_of(enum digest_algorithm algorithm)
{
    static const enum digest_form forms[DIGEST_ALGORITHMS] = {
        [DIGEST_MD5] = DIGEST_FORM_MD5,
        [DIGEST_SHA256] = DIGEST_FORM_SHA256,
        [DIGEST_SHA512_256] = DIGEST_FORM_SHA512_256,
    };
    return forms[algorithm];
}

/* The text in ISO 8859-1 where that can write it, else, or where it is no UTF-8 (what a server calls its realm), as it is. */
static struct slice latin1_of(struct slice text, struct writer *room)
{
    return latin1_write(room, text) == WIRE_OK ? writer_slice_of(room) : text;
}

bool digest_form_secret(enum digest_form form, struct slice user, struct slice realm, struct slice password,
                        uint8_t secret[DIGEST_LEN_MAX])
{
    if (form != DIGEST_FORM_MD5_LATIN1)
        return digest_secret(digest_form_algorithm(form), user, realm, password, secret);
    AUTO_WRITER struct writer user_room = writer_growing(64), realm_room = writer_growing(64);
    AUTO_WRITER struct writer password_room = writer_growing(64);
    user = latin1_of(user, &user_room);
    realm = latin1_of(realm, &realm_room);
    password = latin1_of(password, &password_room);
    require(writer_finish(&user_room) == WIRE_OK && writer_finish(&realm_room) == WIRE_OK &&
                writer_finish(&password_room) == WIRE_OK,
            false);
    return digest_secret(DIGEST_MD5, user, realm, password, secret);
}

struct digest_realms digest_realms_configured(const struct config *config)
{
    const struct config_list *list = &config->digest_realms;
    return (struct digest_realms){(const char *const *)list->item, list->n_items, accounts_default_domain(config)};
}

struct making {
    const struct digest_realms *realms;
    struct slice password; /* UTF-8 */
    SECURITY_STATUS (*each)(void *context, const struct digest_entry *entry);
    void *context;
};

static SECURITY_STATUS make_one(const struct making *making, const char *realm, const char *username,
                                enum digest_form form)
{
    uint8_t hash[DIGEST_LEN_MAX], user_hash[DIGEST_LEN_MAX];
    enum digest_algorithm algorithm = digest_form_algorithm(form);
    const struct slice named[] = {slice_of_text(username), slice_of_text(":"), slice_of_text(realm)};
    const struct digest_entry entry = {
        .realm = realm,
        .username = username,
        .form = form,
        .hash = {hash, digest_len(algorithm)},
        .user_hash = {user_hash, digest_len(algorithm)},
    };
    bool made = digest_form_secret(form, named[0], named[2], making->password, hash) &&
                digest_hash(algorithm, named, COUNT_OF(named), user_hash);
    SECURITY_STATUS status = made ? making->each(making->context, &entry) : SEC_E_INSUFFICIENT_MEMORY;
    secret_wipe(hash, sizeof hash);
    return status;
}

static bool named_before(const struct digest_realms *realms, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(realms->realm[i], realms->realm[index]) == 0)
            return true;
    return false;
}

static SECURITY_STATUS make_for(const struct making *making, const char *username)
{
    for (size_t i = 0; i < making->realms->n_realms; i++) {
        if (named_before(making->realms, i))
            continue;
        for (int form = DIGEST_FORM_MD5; form <= DIGEST_FORMS; form++)
            try(make_one(making, making->realms->realm[i], username, (enum digest_form)form));
    }
    return SEC_E_OK;
}

SECURITY_STATUS digest_hashes_make(const struct digest_realms *realms, const char *name, const char *domain,
                                   struct slice password,
                                   SECURITY_STATUS (*each)(void *context, const struct digest_entry *entry),
                                   void *context)
{
    char *text = NULL;
    if (realms == NULL || realms->n_realms == 0)
        return SEC_E_OK;
    if (!utf16le_valid(password))
        return SEC_E_OK;
    require(utf16le_to_text(password, &text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    const struct making making = {realms, slice_of_text(text), each, context};
    SECURITY_STATUS status = make_for(&making, name);
    if (domain == NULL || domain[0] == '\0')
        domain = realms->default_domain;
    if (status == SEC_E_OK && domain != NULL && domain[0] != '\0') {
        AUTO_FREE char *full = login_full_name(domain, name);
        status = full != NULL ? make_for(&making, full) : SEC_E_INSUFFICIENT_MEMORY;
    }
    secret_free_text(text);
    return status;
}
