/*
 * PFX files, opened with the password "x" or none.
 */
#include "certificates/live.h"
#include "fuzz/world.h"
#include <wincrypt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const WCHAR word[] = {'x', 0};
    CRYPT_DATA_BLOB blob = {(DWORD)size, (BYTE *)(uintptr_t)data};
    if (size == 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        HCERTSTORE store = PFXImportCertStore(&blob, i == 0 ? word : NULL, 0);
        if (store == NULL)
            continue;
        MUST(PFXIsPFXBlob(&blob) && PFXVerifyPassword(&blob, i == 0 ? word : NULL, 0));
        PCCERT_CONTEXT at = NULL;
        while ((at = CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, at)) != NULL) {
            HCRYPTPROV_OR_NCRYPT_KEY_HANDLE key = 0;
            MUST(CryptAcquireCertificatePrivateKey(at, 0, NULL, &key, NULL, NULL) && key != 0);
        }
        MUST(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    }
    MUST(live_count() == 0);
    return 0;
}
