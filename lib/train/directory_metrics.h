/* directory_metrics.h - metrics.jsonl in the directory of a run. */
#ifndef HR_DIRECTORY_METRICS_H
#define HR_DIRECTORY_METRICS_H

#include "train/directory_state.h"

/* Appends a line to metrics.jsonl. */
hirl_status hr_directory_metric(const hr_directory *directory, const char *line);
/* Makes the lines outlast a power failure. */
hirl_status hr_directory_sync_metrics(const hr_directory *directory);
/* Removes the lines of metrics.jsonl whose "step" is above `step`, and incomplete lines. *kept: the
 * number of the others; *last: the step of the last one, -1: none. */
hirl_status hr_directory_cut_metrics(int64_t *kept, int64_t *last, const hr_directory *directory,
                                     int64_t step);

#endif
