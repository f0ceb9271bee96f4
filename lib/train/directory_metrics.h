/* directory_metrics.h - metrics.jsonl in the directory of a run. */
#ifndef HR_DIRECTORY_METRICS_H
#define HR_DIRECTORY_METRICS_H

#include "train/directory_state.h"

/* a line at the end of metrics.jsonl */
hirl_status hr_directory_metric(const hr_directory *directory, const char *line);
/* drops the lines of metrics.jsonl whose "step" is above `step`, and torn ones; *kept: there is one of `step` */
hirl_status hr_directory_cut_metrics(bool *kept, const hr_directory *directory, int64_t step);

#endif
