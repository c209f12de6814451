/*
 * What the files of the Lsa functions share.
 */
#ifndef OPENSSPI_API_LSA_H
#define OPENSSPI_API_LSA_H

#include "core/package.h"
#include "core/tickets.h"
#include <ntsecapi.h>
#include <win32/ntstatus.h>

/* As the functions of ntsecapi.h tell it; a code of SSPI's that no NTSTATUS stands for stays what it is. */
NTSTATUS lsa_status(SECURITY_STATUS status);
/* The process's configuration, whomever the thread impersonates. */
SECURITY_STATUS lsa_config_get(const struct config **config);
/* Is this the handle of a living connection? `trusted` (may be NULL): of a logon process. */
bool lsa_is_connected(HANDLE handle, bool *trusted);
/* Packages by their number: Negotiate is 0. NULL: there is none. */
const struct package *lsa_package(ULONG number);

/* A string of a structure that a caller gave: its characters lie in the caller's block, by pointer or by offset from the block's start. */
NTSTATUS lsa_text_read(const UNICODE_STRING *text, const void *block, size_t block_len, char **utf8);
NTSTATUS lsa_bytes_read(const STRING *bytes, const void *block, size_t block_len, struct slice *given);
NTSTATUS lsa_units_read(const UNICODE_STRING *text, const void *block, size_t block_len, struct slice *units);
/* The reverse: the string's characters and a NUL at *at, inside the block of an answer, and *at behind them. False without memory, for text that is
 * longer than a string, and for text that is not UTF-8. */
bool lsa_string_put(UNICODE_STRING *string, const char *text, uint16_t **at);

struct identity;
/* lsa_response.c: MSV1_0_LM20_LOGON as an identity, and the profile that the logon gives. */
NTSTATUS lsa_response_read(const void *information, size_t len, struct identity *identity);
SECURITY_STATUS lsa_response_profile(struct slice record, void **profile, size_t *len);

/* A message of LsaCallAuthenticationPackage, and where its answer goes. */
struct lsa_call {
    const struct config *config;
    const struct package *package;
    const void *message;
    size_t len;
    void **answer;
    size_t *answer_len;
};
/* A block for the answer, wiped when it is freed; it goes again when the message fails. */
NTSTATUS lsa_answer_make(const struct lsa_call *call, size_t len);

/* lsa_tickets.c */
NTSTATUS lsa_tickets_query(const struct lsa_call *call);
NTSTATUS lsa_tickets_purge(const struct lsa_call *call);
NTSTATUS lsa_tickets_purge_ex(const struct lsa_call *call);
NTSTATUS lsa_tickets_retrieve_granting(const struct lsa_call *call);
NTSTATUS lsa_tickets_retrieve(const struct lsa_call *call);

/* lsa_messages.c: an answer in a block, or NULL. */
NTSTATUS lsa_message(const struct package *package, const void *message, size_t len, void **answer, size_t *answer_len);

#endif
