#include "schannel/bio.h"

#include "base/lazy.h"
#include "base/memory.h"
#include "base/secret.h"
#include "schannel/datagram.h"
#include "schannel/record.h"
#include "schannel/suite.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#if __has_include(<linux/tls.h>)
#include <linux/tls.h>
#define CTRL_KEYS 72 /* openssl/bio.h names it in a comment */
#endif

/* TLS before 1.3: libssl takes a record that is too short to have been protected for a fault of its own (failure.c). */
static void short_note(struct bio_ends *ends, const struct record *record)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ends->ssl);
    struct suite suite;
    if (cipher == NULL) /* negotiated anew */
        cipher = SSL_get_pending_cipher(ends->ssl);
    if (ends->read_protected && cipher != NULL && suite_describe(cipher, SSL_version(ends->ssl), &suite) &&
        record->body_len < suite.body_min)
        ends->read_short = true;
    ends->read_protected = ends->read_protected || record->type == RECORD_CHANGE_CIPHER_SPEC;
}

/* The next record that libssl may see. It reads ahead, but never beyond the record that it asks for: what follows it may be the caller's EXTRA. And
 * nothing may have been read ahead when libssl offers keys for reading to its BIO, which declines (ends_ctrl): from OpenSSL 3.2 on, what is left in
 * the old keys' buffer by then is lost. */
static void record_next(struct bio_ends *ends)
{
    while (ends->in_at < ends->in.len) {
        struct record record;
        size_t left = ends->in.len - ends->in_at;
        bool known = record_look(slice_of(ends->in.data + ends->in_at, left), ends->datagram, &record) == WIRE_OK;
        ends->record_end = ends->in_at + (known ? record.len : left);
        if (known && !ends->datagram)
            short_note(ends, &record);
        if (!known || !ends->datagram ||
            !datagram_is_strangers(ends->ssl, slice_of(ends->in.data + ends->in_at, record.len), &record))
            return;
        ends->in_at = ends->record_end;
    }
}

static int ends_read(BIO *bio, char *to, int len)
{
    struct bio_ends *ends = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (ends->in_at >= ends->record_end)
        record_next(ends);
    if (ends->in_at == ends->in.len) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t left = ends->record_end - ends->in_at, room = len > 0 ? (size_t)len : 0;
    size_t n_bytes = left < room ? left : room;
    if (n_bytes > 0)
        memcpy(to, ends->in.data + ends->in_at, n_bytes);
    ends->in_at += n_bytes;
    return (int)n_bytes;
}

/* One record over the caller's three buffers. Their sizes were checked against the suite's before. */
static bool message_put(struct bio_ends *ends, struct slice record)
{
    struct message *message = ends->message;
    size_t data_len = message->data[0].len, header_len = message->header.len;
    if (ends->message_written || record.len < header_len + data_len ||
        record.len - header_len - data_len > message->trailer.len)
        return false;
    memcpy(message->header.data, record.data, header_len);
    memcpy(message->data[0].data, record.data + header_len, data_len);
    message->trailer.len = record.len - header_len - data_len;
    memcpy(message->trailer.data, record.data + header_len + data_len, message->trailer.len);
    ends->message_written = true;
    return true;
}

static void record_count(struct bio_ends *ends, const uint8_t header[RECORD_HEADER_LEN])
{
    ends->written_left = (size_t)header[3] << 8 | header[4];
    ends->n_written++;
    if (header[0] == RECORD_CHANGE_CIPHER_SPEC)
        ends->n_written = 0;
    ends->protected = ends->protected || header[0] == RECORD_CHANGE_CIPHER_SPEC || header[0] == RECORD_APPLICATION_DATA;
}

/* Follows the stream that is written, which libssl's buffering cuts anywhere: how many records came since the keys changed. */
static void records_count(struct bio_ends *ends, struct slice bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        if (ends->written_left > 0) {
            size_t n_bytes = bytes.len - at < ends->written_left ? bytes.len - at : ends->written_left;
            ends->written_left -= n_bytes;
            at += n_bytes;
            continue;
        }
        if (ends->written_header_len == 0 && bytes.len - at >= RECORD_HEADER_LEN) {
            record_count(ends, bytes.data + at);
            at += RECORD_HEADER_LEN;
            continue;
        }
        ends->written_header[ends->written_header_len++] = bytes.data[at++];
        if (ends->written_header_len < RECORD_HEADER_LEN)
            continue;
        ends->written_header_len = 0;
        record_count(ends, ends->written_header);
    }
}

static int ends_write(BIO *bio, const char *from, int len)
{
    struct bio_ends *ends = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    struct slice bytes = slice_of(from, (size_t)len);
    if (!ends->datagram)
        records_count(ends, bytes);
    if (ends->message != NULL)
        return message_put(ends, bytes) ? len : -1;
    if (ends->token == NULL)
        return -1;
    writer_slice(ends->token, bytes);
    return writer_finish(ends->token) == WIRE_OK ? len : -1;
}

#ifdef CTRL_KEYS
/* With SSL_OP_ENABLE_KTLS libssl offers the keys of application data to its BIO, for the kernel, in the kernel's form. They are looked at, for an
 * alert that may have to be written (alert.c), and the offer is declined. For reading that goes well only as long as ends_read gives one record at a
 * time. */
__attribute__((noinline)) static void keys_look(struct bio_ends *ends, const struct tls_crypto_info *offered)
{
    struct bio_keys keys = {0};
    if (offered == NULL || offered->version != TLS_1_3_VERSION)
        return;
    switch (offered->cipher_type) {
    case TLS_CIPHER_AES_GCM_128: {
        const struct tls12_crypto_info_aes_gcm_128 *gcm = (const void *)offered;
        keys.key_len = sizeof gcm->key;
        memcpy(keys.key, gcm->key, sizeof gcm->key);
        memcpy(keys.iv, gcm->salt, sizeof gcm->salt);
        memcpy(keys.iv + sizeof gcm->salt, gcm->iv, sizeof gcm->iv);
        break;
    }
    case TLS_CIPHER_AES_GCM_256: {
        const struct tls12_crypto_info_aes_gcm_256 *gcm = (const void *)offered;
        keys.key_len = sizeof gcm->key;
        memcpy(keys.key, gcm->key, sizeof gcm->key);
        memcpy(keys.iv, gcm->salt, sizeof gcm->salt);
        memcpy(keys.iv + sizeof gcm->salt, gcm->iv, sizeof gcm->iv);
        break;
    }
    case TLS_CIPHER_CHACHA20_POLY1305: {
        const struct tls12_crypto_info_chacha20_poly1305 *chacha = (const void *)offered;
        keys.key_len = sizeof chacha->key;
        memcpy(keys.key, chacha->key, sizeof chacha->key);
        memcpy(keys.iv, chacha->iv, sizeof chacha->iv);
        break;
    }
    default: /* no alerts with the others */
        break;
    }
    ends->keys = keys;
    secret_wipe(&keys, sizeof keys);
}
#endif

/* Until 3.1 libssl shows the time at which it would send its flight again where it keeps it, from 3.2 on a copy (RFC 6347 4.2.4.1 leaves the clock
 * to whoever has it: here that is the caller, and libssl has no function to say so). */
bool bio_shows_resend_time(void)
{
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2;
}

static long ends_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    switch (command) { /* six times a message libssl asks for what is not here */
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        if (bio_shows_resend_time())
            ((struct bio_ends *)BIO_get_data(bio))->resend_time = pointer;
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return ((const struct bio_ends *)BIO_get_data(bio))->mtu;
#ifdef CTRL_KEYS
    case CTRL_KEYS:
        if (number != 0) /* for writing */
            keys_look(BIO_get_data(bio), pointer);
        return 0;
#endif
    default: /* also the overhead: the caller's number is what a record may have */
        return 0;
    }
}

static int type; /* a number of OpenSSL's, who has a hundred */

static void type_make(void)
{
    type = BIO_get_new_index();
}

static void method_free(void *method)
{
    BIO_meth_free(method);
}

static void *method_make(const void *unused)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)unused;
    pthread_once(&once, type_make);
    BIO_METHOD *method = type > 0 ? BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "OpenSSPI buffers") : NULL;
    if (method != NULL && BIO_meth_set_read(method, ends_read) == 1 && BIO_meth_set_write(method, ends_write) == 1 &&
        BIO_meth_set_ctrl(method, ends_ctrl) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *bio_over(struct bio_ends *ends)
{
    static _Atomic(void *) kept;
    const BIO_METHOD *method = lazy_get(&kept, method_make, method_free, NULL);
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    require(bio != NULL, NULL);
    BIO_set_data(bio, ends);
    BIO_set_init(bio, 1);
    return bio;
}
