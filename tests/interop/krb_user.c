/*
 * User-to-user authentication by libkrb5's own calls, for the interop tests: it knows no GSS framing, which the test puts on and takes off.
 * build: peer krb5
 *
 *   tgt                    the user's ticket-granting ticket, encoded
 *   request TICKET TARGET  an AP-REQ to the target in the key of that ticket-granting ticket
 *   reply AP-REP           reads the answer
 *   accept AP-REQ          opens it with the user's session key: AP-REP and the client's name
 */
#include "peer_line.h"

#include <krb5.h>

static krb5_context krb;
static krb5_ccache cache;
static krb5_auth_context auth;

static void fail(krb5_error_code code, const char *what)
{
    const char *text = krb5_get_error_message(krb, code);
    reply("error %ld %s: %s", (long)code, what, text);
    krb5_free_error_message(krb, text);
}

static krb5_error_code tgt_get(krb5_creds **creds)
{
    krb5_creds wanted = {0};
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.client);
    if (code == 0)
        code = krb5_build_principal(krb, &wanted.server, wanted.client->realm.length, wanted.client->realm.data,
                                    "krbtgt", wanted.client->realm.data, NULL);
    if (code == 0)
        code = krb5_get_credentials(krb, KRB5_GC_CACHED, cache, &wanted, creds);
    krb5_free_cred_contents(krb, &wanted);
    return code;
}

static void tgt_show(void)
{
    krb5_creds *creds = NULL;
    krb5_error_code code = tgt_get(&creds);
    if (code != 0)
        fail(code, "krb5_get_credentials");
    else
        reply_bytes("tgt", (unsigned char *)creds->ticket.data, creds->ticket.length);
    krb5_free_creds(krb, creds);
}

static void request_make(struct bytes ticket, const char *target)
{
    krb5_creds wanted = {0}, *creds = NULL;
    krb5_data request = {0}, none = {0};
    wanted.second_ticket.data = (char *)ticket.data;
    wanted.second_ticket.length = (unsigned)ticket.len;
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.client);
    if (code == 0)
        code = krb5_parse_name(krb, target, &wanted.server);
    if (code == 0)
        code = krb5_get_credentials(krb, KRB5_GC_USER_USER, cache, &wanted, &creds);
    if (code == 0)
        code = krb5_mk_req_extended(krb, &auth, AP_OPTS_USE_SESSION_KEY | AP_OPTS_MUTUAL_REQUIRED | AP_OPTS_USE_SUBKEY,
                                    &none, creds, &request);
    if (code != 0)
        fail(code, "the request");
    else
        reply_bytes("request", (unsigned char *)request.data, request.length);
    krb5_free_data_contents(krb, &request);
    krb5_free_creds(krb, creds);
    wanted.second_ticket = none;
    krb5_free_cred_contents(krb, &wanted);
}

static void reply_read(struct bytes message)
{
    krb5_data data = {.data = (char *)message.data, .length = (unsigned)message.len};
    krb5_ap_rep_enc_part *part = NULL;
    krb5_error_code code = krb5_rd_rep(krb, auth, &data, &part);
    krb5_free_ap_rep_enc_part(krb, part);
    if (code != 0)
        fail(code, "krb5_rd_rep");
    else
        reply("ok");
}

static void request_accept(struct bytes message)
{
    krb5_data data = {.data = (char *)message.data, .length = (unsigned)message.len}, answer = {0};
    krb5_creds *creds = NULL;
    krb5_ticket *ticket = NULL;
    krb5_error_code code = tgt_get(&creds);
    if (code == 0)
        code = krb5_auth_con_init(krb, &auth);
    if (code == 0)
        code = krb5_auth_con_setflags(krb, auth, KRB5_AUTH_CONTEXT_DO_SEQUENCE);
    if (code == 0)
        code = krb5_auth_con_setuseruserkey(krb, auth, &creds->keyblock);
    if (code == 0)
        code = krb5_rd_req(krb, &auth, &data, NULL, NULL, NULL, &ticket);
    if (code == 0)
        code = krb5_mk_rep(krb, auth, &answer);
    if (code != 0)
        fail(code, "the answer");
    else
        reply_bytes("reply", (unsigned char *)answer.data, answer.length);
    krb5_free_data_contents(krb, &answer);
    krb5_free_ticket(krb, ticket);
    krb5_free_creds(krb, creds);
}

static void command(const struct line *line)
{
    struct bytes bytes = bytes_read(line_word(line, 1));
    if (line_is(line, "tgt"))
        tgt_show();
    else if (line_is(line, "request"))
        request_make(bytes, line_word(line, 2));
    else if (line_is(line, "reply"))
        reply_read(bytes);
    else if (line_is(line, "accept"))
        request_accept(bytes);
    else
        reply("error 0 unknown command");
    free(bytes.data);
}

int main(void)
{
    struct line line;
    alarm(1200); /* a helper never outlives its test */
    if (krb5_init_context(&krb) != 0 || krb5_cc_default(krb, &cache) != 0)
        return 1;
    while (line_read(&line))
        command(&line);
    krb5_auth_con_free(krb, auth);
    krb5_cc_close(krb, cache);
    krb5_free_context(krb);
    return 0;
}
