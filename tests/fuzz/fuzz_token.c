/*
 * Tokens out of a client's identity, as a session record brings it: whatever it holds, a token is made whole or not at all, and never one of root.
 */
#include "access/token_build.h"
#include "fuzz/world.h"

static const struct config config = {
    .access_ranges = {.item = {(char *)(uintptr_t) "S-1-5-21-1-2-3:200000:5000"}, .n_items = 1}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    const struct token *token = NULL;
    world_reset();
    uint8_t flags = world_u8(&input);
    struct token_request request = {
        .package = (flags & 1) != 0 ? "NTLM" : "Kerberos",
        .client = (flags & 2) != 0   ? "EXAMPLE\\alice"
                  : (flags & 4) != 0 ? "alice@EXAMPLE.TEST"
                                     : NULL,
        .authority = (flags & 8) != 0 ? "EXAMPLE" : NULL,
        .logon = (enum token_logon)(flags >> 6),
        .primary = (flags & 16) != 0,
        .level = SecurityImpersonation,
        .identity = reader_rest(&input),
    };
    if (token_of_client(&request, &config, &token) != SEC_E_OK)
        return 0;
    const struct unix_ids *ids = &token->facts->unix_ids;
    MUST(!ids->known || token->facts->anonymous || (ids->uid != 0 && ids->gid != 0));
    for (size_t i = 0; i < ids->n_groups; i++)
        MUST(token->facts->anonymous || (ids->groups[i] != 0 && (i == 0 || ids->groups[i - 1] < ids->groups[i])));
    MUST(token_has(token, &token->facts->user) && token_has(token, &token->facts->logon_sid));
    token_release(token);
    return 0;
}
