/* loader.h - threads that decode and augment images ahead of the trainer.
 *
 * The batch of (seed, epoch, step) depends neither on the number of threads, nor on the batch at
 * which the loader was started, nor on the batches read before.
 */
#ifndef HR_LOADER_H
#define HR_LOADER_H

#include "data/batch.h"
#include "data/dataset.h"
#include "types.h"

hirl_status hr_loader_create(hr_loader **loader, hirl_dataset *dataset,
                             const hr_loader_config *config);
void hr_loader_destroy(hr_loader *loader);
/* Batches of an epoch. A shuffled loader has full batches only. */
int64_t hr_loader_steps(const hr_loader *loader);
/* Makes batch `step` of `epoch` the next one. Batches already prepared are dropped. */
hirl_status hr_loader_seek(hr_loader *loader, int64_t epoch, int64_t step);
/* Returns the next batch, valid until the next call. A shuffled loader starts the next epoch after
 * the last batch; an ordered one returns HIRL_DONE then and leaves *batch unchanged. The wait polls
 * for cancellation (CANCELED). Unreadable images of the batch are marked in the data set; FORMAT
 * when their share of the data set exceeds max_bad. */
hirl_status hr_loader_next(const hr_batch **batch, hr_loader *loader);

#endif
