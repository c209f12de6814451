/*
 * A message in the caller's memory: what SecBufferDesc says, without its rules.
 */
#ifndef OPENSSPI_CORE_MESSAGE_H
#define OPENSSPI_CORE_MESSAGE_H

#include "base/slice.h"

/* Far above what callers pass (RPC uses 4); bounds the stack a message call takes to about 2 KiB. */
#define MESSAGE_SEGMENTS_MAX 64

struct segment {
    uint8_t *data;
    size_t len;
    bool read_only; /* signed, never changed: READONLY and READONLY_WITH_CHECKSUM */
};

#define MESSAGE_PARAMS_MAX 3 /* WDigest's: method, URL, hash of the body */

struct message {
    struct slice_mut token;       /* signature or trailer; data NULL where the caller gave none */
    struct slice_mut padding;     /* data NULL where the caller gave none */
    struct slice_mut stream;      /* a whole wrapped message to be opened in place; data NULL elsewhere */
    unsigned n_data, n_params;    /* of `data` and `params` */
    struct slice_mut stream_data; /* out: where in `stream` the plain text lies */
    /* Stream packages: around data[0] when it is sealed; out, with what lies behind the first record, when `stream` was opened. */
    struct slice_mut header, trailer;
    size_t extra;   /* out: bytes at the end of `stream` that were not used */
    size_t missing; /* out, with SEC_E_INCOMPLETE_MESSAGE */
    struct slice params[MESSAGE_PARAMS_MAX]; /* SECBUFFER_PKG_PARAMS in their order, empty ones too */
    struct segment data[MESSAGE_SEGMENTS_MAX];
};

#endif
