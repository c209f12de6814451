/*
 * What a process and the LSA daemon say to each other (docs/lsa-protocol.md): frames of a fixed head and fields, over a Unix stream socket. Requests
 * and replies are one form; a table says which fields each must and may have. Neither side trusts the other's bytes.
 */
#ifndef OPENSSPI_LSA_PROTOCOL_H
#define OPENSSPI_LSA_PROTOCOL_H

#include "base/reader.h"
#include "base/writer.h"

#define LSA_PROTOCOL_VERSION 1
#define LSA_HEAD_LEN 12
/* A session record and a token, both as large as they may be, with room for the rest. */
#define LSA_BODY_MAX ((size_t)512 << 10)
#define LSA_CLIENT_LEN 16 /* the name of a client, which only its own processes know */

enum lsa_operation {
    LSA_HELLO = 1,
    LSA_ACQUIRE,
    LSA_RELEASE, /* has no reply */
    LSA_STEP,
    LSA_ABANDON, /* has no reply */
    LSA_COMPLETE,
    LSA_QUERY_CREDENTIAL,
    LSA_SET_CREDENTIAL,
    LSA_QUERY_CONTEXT,
    LSA_CHANGE_PASSWORD,
    LSA_ACQUIRE_DELEGATED,
    LSA_ACQUIRE_S4U,
    LSA_LOGON,
    LSA_LOGOFF,
    LSA_LIST_SESSIONS,
    LSA_DESCRIBE_SESSION,
    LSA_PROVE,
    LSA_TICKETS,
    LSA_WRAP,
    LSA_KEY,
    LSA_SIGN,
    LSA_ASK,
    LSA_OPERATIONS, /* one past the last */
};

/* Each kind has one form: numbers are eight bytes, texts UTF-8 with a NUL at the end and none before. */
enum lsa_field {
    LSA_STATUS = 1,     /* number; replies: the SECURITY_STATUS */
    LSA_CAUSE,          /* text; replies: the cause in words, where there is one */
    LSA_CLIENT,         /* bytes: the client's name */
    LSA_PACKAGE,        /* text */
    LSA_PRINCIPAL,      /* text */
    LSA_USE,            /* number */
    LSA_IDENTITY,       /* number, LSA_HAS_ bits: there is an identity */
    LSA_USER,           /* text */
    LSA_DOMAIN,         /* text */
    LSA_PACKAGES,       /* text: of an identity */
    LSA_PASSWORD,       /* bytes, UTF-16LE, or the NT hash */
    LSA_PROOF,          /* bytes: what a keytab file holds */
    LSA_CREDENTIAL,     /* number: a credential of the client's */
    LSA_CONTEXT,        /* number: a context of the client's; 0: none */
    LSA_EXPIRY,         /* number: FILETIME */
    LSA_FLAGS,          /* number: asked of a handshake; of a logon or proof LSA_WANTS_ bits */
    LSA_GRANTED,        /* number */
    LSA_TARGET,         /* text */
    LSA_TOKEN,          /* bytes */
    LSA_BINDINGS,       /* bytes */
    LSA_RECORD,         /* bytes: a session record */
    LSA_LIST_MIC,       /* number: 1 is step_out.wants_list_mic, 2 signs_list */
    LSA_ATTRIBUTE,      /* number */
    LSA_VALUE,          /* bytes */
    LSA_TEXT,           /* text */
    LSA_SECOND_TEXT,    /* text */
    LSA_NEW_PASSWORD,   /* bytes, UTF-16LE */
    LSA_DELEGATED,      /* bytes */
    LSA_LOGON_SESSION,  /* number: a logon session */
    LSA_LOGON_TYPE,     /* number: SECURITY_LOGON_TYPE */
    LSA_LOGON_SESSIONS, /* bytes: numbers of eight bytes, one a logon session */
    LSA_TIME,           /* number: FILETIME */
    LSA_OWNER,          /* number: Unix user id */
    LSA_NOT_HERE,       /* number: the daemon has no such thing, and the caller may have it itself */
    LSA_PARAMS = 36,    /* bytes: step_in.params, each led by its length in four bytes */
    LSA_TARGET_HOST,    /* bytes: step_in.target_host */
    LSA_RECEIVE_SIZE,   /* number: step_in.receive_size */
    LSA_KEY_NAME,       /* text: of a private key that the daemon keeps */
    LSA_KEY_HASH,       /* bytes: SHA-256 of its SubjectPublicKeyInfo */
    LSA_SCHEME,         /* number: certificates/key_scheme.h */
    LSA_FIELDS,         /* one past the last */
};

/* LSA_FORM_SHORT: a number that has 32 bits where it is used. A larger one is refused when it is read, so that nobody compares one number and uses
 * another. */
enum lsa_form { LSA_FORM_NONE, LSA_FORM_NUMBER, LSA_FORM_SHORT, LSA_FORM_TEXT, LSA_FORM_BYTES };
enum lsa_place { LSA_MAY_NOT, LSA_MAY, LSA_MUST };

/* Bits of LSA_IDENTITY. */
#define LSA_HAS_PASSWORD 1u
#define LSA_HAS_HASH 2u     /* the password is the NT hash */
#define LSA_HAS_KEYTAB 4u   /* the proof is a keytab file's bytes */
#define LSA_HAS_RESPONSE 8u /* the proof is an identity_response (core/identity.h); of a log on */

/* LSA_USE of what is asked of tickets. */
#define LSA_TICKETS_LIST 0u
#define LSA_TICKETS_REMOVE 1u
/* LSA_FLAGS of a logon: the session record of its proof is wanted, of which the caller makes a token. */
#define LSA_WANTS_RECORD 1u
#define LSA_WANTS_KEPT 2u /* also of a proof: something to act with as the user, which comes sealed */

struct lsa_head {
    uint32_t body_len;
    uint16_t version;
    uint8_t operation;
    bool reply;
    uint32_t sequence; /* of a reply: that of its request */
};

/* A body taken apart. Everything points into it; data NULL: the field is not there. */
struct lsa_message {
    struct slice field[LSA_FIELDS];
};

/* Appends a head; lsa_body_end sets its length when the fields are written. */
void lsa_head_write(struct writer *writer, enum lsa_operation operation, bool reply, uint32_t sequence);
void lsa_number_write(struct writer *writer, enum lsa_field field, uint64_t value);
void lsa_text_write(struct writer *writer, enum lsa_field field, const char *text);    /* NULL: nothing */
void lsa_bytes_write(struct writer *writer, enum lsa_field field, struct slice bytes); /* data NULL: nothing */
MUST_USE enum wire_result lsa_body_end(struct writer *writer); /* WIRE_BAD: too long, or no memory */

/* WIRE_SHORT for fewer than LSA_HEAD_LEN bytes; WIRE_BAD for a body of more than LSA_BODY_MAX bytes or reserved bits. The version is the caller's to
 * judge. */
MUST_USE enum wire_result lsa_head_read(struct reader *reader, struct lsa_head *head);
/* Takes a body apart and holds it against the table: each field in its form, at most once, all that this message must have and none that it may not.
 * Fields of numbers that this version does not know are passed over. */
MUST_USE enum wire_result lsa_body_read(struct slice body, enum lsa_operation operation, bool reply,
                                        struct lsa_message *message);

/* What the table says, for whoever makes messages of it: tests have no other description of the protocol. LSA_FORM_NONE and LSA_MAY_NOT for numbers
 * that no field or message has. Of a reply: one that tells of success. */
enum lsa_form lsa_field_form(unsigned field);
enum lsa_place lsa_field_place(unsigned operation, bool reply, unsigned field);

static inline bool lsa_has(const struct lsa_message *message, enum lsa_field field)
{
    return message->field[field].data != NULL;
}
uint64_t lsa_number(const struct lsa_message *message, enum lsa_field field);  /* 0 where it is not there */
const char *lsa_text(const struct lsa_message *message, enum lsa_field field); /* NULL where it is not there */

#endif
