/*
 * The words KEY=VALUE of an interop helper's command line.
 */
#ifndef OPENSSPI_TESTS_INTEROP_PEER_OPTIONS_H
#define OPENSSPI_TESTS_INTEROP_PEER_OPTIONS_H

#include <stddef.h>
#include <string.h>

struct peer_option {
    const char *name, **value;
};

/* Sets what the words name; gives the first word that names nothing, or NULL. The values point into the words. */
static inline const char *peer_options_read(const struct peer_option *options, size_t n_options, int n_words,
                                            char **words)
{
    for (int i = 0; i < n_words; i++) {
        size_t len = strcspn(words[i], "="), at = 0;
        while (at < n_options && (strlen(options[at].name) != len || strncmp(options[at].name, words[i], len) != 0))
            at++;
        if (at == n_options || words[i][len] == '\0')
            return words[i];
        *options[at].value = words[i] + len + 1;
    }
    return NULL;
}

#endif
