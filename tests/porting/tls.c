/*
 * In the manner of a TLS library's Schannel back-end: a server with a PFX file, a client that judges the chain itself by a root of its own.
 *
 *   tls server PFX PASSWORD
 *   tls client PORT ROOT.der HOST
 */
#include "common.h"
#include <schannel.h>
#include <schnlsp.h>
#include <wincrypt.h>

/* What came over the wire and is not used up. */
static BYTE input[BLOCK_MAX];
static DWORD input_len;

static BYTE *ReadWhole(LPCTSTR path, DWORD *len)
{
    FILE *file = _tfopen(path, _T("rb"));
    BYTE *bytes = (BYTE *)malloc(BLOCK_MAX);
    if (file == NULL || bytes == NULL)
        Fail(path, ERROR_FILE_NOT_FOUND);
    *len = (DWORD)fread(bytes, 1, BLOCK_MAX, file);
    fclose(file);
    return bytes;
}

static void ReceiveMore(SOCKET s)
{
    int got = (int)recv(s, (char *)input + input_len, (int)(sizeof input - input_len), 0);
    if (got <= 0)
        Fail(_T("recv"), got == 0 ? WSAECONNRESET : (DWORD)WSAGetLastError());
    input_len += (DWORD)got;
}

static void Keep(DWORD extra)
{
    MoveMemory(input, input + input_len - extra, extra);
    input_len = extra;
}

static void Handshake(SOCKET s, CredHandle *credential, CtxtHandle *context, LPTSTR host)
{
    BOOL first = TRUE;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    unsigned long attributes;
    const ULONG flags = ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT |
                        ISC_REQ_SEQUENCE_DETECT | ISC_REQ_STREAM | ISC_REQ_MANUAL_CRED_VALIDATION |
                        ISC_REQ_USE_SUPPLIED_CREDS;
    do {
        SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_EMPTY, NULL}},
                  out[1] = {{0, SECBUFFER_TOKEN, NULL}};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 2, NULL}, out_list = {SECBUFFER_VERSION, 1, NULL};
        in_list.pBuffers = in;
        out_list.pBuffers = out;
        if (host == NULL || !first)
            if (input_len == 0 || status == SEC_E_INCOMPLETE_MESSAGE)
                ReceiveMore(s);
        in[0].cbBuffer = input_len;
        in[0].pvBuffer = input;
        if (host != NULL)
            status = InitializeSecurityContext(credential, first ? NULL : context, host, flags, 0, 0,
                                               first ? NULL : &in_list, 0, context, &out_list, &attributes, NULL);
        else
            status = AcceptSecurityContext(credential, first ? NULL : context, &in_list,
                                           ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM, 0,
                                           context, &out_list, &attributes, NULL);
        if (status == SEC_E_INCOMPLETE_MESSAGE)
            continue;
        Check(host != NULL ? _T("InitializeSecurityContext") : _T("AcceptSecurityContext"), status);
        if (out[0].cbBuffer > 0)
            SendAll(s, out[0].pvBuffer, out[0].cbBuffer);
        if (out[0].pvBuffer != NULL)
            FreeContextBuffer(out[0].pvBuffer);
        if (!first || host == NULL)
            Keep(in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
        first = FALSE;
    } while (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE);
}

static void SendText(SOCKET s, CtxtHandle *context, const char *text)
{
    SecPkgContext_StreamSizes stream;
    SecBuffer buffers[4];
    SecBufferDesc list;
    DWORD len = (DWORD)strlen(text);
    BYTE *record;
    Check(_T("stream sizes"), QueryContextAttributes(context, SECPKG_ATTR_STREAM_SIZES, &stream));
    record = (BYTE *)malloc(stream.cbHeader + len + stream.cbTrailer);
    if (record == NULL || len > stream.cbMaximumMessage)
        Fail(_T("malloc"), ERROR_NOT_ENOUGH_MEMORY);
    CopyMemory(record + stream.cbHeader, text, len);
    list.ulVersion = SECBUFFER_VERSION;
    list.cBuffers = 4;
    list.pBuffers = buffers;
    buffers[0].BufferType = SECBUFFER_STREAM_HEADER;
    buffers[0].cbBuffer = stream.cbHeader;
    buffers[0].pvBuffer = record;
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[1].cbBuffer = len;
    buffers[1].pvBuffer = record + stream.cbHeader;
    buffers[2].BufferType = SECBUFFER_STREAM_TRAILER;
    buffers[2].cbBuffer = stream.cbTrailer;
    buffers[2].pvBuffer = record + stream.cbHeader + len;
    buffers[3].BufferType = SECBUFFER_EMPTY;
    buffers[3].cbBuffer = 0;
    buffers[3].pvBuffer = NULL;
    Check(_T("EncryptMessage"), EncryptMessage(context, 0, &list, 0));
    SendAll(s, record, buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
    free(record);
}

/* One text, past what TLS 1.3 sends after its handshake. */
static void ReceiveText(SOCKET s, CredHandle *credential, CtxtHandle *context, LPTSTR host, const char *expected)
{
    for (;;) {
        SecBuffer buffers[4];
        SecBufferDesc list;
        SECURITY_STATUS status;
        DWORD i, extra = 0, texts = 0;
        list.ulVersion = SECBUFFER_VERSION;
        list.cBuffers = 4;
        list.pBuffers = buffers;
        ZeroMemory(buffers, sizeof buffers);
        buffers[0].BufferType = SECBUFFER_DATA;
        buffers[0].cbBuffer = input_len;
        buffers[0].pvBuffer = input;
        status = input_len == 0 ? SEC_E_INCOMPLETE_MESSAGE : DecryptMessage(context, &list, 0, NULL);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            ReceiveMore(s);
            continue;
        }
        Check(_T("DecryptMessage"), status);
        for (i = 0; i < 4; i++)
            if (buffers[i].BufferType == SECBUFFER_EXTRA)
                extra = buffers[i].cbBuffer;
        if (status == SEC_I_RENEGOTIATE) {
            SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_EMPTY, NULL}},
                      out = {0, SECBUFFER_TOKEN, NULL};
            SecBufferDesc in_list = {SECBUFFER_VERSION, 2, NULL}, out_list = {SECBUFFER_VERSION, 1, NULL};
            unsigned long attributes;
            in_list.pBuffers = in;
            out_list.pBuffers = &out;
            Keep(extra);
            in[0].cbBuffer = input_len;
            in[0].pvBuffer = input;
            Check(_T("InitializeSecurityContext"),
                  InitializeSecurityContext(credential, context, host, ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM, 0, 0,
                                            &in_list, 0, context, &out_list, &attributes, NULL));
            if (out.pvBuffer != NULL)
                FreeContextBuffer(out.pvBuffer);
            Keep(in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
            continue;
        }
        for (i = 0; i < 4; i++)
            if (buffers[i].BufferType == SECBUFFER_DATA && buffers[i].cbBuffer == strlen(expected) &&
                memcmp(buffers[i].pvBuffer, expected, buffers[i].cbBuffer) == 0)
                texts++;
        if (status != SEC_E_OK || texts != 1)
            Fail(_T("the text is another one, or none"), ERROR_INVALID_DATA);
        Keep(extra);
        return;
    }
}

/* By a chain to the root that was given, and the host's name. */
static void Judge(CtxtHandle *context, LPCTSTR root_path, LPCTSTR host)
{
    PCCERT_CONTEXT peer = NULL, root = NULL;
    PCCERT_CHAIN_CONTEXT chain;
    CERT_CHAIN_PARA para;
    CERT_CHAIN_POLICY_PARA policy;
    CERT_CHAIN_POLICY_STATUS status;
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA tls;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    WCHAR name[256];
    char subject[256];
    DWORD len, i;
    BYTE *der = ReadWhole(root_path, &len);
    if (store == NULL ||
        !CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, len, CERT_STORE_ADD_ALWAYS, &root))
        Fail(_T("the root"), GetLastError());
    free(der);
    Check(_T("remote certificate"), QueryContextAttributes(context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &peer));
    if (CertGetNameStringA(peer, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, subject, sizeof subject) <= 1)
        Fail(_T("CertGetNameString"), GetLastError());
    _tprintf(_T("peer %hs\n"), subject);
    ZeroMemory(&para, sizeof para);
    para.cbSize = sizeof para;
    if (!CertGetCertificateChain(NULL, peer, NULL, store, &para, 0, NULL, &chain))
        Fail(_T("CertGetCertificateChain"), GetLastError());
    /* Its last certificate must be the root given; then the system need not know it. */
    {
        const CERT_SIMPLE_CHAIN *simple = chain->rgpChain[0];
        PCCERT_CONTEXT last = simple->rgpElement[simple->cElement - 1]->pCertContext;
        if (!CertCompareCertificate(X509_ASN_ENCODING, last->pCertInfo, root->pCertInfo) ||
            last->cbCertEncoded != root->cbCertEncoded ||
            memcmp(last->pbCertEncoded, root->pbCertEncoded, root->cbCertEncoded) != 0)
            Fail(_T("another root"), (DWORD)CERT_E_UNTRUSTEDROOT);
    }
    for (i = 0; i < ARRAYSIZE(name) - 1 && host[i] != 0; i++)
        name[i] = (WCHAR)host[i];
    name[i] = 0;
    ZeroMemory(&tls, sizeof tls);
    tls.cbSize = sizeof tls;
    tls.dwAuthType = AUTHTYPE_SERVER;
    tls.pwszServerName = name;
    ZeroMemory(&policy, sizeof policy);
    policy.cbSize = sizeof policy;
    policy.dwFlags = CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG;
    policy.pvExtraPolicyPara = &tls;
    ZeroMemory(&status, sizeof status);
    status.cbSize = sizeof status;
    if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &status))
        Fail(_T("CertVerifyCertificateChainPolicy"), GetLastError());
    if (status.dwError != 0)
        Fail(_T("the certificate"), status.dwError);
    CertFreeCertificateChain(chain);
    CertFreeCertificateContext(root);
    CertFreeCertificateContext(peer);
    CertCloseStore(store, 0);
}

static void Client(TCHAR **argv)
{
    SCHANNEL_CRED schannel;
    CredHandle credential;
    CtxtHandle context;
    SecPkgContext_ConnectionInfo info;
    SOCKET s = Dial(argv[2]);
    ZeroMemory(&schannel, sizeof schannel);
    schannel.dwVersion = SCHANNEL_CRED_VERSION;
    schannel.dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS;
    Check(_T("AcquireCredentialsHandle"), AcquireCredentialsHandle(NULL, (LPTSTR)UNISP_NAME, SECPKG_CRED_OUTBOUND, NULL,
                                                                   &schannel, NULL, NULL, &credential, NULL));
    Handshake(s, &credential, &context, argv[4]);
    Judge(&context, argv[3], argv[4]);
    Check(_T("connection"), QueryContextAttributes(&context, SECPKG_ATTR_CONNECTION_INFO, &info));
    _tprintf(_T("protocol 0x%lx\n"), info.dwProtocol);
    SendText(s, &context, "GET / HTTP/1.0\r\n\r\n");
    ReceiveText(s, &credential, &context, argv[4], "HTTP/1.0 200 OK\r\n\r\n");
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
    _tprintf(_T("client done\n"));
}

static void Server(TCHAR **argv)
{
    SCHANNEL_CRED schannel;
    CredHandle credential;
    CtxtHandle context;
    CRYPT_DATA_BLOB pfx;
    HCERTSTORE store;
    PCCERT_CONTEXT certificate;
    WCHAR password[64];
    DWORD i;
    SOCKET s;
    for (i = 0; argv[3][i] != 0 && i < ARRAYSIZE(password) - 1; i++)
        password[i] = (WCHAR)argv[3][i];
    password[i] = 0;
    pfx.pbData = ReadWhole(argv[2], &pfx.cbData);
    store = PFXImportCertStore(&pfx, password, 0);
    SecureZeroMemory(password, sizeof password);
    free(pfx.pbData);
    if (store == NULL)
        Fail(_T("PFXImportCertStore"), GetLastError());
    certificate = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    if (certificate == NULL)
        Fail(_T("CertFindCertificateInStore"), GetLastError());
    ZeroMemory(&schannel, sizeof schannel);
    schannel.dwVersion = SCHANNEL_CRED_VERSION;
    schannel.cCreds = 1;
    schannel.paCred = &certificate;
    Check(_T("AcquireCredentialsHandle"), AcquireCredentialsHandle(NULL, (LPTSTR)UNISP_NAME, SECPKG_CRED_INBOUND, NULL,
                                                                   &schannel, NULL, NULL, &credential, NULL));
    CertFreeCertificateContext(certificate);
    CertCloseStore(store, 0);
    s = Serve();
    Handshake(s, &credential, &context, NULL);
    ReceiveText(s, &credential, &context, NULL, "GET / HTTP/1.0\r\n\r\n");
    SendText(s, &context, "HTTP/1.0 200 OK\r\n\r\n");
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
    _tprintf(_T("server done\n"));
}

int _tmain(int argc, TCHAR *argv[])
{
    StartSockets();
    if (argc == 4)
        Server(argv);
    else if (argc == 5)
        Client(argv);
    else
        _tprintf(_T("see the first comment of the source\n"));
    WSACleanup();
    return 0;
}
