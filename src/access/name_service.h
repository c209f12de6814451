/*
 * Users and groups of the system's name service.
 */
#ifndef OPENSSPI_ACCESS_NAME_SERVICE_H
#define OPENSSPI_ACCESS_NAME_SERVICE_H

#include "access/unix_ids.h"

/* Each: SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR when the service fails, with the cause. Nobody of that name or number is no error:
 * -1, NULL, or `known` false. Texts are freed with mem_free. */
SECURITY_STATUS name_service_gid_of(uid_t uid, int64_t *gid);
SECURITY_STATUS name_service_user(const char *name, struct unix_ids *ids); /* with all its groups */
SECURITY_STATUS name_service_uid_of(const char *name, int64_t *uid);
SECURITY_STATUS name_service_gid_of_group(const char *name, int64_t *gid);
SECURITY_STATUS name_service_user_name(uid_t uid, char **name, char **full_name); /* full_name: NULL when not wanted */
SECURITY_STATUS name_service_group_name(gid_t gid, char **name);

#endif
