#include "core/identity.h"

#include "base/memory.h"
#include "base/utf16.h"
#include <string.h>

enum identity_kind identity_kind(const struct identity *identity)
{
    if (identity != NULL && identity->proof_kind != IDENTITY_PASSWORD)
        return IDENTITY_PROVED;
    bool has_password = identity != NULL && identity->has_password;
    if (identity_has_name(identity))
        return has_password ? IDENTITY_LOGIN : IDENTITY_NAME;
    bool listed = identity != NULL && identity->packages != NULL && *identity->packages != '\0';
    bool says_nobody = identity != NULL && identity->user != NULL && !listed;
    return has_password || says_nobody ? IDENTITY_NOBODY : IDENTITY_DEFAULT;
}

bool identity_copy(struct identity *to, const struct identity *from)
{
    to->has_password = from->has_password;
    to->password_is_hash = from->password_is_hash;
    return mem_text_copy(&to->user, from->user) && mem_text_copy(&to->domain, from->domain) &&
           (from->password.data == NULL || secret_set(&to->password, from->password.data, from->password.len));
}

void identity_release(struct identity *identity)
{
    if (identity == NULL)
        return;
    mem_free(identity->user);
    mem_free(identity->domain);
    mem_free(identity->packages);
    secret_release(&identity->password);
    secret_release(&identity->proof);
    *identity = (struct identity){0};
}

void identity_response_write(struct writer *proof, const struct identity_response *response)
{
    writer_bytes(proof, response->challenge, 8);
    writer_u8(proof, response->client_challenge ? 1 : 0);
    writer_u16le(proof, (uint16_t)response->lm.len);
    writer_slice(proof, response->lm);
    writer_u16le(proof, (uint16_t)response->nt.len);
    writer_slice(proof, response->nt);
    writer_bytes(proof, response->workstation, strlen(response->workstation) + 1);
}

enum wire_result identity_response_read(struct slice proof, struct identity_response *response)
{
    struct reader reader = reader_of(proof);
    struct slice challenge;
    uint8_t client_challenge;
    uint16_t len;
    try(reader_bytes(&reader, 8, &challenge));
    try(reader_u8(&reader, &client_challenge));
    try(reader_u16le(&reader, &len));
    try(reader_bytes(&reader, len, &response->lm));
    try(reader_u16le(&reader, &len));
    try(reader_bytes(&reader, len, &response->nt));
    struct slice name = reader_rest(&reader);
    require(client_challenge <= 1 && name.len > 0 && name.data[name.len - 1] == 0 &&
                utf8_valid(slice_of(name.data, name.len - 1)),
            WIRE_BAD);
    response->challenge = challenge.data;
    response->client_challenge = client_challenge == 1;
    response->workstation = (const char *)name.data;
    return WIRE_OK;
}

/* Items of a list are told apart by commas and blanks; a list may have come from a file, with its line's end. */
#define LIST_BLANKS " \t\r\n"

enum listed { LIST_SILENT, LIST_NAMES, LIST_EXCLUDES };

/* What the list says of a package, the first word that does. `names_some`: it names packages, and so leaves out those of which it says nothing. An
 * item without a name is none. */
static enum listed list_look(const struct identity *identity, const char *package, bool *names_some)
{
    const char *at = identity != NULL && identity->packages != NULL ? identity->packages : "";
    *names_some = false;
    while (*at != '\0') {
        at += strspn(at, "," LIST_BLANKS);
        bool excluded = *at == '!';
        if (excluded) /* "! ntlm" would otherwise name what it is to keep out */
            at += 1 + strspn(at + 1, LIST_BLANKS);
        size_t len = strcspn(at, "," LIST_BLANKS);
        if (len > 0 && utf8_equal_fold(slice_of(at, len), slice_of_text(package)))
            return excluded ? LIST_EXCLUDES : LIST_NAMES;
        *names_some |= len > 0 && !excluded;
        at += len;
    }
    return LIST_SILENT;
}

bool identity_forbids(const struct identity *identity, const char *package)
{
    bool names_others;
    enum listed listed = list_look(identity, package, &names_others);
    return listed == LIST_EXCLUDES || (listed == LIST_SILENT && names_others);
}

bool identity_names(const struct identity *identity, const char *package)
{
    bool names_others;
    return list_look(identity, package, &names_others) == LIST_NAMES;
}
