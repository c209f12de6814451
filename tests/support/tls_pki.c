#include "support/tls_pki.h"

#include "certificates/certificate.h"
#include <assert.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define DAY (24L * 3600)

static EVP_PKEY *key_make(const struct pki_wish *wish)
{
    EVP_PKEY *key = wish->ed25519         ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                    : wish->rsa_bits == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                          : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)wish->rsa_bits);
    assert(key != NULL);
    return key;
}

static void extension_add(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

struct pki pki_make(const struct pki_wish *wish)
{
    static long serial = 1000;
    struct pki made = {.x509 = X509_new(), .key = key_make(wish)};
    X509 *issuer = wish->issuer != NULL ? wish->issuer->x509 : made.x509;
    EVP_PKEY *signer = wish->issuer != NULL ? wish->issuer->key : made.key;
    assert(made.x509 != NULL && X509_set_version(made.x509, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made.x509), ++serial);
    long from = wish->from_days != 0 ? wish->from_days : -1,
         until = from + (wish->for_days != 0 ? wish->for_days : 365);
    X509_gmtime_adj(X509_getm_notBefore(made.x509), from * DAY);
    X509_gmtime_adj(X509_getm_notAfter(made.x509), until * DAY);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.x509), "CN", MBSTRING_UTF8, (const unsigned char *)wish->name,
                               -1, -1, 0);
    X509_set_issuer_name(made.x509, X509_get_subject_name(issuer));
    X509_set_pubkey(made.x509, made.key);
    extension_add(made.x509, issuer, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extension_add(made.x509, issuer, NID_key_usage,
                  wish->authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment");
    if (wish->usage != NULL)
        extension_add(made.x509, issuer, NID_ext_key_usage, wish->usage);
    if (wish->alternatives != NULL)
        extension_add(made.x509, issuer, NID_subject_alt_name, wish->alternatives);
    const EVP_MD *digest = wish->digest != NULL ? wish->digest : EVP_sha256();
    int signed_len = X509_sign(made.x509, signer, EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519 ? NULL : digest);
    assert(signed_len > 0);
    (void)signed_len;
    return made;
}

void pki_free(struct pki *pki)
{
    X509_free(pki->x509);
    EVP_PKEY_free(pki->key);
    *pki = (struct pki){0};
}

PCCERT_CONTEXT pki_context(const struct pki *pki, const struct pki *issuer, bool bare)
{
    PCCERT_CONTEXT context = NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    if (issuer != NULL)
        sk_X509_push(chain, issuer->x509);
    SECURITY_STATUS status = certificate_context_make(pki->x509, chain, bare ? NULL : pki->key, &context);
    assert(status == SEC_E_OK);
    (void)status;
    sk_X509_free(chain);
    return context;
}

HCERTSTORE pki_store(const struct pki *pki)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    PCCERT_CONTEXT context = pki_context(pki, NULL, true);
    assert(store != NULL && CertAddCertificateContextToStore(store, context, CERT_STORE_ADD_ALWAYS, NULL));
    CertFreeCertificateContext(context);
    return store;
}

static void number_add(X509_CRL *crl, int nid, long value, bool critical)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    int added = ASN1_INTEGER_set(number, value) == 1 ? X509_CRL_add1_ext_i2d(crl, nid, number, critical, 0) : 0;
    assert(added == 1);
    (void)added;
    ASN1_INTEGER_free(number);
}

static X509_REVOKED *entry_of(const struct pki_list *wish, ASN1_TIME *time)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_INTEGER_set(serial, wish->revoked);
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_gmtime_adj(time, -7200);
    X509_REVOKED_set_revocationDate(entry, time);
    ASN1_INTEGER_free(serial);
    if (wish->lifted) {
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        ASN1_ENUMERATED_set(reason, CRL_REASON_REMOVE_FROM_CRL);
        X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0);
        ASN1_ENUMERATED_free(reason);
    }
    return entry;
}

X509_CRL *pki_list(const struct pki_list *wish)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_new();
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(wish->issuer->x509));
    X509_gmtime_adj(time, wish->days < 0 ? 2 * wish->days * DAY : -(wish->age != 0 ? wish->age : 3600));
    X509_CRL_set1_lastUpdate(crl, time);
    X509_gmtime_adj(time, wish->days * DAY);
    X509_CRL_set1_nextUpdate(crl, time);
    if (wish->revoked != 0)
        X509_CRL_add0_revoked(crl, entry_of(wish, time));
    ASN1_TIME_free(time);
    if (wish->number != 0)
        number_add(crl, NID_crl_number, wish->number, false);
    if (wish->is_delta)
        number_add(crl, NID_delta_crl, wish->delta_of, true);
    int signed_len = X509_CRL_sort(crl) == 1 ? X509_CRL_sign(crl, wish->issuer->key, EVP_sha256()) : 0;
    assert(signed_len > 0);
    (void)signed_len;
    return crl;
}

X509_CRL *pki_crl(const struct pki *issuer, long revoked, long days)
{
    return pki_list(&(struct pki_list){.issuer = issuer, .revoked = revoked, .days = days});
}

static struct pki authority, server, server_rsa, client;

static void made_free(void)
{
    pki_free(&authority);
    pki_free(&server);
    pki_free(&server_rsa);
    pki_free(&client);
}

static const struct pki *once(struct pki *made, const struct pki_wish *wish)
{
    static bool registered;
    if (!registered)
        atexit(made_free);
    registered = true;
    if (made->x509 == NULL)
        *made = pki_make(wish);
    return made;
}

const struct pki *pki_authority(void)
{
    return once(&authority, &(struct pki_wish){.name = "Test Authority", .authority = true});
}

#define SERVER_NAMES "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1"

const struct pki *pki_server(void)
{
    return once(&server, &(struct pki_wish){.name = "server.test",
                                            .alternatives = SERVER_NAMES,
                                            .issuer = pki_authority(),
                                            .usage = "serverAuth"});
}

const struct pki *pki_server_rsa(void)
{
    return once(&server_rsa, &(struct pki_wish){.name = "server.test",
                                                .alternatives = SERVER_NAMES,
                                                .issuer = pki_authority(),
                                                .usage = "serverAuth",
                                                .rsa_bits = 2048});
}

const struct pki *pki_client(void)
{
    return once(&client, &(struct pki_wish){.name = "Alice",
                                            .alternatives = "email:alice@client.test",
                                            .issuer = pki_authority(),
                                            .usage = "clientAuth"});
}
