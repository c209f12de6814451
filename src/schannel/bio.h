/*
 * How libssl reads and writes: straight from the caller's input, and straight into the caller's message buffers or the token that is being made.
 */
#ifndef OPENSSPI_SCHANNEL_BIO_H
#define OPENSSPI_SCHANNEL_BIO_H

#include "base/writer.h"
#include "core/message.h"
#include <openssl/bio.h>
#include <openssl/types.h>
#include <sys/time.h>

#define BIO_KEY_LEN_MAX 32
#define BIO_NONCE_LEN 12

/* What records of an AEAD suite are written with. */
struct bio_keys {
    uint8_t key[BIO_KEY_LEN_MAX], iv[BIO_NONCE_LEN];
    size_t key_len; /* 0: not known */
};

/* Both ends, for the length of one call; between calls everything is empty. */
struct bio_ends {
    struct slice in;         /* whole records; libssl finds no more than that */
    size_t in_at;            /* read so far */
    size_t record_end;       /* of the record that is read, within `in` */
    struct writer *token;    /* where records go that are not the message's */
    struct message *message; /* sealing: the one record that is written is laid over header, data and trailer */
    bool datagram;           /* one record a read */
    SSL *ssl;                /* whose ends these are */
    uint16_t mtu;
    struct timeval *resend_time; /* DTLS: libssl's own, of its last flight; NULL where it does not show that one */
    bool message_written;
    bool
        read_protected; /* TLS: ChangeCipherSpec was read in a handshake; before TLS 1.3 all that comes then is encrypted */
    bool read_short;     /* TLS before 1.3: a record was too short for that */
    uint64_t n_written;  /* TLS: records since ChangeCipherSpec, or since whoever knows of other keys set it to 0 */
    size_t written_left; /* of the record whose header was written last */
    uint8_t written_header[5]; /* as far as it was written */
    size_t written_header_len;
    struct bio_keys keys; /* TLS 1.3 clients: the first of application data, if libssl tells them */
    bool protected; /* a record of TLS 1.3's outer type, or ChangeCipherSpec, was written: plain ones cannot follow */
};

/* What libssl finds from now on: `in`, of which the first `first_len` bytes are the first record (0: not known yet). Datagrams' records are looked at
 * in any case. */
static inline void ends_give(struct bio_ends *ends, struct slice in, size_t first_len)
{
    ends->in = in;
    ends->in_at = 0;
    ends->record_end = ends->datagram ? 0 : first_len;
}
/* Is `resend_time` there, for whoever wants a flight sent again now? */
bool bio_shows_resend_time(void);
/* A BIO over `ends`, which outlives it. NULL when there is no memory. */
BIO *bio_over(struct bio_ends *ends);

#endif
