/*
 * A database module for MIT's KDC: its db2 with lists of who may delegate to whom, which db2 by itself has not. test_kerberos_mit_s4u.py compiles it.
 *
 * OPENSSPI_TEST_ALLOWED_TO and OPENSSPI_TEST_ALLOWED_FROM hold pairs "service>target", separated by blanks: the first as the service's list
 * (constrained delegation), the second as the target's (resource-based).
 */
#include <krb5.h>

#include <dlfcn.h>
#include <kdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does the variable hold "service>target", or with a NULL target anything of the service's? */
static krb5_error_code allowed(krb5_context krb, const char *variable, krb5_const_principal service,
                               krb5_const_principal target)
{
    const char *list = getenv(variable);
    char *first = NULL, *second = NULL, pair[512];
    krb5_error_code code = krb5_unparse_name_flags(krb, service, KRB5_PRINCIPAL_UNPARSE_NO_REALM, &first);
    if (code == 0 && target != NULL)
        code = krb5_unparse_name_flags(krb, target, KRB5_PRINCIPAL_UNPARSE_NO_REALM, &second);
    if (code == 0) {
        snprintf(pair, sizeof pair, " %s>%s%s", first, second != NULL ? second : "", second != NULL ? " " : "");
        code = list != NULL && strstr(list, pair) != NULL ? 0 : KRB5KDC_ERR_BADOPTION;
    }
    krb5_free_unparsed_name(krb, first);
    krb5_free_unparsed_name(krb, second);
    return code;
}

static krb5_error_code allowed_to(krb5_context krb, krb5_const_principal client, const krb5_db_entry *server,
                                  krb5_const_principal proxy)
{
    (void)client;
    return allowed(krb, "OPENSSPI_TEST_ALLOWED_TO", server->princ, proxy);
}

static krb5_error_code allowed_from(krb5_context krb, krb5_const_principal client, krb5_const_principal server,
                                    krb5_pac pac, const krb5_db_entry *proxy)
{
    (void)client, (void)pac;
    return allowed(krb, "OPENSSPI_TEST_ALLOWED_FROM", server, proxy->princ);
}

kdb_vftabl kdb_function_table;

__attribute__((constructor)) static void start(void)
{
    void *db2 = dlopen(DB2_MODULE, RTLD_NOW);
    const kdb_vftabl *below = db2 != NULL ? dlsym(db2, "kdb_function_table") : NULL;
    if (below == NULL)
        return; /* the KDC refuses a table of version 0 */
    kdb_function_table = *below;
    kdb_function_table.check_allowed_to_delegate = allowed_to;
    kdb_function_table.allowed_to_delegate_from = allowed_from;
}
