/* directory_metrics.h - metrics.jsonl in the directory of a run. */
#ifndef HR_DIRECTORY_METRICS_H
#define HR_DIRECTORY_METRICS_H

#include "train/directory_state.h"

/* Appends a line to metrics.jsonl. */
hirl_status hr_directory_metric(const hr_directory *directory, const char *line);
/* Removes the lines of metrics.jsonl whose "step" is above `step`, and incomplete lines. *kept: a
 * line of `step` exists. */
hirl_status hr_directory_cut_metrics(bool *kept, const hr_directory *directory, int64_t step);

#endif
