/*
 * Which SIDs, names and Unix ids winbind knows. Asked only where [access] says `winbind = yes`.
 */
#ifndef OPENSSPI_ACCESS_WINBIND_H
#define OPENSSPI_ACCESS_WINBIND_H

#include "access/wbclient.h"
#include "access/well_known.h"
#include "core/config.h"

/* All: SEC_E_OK, also when winbind knows no such SID, name or number (the outputs stay as they were); SEC_E_NO_AUTHENTICATING_AUTHORITY when it does
 * not answer, SEC_E_INTERNAL_ERROR without the library, both with the cause; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS winbind_ids_of_sids(const struct config *config, const struct sid *sids, size_t n_sids, int64_t *uids,
                                    int64_t *gids);
SECURITY_STATUS winbind_sid_of_uid(const struct config *config, uint32_t uid, struct sid *sid);
SECURITY_STATUS winbind_sid_of_gid(const struct config *config, uint32_t gid, struct sid *sid);
/* Is it believable that this SID goes by a name in this domain? Both are the domain's that winbind lists, or neither is of one, and none of the SIDs
 * that everybody knows is meant. *belongs tells; the status as above. */
SECURITY_STATUS winbind_sid_belongs(const struct config *config, const struct sid *sid, const char *domain,
                                    const char *name, bool *belongs);
/* Texts are freed with mem_free; NULL where unknown. */
SECURITY_STATUS winbind_name_of_sid(const struct config *config, const struct sid *sid, char **domain, char **name,
                                    enum sid_use *use);
SECURITY_STATUS winbind_sid_of_name(const struct config *config, const char *domain, const char *name, struct sid *sid,
                                    enum sid_use *use);

#endif
