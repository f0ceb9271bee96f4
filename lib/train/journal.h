/* journal.h - reports of a run: hirl_step_report, metrics.jsonl, and the clock for rates. */
#ifndef HR_TRAIN_JOURNAL_H
#define HR_TRAIN_JOURNAL_H

#include "step/learner.h"
#include "train/health.h"
#include "types.h"

#include <hirl/train.h>

double hr_seconds(void); /* time of the monotonic clock */

void hr_journal_init(hirl_trainer *trainer);
/* Called after a checkpoint was loaded. Removes the lines of metrics.jsonl after its step: the run
 * makes them again. expected: lines up to its step, -1: unknown; lost ones are reported. */
hirl_status hr_journal_resume(hirl_trainer *trainer, int64_t expected);
/* Lines of metrics.jsonl so far. They outlast a power failure if a checkpoint that holds their
 * number does. */
int64_t hr_journal_lines(const hirl_trainer *trainer);
void hr_journal_sync(const hirl_trainer *trainer);
/* Images per second are measured from here on. */
void hr_journal_start(hirl_trainer *trainer);
void hr_journal_health(hirl_trainer *trainer, const hr_health *health, const char *judgement);
bool hr_journal_started(const hirl_trainer *trainer);
/* Adds time spent waiting for the loader. */
void hr_journal_waited(hirl_trainer *trainer, double seconds);

/* Fills in a report from the result of a step and the state of the run. */
void hr_trainer_report(hirl_step_report *report, const hirl_trainer *trainer,
                       const hr_step_result *result);
/* Writes a line of metrics.jsonl if one is due. A failure is logged only, as the step is already
 * committed. */
void hr_journal_write(hirl_trainer *trainer, const hirl_step_report *report);
/* Calls the application's report function, if there is one. CANCELED or CALLBACK: it stops the run.
 */
hirl_status hr_journal_call(const hirl_trainer *trainer, const hirl_step_report *report);
const char *hr_journal_judgement(const hirl_trainer *trainer);
/* The user of the function that was set before is released. */
void hr_journal_set(hirl_trainer *trainer, hirl_report_fn *report, hr_user user);

#endif
