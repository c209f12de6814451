/*
 * PAC: the input as a whole PAC and, by itself, as a KERB_VALIDATION_INFO. What is accepted keeps its promises: slices
 * lie inside the input, lists inside their limits, and the identity made of it is one that a session record can carry
 * and give back.
 */
#include "base/memory.h"
#include "fuzz/world.h"
#include "kerberos/pac.h"

#include <string.h>

static void check_logon_info(struct slice whole, const struct pac_logon_info *info)
{
    MUST(info->user_name != NULL && info->domain_name != NULL && info->logon_server != NULL);
    world_inside(whole, info->full_name);
    world_inside(whole, info->logon_script);
    world_inside(whole, info->profile_path);
    world_inside(whole, info->home_directory);
    world_inside(whole, info->home_directory_drive);
    MUST(info->n_groups <= PAC_GROUPS_MAX && info->n_extra_sids <= PAC_GROUPS_MAX &&
         info->n_resource_groups <= PAC_GROUPS_MAX);
    MUST((info->groups != NULL) == (info->n_groups != 0) && (info->extra_sids != NULL) == (info->n_extra_sids != 0));
    for (size_t i = 0; i < info->n_extra_sids; i++)
        MUST(info->extra_sids[i].sid.n_subauthorities <= SID_SUBAUTHORITIES_MAX);
}

static void check_signature(struct slice whole, bool present, const struct pac_signature *signature)
{
    world_inside(whole, signature->checksum);
    MUST(present == (signature->checksum.len != 0));
}

/* Twice the same SID would be twice the same group. */
static void check_unlike(const struct client_identity *identity)
{
    for (size_t i = 0; i < identity->n_groups; i++) {
        MUST(!sid_equal(&identity->groups[i].sid, &identity->user));
        for (size_t k = 0; k < i; k++)
            MUST(!sid_equal(&identity->groups[i].sid, &identity->groups[k].sid));
    }
}

static void check_identity(const struct pac *pac)
{
    AUTO_WRITER struct writer writer = writer_growing(0);
    struct client_identity identity, again;

    if (pac_to_identity(pac, &identity) != WIRE_OK)
        return;
    MUST(pac->has_logon_info && identity.n_groups <= CLIENT_GROUPS_MAX);
    check_unlike(&identity);
    client_identity_write(&writer, &identity);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(client_identity_read(writer_slice_of(&writer), &again) == WIRE_OK);
    MUST(again.n_groups == identity.n_groups && sid_equal(&again.user, &identity.user));
    client_identity_release(&again);
    client_identity_release(&identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct pac_logon_info info;
    struct pac pac;

    if (pac_decode(input, &pac) == WIRE_OK) {
        if (pac.has_logon_info)
            check_logon_info(input, &pac.logon_info);
        check_signature(input, pac.has_server_checksum, &pac.server_checksum);
        check_signature(input, pac.has_kdc_checksum, &pac.kdc_checksum);
        check_signature(input, pac.has_ticket_checksum, &pac.ticket_checksum);
        check_signature(input, pac.has_full_checksum, &pac.full_checksum);
        MUST(pac.has_client_info == (pac.client_info.name != NULL));
        check_identity(&pac);
        pac_release(&pac);
    }
    if (pac_logon_info_decode(input, &info) == WIRE_OK) {
        pac = (struct pac){.has_logon_info = true, .logon_info = info};
        check_logon_info(input, &info);
        check_identity(&pac);
        pac_release(&pac);
    }
    return 0;
}
