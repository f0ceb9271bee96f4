/* resume.h - the settings of a run that starts, or of one that resume=1 continues. */
#ifndef CLI_RESUME_H
#define CLI_RESUME_H

#include "cli.h"

/* *yes: resume=1 was given, and the run in `out` has a checkpoint */
int cli_resumes(bool *yes, cli_session *session);
/* Completes the options from the run's config.yaml, or from the default preset. */
int cli_run_settings(cli_session *session);

#endif
