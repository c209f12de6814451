#include "digest/params.h"

#include "base/hex.h"
#include "core/cause.h"
#include <string.h>

SECURITY_STATUS digest_text(struct slice given, const char *what, struct slice *text)
{
    while (given.len > 0 && given.data[given.len - 1] == 0)
        given.len--;
    for (size_t i = 0; i < given.len; i++)
        require(given.data[i] >= 0x20 && given.data[i] != 0x7f,
                cause_set(SEC_E_INVALID_TOKEN, "the %s buffer holds a control character", what));
    *text = given;
    return SEC_E_OK;
}

SECURITY_STATUS digest_param(const struct slice *params, unsigned n_params, unsigned index, struct slice *text)
{
    static const char *const names[DIGEST_PARAMS] = {"first PKG_PARAMS", "second PKG_PARAMS", "third PKG_PARAMS"};
    return digest_text(index < n_params ? params[index] : slice_of(NULL, 0), names[index], text);
}

SECURITY_STATUS digest_method_check(struct slice method)
{
    require(method.len > 0 && memchr(method.data, ':', method.len) == NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the first PKG_PARAMS buffer is the request's method, such as GET"));
    return SEC_E_OK;
}

SECURITY_STATUS digest_entity_check(const struct digest_terms *terms, struct slice entity)
{
    uint8_t hash[DIGEST_LEN_MAX];
    size_t len = digest_len(terms->scheme->algorithm);
    require(entity.len == 0 || hex_read(entity, hash, len) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the hash of the body is %zu hexadecimal digits with %s, not %zu bytes",
                      2 * len, terms->scheme->name, entity.len));
    return SEC_E_OK;
}

SECURITY_STATUS digest_request_read(const struct digest_terms *terms, const struct slice *params, unsigned n_params,
                                    struct digest_request *request)
{
    try(digest_param(params, n_params, 0, &request->method));
    try(digest_param(params, n_params, 1, &request->uri));
    try(digest_param(params, n_params, 2, &request->entity));
    if (request->method.len > 0)
        try(digest_method_check(request->method));
    return digest_entity_check(terms, request->entity);
}
