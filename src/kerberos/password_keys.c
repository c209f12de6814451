#include "kerberos/password_keys.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/name.h"
#include "kerberos/task.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

/* What a KDC tells is unprotected until a ticket has opened, and each iteration is paid for (RFC 3962 8): KDCs tell 4,096 (RFC 3962 4) or 32,768
 * (RFC 8009 5), and libkrb5's own limit is 2^24, which takes up to a minute of processor time for a key. */
#define ITERATIONS_MAX 262144

struct wanted {
    struct kerberos_source *source;
    krb5_context krb;
    krb5_principal principal;
    bool offline;
    struct password_keys keys;
};

void password_keys_release(krb5_context krb, struct password_keys *keys)
{
    for (unsigned i = 0; i < keys->n_keys; i++)
        krb5_free_keyblock_contents(krb, &keys->key[i]);
    *keys = (struct password_keys){0};
}

static void wanted_free(void *data)
{
    struct wanted *wanted = data;
    if (wanted->krb != NULL) {
        password_keys_release(wanted->krb, &wanted->keys);
        krb5_free_principal(wanted->krb, wanted->principal);
        krb5_free_context(wanted->krb);
    }
    kerberos_source_put(wanted->source);
    mem_free(wanted);
}

/* RFC 4120 5.2.7.5: ETYPE-INFO2 of one encryption type. */
static krb5_error_code salt_ask(const struct wanted *wanted, krb5_enctype type, krb5_data *salt, krb5_data *parameters)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_enctype told = ENCTYPE_NULL;
    krb5_error_code code = krb5_get_init_creds_opt_alloc(wanted->krb, &options);
    if (code != 0)
        return code;
    krb5_get_init_creds_opt_set_etype_list(options, &type, 1);
    code = krb5_get_etype_info(wanted->krb, wanted->principal, options, &told, salt, parameters);
    late_checkpoint();
    krb5_get_init_creds_opt_free(wanted->krb, options);
    if (code == 0 && told != type && told != ENCTYPE_NULL) {
        krb5_free_data_contents(wanted->krb, salt);
        krb5_free_data_contents(wanted->krb, parameters);
        code = KRB5KDC_ERR_ETYPE_NOSUPP;
    }
    return code;
}

/* Would the next type learn no more, and wait as long? */
static bool says_nothing_of_salts(krb5_error_code code)
{
    return code == KRB5_KDC_UNREACH || code == KRB5_REALM_CANT_RESOLVE || code == KRB5_REALM_UNKNOWN ||
           code == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN;
}

/* RFC 3962 4: an iteration count in four bytes, where 0 is 2^32. Other parameters are libkrb5's to refuse. */
static bool is_bearable(const krb5_data *parameters)
{
    struct reader reader = reader_of(krb_slice(parameters));
    uint32_t count = 0;
    if (parameters->length != 4 || reader_u32be(&reader, &count) != WIRE_OK)
        return true;
    return count > 0 && count <= ITERATIONS_MAX;
}

static krb5_error_code key_make(struct wanted *wanted, krb5_enctype type, const krb5_data *salt,
                                const krb5_data *parameters)
{
    const struct secret *password = &wanted->source->password;
    krb5_data text = krb_data(slice_of(password->data, password->len - 1));
    krb5_error_code code = krb5_c_string_to_key_with_params(wanted->krb, type, &text, salt, parameters,
                                                            &wanted->keys.key[wanted->keys.n_keys]);
    if (code == 0)
        wanted->keys.n_keys++;
    return code;
}

/* The last key, if the one before is the same: RC4 knows no salts. */
static void twin_drop(struct wanted *wanted)
{
    struct password_keys *keys = &wanted->keys;
    if (keys->n_keys < 2)
        return;
    krb5_keyblock *last = &keys->key[keys->n_keys - 1], *before = last - 1;
    if (before->enctype == last->enctype && before->length == last->length &&
        secret_equal(before->contents, last->contents, last->length)) {
        krb5_free_keyblock_contents(wanted->krb, last);
        keys->n_keys--;
    }
}

/* What a KDC told may be forged: tickets under the usual salt open all the same, whatever cannot be made of it. */
static krb5_error_code keys_add(struct wanted *wanted, krb5_enctype type, const krb5_data *salt,
                                const krb5_data *parameters)
{
    krb5_data usual = {0};
    krb5_error_code code = krb5_principal2salt(wanted->krb, wanted->principal, &usual);
    if (code != 0)
        return code;
    bool is_usual = parameters->length == 0 &&
                    (salt->data == NULL || slice_equal(krb_slice(salt), krb_slice(&usual))); /* thousands of hashes */
    if (!is_bearable(parameters))
        TRACE("kerberos", "more than %d iterations were told for keys of type %d: not made", ITERATIONS_MAX, (int)type);
    else if (!is_usual)
        code = key_make(wanted, type, salt->data != NULL ? salt : &usual, parameters->length > 0 ? parameters : NULL);
    if (code != ENOMEM)
        code = key_make(wanted, type, &usual, NULL);
    if (code == 0)
        twin_drop(wanted);
    krb5_free_data_contents(wanted->krb, &usual);
    return code;
}

static krb5_error_code type_add(struct wanted *wanted, krb5_enctype type)
{
    krb5_data salt = {0}, parameters = {0};
    krb5_error_code code = wanted->offline ? 0 : salt_ask(wanted, type, &salt, &parameters);
    if (code != 0) /* errors are as unprotected as salts: none shuts the server out */
        TRACE("kerberos", "no salt was told for keys of type %d: error %ld", (int)type, (long)code);
    wanted->offline = wanted->offline || says_nothing_of_salts(code);
    if (code != ENOMEM)
        code = keys_add(wanted, type, &salt, &parameters);
    krb5_free_data_contents(wanted->krb, &salt);
    krb5_free_data_contents(wanted->krb, &parameters);
    return code;
}

static SECURITY_STATUS keys_make(void *data)
{
    struct wanted *wanted = data;
    krb5_enctype *types = NULL;
    krb5_error_code code = krb5_parse_name(wanted->krb, wanted->source->client, &wanted->principal);
    if (code == 0)
        code = krb5_get_permitted_enctypes(wanted->krb, &types);
    for (size_t i = 0; code == 0 && types[i] != 0 && wanted->keys.n_keys + 2 <= PASSWORD_KEYS_MAX; i++) {
        code = type_add(wanted, types[i]);
        if (code != ENOMEM) /* a type that this libkrb5 makes no keys for takes the others nothing */
            code = 0;
    }
    krb5_free_enctypes(wanted->krb, types);
    try(krb_status(wanted->krb, code, KRB_STAGE_LOGON, "making keys of the password"));
    require(wanted->keys.n_keys > 0,
            cause_set(SEC_E_NO_KERB_KEY, "krb5.conf permits no encryption type that keys are made of a password for"));
    return SEC_E_OK;
}

static SECURITY_STATUS wanted_new(struct kerberos_credential *credential, bool offline, struct wanted **wanted)
{
    struct wanted *made = mem_zalloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    made->source = kerberos_credential_source(credential);
    made->offline = offline;
    SECURITY_STATUS status = kerberos_source_context(made->source, &made->krb);
    if (status == SEC_E_OK && (made->source->logon != LOGON_PASSWORD || made->source->client == NULL))
        status = cause_set(SEC_E_NO_CREDENTIALS, "the credential has no account with a password to make keys of");
    if (status != SEC_E_OK) {
        wanted_free(made);
        return status;
    }
    *wanted = made;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_password_keys(struct kerberos_credential *credential, struct password_keys *keys)
{
    static const struct late_work work = {keys_make, wanted_free};
    struct wanted *wanted;
    try(wanted_new(credential, false, &wanted));
    void *data = wanted;
    SECURITY_STATUS status = kdc_run(&work, &data, kerberos_deadline(credential));
    if (data == NULL) { /* late */
        cause_drop();
        try(wanted_new(credential, true, &wanted));
        data = wanted;
        status = keys_make(data);
    }
    wanted = data;
    if (status == SEC_E_OK) {
        *keys = wanted->keys;
        wanted->keys.n_keys = 0;
        TRACE("kerberos", "%u keys made of the password%s", keys->n_keys,
              wanted->offline ? ", no KDC named a salt" : "");
    }
    wanted_free(wanted);
    return status;
}

/* mem_free it. */
static SECURITY_STATUS text_of(krb5_const_principal principal, char **text)
{
    struct krb_name name;
    require(krb_name_of(principal, &name) && krb_name_has_text(&name),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the server's name has no parts, too many, or a NUL"));
    *text = krb_name_text(&name);
    return *text != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Is it the account, in whatever spelling? A service's name has a slash, or is GSS-API's "service@host", where an account's is "user@realm" or
 * "user@domain": then the user tells. What is neither names no service, and tickets must not be refused for it. */
static bool is_account(const char *server, krb5_const_principal account)
{
    const char *at = strchr(server, '@');
    if (strchr(server, '/') != NULL)
        return false;
    if (at == NULL || strchr(server, '\\') != NULL)
        return true;
    const size_t len = (size_t)(at - server);
    const krb5_data *user = &account->data[0]; /* of an enterprise name "user@domain" */
    return account->length == 1 && user->length >= len && strncasecmp(user->data, server, len) == 0 &&
           (user->length == len || user->data[len] == '@');
}

static SECURITY_STATUS server_text(krb5_context krb, const char *server, krb5_const_principal account, char **text)
{
    krb5_principal wanted = NULL;
    try(krb_target_parse(krb, server, KRB_TARGET_SERVICE, &wanted));
    krb5_error_code code = 0;
    if (wanted->realm.length == 0)
        code = krb5_set_principal_realm(krb, wanted, account->realm.data);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_LOGON, "the server's name");
    if (status == SEC_E_OK)
        status = text_of(wanted, text);
    krb5_free_principal(krb, wanted);
    return status;
}

SECURITY_STATUS kerberos_password_principal(krb5_context krb, const char *account, const char *server, char **principal,
                                            bool *by_name)
{
    krb5_principal owner = NULL;
    AUTO_FREE char *own = NULL, *service = NULL;
    bool itself = server == NULL;
    try(krb_status(krb, krb5_parse_name(krb, account, &owner), KRB_STAGE_LOGON, "the account's name"));
    SECURITY_STATUS status = text_of(owner, &own);
    if (status == SEC_E_OK && !itself)
        itself = is_account(server, owner);
    if (status == SEC_E_OK && !itself)
        status = server_text(krb, server, owner, &service);
    krb5_free_principal(krb, owner);
    try(status);
    *principal = itself ? STEAL(own) : STEAL(service);
    *by_name = !itself;
    return SEC_E_OK;
}
