/*
 * Writes PACs for the tests: honest ones of any size, and the frame around dishonest buffers.
 */
#ifndef OPENSSPI_TESTS_PAC_BUILDER_H
#define OPENSSPI_TESTS_PAC_BUILDER_H

#include "access/sid.h"

struct pac_part {
    uint32_t type;
    struct slice bytes;
};

/* MS-PAC 2.3, 2.4: the table, then each part on a multiple of 8. */
void pac_write(struct writer *writer, const struct pac_part *parts, size_t n_parts);

/* KERB_VALIDATION_INFO with so many made-up groups: domain S-1-5-21-1-2-3 with RIDs from 2000, extra SIDs
 * S-1-5-21-7-8-9 with RIDs from 3000, resource groups S-1-5-21-4-5-6 with RIDs from 4000; a list of none is a null
 * pointer. */
struct logon_recipe {
    uint32_t user_id, primary_group_id, user_flags;
    uint32_t n_groups, n_extra_sids, n_resource_groups;
    uint32_t attributes;                 /* of each group */
    bool no_domain_sid, no_resource_sid; /* leave them null */
    uint32_t step;                       /* between two RIDs: 0 makes all alike */
};
void logon_info_write(struct writer *writer, const struct logon_recipe *recipe);

#endif
