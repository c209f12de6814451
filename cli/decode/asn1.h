/*
 * DER by tables: which fields a structure has, and what each means. Kerberos, SPNEGO and CredSSP are written so.
 */
#ifndef OPENSSPI_CLI_DECODE_ASN1_H
#define OPENSSPI_CLI_DECODE_ASN1_H

#include "decode/decode.h"

enum asn1_kind {
    ASN1_INTEGER,
    ASN1_TEXT,      /* GeneralString and its kin */
    ASN1_TIME,      /* GeneralizedTime */
    ASN1_BYTES,     /* OCTET STRING */
    ASN1_BITS,      /* KerberosFlags, by words */
    ASN1_WORD,      /* INTEGER or ENUMERATED, by words */
    ASN1_STRUCTURE, /* SEQUENCE of context-tagged fields */
    ASN1_LIST,      /* SEQUENCE OF structures, or OF what `of` says */
    ASN1_TICKET,    /* a structure under its application tag */
    ASN1_NAME,      /* PrincipalName */
    ASN1_OIDS,      /* SEQUENCE OF OBJECT IDENTIFIER */
    ASN1_OID,
    ASN1_TOKEN,   /* OCTET STRING with a token inside */
    ASN1_UTF16,   /* OCTET STRING with UTF-16LE */
    ASN1_INTEGERS /* SEQUENCE OF INTEGER, by words */
};

struct asn1_type;
struct asn1_field {  /* NOLINT(clang-analyzer-optin.performance.Padding): tables read in this order */
    unsigned number; /* of the context tag */
    const char *name;
    enum asn1_kind kind;
    const struct asn1_type *of;
    const struct tree_word *words;
    size_t n_words;
};
struct asn1_type {
    const char *name;
    const struct asn1_field *fields;
    size_t n_fields;
};

/* A whole structure: SEQUENCE and its content. */
void asn1_structure(struct tree *tree, const struct asn1_type *type, struct slice bytes, unsigned nesting);
/* An identifier's content as dotted numbers, with the name of those we know. */
#define ASN1_OID_MAX 160
void asn1_oid(struct slice oid, char text[ASN1_OID_MAX]);

#define ASN1_TYPE(title, table)                          \
    {                                                    \
        title, table, sizeof(table) / sizeof((table)[0]) \
    }

#endif
