/* progress.h - the progress line on stderr, and the texts of a training report. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hirl/hirl.h>

/* One line that is redrawn in place on a terminal. Nothing is drawn elsewhere. */
typedef struct cli_progress {
    bool redraw; /* stderr is a terminal */
    bool shown;  /* the line is on the screen */
    char phase[24];
    int64_t first; /* units done when the phase began */
    double started, drawn;
} cli_progress;

void cli_progress_open(cli_progress *progress, bool wanted);
void cli_progress_phase(cli_progress *progress, const char *phase, int64_t done, int64_t total);
void cli_progress_step(cli_progress *progress, const hirl_step_report *report);
void cli_progress_clear(cli_progress *progress);

double cli_seconds(void); /* time of a monotonic clock */

/* These three fill the buffer and return it. Speed and time left are "-" until a step was timed. */
const char *cli_losses(char *buffer, size_t bytes, const hirl_step_report *report);
const char *cli_speed(char *buffer, size_t bytes, const hirl_step_report *report);
const char *cli_left(char *buffer, size_t bytes, const hirl_step_report *report);

#endif
