/* `sspi completion`: what the shell completes, and the list of commands for the manual page, both made from the tables that parse. */
#include "cli.h"

#include <string.h>

static void put_words(const struct cli_command *command)
{
    const char *name, *value, *what;
    for (size_t at = 0; cli_option_next(command, &at, &name, &value, &what);)
        printf(" --%s", name);
}

static void put_bash(void)
{
    puts("# bash completion for sspi; made by \"sspi completion bash\"\n"
         "_sspi()\n{\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "    COMPREPLY=()\n"
         "    case $previous in\n"
         "    --store | --output | --certificate | --key | --ca) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
         "    --package)\n"
         "        case ${COMP_WORDS[1]} in\n"
         "        get) words=\"Negotiate NTLM WDigest\" ;;\n"
         "        bench) words=\"Negotiate NTLM Kerberos\" ;;\n"
         "        connect | listen) words=\"Negotiate NTLM Kerberos Schannel CREDSSP\" ;;\n"
         "        *) words=\"Negotiate NTLM Kerberos Schannel CREDSSP WDigest\" ;;\n"
         "        esac\n"
         "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return ;;\n"
         "    --format) COMPREPLY=($(compgen -W \"smbpasswd sam own\" -- \"$current\")); return ;;\n"
         "    esac\n"
         "    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in");
    for (size_t i = 0; cli_families[i] != NULL; i++) {
        const struct cli_family *family = cli_families[i];
        for (size_t j = 0; j < family->n_commands; j++) {
            bool alone = family->commands[j].name[0] == '\0';
            printf("    \"%s \"%s) [ $COMP_CWORD -gt %d ] && words=\"", family->name,
                   alone ? "*" : family->commands[j].name, alone ? 1 : 2);
            put_words(&family->commands[j]);
            puts("\" ;;");
        }
    }
    puts("    esac\n    if [ $COMP_CWORD -eq 1 ]; then");
    fputs("        words=\"--help --version --trace help", stdout);
    for (size_t i = 0; cli_families[i] != NULL; i++)
        printf(" %s", cli_families[i]->name);
    puts("\"\n    elif [ $COMP_CWORD -eq 2 ] && [ -z \"$words\" ]; then\n        case ${COMP_WORDS[1]} in");
    for (size_t i = 0; cli_families[i] != NULL; i++) {
        const struct cli_family *family = cli_families[i];
        if (family->commands[0].name[0] == '\0')
            continue;
        printf("        %s) words=\"--help", family->name);
        for (size_t j = 0; j < family->n_commands; j++)
            printf(" %s", family->commands[j].name);
        puts("\" ;;");
    }
    puts("        esac\n    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "}\ncomplete -o filenames -F _sspi sspi");
}

/* mdoc takes a backslash and a leading dot for its own. */
static void put_roff(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
}

/* Beside --help. */
static size_t n_options(const struct cli_command *command)
{
    const char *name, *value, *what;
    size_t n = 0;
    for (size_t at = 0; cli_option_next(command, &at, &name, &value, &what);)
        n++;
    return n - 1;
}

static void put_manual(void)
{
    for (size_t i = 0; cli_families[i] != NULL; i++) {
        const struct cli_family *family = cli_families[i];
        for (size_t j = 0; j < family->n_commands; j++) {
            const struct cli_command *command = &family->commands[j];
            const char *name, *value, *what;
            printf(".It Nm %s%s%s ", family->name, command->name[0] == '\0' ? "" : " ", command->name);
            put_roff(command->operands);
            putchar('\n');
            put_roff(command->what);
            puts(".");
            if (n_options(command) > 0)
                puts(".Bl -tag -width indent -compact");
            for (size_t at = 0; cli_option_next(command, &at, &name, &value, &what);) {
                if (strcmp(name, "help") == 0)
                    continue;
                printf(".It Fl -%s%s", name, value == NULL ? "" : " Ar ");
                put_roff(value == NULL ? "" : value);
                putchar('\n');
                put_roff(what);
                putchar('\n');
            }
            if (n_options(command) > 0)
                puts(".El");
        }
    }
}

static int completion_run(const struct cli_options *options)
{
    if (strcmp(options->operand[0], "bash") == 0)
        put_bash();
    else if (strcmp(options->operand[0], "mdoc") == 0)
        put_manual();
    else
        return cli_misuse("there are \"bash\" (source the output) and \"mdoc\" (for the manual page), no \"%s\"",
                          options->operand[0]);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"", "bash|mdoc", "Prints the completion for bash, or the commands as the manual page lists them", 0, 1, 1,
     completion_run},
};

const struct cli_family cli_completion = {"completion", "completion for bash", commands, 1};
