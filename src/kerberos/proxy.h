/*
 * KDC proxies (MS-KKDCP): a context of libkrb5 that asks KDCs through HTTPS, whatever krb5.conf and DNS say.
 */
#ifndef OPENSSPI_KERBEROS_PROXY_H
#define OPENSSPI_KERBEROS_PROXY_H

#include "base/slice.h"
#include <krb5.h>
#include <stdbool.h>
#include <sspi.h>

/* Makes a context like `base`, which stays the caller's, whose KDCs of every realm are the proxies (URLs separated by blanks): before those that
 * krb5.conf names, or with `forced` instead of them, also where DNS would be asked for a primary one. A locator plug-in of libkrb5 comes before all.
 * */
krb5_error_code krb_proxy_context(krb5_context base, const char *proxies, bool forced, krb5_context *krb);

/* Reads a SecPkgCredentials_KdcProxySettingsW or SecPkgCredentials_KdcNetworkSettingsW into URLs (mem_free) and whether they are forced. No server at
 * all gives NULL. SEC_E_INVALID_TOKEN, also where none is forced; SEC_E_BUFFER_TOO_SMALL, SEC_E_UNSUPPORTED_FUNCTION for a TLS credential of its own;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS krb_proxy_settings_read(struct slice settings, char **proxies, bool *forced);

#endif
