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

static int refuse_verb(int count, char **word)
{
    const char *name[2 * VERBS], *near;
    char typed[64];
    int names = 0;

    for (int i = 0; i < VERBS; i++) {
        name[names++] = verbs[i]->name;
        if (verbs[i]->alias)
            name[names++] = verbs[i]->alias;
    }
    snprintf(typed, sizeof typed, "%s", word[0]);
    near = cli_nearest(typed, name, names);
    if (!near && count > 1 && !strchr(word[1], '=')) {
        snprintf(typed, sizeof typed, "%.30s %.30s", word[0], word[1]);
        near = cli_nearest(typed, name, names);
    }
    fprintf(stderr, "hirl: unknown verb '%s'%s%s%s 'hirl --help' lists all verbs\n", typed,
            near ? "; did you mean '" : ";", near ? near : "", near ? "'?" : "");
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
    if (!strcmp(word[1], "--help") || !strcmp(word[1], "-h") || !strcmp(word[1], "help")) {
        verb = count > 2 ? find_words(count - 2, word + 2, &words) : NULL;
        if (count > 2 && !verb)
            return refuse_verb(count - 2, word + 2);
        if (verb)
            return run(verb, 1, (char *[]){ "--help" });
        cli_help_program(verbs, VERBS);
        return flush_output(CLI_OK);
    }
    verb = find_words(count - 1, word + 1, &words);
    if (!verb)
        return refuse_verb(count - 1, word + 1);
    return run(verb, count - 1 - words, word + 1 + words);
}
