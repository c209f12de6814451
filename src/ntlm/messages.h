/*
 * The three NTLM messages and the attribute pairs (MS-NLMP 2.2.1, 2.2.2), decoded into slices of the bytes that came, so that the MIC
 * can cover exactly those bytes.
 */
#ifndef OPENSSPI_NTLM_MESSAGES_H
#define OPENSSPI_NTLM_MESSAGES_H

#include "base/reader.h"
#include "base/writer.h"

#define NTLM_MESSAGE_MAX 2888 /* cbMaxToken of the package; a longer message is refused */

/* MS-NLMP 2.2.2.5 */
enum ntlm_flag {
    NTLM_UNICODE = 0x00000001,
    NTLM_OEM = 0x00000002,
    NTLM_REQUEST_TARGET = 0x00000004,
    NTLM_SIGN = 0x00000010,
    NTLM_SEAL = 0x00000020,
    NTLM_DATAGRAM = 0x00000040,
    NTLM_LM_KEY = 0x00000080,
    NTLM_NTLM = 0x00000200,
    NTLM_ANONYMOUS = 0x00000800,
    NTLM_OEM_DOMAIN_SUPPLIED = 0x00001000,
    NTLM_OEM_WORKSTATION_SUPPLIED = 0x00002000,
    NTLM_ALWAYS_SIGN = 0x00008000,
    NTLM_TARGET_TYPE_DOMAIN = 0x00010000,
    NTLM_TARGET_TYPE_SERVER = 0x00020000,
    NTLM_EXTENDED_SESSION_SECURITY = 0x00080000,
    NTLM_IDENTIFY = 0x00100000,
    NTLM_REQUEST_NON_NT_SESSION_KEY = 0x00400000,
    NTLM_TARGET_INFO = 0x00800000,
    NTLM_VERSION = 0x02000000,
    NTLM_128 = 0x20000000,
    NTLM_KEY_EXCH = 0x40000000,
};
#define NTLM_56 0x80000000u /* past the range of an enum's int */

enum ntlm_message_type { NTLM_NEGOTIATE = 1, NTLM_CHALLENGE = 2, NTLM_AUTHENTICATE = 3 };

struct ntlm_negotiate {
    uint32_t flags;
    struct slice domain, workstation; /* OEM text, mostly empty; nothing is done with them */
};

struct ntlm_challenge {
    uint32_t flags;
    uint8_t challenge[8];
    struct slice target_name; /* UTF-16LE or OEM by flags */
    struct slice target_info; /* pairs; data NULL when the server sent none */
};

#define NTLM_MIC_OFFSET 72 /* 2.2.1.3 */
#define NTLM_MIC_LEN 16

struct ntlm_authenticate {
    uint32_t flags;
    struct slice lm_response, nt_response, domain, user, workstation, session_key;
    bool has_mic_field; /* the header reaches over the MIC's place: whether it is one, the pairs say */
};

MUST_USE enum wire_result ntlm_negotiate_parse(struct slice message, struct ntlm_negotiate *negotiate);
void ntlm_negotiate_write(struct writer *writer, uint32_t flags);

MUST_USE enum wire_result ntlm_challenge_parse(struct slice message, struct ntlm_challenge *challenge);
void ntlm_challenge_write(struct writer *writer, const struct ntlm_challenge *challenge);

MUST_USE enum wire_result ntlm_authenticate_parse(struct slice message, struct ntlm_authenticate *authenticate);
/* How long the message will be. */
size_t ntlm_authenticate_len(const struct ntlm_authenticate *authenticate);
/* Writes the message with a zeroed MIC field when has_mic_field. */
void ntlm_authenticate_write(struct writer *writer, const struct ntlm_authenticate *authenticate);

/* MS-NLMP 2.2.2.1 */
enum ntlm_av_id {
    NTLM_AV_EOL = 0,
    NTLM_AV_NB_COMPUTER = 1,
    NTLM_AV_NB_DOMAIN = 2,
    NTLM_AV_DNS_COMPUTER = 3,
    NTLM_AV_DNS_DOMAIN = 4,
    NTLM_AV_DNS_TREE = 5,
    NTLM_AV_FLAGS = 6,
    NTLM_AV_TIMESTAMP = 7,
    NTLM_AV_SINGLE_HOST = 8,
    NTLM_AV_TARGET_NAME = 9,
    NTLM_AV_CHANNEL_BINDINGS = 10,
    NTLM_AV_KNOWN = 11, /* one past the last */
};

#define NTLM_AV_FLAG_MIC 0x2u
#define NTLM_AV_FLAG_UNVERIFIED_TARGET 0x4u

struct ntlm_av {
    struct slice value[NTLM_AV_KNOWN]; /* data NULL: not there */
    uint32_t flags;
    uint64_t timestamp; /* 0: not there */
    size_t len;         /* bytes of all pairs with the end pair */
};

/* Reads pairs up to and with the end pair; what follows is allowed. WIRE_BAD for a known pair given twice or of a wrong size, or no end pair. */
MUST_USE enum wire_result ntlm_av_parse(struct slice pairs, struct ntlm_av *av);
void ntlm_av_write(struct writer *writer, enum ntlm_av_id id, struct slice value);
void ntlm_av_write_text(struct writer *writer, enum ntlm_av_id id, const char *text);
void ntlm_av_write_u32(struct writer *writer, enum ntlm_av_id id, uint32_t value);
void ntlm_av_write_u64(struct writer *writer, enum ntlm_av_id id, uint64_t value);
/* Copies every pair but the end pair and those this client writes itself (flags, single host, target name, channel bindings). */
MUST_USE enum wire_result ntlm_av_copy_server(struct writer *writer, struct slice pairs);
/* Is every pair of `sent` in `received`, unchanged? */
bool ntlm_av_contains(struct slice received, struct slice sent);

/* NTLMv2_CLIENT_CHALLENGE (2.2.2.7), the blob behind the proof. */
struct ntlm_client_challenge {
    uint64_t timestamp;
    uint8_t challenge[8];
    struct slice pairs; /* with the end pair and whatever follows it */
};
MUST_USE enum wire_result ntlm_client_challenge_parse(struct slice blob, struct ntlm_client_challenge *client);
void ntlm_client_challenge_write(struct writer *writer, const struct ntlm_client_challenge *client);

/* Names on the wire, UTF-16LE or OEM by the flags. OEM text is taken as UTF-8 where it is valid, else as Latin-1: the code page is nowhere said. */
/* Is it text at all? Tells what ntlm_text_read failed for: that, or want of memory. */
bool ntlm_text_valid(uint32_t flags, struct slice bytes);
MUST_USE enum wire_result ntlm_text_read(uint32_t flags, struct slice bytes, char **text);
MUST_USE enum wire_result ntlm_text_write(uint32_t flags, struct writer *writer, const char *text);

#endif
