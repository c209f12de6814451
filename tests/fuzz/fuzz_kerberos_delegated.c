/*
 * What a server's session record says that it may act for its client with, and KDC proxy settings: the first byte chooses. What is accepted is
 * released.
 */
#include "base/memory.h"
#include "core/cause.h"
#include "kerberos/behalf.h"
#include "kerberos/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void acquire(struct slice delegated)
{
    static const struct config *config;
    void *credential = NULL;
    int64_t expiry;
    char name[64];
    if (config == NULL) { /* an empty file; kept for all inputs */
        int file = memfd_create("opensspi.conf", MFD_CLOEXEC);
        snprintf(name, sizeof name, "/proc/self/fd/%d", file);
        if (fchmod(file, 0600) != 0 || setenv("OPENSSPI_CONFIG", name, 1) != 0 || config_get(&config) != SEC_E_OK)
            abort();
    }
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    if (kerberos_delegated_acquire(&request, delegated, NULL, &credential, &expiry) == SEC_E_OK)
        kerberos_release(credential);
    else if (credential != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *proxies = NULL;
    bool forced;
    if (size == 0)
        return 0;
    cause_clear();
    if (data[0] != 0) {
        acquire(slice_of(data, size));
        return 0;
    }
    if (krb_proxy_settings_read(slice_of(data + 1, size - 1), &proxies, &forced) == SEC_E_OK)
        mem_free(proxies);
    return 0;
}
