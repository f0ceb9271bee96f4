/* cli.h - what the verbs of the program hirl share.
 *
 * A verb is one file with one cli_verb; main.c lists them. Results go to stdout, everything else
 * (notes, progress, errors) to stderr; with --json stdout carries one JSON object a line.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <hirl/hirl.h>

/* exit codes: sysexits' 75 asks a scheduler to start the same command again */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_DATA = 3,
    CLI_MEMORY = 4,
    CLI_BACKEND = 5,
    CLI_AGAIN = 75,
    CLI_INTERRUPTED = 130
};

/* a key of the program itself; the library's keys come from hirl_options_describe() */
typedef struct cli_key {
    const char *name;
    const char *type;     /* "text", "int", "flag" or "choice" */
    const char *standard; /* default, "" when there is none */
    const char *range;    /* "1 to 8", or the choices separated by spaces, or "" */
    const char *unit;
    const char *help;
} cli_key;

typedef struct cli_session cli_session;

#define CLI_PRESET "hirl-mocov2-small" /* of pretrain, when none is given */

typedef struct cli_verb {
    const char *name;       /* "tree show" */
    const char *alias;      /* another name, or NULL */
    const char *help;       /* one line */
    const char *example;    /* arguments of a usual call */
    const char *note;       /* a line before the keys, or NULL */
    const char *preset;     /* taken when none is given, NULL: none; --help has its values */
    const char *positional; /* the key that a bare argument stands for, or NULL */
    const char *objects;    /* whose library keys it takes: "context data model" */
    const char *also;       /* single library keys beside these, or NULL */
    const char *without;    /* single ones of these that it does not take, or NULL */
    const cli_key *keys;    /* its own; the last one has no name */
    int (*run)(cli_session *session);
} cli_verb;

extern const cli_verb cli_pretrain, cli_embed, cli_cluster, cli_tree_show, cli_tree_export,
    cli_tree_eval, cli_eval_knn, cli_info, cli_info_differences, cli_methods, cli_models,
    cli_config_show;
const cli_verb *cli_verb_at(int index); /* NULL behind the last */

/* progress.c: one redrawn line on a terminal, nothing elsewhere */
typedef struct cli_progress {
    bool redraw; /* stderr is a terminal */
    bool shown;  /* the line is on the screen */
    char phase[24];
    int64_t first; /* done units when the phase began */
    double begun, drawn;
} cli_progress;

void cli_progress_open(cli_progress *progress, bool wanted);
void cli_progress_phase(cli_progress *progress, const char *phase, int64_t done, int64_t total);
void cli_progress_step(cli_progress *progress, const hirl_step_report *report);
void cli_progress_clear(cli_progress *progress);
double cli_seconds(void);
/* "1 240", "7:12:05"; the buffer is returned */
const char *cli_grouped(char *buffer, size_t bytes, double number);
/* learning rate that the optimiser will get: lr, or base_lr batch_size / 256; lists.c */
double cli_rate(const hirl_options *options);
/* the preset of a run that names none; pretrain.c */
int cli_take_preset(cli_session *session);
const char *cli_clock(char *buffer, size_t bytes, double seconds);
/* images a second and time left of a run; "-": no step was timed yet */
const char *cli_speed(char *buffer, size_t bytes, const hirl_step_report *report);
const char *cli_left(char *buffer, size_t bytes, const hirl_step_report *report);
/* "loss 6.91 (img 5.80 spd 1.11) lr 0.0298" */
const char *cli_losses(char *buffer, size_t bytes, const hirl_step_report *report);

enum { CLI_OWN_KEYS = 24 };

struct cli_session {
    const cli_verb *verb;
    hirl_options *options;
    hirl_context *context; /* NULL until cli_session_begin() */
    bool json, quiet, verbose, help;
    const char *bare; /* the word that stands for verb->positional, or NULL */
    bool running;     /* the work has begun: INVALID is no longer a matter of usage */
    bool lost;        /* an event could not be put in JSON */
    cli_progress progress;
    char *own[CLI_OWN_KEYS]; /* values of verb->keys, NULL: not given */
};

/* args.c */
int cli_args_read(cli_session *session, int count, char **word);
const char *cli_own(const cli_session *session, const char *key); /* given value, or the default */
bool cli_own_given(const cli_session *session, const char *key);
/* a library's key that the command line has */
bool cli_is_typed(const cli_session *session, const char *key);
/* a key of the verb that is the library's too, as `out`, said by a config file alone */
int cli_own_from_file(cli_session *session, const char *key);
/* refuses keys of the list, the verb's or the library's, that were typed; with: what makes them useless */
int cli_refuse_keys(cli_session *session, const char *keys, const char *with);
/* the same for the library keys of an object but those of the list */
int cli_refuse_object(cli_session *session, const char *object, const char *but, const char *with);
int64_t cli_own_int(const cli_session *session, const char *key);
bool cli_flag(const cli_session *session, const char *key);
const char *cli_nearest(const char *word, const char *const *name, int count); /* NULL: none near */

/* help.c */
bool cli_takes(const cli_verb *verb, const hirl_option_info *info); /* a library key */
void cli_help_program(void);
void cli_help_verb(const cli_session *session);

/* session.c: context, messages, signals, exit codes */
int cli_session_begin(cli_session *session);
void cli_session_end(cli_session *session);
void cli_note(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* the same, told under --quiet too */
void cli_warn(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* a failure found by the program itself; returns the exit code given */
int cli_error(cli_session *session, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* a failing library call: prints its message, returns the exit code of its status */
int cli_fail(cli_session *session, hirl_status status);
/* the same for a call that read a configuration: what is wrong in it is the user's words, not data */
int cli_fail_settings(cli_session *session, hirl_status status);
/* the same for a call that opened data: a kind that is not supported is the data's fault */
int cli_fail_data(cli_session *session, hirl_status status);
/* the same for a call that was writing a result: input/output failures are not the data's fault */
int cli_fail_write(cli_session *session, hirl_status status);
/* cancels the running call after so many seconds; 0: never */
void cli_session_limit(double seconds);
bool cli_session_limited(void);
bool cli_session_interrupted(void);

/* events.c: JSON lines on stdout */
void cli_emit(cli_session *session, json_t *event); /* takes event; printed with --json only */
/* a string of any bytes: where they are not UTF-8, all but plain ones as \xNN */
json_t *cli_text(const char *text);
json_t *cli_settings(const cli_session *session); /* every key in force, by name */

/* output.c: paths, and small files replaced whole */
enum { CLI_PATH = 4096 }; /* bytes of a path, its end included: Linux takes no longer ones */
/* "folder/name", of either alone when the other is empty; refuses what is longer than CLI_PATH */
int cli_join(char path[CLI_PATH], cli_session *session, const char *folder, const char *name);
typedef struct cli_file {
    FILE *stream;
    char path[CLI_PATH], part[CLI_PATH + 32];
} cli_file;
int cli_file_begin(cli_file *file, cli_session *session, const char *folder, const char *name);
int cli_file_end(cli_file *file, cli_session *session);
/* nothing is left; returns code */
int cli_file_drop(cli_file *file, cli_session *session, int code, const char *reason);
/* before long work: whether the file could be written at its end */
int cli_file_try(cli_session *session, const char *folder, const char *name);
int cli_write_json(cli_session *session, const char *folder, const char *name, json_t *value);
/* makes the folder; refuses one that holds a file of the list (up to NULL), whoever wrote it, without
 * overwrite=1 */
int cli_begin_folder(cli_session *session, const char *path, const char *const *written);
/* with overwrite=1, once the new files are there: a file of the old result that this one has not */
int cli_remove_old(cli_session *session, const char *folder, const char *name);
bool cli_exists(const char *folder, const char *name);
void cli_put_text(FILE *stream, const char *text);  /* control bytes become spaces */
void cli_put_line(FILE *stream, const char *text);  /* the same, and the end of the line */
void cli_put_field(FILE *stream, const char *text); /* of CSV: quoted where it must be */
void cli_put_word(FILE *stream, const char *text);  /* of a command line, the same */

/* images.c: data sets, and rows of features with the image of each */
int cli_data_need(cli_session *session); /* refuses when data= was not given */
int cli_data_open(hirl_dataset **dataset, cli_session *session, const char *path);
int cli_data_print(cli_session *session, const hirl_dataset *dataset);
/* model=random: untrained, of the options, unless there is a file of this name */
bool cli_model_is_random(const cli_session *session);
int cli_model_open(hirl_model **model, cli_session *session);
const char *cli_level_name(int32_t level, int32_t levels); /* "fine", "coarse", "top" */

typedef struct cli_rows {
    float *value;   /* [count, dim] */
    int64_t *image; /* [count] number in the data set */
    int64_t count, dim;
    int64_t images; /* in the data set; images - count were unreadable */
    bool loaded;    /* value was made by the library */
} cli_rows;

/* zeroed rows for all images, none of them filled */
int cli_rows_take(cli_rows *rows, cli_session *session, int64_t images, int64_t dim);
int cli_rows_embed(cli_rows *rows, cli_session *session, const hirl_model *model, const char *layer,
                   hirl_dataset *dataset);
void cli_rows_done(cli_rows *rows);
/* "index<TAB>name<TAB>reason" of every image without a row */
int cli_rows_write_skipped(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                           const char *folder);

/* pixels.c: rows that are the images themselves, all of one size */
int cli_rows_pixels(cli_rows *rows, cli_session *session, const hirl_dataset *dataset);

/* names.c: names of rows, from a text file of one name a line or from a data set */
typedef struct cli_names {
    const char **name; /* [count] */
    int64_t count;
    char *text; /* what the names point into, or NULL: borrowed from the data set */
} cli_names;

int cli_names_read(cli_names *names, cli_session *session, const char *path);
int cli_names_of(cli_names *names, cli_session *session, const hirl_dataset *dataset);
void cli_names_done(cli_names *names);

/* nodes.c: which rows lie below which node */
typedef struct cli_child {
    int64_t size;
    int32_t id;
} cli_child;

enum { CLI_EXAMPLES = 100 }; /* most at a node */

typedef struct cli_nodes {
    int64_t rows;
    int32_t *node[8]; /* node[l][row]: the row's node of level l + 1, -1: none */
    int32_t classes;  /* of the finest labels, 0: none */
    int32_t *seen;    /* [classes] to count with */
} cli_nodes;

/* the nodes of a level below `parent` (below 0: all), largest first; freed with free() */
cli_child *cli_children(const hirl_tree *tree, int32_t level, int32_t parent, int64_t *count);
/* dataset NULL: no labels */
int cli_nodes_place(cli_nodes *nodes, cli_session *session, const hirl_tree *tree,
                    const hirl_dataset *dataset);
void cli_nodes_done(cli_nodes *nodes);
/* the first row behind `row` that lies below a node, -1: none; row -1 begins */
int64_t cli_next_row(const cli_nodes *nodes, int32_t level, int32_t id, int64_t row);
/* at most `most` of the rows below a node: the middles of as many parts of them, in order, so that where rows are
 * sorted by class a class is shown as often as it is there; -> how many */
int64_t cli_spread_rows(int64_t *row, const cli_nodes *nodes, int32_t level, const cli_child *node,
                        int64_t most);
/* "shirt 43 %": the most frequent class below a node; false: no labels there */
bool cli_majority(char *text, size_t bytes, const cli_nodes *nodes, const hirl_dataset *dataset,
                  int32_t level, int32_t id);

/* tree_page.c: the tree with thumbnails as one HTML file */
int cli_tree_page(cli_session *session, const hirl_tree *tree, const hirl_dataset *dataset,
                  const char *out);

/* tree_file.c: a tree from a file or from the folder of a run or of a clustering */
int cli_tree_open(hirl_tree **tree, cli_session *session);
void cli_tree_print_sizes(cli_session *session, const hirl_tree *tree);
json_t *cli_tree_sizes(const hirl_tree *tree);
/* refuses a data set that is not the one that was clustered */
int cli_rows_differ(cli_session *session, int64_t rows, int64_t images);

#endif
