/* train.c - functions of <hirl/train.h> and <hirl/method.h>. */
#include <hirl/method.h>
#include <hirl/options.h>
#include <hirl/train.h>

#include <stdatomic.h>
#include <stdio.h>

#include "api/resolved.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/record.h"
#include "base/stream.h"
#include "ssl/method_table.h"
#include "step/task.h"
#include "train/checkpoint.h"
#include "train/exchange.h"
#include "train/grove.h"
#include "train/journal.h"
#include "train/make.h"
#include "train/run.h"
#include "train/trainer.h"

static hirl_status fail_null(const char *call, const char *what)
{
    return hr_fail(HIRL_E_INVALID, "%s: %s is NULL", call, what);
}

hirl_status hirl_trainer_create(hirl_trainer **trainer, hirl_context *context,
                                const hirl_model *start, hirl_dataset *dataset,
                                const hirl_options *options)
{
    hirl_status status;
    hr_call call;

    if (!trainer || !context || !dataset)
        return fail_null("trainer_create", !trainer ? "trainer" : !context ? "context" : "dataset");
    *trainer = NULL;
    HR_TRY(hr_context_enter(&call, context));
    status = hr_trainer_create(trainer, context, start, dataset, options);
    return hr_context_leave(&call, status);
}

void hirl_trainer_destroy(hirl_trainer *trainer)
{
    hr_trainer_destroy(trainer);
}

/* ---- who may use a trainer ---- */

/* What a call does with its trainer decides when a callback may make it (lib/ABI.md). */
typedef enum access {
    LOOK,   /* reads numbers and settings: from any callback */
    STILL,  /* leaves the state as it is: also from a report function, between two steps */
    CHANGE, /* not from a callback */
} access;

/* Claims the trainer for this thread. A callback of the call that has claimed it runs on the same
 * thread. */
static hirl_status claim(hirl_trainer *trainer, access what)
{
    static _Thread_local char me;
    const char *free = NULL;
    hr_claim *c = &trainer->claim;

    if (atomic_compare_exchange_strong(&c->thread, &free, &me)) {
        c->depth = 1;
        return HIRL_OK;
    }
    if (free != &me)
        return hr_fail(HIRL_E_BUSY, "the trainer is in a call of another thread");
    if (what == CHANGE || (what == STILL && c->between != c->depth))
        return hr_fail(HIRL_E_BUSY,
                       "the trainer is at work in the call that runs this callback; make this call "
                       "%s",
                       what == CHANGE ? "after it" : "from a report function, or after it");
    c->depth++;
    return HIRL_OK;
}

static void unclaim(hirl_trainer *trainer)
{
    if (!--trainer->claim.depth)
        atomic_store(&trainer->claim.thread, NULL);
}

static hirl_status fail_half_loaded(void)
{
    return hr_fail(HIRL_E_STATE,
                   "the last hirl_trainer_load() failed halfway; load a checkpoint first");
}

/* half: whether the call is possible after a load that failed halfway. */
static hirl_status enter_half(hr_call *call, const hirl_trainer *trainer, access what, bool half)
{
    hirl_trainer *claimed = (hirl_trainer *)trainer;
    hirl_status status;

    HR_TRY(hr_context_enter(call, trainer->context));
    status = claim(claimed, what);
    if (status >= 0 && trainer->half_loaded && !half) {
        status = fail_half_loaded();
        unclaim(claimed);
    }
    return status < 0 ? hr_context_leave(call, status) : HIRL_OK;
}

static hirl_status enter(hr_call *call, const hirl_trainer *trainer, access what)
{
    return enter_half(call, trainer, what, false);
}

/* After a failure, the queue may have further errors. They are discarded here, so that the next
 * call does not report them; the message of the first is kept. */
static hirl_status leave(hr_call *call, const hirl_trainer *trainer, hirl_status status)
{
    hr_queue *q = trainer->learner->queue;

    if (status < 0) {
        hr_error first;

        hr_error_keep(&first, status);
        q->be->sync(q);
        hr_error_raise(&first);
    }
    unclaim((hirl_trainer *)trainer);
    return hr_context_leave(call, status);
}

/* ---- steps ---- */

static hirl_status check_step(const hirl_step_report *report, const hirl_trainer *trainer)
{
    if (!trainer)
        return fail_null("train", "trainer");
    return report ? HR_RECORD_CHECK(report, "report", hirl_step_report) : HIRL_OK;
}

hirl_status hirl_train_step(hirl_step_report *report, hirl_trainer *trainer)
{
    hirl_step_report own = { .struct_size = sizeof own };
    hirl_status status;
    hr_call call;

    HR_TRY(check_step(report, trainer));
    HR_TRY(enter(&call, trainer, CHANGE));
    status = hr_trainer_step(&own, trainer);
    if (report && status == HIRL_OK)
        hr_record_fill(report, &own, sizeof own);
    return leave(&call, trainer, status);
}

/* A step is made: its report and the progress go to the application. */
static hirl_status tell(hirl_trainer *trainer, const hirl_step_report *report)
{
    hirl_status status;

    trainer->claim.between = trainer->claim.depth;
    status = hr_journal_call(trainer, report);
    trainer->claim.between = 0;
    HR_TRY(status);
    return hr_progress(trainer->context, "train", trainer->progress.step, trainer->progress.steps);
}

/* Makes steps until the run has made `end` of them. An epoch whose end has failed is completed. */
static hirl_status train_to(hirl_step_report *report, hirl_trainer *trainer, int64_t end)
{
    hirl_step_report own = { .struct_size = sizeof own };
    bool done = trainer->progress.step == trainer->progress.steps && !trainer->progress.epoch_open;
    hirl_status status = done ? HIRL_DONE : HIRL_OK;

    while (status == HIRL_OK && (trainer->progress.step < end || trainer->progress.epoch_open)) {
        status = hr_trainer_step(&own, trainer);
        if (status == HIRL_OK)
            status = tell(trainer, &own);
    }
    if (report && own.step)
        hr_record_fill(report, &own, sizeof own);
    return status;
}

hirl_status hirl_train_epoch(hirl_step_report *report, hirl_trainer *trainer)
{
    int64_t end;
    hr_call call;

    HR_TRY(check_step(report, trainer));
    HR_TRY(enter(&call, trainer, CHANGE));
    end = trainer->progress.epoch_open
              ? trainer->progress.step /* the steps are made; what ends the epoch is left */
              : (trainer->progress.step / trainer->progress.per_epoch + 1) *
                    trainer->progress.per_epoch;
    return leave(&call, trainer, train_to(report, trainer, end));
}

hirl_status hirl_train_run(hirl_step_report *report, hirl_trainer *trainer)
{
    hr_call call;

    HR_TRY(check_step(report, trainer));
    HR_TRY(enter(&call, trainer, CHANGE));
    return leave(&call, trainer, train_to(report, trainer, trainer->progress.steps));
}

/* ---- what a run is ---- */

hirl_status hirl_trainer_describe(hirl_trainer_info *info, const hirl_trainer *trainer)
{
    hr_run_progress p;
    const hirl_tree *tree;
    hirl_trainer_info i;
    hr_call call;

    HR_TRY(HR_RECORD_CHECK(info, "trainer_describe: info", hirl_trainer_info));
    if (!trainer)
        return fail_null("trainer_describe", "trainer");
    HR_TRY(enter(&call, trainer, LOOK));
    p = trainer->progress;
    tree = hr_grove_tree(trainer);
    i = (hirl_trainer_info){
        .step = p.step,
        .steps = p.steps,
        .epoch_steps = p.per_epoch,
        .epoch = p.step / p.per_epoch,
        .epochs = trainer->config.train.epochs,
        .batch_size = trainer->config.train.batch_size,
        .finished = p.step == p.steps && !p.epoch_open,
        .levels = tree ? tree->levels : 0,
        .task = trainer->learner->task->name,
        .method = hr_method_find(trainer->config.model.method)->name,
        .out = trainer->directory.path ? trainer->directory.path : "",
    };
    hr_record_fill(info, &i, sizeof i);
    return leave(&call, trainer, HIRL_OK);
}

hirl_status hirl_trainer_options(hirl_options **options, const hirl_trainer *trainer)
{
    hirl_options *made;
    hirl_status status;
    hr_call call;

    if (!options || !trainer)
        return fail_null("trainer_options", options ? "trainer" : "options");
    *options = NULL;
    HR_TRY(enter(&call, trainer, LOOK));
    status = hirl_options_create(&made);
    if (status >= 0) {
        status = hr_options_copy(made, &trainer->options);
        if (status >= 0)
            status = hr_options_add_resolved(made, &trainer->config, &trainer->options);
        if (status >= 0)
            *options = made;
        else
            hirl_options_destroy(made);
    }
    return leave(&call, trainer, status);
}

const char *hirl_trainer_judgement(const hirl_trainer *trainer)
{
    return trainer ? hr_journal_judgement(trainer) : "";
}

/* ---- the application's functions ---- */

static hirl_status set_calls(hirl_trainer *trainer, const hirl_method_calls *calls)
{
    if (!trainer->pretrain)
        return hr_fail(HIRL_E_STATE, "set_method: the run has task=%s; take method=own",
                       trainer->learner->task->name);
    return hr_pretrain_set_calls(trainer->pretrain, calls);
}

hirl_status hirl_trainer_set_method(hirl_trainer *trainer, const hirl_method_calls *calls)
{
    hirl_method_calls copy = { 0 };
    hr_call call;

    if (!trainer)
        return fail_null("trainer_set_method", "trainer");
    HR_TRY(HR_RECORD_READ(&copy, calls, "trainer_set_method: calls", hirl_method_calls));
    HR_TRY(enter_half(&call, trainer, CHANGE, true));
    (void)hr_halt_obey(NULL); /* short, and done as a whole */
    return leave(&call, trainer, set_calls(trainer, &copy));
}

hirl_status hirl_trainer_set_report(hirl_trainer *trainer, hirl_report_fn *report, void *user,
                                    hirl_release_fn *release)
{
    hr_call call;

    if (!trainer)
        return fail_null("trainer_set_report", "trainer");
    HR_TRY(enter_half(&call, trainer, CHANGE, true));
    hr_journal_set(trainer, report, (hr_user){ user, release });
    return leave(&call, trainer, HIRL_OK);
}

int32_t hirl_report_print(const hirl_step_report *report, void *user)
{
    char line[256];

    if (!report || !user || !report->epoch_end)
        return 0;
    if (report->top1 >= 0)
        snprintf(line, sizeof line, "epoch %lld of %lld: loss %.3f, top-1 %.1f %%, %.0f images/s\n",
                 (long long)report->epoch + 1, (long long)report->epochs, report->loss,
                 100 * report->top1, report->images_per_s);
    else
        snprintf(line, sizeof line, "epoch %lld of %lld: loss %.3f = %.3f + %.3f, %.0f images/s\n",
                 (long long)report->epoch + 1, (long long)report->epochs, report->loss,
                 report->loss_image, report->loss - report->loss_image, report->images_per_s);
    fputs(line, user);
    fflush(user);
    return 0;
}

static hirl_status save(hirl_trainer *trainer, const hr_to *to)
{
    hr_call call;

    if (!trainer)
        return fail_null("trainer_save", "trainer");
    if (to)
        HR_TRY(hr_to_check(to, "trainer"));
    else if (!trainer->directory.path)
        return hr_fail(HIRL_E_INVALID,
                       "trainer_save: path is NULL, and the run has no directory (out=)");
    HR_TRY(enter(&call, trainer, STILL));
    return leave(&call, trainer, hr_trainer_save(trainer, to));
}

hirl_status hirl_trainer_save(hirl_trainer *trainer, const char *path)
{
    return save(trainer, path ? &(hr_to){ .path = path } : NULL);
}

hirl_status hirl_trainer_to_memory(void **data, size_t *bytes, hirl_trainer *trainer)
{
    return save(trainer, &(hr_to){ .data = data, .bytes = bytes });
}

hirl_status hirl_trainer_write(hirl_trainer *trainer, hirl_write_fn *write, void *user)
{
    return save(trainer, &(hr_to){ .write = write, .user = user });
}

static hirl_status read_checkpoint(hr_tensors *state, const hr_from *from)
{
    hirl_status status = hr_tensors_take(state, from);
    hr_error failure;

    if (status >= 0 || !from->path || status == HIRL_E_NOMEM || status == HIRL_E_IO)
        return status;
    hr_error_keep(&failure, status);
    return hr_fail(status, "%s; try an earlier checkpoint of the run", failure.text);
}

static hirl_status load(hirl_trainer *trainer, const hr_from *from)
{
    hr_tensors state;
    hirl_status status;
    hr_call call;

    if (!trainer)
        return fail_null("trainer_load", "trainer");
    HR_TRY(hr_from_check(from, "trainer"));
    HR_TRY(enter_half(&call, trainer, CHANGE, true));
    hr_tensors_init(&state);
    status = read_checkpoint(&state, from);
    (void)hr_halt_obey(NULL); /* a state is put in place as a whole; leave() undoes this */
    if (status >= 0)
        status = hr_trainer_from_tensors(trainer, &state);
    hr_tensors_done(&state);
    return leave(&call, trainer, status);
}

hirl_status hirl_trainer_load(hirl_trainer *trainer, const char *path)
{
    return load(trainer, &(hr_from){ .path = path });
}

hirl_status hirl_trainer_from_memory(hirl_trainer *trainer, const void *data, size_t bytes)
{
    return load(trainer, &(hr_from){ .data = data, .bytes = (int64_t)bytes });
}

hirl_status hirl_trainer_read(hirl_trainer *trainer, hirl_read_fn *read, void *user, int64_t bytes)
{
    return load(trainer, &(hr_from){ .read = read, .user = user, .bytes = bytes });
}

hirl_status hirl_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char *network)
{
    hr_call call;

    if (!model || !trainer)
        return fail_null("trainer_model", model ? "trainer" : "model");
    *model = NULL;
    HR_TRY(enter(&call, trainer, STILL));
    return leave(&call, trainer, hr_trainer_model(model, trainer, network ? network : "auto"));
}

static hirl_status take_tree(hirl_tree **tree, const hirl_trainer *trainer)
{
    if (!hr_grove_tree(trainer))
        return hr_fail(HIRL_E_STATE,
                       "the run has no tree yet; clustering begins at cluster_warmup_epoch=%lld",
                       (long long)trainer->config.train.cluster_warmup_epoch);
    hr_tree_hold(hr_grove_tree(trainer));
    *tree = hr_grove_tree(trainer);
    return HIRL_OK;
}

hirl_status hirl_trainer_tree(hirl_tree **tree, const hirl_trainer *trainer)
{
    hr_call call;

    if (!tree || !trainer)
        return fail_null("trainer_tree", tree ? "trainer" : "tree");
    *tree = NULL;
    HR_TRY(enter(&call, trainer, STILL));
    return leave(&call, trainer, take_tree(tree, trainer));
}

hirl_status hirl_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf)
{
    hr_call call;

    if (!trainer || (tree && !leaf))
        return fail_null("trainer_set_tree", trainer ? "leaf" : "trainer");
    HR_TRY(enter(&call, trainer, CHANGE));
    (void)hr_halt_obey(NULL); /* short, and done as a whole */
    return leave(&call, trainer, hr_trainer_set_tree(trainer, tree, leaf));
}

hirl_status hirl_trainer_evaluate(hirl_trainer_score *score, hirl_trainer *trainer,
                                  hirl_dataset *held_out)
{
    hirl_trainer_score found = { .struct_size = sizeof found };
    hirl_status status;
    hr_call call;

    HR_TRY(HR_RECORD_CHECK(score, "trainer_evaluate: score", hirl_trainer_score));
    if (!trainer || !held_out)
        return fail_null("trainer_evaluate", trainer ? "held_out" : "trainer");
    if (held_out->context != trainer->context)
        return hr_fail(HIRL_E_INVALID, "trainer_evaluate: the data set belongs to another context");
    HR_TRY(enter(&call, trainer, STILL));
    status = trainer->task->evaluate(&found, trainer, held_out);
    if (status >= 0)
        hr_record_fill(score, &found, sizeof found);
    return leave(&call, trainer, status);
}
