/* SPDX-License-Identifier: MIT */
/* reply.h: what a server answers, read from a connection of either kind (RFC 9112). Everything in it is bounded. */
#ifndef HTTPAUTH_REPLY_H
#define HTTPAUTH_REPLY_H

#include <stdbool.h>
#include <stdio.h>
#include <stddef.h>

#define CHALLENGES_MAX 16

/* Bytes from the server: >0 how many, 0 at the end, <0 for an error. */
struct wire {
    long (*receive)(void *channel, char *data, size_t size);
    void *channel;
    char data[16384];
    size_t at, len;
    bool broken; /* the end came by an error, not by the server's word */
};

struct reply {
    int status;
    char reason[64];
    char *lines; /* the header, each line ending with NUL */
    size_t lines_len;
    const char *challenges[CHALLENGES_MAX]; /* what WWW-Authenticate said, each "Scheme" or "Scheme what-it-says" */
    size_t n_challenges;
    const char *info; /* the value of Authentication-Info, or NULL */
    bool keeps;       /* the connection can be used again */
    bool chunked;
    long long length; /* of the body, -1 where only its end tells */
};

/* Reads status line and header. False when the server hung up or does not speak HTTP. ReplyFree in any case. */
bool ReplyRead(struct wire *wire, bool verbose, struct reply *reply);
/* Reads the body, into `to` unless that is NULL. Without a file at most 1 MiB is read: a page that explains a refusal is short. */
bool ReplyBody(struct wire *wire, struct reply *reply, FILE *to);
void ReplyFree(struct reply *reply);

#endif
