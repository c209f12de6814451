/*
 * The objects of this folder as its files see them. All are known to live.h.
 */
#ifndef OPENSSPI_CERTIFICATES_INTERNAL_H
#define OPENSSPI_CERTIFICATES_INTERNAL_H

#include "base/slice.h"
#include "certificates/arena.h"
#include "certificates/certificate.h"
#include "certificates/live.h"
#include <pthread.h>

#define CERTIFICATE_MAX ((size_t)1 << 20) /* bytes of one certificate: none comes near it */
#define CRL_MAX ((size_t)64 << 20)        /* bytes of one revocation list: those of large authorities have some MiB */

struct property {
    struct property *next; /* by id, ascending */
    DWORD id, len;
    bool of_process;            /* of a key's place: the configuration led to it, not the caller */
    _Alignas(8) uint8_t data[]; /* for the structures that lie in it */
};

/* A private key that callers hold by a handle. */
struct key {
    EVP_PKEY *pkey;
};

struct certificate {
    CERT_CONTEXT context; /* first: its address is the caller's pointer */
    CERT_INFO info;
    X509 *x509;
    struct arena arena;
    uint64_t order;       /* its place in its store, ever growing */
    pthread_mutex_t lock; /* guards what follows */
    struct property *properties;
    struct key *key;       /* held */
    bool key_was_read;     /* from where CERT_KEY_PROV_INFO_PROP_ID says, and is let go with that */
    unsigned place_number; /* counts the changes of that property */
};

struct crl {
    CRL_CONTEXT context; /* first */
    CRL_INFO info;
    X509_CRL *crl;
    struct arena arena;
    uint64_t order;
};

/* Sorted by order, since they are only appended. */
struct store {
    pthread_mutex_t lock; /* never held while objects are destroyed */
    bool read_only;
    bool enumerates_archived; /* since it was opened */
    uint64_t next_order;
    struct certificate **certificates;
    size_t n_certificates, max_certificates;
    struct crl **crls;
    size_t n_crls, max_crls;
};

/* Makes a certificate with one user, taking a reference to `x509`. SEC_E_INSUFFICIENT_MEMORY; CRYPT_E_ASN1_BADTAG. */
SECURITY_STATUS certificate_new(X509 *x509, DWORD encoding, struct certificate **certificate);
/* Parses DER, all of it. CRYPT_E_ASN1_BADTAG. */
SECURITY_STATUS x509_parse(struct slice der, X509 **x509);
SECURITY_STATUS crl_new(X509_CRL *list, DWORD encoding, struct crl **crl);
/* Fill structures for callers from OpenSSL's (info.c). SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS info_of_x509(struct arena *arena, const X509 *x509, CERT_INFO *info);
SECURITY_STATUS info_of_crl(struct arena *arena, X509_CRL *crl, CRL_INFO *info);
/* Their parts. Bytes; an empty blob has no pointer. False: no memory. */
bool blob_put(struct arena *arena, const void *data, int len, DWORD *blob_len, BYTE **blob_data);
bool bits_put(struct arena *arena, const ASN1_BIT_STRING *bits, CRYPT_BIT_BLOB *to);
bool name_put(struct arena *arena, const X509_NAME *name, CERT_NAME_BLOB *blob);
/* An object identifier in dots. SEC_E_INSUFFICIENT_MEMORY; CRYPT_E_ASN1_BADTAG for one of more than 586 bytes. */
SECURITY_STATUS oid_put(struct arena *arena, const ASN1_OBJECT *object, LPSTR *text);
/* Is it valid now, by its times? False for times that cannot be read. */
bool x509_is_now(const X509 *x509);

/* Gives a certificate its private key, taking a reference. NTE_BAD_PUBLIC_KEY when they are no pair. */
SECURITY_STATUS certificate_key_set(struct certificate *certificate, EVP_PKEY *pkey);
/* The key, read from the place that CERT_KEY_PROV_INFO_PROP_ID names when need be; EVP_PKEY_free. CRYPT_E_NO_KEY_PROPERTY when there is none. */
SECURITY_STATUS certificate_key_get(struct certificate *certificate, EVP_PKEY **pkey);
bool certificate_has_key(struct certificate *certificate);
/* Has it CERT_ARCHIVED_PROP_ID? */
bool certificate_is_archived(struct certificate *certificate);
/* Copies properties and key; those that `to` has already stay when `keep`. Of another public key's certificate neither the key nor its place is
 * copied. */
SECURITY_STATUS certificate_properties_copy(struct certificate *to, struct certificate *from, bool keep);
SECURITY_STATUS certificate_property_text(struct certificate *certificate, DWORD id, const char *utf8);
void certificate_properties_release(struct certificate *certificate);
/* A property's bytes, stored or computed, as a fresh block (mem_free). CRYPT_E_NOT_FOUND. */
SECURITY_STATUS certificate_property_bytes(struct certificate *certificate, DWORD id, uint8_t **data, size_t *len);
/* Names where its private key is, beside or in a file of a system store: the process's, and read as the process. */
SECURITY_STATUS certificate_key_place(struct certificate *certificate, const char *place);

/* A store with one user. */
struct store *store_new(void);
/* Puts a certificate of `x509` into the store; `to` (may be NULL) receives it with a hold. CERT_STORE_ADD_ dispositions. */
SECURITY_STATUS store_add(struct store *store, X509 *x509, struct certificate *properties_of, DWORD disposition,
                          struct certificate **to);
SECURITY_STATUS store_add_crl(struct store *store, X509_CRL *list, DWORD disposition, struct crl **to);
/* What to do with one that a store has already. */
enum meeting { MEET_REFUSE, MEET_USE, MEET_REPLACE };
enum meeting store_meet(DWORD disposition, bool newer);
/* E_INVALIDARG for a disposition that is none. */
SECURITY_STATUS store_disposition_check(DWORD disposition);
/* May there be one more than `n`? CRYPT_E_FILE_ERROR when a store is full. */
SECURITY_STATUS store_room(size_t n);
/* Room for one more pointer in a list of `n`, at whose own pointer `list` points. CRYPT_E_FILE_ERROR when the store is full;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS store_grow(void *list, size_t n, size_t *max);
/* Appends the store's certificates and lists to stacks: fresh references. */
SECURITY_STATUS store_collect(struct store *store, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists);

/* The system stores (system.c). `name` is ROOT, MY or CA. ERROR_FILE_NOT_FOUND for another; CRYPT_E_FILE_ERROR, CRYPT_E_BAD_ENCODE. */
SECURITY_STATUS system_store_open(const char *name, bool machine, struct store **store);
/* The roots, and what the store CA holds (`lists` may be NULL), as the trust evaluation needs them; both are kept (system_kept.h). Append to the
 * stacks. */
SECURITY_STATUS system_roots(STACK_OF(X509) * roots);
SECURITY_STATUS system_intermediates(STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists);

#endif
