#include "api/certificates.h"

#include "base/memory.h"
#include "certificates/chain.h"
#include "certificates/live.h"

BOOL WINAPI CertCreateCertificateChainEngine(PCERT_CHAIN_ENGINE_CONFIG pConfig, HCERTCHAINENGINE *phChainEngine)
{
    cause_clear();
    if (pConfig == NULL || phChainEngine == NULL)
        return answer_status(argument_missing("pConfig or phChainEngine"));
    return answer_status(chain_engine_create(pConfig, phChainEngine));
}

VOID WINAPI CertFreeCertificateChainEngine(HCERTCHAINENGINE hChainEngine)
{
    cause_clear();
    (void)live_user_drop(hChainEngine, LIVE_ENGINE);
}

BOOL WINAPI CertGetCertificateChain(HCERTCHAINENGINE hChainEngine, PCCERT_CONTEXT pCertContext, LPFILETIME pTime,
                                    HCERTSTORE hAdditionalStore, PCERT_CHAIN_PARA pChainPara, DWORD dwFlags,
                                    LPVOID pvReserved, PCCERT_CHAIN_CONTEXT *ppChainContext)
{
    cause_clear();
    int64_t at = pTime == NULL ? 0 : (int64_t)((uint64_t)pTime->dwHighDateTime << 32 | pTime->dwLowDateTime);
    at += pTime != NULL && at == 0 ? 1 : 0; /* 0 is now, and 1601 a time like others */
    if (pCertContext == NULL || ppChainContext == NULL || pvReserved != NULL)
        return answer_status(argument_missing("pCertContext or ppChainContext"));
    SECURITY_STATUS status =
        chain_get(hChainEngine, pCertContext, at, hAdditionalStore, pChainPara, dwFlags, ppChainContext);
    return answer_status(status == SEC_E_INVALID_HANDLE ? E_INVALIDARG : status);
}

PCCERT_CHAIN_CONTEXT WINAPI CertDuplicateCertificateChain(PCCERT_CHAIN_CONTEXT pChainContext)
{
    cause_clear();
    if (pChainContext == NULL || live_user_add(pChainContext, LIVE_CHAIN))
        return pChainContext;
    (void)answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a chain of this library"));
    return NULL;
}

VOID WINAPI CertFreeCertificateChain(PCCERT_CHAIN_CONTEXT pChainContext)
{
    cause_clear();
    (void)live_user_drop(pChainContext, LIVE_CHAIN);
}

PCCERT_CHAIN_CONTEXT WINAPI CertFindChainInStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, DWORD dwFindFlags,
                                                 DWORD dwFindType, const void *pvFindPara,
                                                 PCCERT_CHAIN_CONTEXT pPrevChainContext)
{
    PCCERT_CHAIN_CONTEXT chain = NULL;
    SECURITY_STATUS status;
    (void)dwCertEncodingType;
    cause_clear();
    if (dwFindType != CERT_CHAIN_FIND_BY_ISSUER)
        status = cause_set(E_INVALIDARG, "chains are found by issuer, not by %u", dwFindType);
    else if (pPrevChainContext != NULL && !live_hold(pPrevChainContext, LIVE_CHAIN))
        status = cause_set(E_INVALIDARG, "the previous chain is not, or no longer, one of this library");
    else {
        status = chain_find(hCertStore, dwFindFlags, pvFindPara, pPrevChainContext, &chain);
        if (pPrevChainContext != NULL)
            live_unhold(pPrevChainContext);
    }
    (void)live_user_drop(pPrevChainContext, LIVE_CHAIN); /* always, Microsoft says */
    return ANSWER_POINTER(status, chain);
}

BOOL WINAPI CertVerifyCertificateChainPolicy(LPCSTR pszPolicyOID, PCCERT_CHAIN_CONTEXT pChainContext,
                                             PCERT_CHAIN_POLICY_PARA pPolicyPara,
                                             PCERT_CHAIN_POLICY_STATUS pPolicyStatus)
{
    AUTO_FREE char *server_name = NULL;
    cause_clear();
    if (pPolicyStatus == NULL) /* its cbSize, and that of pPolicyPara, nobody looks at, as on Windows */
        return answer_status(argument_missing("pPolicyStatus"));
    if (pszPolicyOID == CERT_CHAIN_POLICY_SSL && pPolicyPara != NULL && pPolicyPara->pvExtraPolicyPara != NULL) {
        const SSL_EXTRA_CERT_CHAIN_POLICY_PARA *extra = pPolicyPara->pvExtraPolicyPara;
        if ((extra->cbSize == 0 || extra->cbSize >= sizeof *extra) && extra->pwszServerName != NULL &&
            !answer_status(argument_text_w(extra->pwszServerName, &server_name)))
            return FALSE;
    }
    return answer_status(chain_policy(pszPolicyOID, pChainContext, pPolicyPara, server_name, pPolicyStatus));
}
