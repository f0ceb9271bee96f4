/* training.h - a training run inside a verb: it reports progress, and can be stopped and resumed.
 *
 * A verb that trains opens its data and start model, then its trainer, and makes the steps:
 *
 *     cli_run_settings, cli_session_begin, cli_training_data, cli_training_needs_model,
 *     cli_training_open, cli_training_run
 */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "cli.h"

/* the keys of every verb that trains */
#define CLI_KEY_TIME_LIMIT                                                                         \
    {                                                                                              \
        "time_limit", "int", "0", "0 to 100000", "minutes",                                        \
            "time after which the run saves and stops, as with Ctrl-C; 0: no limit"                \
    }

typedef struct cli_training {
    cli_session *session;
    const char *shown; /* settings printed at the start, separated by spaces */
    const char
        *repeated; /* the verb's own keys that the resume command repeats, if they were given */
    const char *another; /* hint: how to make another run than the one that was resumed */
    hirl_trainer *trainer;
    bool had_finished; /* before this call, so that `report` is empty */
    hirl_step_report report;
    double seconds; /* time of the steps of this call */
} cli_training;

/* A failure with resume=1 is followed by a note that data= may give the new place of the images. */
int cli_training_data(hirl_dataset **dataset, cli_session *session);
/* *needed: the run starts from a model. A resumed run holds all its weights. */
int cli_training_needs_model(bool *needed, cli_session *session);
/* Creates the trainer, which starts the run or resumes it. */
int cli_training_open(cli_training *training, const hirl_model *start, hirl_dataset *dataset);
/* Makes the steps that are left. CLI_AGAIN: stopped; the state is saved and the command that
 * resumes the run is printed. */
int cli_training_run(cli_training *training);
/* As the end of cli_training_run, for work after the last step, when its call was cancelled. */
int cli_training_stop(cli_training *training);
void cli_training_close(cli_training *training);

/* Prints " key=value", quoted for a shell. */
void cli_put_key(const char *key, const char *value);

#endif
