/*
 * What the files of the thin skin share.
 */
#ifndef OPENSSPI_API_API_H
#define OPENSSPI_API_API_H

#include "core/handle.h"
#include "core/package.h"
#include <sspi.h>

struct credential;

/* Registers the built-in packages, once; every function that names a package calls it first. */
void api_start(void);

/* The package of this name, or SEC_E_SECPKG_NOT_FOUND (also for NULL). */
SECURITY_STATUS api_package_find(const char *name, const struct package **package);

/* Text of an A or W call as UTF-8 (mem_free): NULL stays NULL. SEC_E_INVALID_TOKEN for text that is not valid, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS api_text_from_a(const char *text, char **utf8);
SECURITY_STATUS api_text_from_w(const SEC_WCHAR *text, char **utf8);
/* Of a package's or profile's name: SEC_E_SECPKG_NOT_FOUND for one that is no text, as the A functions answer, which look for it as it is. */
SECURITY_STATUS api_package_from_w(const SEC_WCHAR *name, char **utf8);

/* Text for the caller as a block of FreeContextBuffer; NULL when there is no memory. NULL text becomes an empty string. */
void *api_text_block(const char *utf8, bool wide);

/* A SecPkgInfo as one block with both strings behind it. */
SECURITY_STATUS api_package_info_block(const struct package *package, bool wide, void **block);

/* A TimeStamp of a FILETIME in UTC, shifted to local time as SSPI does (docs/deviations.md). */
TimeStamp api_timestamp(int64_t filetime);

/* Gives the caller a handle of a credential, which it takes: also when no handle can be made. `expiry` may be NULL. */
SECURITY_STATUS api_credential_publish(struct credential *credential, PCredHandle handle, PTimeStamp expiry);
/* The credential, or the context, behind a handle of the caller's: SEC_E_OK; SEC_E_INVALID_HANDLE with its cause; SEC_E_INSUFFICIENT_MEMORY where
 * more calls hold it than can be counted. */
SECURITY_STATUS api_credential_get(const SecHandle *handle, struct handle_ref *ref);
SECURITY_STATUS api_context_get(const SecHandle *handle, struct handle_ref *ref);

/* Changes a password as the process, whoever the thread is: account stores are the process's. */
SECURITY_STATUS api_password_change(const struct package *package, const struct password_change *change);

/* The caller's identity structure of any form. `wide_call` only tells what a plain structure without flags means. */
SECURITY_STATUS api_identity_read(const void *auth_data, bool wide_call, struct identity *identity);

#endif
