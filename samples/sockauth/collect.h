/*
 * collect.h: a collection of blobs, each found by a DWORD.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_COLLECT_H
#define SOCKAUTH_COLLECT_H

#include "comm.h"

/* CollectAdd makes a zeroed blob of len bytes; NULL when the key is taken or memory is short. The collection owns it. */
void *CollectAdd(DWORD key, size_t len);
/* CollectGet finds a blob; NULL when there is none. */
void *CollectGet(DWORD key);
/* CollectRemove zeroes and frees a blob, if there is one. */
void CollectRemove(DWORD key);

#endif
