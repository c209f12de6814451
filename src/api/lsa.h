/*
 * What the files of the Lsa functions share.
 */
#ifndef OPENSSPI_API_LSA_H
#define OPENSSPI_API_LSA_H

#include "core/package.h"
#include "core/tickets.h"
#include <ntsecapi.h>

/* MS-ERREF 2.3.1. Those that other headers have already are theirs. */
#define LSA_OK ((NTSTATUS)0)
#define LSA_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define LSA_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define LSA_NO_MEMORY_LEFT ((NTSTATUS)0xC0000017)
#define LSA_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define LSA_QUOTA_EXCEEDED ((NTSTATUS)0xC0000044)
#define LSA_PORT_CONNECTION_REFUSED ((NTSTATUS)0xC0000041)
#define LSA_PRIVILEGE_NOT_HELD ((NTSTATUS)0xC0000061)
#define LSA_INVALID_LOGON_TYPE ((NTSTATUS)0xC000010B)
#define LSA_NO_LOGON_SERVERS ((NTSTATUS)0xC000005E)
#define LSA_NO_SUCH_LOGON_SESSION ((NTSTATUS)0xC000005F)
#define LSA_LOGON_FAILURE ((NTSTATUS)0xC000006D)
#define LSA_ACCOUNT_RESTRICTION ((NTSTATUS)0xC000006E)
#define LSA_PASSWORD_EXPIRED ((NTSTATUS)0xC0000071)
#define LSA_ACCOUNT_DISABLED ((NTSTATUS)0xC0000072)
#define LSA_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define LSA_INTERNAL_ERROR ((NTSTATUS)0xC00000E5)
#define LSA_BAD_VALIDATION_CLASS ((NTSTATUS)0xC00000A7)
#define LSA_NO_SUCH_PACKAGE ((NTSTATUS)0xC00000FE)
#define LSA_NAME_TOO_LONG ((NTSTATUS)0xC0000106)
#define LSA_TIME_DIFFERENCE ((NTSTATUS)0xC0000133)
#define LSA_ACCOUNT_EXPIRED ((NTSTATUS)0xC0000193)
#define LSA_WRONG_PASSWORD ((NTSTATUS)0xC000006A)

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
