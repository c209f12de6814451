/* What the sub-commands write with --json. */
#include "cli.h"

#include "decode/clean.h"

void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    clean_put(out, slice_of_text(text), CLEAN_JSON);
    fputc('"', out);
}

struct json_list json_list_begin(bool json)
{
    if (json)
        puts("[");
    return (struct json_list){.json = json};
}

bool json_list_item(struct json_list *list)
{
    if (list->json)
        fputs(list->n_items++ == 0 ? "  " : ",\n  ", stdout);
    return list->json;
}

void json_list_end(const struct json_list *list)
{
    if (list->json)
        puts(list->n_items == 0 ? "]" : "\n]");
}
