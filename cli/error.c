/* `sspi error`: what a status means, what usually causes it, and what to do. */
#include "cli.h"

#include <errno.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HRESULT_OF_WIN32 0x80070000u /* a system error code as an HRESULT */

/* A number in any of the ways in which programs print one, or a name. */
static bool status_parse(const char *text, uint32_t *status)
{
    static const uint32_t ranges[][2] = {{0, 0},
                                         {0x00090300, 0x000903ff},
                                         {0x80090300, 0x800903ff},
                                         {0x80092000, 0x800920ff},
                                         {0x80096000, 0x800960ff},
                                         {0x800B0100, 0x800B01ff},
                                         {0xC0000000, 0xC0000400}};
    char *end;
    long long value = strtoll(text, &end, 16);
    if (strlen(text) == 8 && *end == '\0' && text[0] != '-') {
        *status = (uint32_t)value;
        return true;
    }
    errno = 0;
    value = strtoll(text, &end, strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? 16 : 10);
    if (end != text && *end == '\0' && errno == 0 && value >= INT32_MIN && value <= UINT32_MAX) {
        *status = (uint32_t)value;
        return true;
    }
    size_t at = 0;
    for (const struct cli_advice *advice; (advice = cli_advice_next(&at)) != NULL;)
        if (strcasecmp(cli_error_name(advice->status), text) == 0) {
            *status = advice->status;
            return true;
        }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        for (uint64_t each = ranges[i][0]; each <= ranges[i][1]; each++) {
            const char *name = OpenSspiStatusName((SECURITY_STATUS)each);
            if (*name != '\0' && strcasecmp(name, text) == 0) {
                *status = (uint32_t)each;
                return true;
            }
        }
    return false;
}

static void put_json(uint32_t status, const char *name, const struct cli_advice *advice)
{
    printf("{\"status\": %u, \"hex\": \"0x%08X\", \"name\": ", status, status);
    json_text(stdout, name);
    fputs(", \"meaning\": ", stdout);
    if (advice == NULL) {
        fputs("null, \"advice\": null}", stdout);
        return;
    }
    json_text(stdout, advice->meaning);
    fputs(", \"advice\": ", stdout);
    json_text(stdout, advice->advice);
    putchar('}');
}

/* Every status of which there is something to say. */
static int list_all(const struct cli_options *options)
{
    size_t at = 0;
    struct json_list list = json_list_begin(options->json);
    for (const struct cli_advice *advice; (advice = cli_advice_next(&at)) != NULL;) {
        const char *name = cli_error_name(advice->status);
        if (json_list_item(&list))
            put_json(advice->status, name, advice);
        else
            printf("0x%08X  %-36s %s\n", advice->status, name, advice->meaning);
    }
    json_list_end(&list);
    return CLI_OK;
}

static int error_run(const struct cli_options *options)
{
    uint32_t status;
    if (options->n_operands == 0)
        return list_all(options);
    if (!status_parse(options->operand[0], &status))
        return cli_fail(
            "\"%s\" is neither a status nor the name of one: give 0x80090308, -2146893048, SEC_E_INVALID_TOKEN, or "
            "a system error code such as 1326; \"sspi error\" lists them",
            options->operand[0]);
    if (status >> 16 == HRESULT_OF_WIN32 >> 16)
        status &= 0xFFFF;
    const struct cli_advice *advice = cli_advice_of(status);
    const char *name = cli_error_name(status);
    if (*name == '\0' && advice == NULL)
        return cli_fail("nothing is known of 0x%08X; \"sspi error\" lists what is", status);
    if (options->json) {
        put_json(status, name, advice);
        putchar('\n');
        return CLI_OK;
    }
    printf("%s, 0x%08X, %d\n", *name == '\0' ? "(no name)" : name, status, (int)status);
    if (advice != NULL)
        printf("%s\n%s\n", advice->meaning, advice->advice);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"", "[STATUS]",
     "Tells the name, meaning and usual causes of a status, given as a number or a name; without one, lists all",
     OPTION_JSON, 0, 1, error_run},
};

const struct cli_family cli_error = {"error", "what a status means, and what to do", commands, 1};
