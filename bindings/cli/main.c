/* main.c - the program hirl: finds the verb, reads its arguments, calls it. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "help.h"
#include "session.h"
#include "verbs.h"
#include "words.h"

static const cli_verb *const verbs[] = {
    &cli_pretrain,  &cli_embed,    &cli_cluster,     &cli_tree_show, &cli_tree_export,
    &cli_tree_eval, &cli_eval_knn, &cli_eval_linear, &cli_info,      &cli_info_differences,
    &cli_methods,   &cli_models,   &cli_config_show,
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static const cli_verb *find(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i]->name, name) || (verbs[i]->alias && !strcmp(verbs[i]->alias, name)))
            return verbs[i];
    return NULL;
}

/* Tries a verb of two words, then one of a single word; *words is the number of words consumed. */
static const cli_verb *find_words(int count, char **word, int *words)
{
    const cli_verb *verb = NULL;
    char two[64];

    *words = 2;
    if (count > 1 && snprintf(two, sizeof two, "%s %s", word[0], word[1]) < (int)sizeof two)
        verb = find(two);
    if (verb)
        return verb;
    *words = 1;
    return find(word[0]);
}

/* Whether a name is "FAMILY VERB" of this family. */
static bool is_of(const char *name, const char *family)
{
    size_t length = strlen(family);

    return name && length && !strncmp(name, family, length) && name[length] == ' ';
}

/* Whether verbs of two words begin with this word, which is no verb itself. */
static bool is_family(const char *word)
{
    for (int i = 0; i < VERBS; i++)
        if (is_of(verbs[i]->name, word))
            return !find(word);
    return false;
}

static bool is_help(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

static void help_family(const char *family)
{
    const cli_verb *member[VERBS];
    int count = 0;

    for (int i = 0; i < VERBS; i++)
        if (is_of(verbs[i]->name, family) || is_of(verbs[i]->alias, family))
            member[count++] = verbs[i];
    cli_help_family(family, member, count);
}

/* Names of verbs that may be meant: all of them, or those of a family. */
static int list_names(const char *name[2 * VERBS], const char *family)
{
    int names = 0;

    for (int i = 0; i < VERBS; i++) {
        if (!family || is_of(verbs[i]->name, family))
            name[names++] = verbs[i]->name;
        if (verbs[i]->alias && (!family || is_of(verbs[i]->alias, family)))
            name[names++] = verbs[i]->alias;
    }
    return names;
}

/* the name that contains the word, such as "tree export" for "export"; else the nearest */
static const char *near_to(const char *word, const char *const *name, int names)
{
    for (int i = 0; strlen(word) > 2 && i < names; i++)
        if (strstr(name[i], word))
            return name[i];
    return cli_nearest(word, name, names);
}

static int refuse_verb(int count, char **word)
{
    const char *name[2 * VERBS], *near = NULL, *family = is_family(word[0]) ? word[0] : NULL;
    bool two = count > 1 && word[1][0] != '-' && !strchr(word[1], '=');
    int names = list_names(name, family);
    char typed[64];

    snprintf(typed, sizeof typed, two ? "%.30s %.30s" : "%.60s", word[0], two ? word[1] : "");
    if (two)
        near = near_to(family ? word[1] : typed, name, names);
    if (family && two && !near)
        near = cli_nearest(typed, name, names);
    if (!family && !near) {
        snprintf(typed, sizeof typed, "%.60s", word[0]);
        near = near_to(typed, name, names);
    }
    fprintf(stderr, "hirl: unknown verb '%s'%s%s%s 'hirl%s%s --help' lists all verbs\n", typed,
            near ? "; did you mean '" : ";", near ? near : "", near ? "'?" : "", family ? " " : "",
            family ? family : "");
    return CLI_USAGE;
}

/* Turns lost output into a failure; returns the exit code. */
static int flush_output(int code)
{
    if ((fflush(stdout) || ferror(stdout)) && !code) {
        fprintf(stderr, "hirl: the output could not be written to stdout\n");
        code = CLI_FAILED;
    }
    return code;
}

static int run(const cli_verb *verb, int count, char **word)
{
    cli_session session = { .verb = verb };
    int code;

    if (hirl_options_create(&session.options) < 0) {
        fprintf(stderr, "hirl: %s\n", hirl_error_message());
        return CLI_MEMORY;
    }
    code = cli_args_read(&session, count, word);
    if (!code && session.help)
        cli_help_verb(&session);
    else if (!code)
        code = verb->run(&session);
    cli_session_end(&session);
    if (session.lost && !code) {
        fprintf(
            stderr,
            "hirl: a JSON event was lost: out of memory, or a value that JSON cannot represent\n");
        code = CLI_FAILED;
    }
    return flush_output(code);
}

/* hirl FAMILY, alone or with --help: lists the verbs of the family. */
static int run_family(int count, char **word)
{
    bool help = count > 1 && is_help(word[1]);

    if (count > 1 && !help && !strchr(word[1], '=') && word[1][0] != '-')
        return refuse_verb(count, word);
    help_family(word[0]);
    return help ? flush_output(CLI_OK) : CLI_USAGE;
}

/* hirl help [VERB or FAMILY] */
static int run_help(int count, char **word)
{
    const cli_verb *verb;
    int words;

    if (!count) {
        cli_help_program(verbs, VERBS);
        return flush_output(CLI_OK);
    }
    verb = find_words(count, word, &words);
    if (verb)
        return run(verb, 1, (char *[]){ "--help" });
    if (!is_family(word[0]) || count > 1)
        return refuse_verb(count, word);
    help_family(word[0]);
    return flush_output(CLI_OK);
}

int main(int count, char **word)
{
    const cli_verb *verb;
    int words;

    if (count < 2) {
        cli_help_program(verbs, VERBS);
        return CLI_USAGE;
    }
    if (!strcmp(word[1], "--version") || !strcmp(word[1], "version")) {
        printf("hirl %s\n", hirl_version());
        return flush_output(CLI_OK);
    }
    if (is_help(word[1]))
        return run_help(count - 2, word + 2);
    verb = find_words(count - 1, word + 1, &words);
    if (verb)
        return run(verb, count - 1 - words, word + 1 + words);
    return is_family(word[1]) ? run_family(count - 1, word + 1) : refuse_verb(count - 1, word + 1);
}
