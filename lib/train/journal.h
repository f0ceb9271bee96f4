/* journal.h - what a run reports: the report struct, metrics.jsonl, its clock. */
#ifndef HR_TRAIN_JOURNAL_H
#define HR_TRAIN_JOURNAL_H

#include "step/learner.h"
#include "train/health.h"
#include "types.h"

#include <hirl/train.h>

double hr_seconds(void); /* monotonic */
void hr_journal_init(hirl_trainer *trainer);
/* After a checkpoint was loaded. reported: metrics.jsonl has the line of its step. */
void hr_journal_resume(hirl_trainer *trainer, bool reported);
void hr_journal_start(hirl_trainer *trainer); /* the rate counts from this step on */
void hr_journal_health(hirl_trainer *trainer, const hr_health *health, const char *judgement);
bool hr_journal_started(const hirl_trainer *trainer);
void hr_journal_waited(hirl_trainer *trainer, double seconds); /* for the loader */

void hr_trainer_report(hirl_step_report *report, const hirl_trainer *trainer,
                       const hr_step_result *result);
/* Writes a line of metrics.jsonl when one is due. One that cannot be written is logged: the step is made. */
void hr_journal_write(hirl_trainer *trainer, const hirl_step_report *report);
/* Calls the application's report function, if there is one. */
void hr_journal_call(const hirl_trainer *trainer, const hirl_step_report *report);
void hr_journal_set(hirl_trainer *trainer, hirl_report_fn *report, void *user);

#endif
