#include "schannel/shown.h"

bool shown_take(struct shown *shown, X509 *x509, STACK_OF(X509) * issuers)
{
    struct shown taken = {0};
    bool has_issuers = x509 != NULL && sk_X509_num(issuers) > 0;
    if (has_issuers)
        taken.issuers = X509_chain_up_ref(issuers);
    if (x509 != NULL && X509_up_ref(x509) == 1)
        taken.x509 = x509;
    shown_release(shown);
    if (taken.x509 != x509 || (has_issuers && taken.issuers == NULL)) {
        shown_release(&taken);
        return false;
    }
    *shown = taken;
    return true;
}

void shown_release(struct shown *shown)
{
    X509_free(shown->x509);
    sk_X509_pop_free(shown->issuers, X509_free);
    *shown = (struct shown){0};
}
