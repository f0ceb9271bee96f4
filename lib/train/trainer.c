/* trainer.c - the steps of a run (HIRL Alg. 2): batches, clustering and checkpoints.
 *
 *   for each epoch e:
 *       if e >= T1: extract features of all images, cluster them           (recluster.c, Alg. 1)
 *       for each batch: L = L_img [+ w L_SPD if e >= T1]                   (task/losses.c, eq. 4)
 *
 * A labelled run has the same loop without clustering, and also reports the accuracy of its
 * classifier.
 */
#include "train/trainer.h"

#include <string.h>

#include "base/error.h"
#include "step/step.h"
#include "train/checkpoint.h"
#include "train/feed.h"
#include "train/grove.h"
#include "train/journal.h"
#include "train/recluster.h"
#include "train/result.h"
#include "train/run.h"

void hr_trainer_set_steps(hirl_trainer *trainer, int64_t per_epoch)
{
    trainer->progress = (hr_run_progress){
        .per_epoch = per_epoch,
        .steps = per_epoch * trainer->config.train.epochs,
        .last = HR_NO_RESULT,
    };
}

static hirl_status learn(hr_step_result *result, hirl_trainer *trainer, const hr_batch *batch)
{
    hr_step_input in = hr_feed_input(trainer, batch, trainer->progress.step);

    if (hr_grove_tree(trainer))
        hr_feed_train_paths(&in, trainer);
    HR_TRY(hr_learner_step(result, trainer->learner, &in));
    if (in.chosen)
        hr_grove_assign(trainer, in.image, in.chosen, in.n);
    return HIRL_OK;
}

static hirl_status make_step(hirl_trainer *trainer)
{
    const hr_batch *batch;
    hirl_status status;

    HR_TRY(hr_feed_next(&batch, trainer));
    status = learn(&trainer->progress.last, trainer, batch);
    if (status < 0) { /* the next call starts with the same batch */
        hr_error failure;

        hr_error_keep(&failure, status);
        HR_TRY(hr_feed_seek(trainer, trainer->progress.step));
        return hr_error_raise(&failure);
    }
    hr_journal_waited(trainer, batch->waited);
    trainer->progress.step++;
    return HIRL_OK;
}

/* One step, and the clustering before it if the epoch needs a tree. */
static hirl_status advance(hirl_trainer *trainer)
{
    hr_run_progress *p = &trainer->progress;

    HR_TRY(hr_learner_ready(trainer->learner)); /* before a long clustering, not after it */
    if (hr_grove_needs_tree(trainer, p->step / p->per_epoch))
        HR_TRY(hr_trainer_recluster(trainer));
    if (p->step % p->per_epoch == 0 || !hr_journal_started(trainer))
        hr_journal_start(trainer);
    HR_TRY(make_step(trainer));
    p->epoch_open = p->step % p->per_epoch == 0;
    return HIRL_OK;
}

/* Ends the epoch after its last step. If this fails or is canceled, the next call does it first;
 * epoch_open records that, also in checkpoints. */
static hirl_status end_epoch(hirl_trainer *trainer, bool *saved)
{
    const hr_train_config *t = &trainer->config.train;
    hr_run_progress *p = &trainer->progress;
    bool last = p->step == p->steps;
    hirl_status status = HIRL_OK;

    p->epoch_open = false; /* the checkpoint written below must state this */
    /* The model is written first, since the last checkpoint marks the run as finished. */
    if (last)
        status = hr_result_write(trainer);
    if (status >= 0 && trainer->directory.path &&
        (last || (t->save_every && p->step / p->per_epoch % t->save_every == 0))) {
        status = hr_trainer_save(trainer, NULL);
        *saved = status >= 0;
    }
    p->epoch_open = status < 0;
    return status;
}

hirl_status hr_trainer_step(hirl_step_report *out, hirl_trainer *trainer)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hr_run_progress *p = &trainer->progress;
    bool saved = false;

    if (p->step == p->steps && !p->epoch_open)
        return HIRL_DONE;
    HR_TRY(hr_halt_check());
    if (!p->epoch_open)
        HR_TRY(advance(trainer));
    if (p->epoch_open && trainer->task->measure)
        HR_TRY(trainer->task->measure(trainer, p->last.loss_image));
    hr_trainer_report(&report, trainer, &p->last);
    hr_grove_report_clustering(&report, trainer);
    hr_journal_write(trainer, &report);
    if (p->epoch_open)
        HR_TRY(end_epoch(trainer, &saved));
    report.saved = saved;
    hr_grove_reported(trainer);
    *out = report;
    return HIRL_OK;
}
