/*
 * The configuration file: a wrong one says where it is wrong, a right one holds values that are in range.
 */
#include "core/cause.h"
#include "core/config_parse.h"
#include "fuzz/world.h"

#include <string.h>

static void check_list(const struct config_list *list)
{
    MUST(list->n_items <= CONFIG_LIST_MAX);
    for (unsigned i = 0; i < list->n_items; i++)
        MUST(list->item[i] != NULL && list->item[i][0] != '\0' && strchr(list->item[i], ',') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    config_defaults(&config);
    cause_clear();
    SECURITY_STATUS status = config_parse_text(&config, "file", slice_of(data, size));
    if (status == SEC_E_INTERNAL_ERROR)
        MUST(strncmp(cause_text(), "file:", 5) == 0);
    else
        MUST(status == SEC_E_OK);
    check_list(&config.stores);
    check_list(&config.ntlm_targets);
    MUST(config.ntlm_channel_bindings <= WHEN_ALWAYS && config.ntlm_service_binding <= WHEN_ALWAYS);
    MUST(config.computer == NULL || config.computer[0] != '\0');
    config_clear(&config);
    return 0;
}
