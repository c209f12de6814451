#include "api/certificates.h"

#include "base/result.h"
#include "certificates/decode.h"
#include "core/block.h"

/* What was decoded, into memory of the caller's choice. */
static SECURITY_STATUS give_new(const struct decoded *decoded, const CRYPT_DECODE_PARA *para, void **place)
{
    size_t len = decoded_len(decoded);
    bool own = para == NULL || para->pfnAlloc == NULL;
    void *room = own ? block_alloc(len) : para->pfnAlloc(len);
    require(room != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = decoded_put(decoded, room);
    if (status == SEC_E_OK)
        *place = room;
    else if (own)
        (void)block_free(room);
    else if (para->pfnFree != NULL)
        para->pfnFree(room);
    return status;
}

static SECURITY_STATUS give(const struct decoded *decoded, DWORD flags, const CRYPT_DECODE_PARA *para, void *room,
                            DWORD *n_room)
{
    DWORD len = (DWORD)decoded_len(decoded), told = n_room != NULL ? *n_room : 0;
    bool allocates = (flags & CRYPT_DECODE_ALLOC_FLAG) != 0;
    require((uintptr_t)room % _Alignof(void *) == 0,
            cause_set(E_INVALIDARG, "pvStructInfo is not aligned for pointers"));
    if (n_room != NULL)
        *n_room = len;
    if (allocates)
        return give_new(decoded, para, room);
    if (room == NULL)
        return SEC_E_OK;
    require(told >= len, ERROR_MORE_DATA);
    return decoded_put(decoded, room);
}

static SECURITY_STATUS decode(DWORD encoding, LPCSTR type, struct slice der, DWORD flags, const CRYPT_DECODE_PARA *para,
                              void *room, DWORD *n_room)
{
    struct decoded *decoded;
    bool allocates = (flags & CRYPT_DECODE_ALLOC_FLAG) != 0;
    require((encoding & CERT_ENCODING_TYPE_MASK) == X509_ASN_ENCODING,
            cause_set(ERROR_FILE_NOT_FOUND, "nothing is known in encoding 0x%x", (unsigned)encoding));
    require(type != NULL, argument_missing("lpszStructType"));
    require(der.data != NULL, argument_missing("pbEncoded"));
    require(allocates ? room != NULL : n_room != NULL, argument_missing(allocates ? "pvStructInfo" : "pcbStructInfo"));
    try(decoded_read(type, der, &decoded));
    SECURITY_STATUS status = give(decoded, flags, para, room, n_room);
    decoded_free(decoded);
    return status;
}

BOOL WINAPI CryptDecodeObjectEx(DWORD dwCertEncodingType, LPCSTR lpszStructType, const BYTE *pbEncoded, DWORD cbEncoded,
                                DWORD dwFlags, PCRYPT_DECODE_PARA pDecodePara, void *pvStructInfo, DWORD *pcbStructInfo)
{
    cause_clear();
    return answer_status(decode(dwCertEncodingType, lpszStructType, slice_of(pbEncoded, cbEncoded), dwFlags,
                                pDecodePara, pvStructInfo, pcbStructInfo));
}

BOOL WINAPI CryptDecodeObject(DWORD dwCertEncodingType, LPCSTR lpszStructType, const BYTE *pbEncoded, DWORD cbEncoded,
                              DWORD dwFlags, void *pvStructInfo, DWORD *pcbStructInfo)
{
    cause_clear();
    if ((dwFlags & CRYPT_DECODE_ALLOC_FLAG) != 0)
        return answer_status(cause_set(E_INVALIDARG, "CRYPT_DECODE_ALLOC_FLAG is for CryptDecodeObjectEx"));
    return answer_status(decode(dwCertEncodingType, lpszStructType, slice_of(pbEncoded, cbEncoded), dwFlags, NULL,
                                pvStructInfo, pcbStructInfo));
}
