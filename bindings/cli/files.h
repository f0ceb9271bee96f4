/* files.h - paths, output folders, and small files that appear complete or not at all. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdio.h>

#include <jansson.h>

#include "cli.h"

/* "folder/name"; just one of them when the other is empty. Refuses paths longer than CLI_PATH. */
int cli_join(char path[CLI_PATH], cli_session *session, const char *folder, const char *name);
bool cli_exists(const char *folder, const char *name);

/* A file that is written under a temporary name and renamed at its end. */
typedef struct cli_file {
    FILE *stream;
    char path[CLI_PATH], part[CLI_PATH + 32];
} cli_file;

int cli_file_begin(cli_file *file, cli_session *session, const char *folder, const char *name);
int cli_file_end(cli_file *file, cli_session *session);
/* Removes the unfinished file, prints the reason and returns code. */
int cli_file_drop(cli_file *file, cli_session *session, int code, const char *reason);
/* Checks before long work that the file can be written at its end. */
int cli_file_try(cli_session *session, const char *folder, const char *name);
/* Takes over the reference to value. */
int cli_write_json(cli_session *session, const char *folder, const char *name, json_t *value);

/* Makes the folder. Without overwrite=1 it must not hold any file of the list (ended by NULL). */
int cli_begin_folder(cli_session *session, const char *path, const char *const *written);
/* the key of verbs that call cli_begin_folder() */
#define CLI_KEY_OVERWRITE                                                                          \
    {                                                                                              \
        "overwrite", "flag", "0", "", "", "1: replaces files of an earlier result in out"          \
    }

/* With overwrite=1: removes a file of the previous result that the new result does not have. */
int cli_remove_old(cli_session *session, const char *folder, const char *name);

#endif
