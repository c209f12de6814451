#include "api/api.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/bindings.h"
#include "core/block.h"
#include "core/cause.h"
#include "crypto/certificate.h"
#include <errno.h>
#include <fcntl.h>
#include <sspi_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The channel bindings of TLS, for callers that have a certificate or a connection in hand. */

#define CERTIFICATE_FILE_MAX ((size_t)1 << 20) /* a chain has a few KiB */
#define FINISHED_MAX 64                        /* verify data is at most as long as TLS' hash */
#define EXPORTED_LEN 32                        /* RFC 9266 2 */

static SECURITY_STATUS deliver(const char *prefix, struct slice data, SecPkgContext_Bindings *bindings)
{
    AUTO_WRITER struct writer writer = writer_growing(128);
    bindings_write(&writer, prefix, data);
    require(writer_finish(&writer) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    void *block = block_alloc(writer.len);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(block, writer.data, writer.len);
    bindings->BindingsLength = (ULONG)writer.len;
    bindings->Bindings = block;
    return SEC_E_OK;
}

static SECURITY_STATUS deliver_end_point(struct slice der, SecPkgContext_Bindings *bindings)
{
    uint8_t hash[CERTIFICATE_HASH_MAX];
    size_t len = 0;
    switch (certificate_end_point_hash(der, hash, &len)) {
    case CERTIFICATE_OK:
        return deliver("tls-server-end-point", slice_of(hash, len), bindings);
    case CERTIFICATE_BAD:
        return cause_set(SEC_E_CERT_UNKNOWN, "%zu bytes that are not one X.509 certificate in DER", der.len);
    case CERTIFICATE_UNDEFINED:
        return cause_set(
            SEC_E_ALGORITHM_MISMATCH,
            "the certificate's signature names no hash function that OpenSSL knows (Ed25519 and Ed448 name none): "
            "RFC 5929 defines no tls-server-end-point for it");
    default:
        return cause_set(SEC_E_INTERNAL_ERROR, "OpenSSL cannot compute the certificate's hash");
    }
}

static SECURITY_STATUS file_load(const char *path, struct writer *pem)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    require(fd >= 0, cause_set(SEC_E_CERT_UNKNOWN, "%s: cannot be opened: %s", path, strerror(errno)));
    const char *problem = NULL;
    uint8_t *room;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || (size_t)status.st_size > CERTIFICATE_FILE_MAX)
        problem = "not a regular file of at most 1 MiB";
    else if ((room = writer_room(pem, (size_t)status.st_size)) == NULL)
        problem = "too large for memory";
    else if (read(fd, room, (size_t)status.st_size) != (ssize_t)status.st_size)
        problem = "changed while it was read";
    close(fd);
    return problem == NULL ? SEC_E_OK : cause_set(SEC_E_CERT_UNKNOWN, "%s: %s", path, problem);
}

static SECURITY_STATUS bindings_from_file(const char *path, SecPkgContext_Bindings *bindings)
{
    AUTO_WRITER struct writer pem = writer_growing(4096), der = writer_growing(2048);
    require(path != NULL && bindings != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no path, or no place for the channel bindings, was given"));
    try(file_load(path, &pem));
    require(certificate_pem_read(writer_slice_of(&pem), &der),
            cause_set(SEC_E_CERT_UNKNOWN, "%s: holds no certificate in PEM, or a damaged one", path));
    return deliver_end_point(writer_slice_of(&der), bindings);
}

SECURITY_STATUS OpenSspiBindingsFromCertificate(const void *Certificate, ULONG CertificateLength,
                                                SecPkgContext_Bindings *Bindings)
{
    cause_clear();
    require(Certificate != NULL && Bindings != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no certificate, or no place for its channel bindings, was given"));
    return deliver_end_point(slice_of(Certificate, CertificateLength), Bindings);
}

SECURITY_STATUS OpenSspiBindingsFromCertificateFileW(const SEC_WCHAR *Path, SecPkgContext_Bindings *Bindings)
{
    AUTO_FREE char *path = NULL;
    cause_clear();
    SECURITY_STATUS status = api_text_from_w(Path, &path);
    require(status != SEC_E_INVALID_TOKEN, cause_set(SEC_E_CERT_UNKNOWN, "a file's name is not valid UTF-16"));
    try(status);
    return cause_answer(bindings_from_file(path, Bindings));
}

SECURITY_STATUS OpenSspiBindingsFromCertificateFileA(const SEC_CHAR *Path, SecPkgContext_Bindings *Bindings)
{
    cause_clear();
    return cause_answer(bindings_from_file(Path, Bindings));
}

SECURITY_STATUS OpenSspiBindingsFromTlsUnique(const void *Finished, ULONG FinishedLength,
                                              SecPkgContext_Bindings *Bindings)
{
    cause_clear();
    require(Finished != NULL && Bindings != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no Finished message, or no place for its channel bindings, was given"));
    require(FinishedLength > 0 && FinishedLength <= FINISHED_MAX,
            cause_set(SEC_E_INVALID_PARAMETER, "a Finished message of %u bytes", (unsigned)FinishedLength));
    return deliver("tls-unique", slice_of(Finished, FinishedLength), Bindings);
}

SECURITY_STATUS OpenSspiBindingsFromTlsExporter(const void *Exported, ULONG ExportedLength,
                                                SecPkgContext_Bindings *Bindings)
{
    cause_clear();
    require(Exported != NULL && Bindings != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no keying material, or no place for its channel bindings, was given"));
    require(ExportedLength == EXPORTED_LEN, cause_set(SEC_E_INVALID_PARAMETER, "tls-exporter is %d bytes long, not %u",
                                                      EXPORTED_LEN, (unsigned)ExportedLength));
    return deliver("tls-exporter", slice_of(Exported, ExportedLength), Bindings);
}
