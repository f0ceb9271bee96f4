/* train.c - functions of <hirl/train.h> and <hirl/method.h>. */
#include <hirl/method.h>
#include <hirl/train.h>

#include <string.h>

#include "base/error.h"
#include "base/halt.h"
#include "base/safetensors.h"
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

static hirl_status check(const hirl_step_report *report, const hirl_trainer *trainer)
{
    if (!trainer)
        return fail_null("train", "trainer");
    if (trainer->half_loaded)
        return hr_fail(HIRL_E_STATE,
                       "the last hirl_trainer_load() failed halfway; load a checkpoint first");
    if (report && report->struct_size < sizeof report->struct_size)
        return hr_fail(HIRL_E_INVALID,
                       "report: struct_size is %zu; set it to sizeof(hirl_step_report)",
                       report->struct_size);
    return HIRL_OK;
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
    return hr_context_leave(call, status);
}

hirl_status hirl_train_step(hirl_step_report *report, hirl_trainer *trainer)
{
    hr_call call;

    HR_TRY(check(report, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    return leave(&call, trainer, hr_trainer_step(report, trainer));
}

/* Makes steps until the run has made `end` of them. An epoch whose end has failed is completed. */
static hirl_status train_to(hirl_step_report *report, hirl_trainer *trainer, int64_t end)
{
    hirl_step_report own = { .struct_size = sizeof own };
    bool done = trainer->progress.step == trainer->progress.steps && !trainer->progress.epoch_open;
    hirl_status status = done ? HIRL_DONE : HIRL_OK;

    while (status == HIRL_OK && (trainer->progress.step < end || trainer->progress.epoch_open)) {
        status = hr_trainer_step(&own, trainer);
        if (status != HIRL_OK)
            break;
        hr_journal_call(trainer, &own);
        status =
            hr_progress(trainer->context, "train", trainer->progress.step, trainer->progress.steps);
    }
    if (report && own.step) {
        size_t size = report->struct_size;

        memcpy(report, &own, size < sizeof own ? size : sizeof own);
        report->struct_size = size;
    }
    return status;
}

hirl_status hirl_train_epoch(hirl_step_report *report, hirl_trainer *trainer)
{
    int64_t end;
    hr_call call;

    HR_TRY(check(report, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    end = trainer->progress.epoch_open
              ? trainer->progress.step /* the steps are made; what ends the epoch is left */
              : (trainer->progress.step / trainer->progress.per_epoch + 1) *
                    trainer->progress.per_epoch;
    return leave(&call, trainer, train_to(report, trainer, end));
}

hirl_status hirl_train_run(hirl_step_report *report, hirl_trainer *trainer)
{
    hr_call call;

    HR_TRY(check(report, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    return leave(&call, trainer, train_to(report, trainer, trainer->progress.steps));
}

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

    if (!trainer || !calls)
        return fail_null("trainer_set_method", trainer ? "calls" : "trainer");
    if (calls->struct_size < sizeof calls->struct_size)
        return hr_fail(HIRL_E_INVALID,
                       "calls: struct_size is %zu; set it to sizeof(hirl_method_calls)",
                       calls->struct_size);
    memcpy(&copy, calls, calls->struct_size < sizeof copy ? calls->struct_size : sizeof copy);
    HR_TRY(hr_context_enter(&call, trainer->context));
    (void)hr_halt_obey(NULL); /* short, and done as a whole */
    return leave(&call, trainer, set_calls(trainer, &copy));
}

void hirl_trainer_set_report(hirl_trainer *trainer, hirl_report_fn *report, void *user)
{
    if (!trainer)
        return;
    hr_journal_set(trainer, report, user);
}

hirl_status hirl_trainer_save(hirl_trainer *trainer, const char *path)
{
    hr_call call;

    if (!trainer)
        return fail_null("trainer_save", "trainer");
    if (!path && !trainer->directory.path)
        return hr_fail(HIRL_E_INVALID,
                       "trainer_save: path is NULL, and the run has no directory (out=)");
    HR_TRY(check(NULL, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    return leave(&call, trainer, hr_trainer_save(trainer, path));
}

static hirl_status read_checkpoint(hr_tensors *state, const char *path)
{
    hirl_status status = hr_tensors_load(state, path);
    hr_error failure;

    if (status >= 0 || status == HIRL_E_NOMEM || status == HIRL_E_IO)
        return status;
    hr_error_keep(&failure, status);
    return hr_fail(status, "%s; try an earlier checkpoint of the run", failure.text);
}

hirl_status hirl_trainer_load(hirl_trainer *trainer, const char *path)
{
    hr_tensors state;
    hirl_status status;
    hr_call call;

    if (!trainer || !path)
        return fail_null("trainer_load", trainer ? "path" : "trainer");
    HR_TRY(hr_context_enter(&call, trainer->context));
    hr_tensors_init(&state);
    status = read_checkpoint(&state, path);
    (void)hr_halt_obey(NULL); /* a state is put in place as a whole; leave() undoes this */
    if (status >= 0)
        status = hr_trainer_from_tensors(trainer, &state);
    hr_tensors_done(&state);
    return leave(&call, trainer, status);
}

hirl_status hirl_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char *network)
{
    hr_call call;

    if (!model || !trainer)
        return fail_null("trainer_model", model ? "trainer" : "model");
    *model = NULL;
    HR_TRY(check(NULL, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    return leave(&call, trainer, hr_trainer_model(model, trainer, network ? network : "auto"));
}

hirl_status hirl_trainer_tree(hirl_tree **tree, const hirl_trainer *trainer)
{
    if (!tree || !trainer)
        return fail_null("trainer_tree", tree ? "trainer" : "tree");
    *tree = NULL;
    HR_TRY(check(NULL, trainer));
    if (!hr_grove_tree(trainer))
        return hr_fail(HIRL_E_STATE,
                       "the run has no tree yet; clustering begins at cluster_warmup_epoch=%lld",
                       (long long)trainer->config.train.cluster_warmup_epoch);
    hr_tree_hold(hr_grove_tree(trainer));
    *tree = hr_grove_tree(trainer);
    return HIRL_OK;
}

hirl_status hirl_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf)
{
    hr_call call;

    if (!trainer || (tree && !leaf))
        return fail_null("trainer_set_tree", trainer ? "leaf" : "trainer");
    HR_TRY(check(NULL, trainer));
    HR_TRY(hr_context_enter(&call, trainer->context));
    (void)hr_halt_obey(NULL); /* short, and done as a whole */
    return leave(&call, trainer, hr_trainer_set_tree(trainer, tree, leaf));
}

hirl_status hirl_trainer_evaluate(hirl_step_report *report, hirl_trainer *trainer,
                                  hirl_dataset *held_out)
{
    hr_call call;

    if (!report || !held_out)
        return fail_null("trainer_evaluate", report ? "held_out" : "report");
    HR_TRY(check(report, trainer));
    if (held_out->context != trainer->context)
        return hr_fail(HIRL_E_INVALID, "trainer_evaluate: the data set belongs to another context");
    HR_TRY(hr_context_enter(&call, trainer->context));
    return leave(&call, trainer, trainer->task->evaluate(report, trainer, held_out));
}
