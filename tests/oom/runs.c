/* runs.c - scenarios with trainers, steps, states and run directories. All end with the same bits
 * as a run without failing allocations. */
#include "oom/world.h"
#include "train/own_method.h"

/* final state of a run without failing allocations, and the scenario it belongs to */
static char *wanted;
static size_t wanted_bytes;
static const scenario *wanted_of;

static char *state_of(size_t *bytes, world *w)
{
    const char *path = hr_world_path(w, "state");

    hr_assert_ok(hirl_trainer_save(w->small.trainer, path));
    return hr_test_read(bytes, path);
}

static void begin_run(world *w)
{
    hr_assert_ok(hirl_trainer_create(&w->small.trainer, w->small.context, NULL, w->small.dataset,
                                     w->small.options));
}

static void end_run(world *w)
{
    hirl_trainer_destroy(w->small.trainer);
    w->small.trainer = NULL;
}

/* computes the final state of a whole run, once for all worlds of a scenario */
static void compute_wanted(world *w)
{
    if (w->scenario == wanted_of)
        return;
    free(wanted);
    begin_run(w);
    hr_assert_ok(hirl_train_run(NULL, w->small.trainer));
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
    hr_test_remove(hr_world_path(w, "run"));
}

static void with_run(world *w)
{
    hr_world_with_model(w);
    compute_wanted(w);
    begin_run(w);
}

static hirl_status trainer_made(world *w)
{
    hirl_trainer *trainer = NULL;
    hirl_status status = hirl_trainer_create(&trainer, w->small.context, w->small.model,
                                             w->small.dataset, w->small.options);

    hirl_trainer_destroy(trainer);
    return status;
}

static hirl_status steps_made(world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status = HIRL_OK;

    while (status == HIRL_OK)
        status = hirl_train_step(&report, w->small.trainer);
    return status;
}

static void same_state(world *w)
{
    size_t bytes;
    char *state = state_of(&bytes, w);

    ck_assert_uint_eq(bytes, wanted_bytes);
    ck_assert_msg(!memcmp(state, wanted, bytes),
                  "the final state differs from that of the run without failures");
    free(state);
}

static void with_steps(world *w)
{
    hr_world_with_model(w);
    begin_run(w);
    for (int s = 0; s < 6; s++)
        hr_assert_ok(hirl_train_step(NULL, w->small.trainer));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
}

static hirl_status state_saved(world *w)
{
    return hirl_trainer_save(w->small.trainer, hr_world_path(w, "checkpoint"));
}

static void with_checkpoint(world *w)
{
    with_steps(w);
    hr_assert_ok(state_saved(w));
}

static hirl_status state_loaded(world *w)
{
    return hirl_trainer_load(w->small.trainer, hr_world_path(w, "checkpoint"));
}

static hirl_status run_inspected(world *w)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_model *model = NULL;
    hirl_tree *tree = NULL;
    hirl_status status = hirl_trainer_model(&model, w->small.trainer, "teacher");

    if (status >= 0)
        status = hirl_trainer_tree(&tree, w->small.trainer);
    if (status >= 0)
        status = hirl_trainer_evaluate(&score, w->small.trainer, w->small.dataset);
    hirl_tree_destroy(tree);
    hirl_model_destroy(model);
    return status;
}

static void with_run_directory(world *w)
{
    hr_world_with_model(w);
    small_world_set(&w->small, "out", hr_world_path(w, "run"));
    compute_wanted(w);
    begin_run(w);
}

static hirl_status run_made(world *w)
{
    return hirl_train_run(NULL, w->small.trainer);
}

static void with_stopped_run(world *w)
{
    with_run_directory(w);
    for (int s = 0; s < 6; s++)
        hr_assert_ok(hirl_train_step(NULL, w->small.trainer));
    hr_assert_ok(hirl_trainer_save(w->small.trainer, NULL));
    end_run(w);
    small_world_set(&w->small, "resume", "1");
}

static hirl_status run_resumed(world *w)
{
    hirl_status status = HIRL_OK;

    if (!w->small.trainer)
        status = hirl_trainer_create(&w->small.trainer, w->small.context, NULL, w->small.dataset,
                                     w->small.options);
    return status < 0 ? status : hirl_train_run(NULL, w->small.trainer);
}

static hirl_status run_directory_embedded(world *w)
{
    hirl_model *model = NULL;
    hirl_status status =
        hirl_model_load(&model, w->small.context, hr_world_path(w, "run"), w->small.options);

    hirl_model_destroy(model);
    return status;
}

/* creates a trainer of method=own, sets its callbacks and makes its first step */
static hirl_status own_step_made(world *w)
{
    static own_method method;
    hirl_method_calls calls = own_method_calls(&method);
    hirl_status status = HIRL_OK;

    if (!w->small.trainer) {
        memset(&method, 0, sizeof method);
        status = hirl_trainer_create(&w->small.trainer, w->small.context, NULL, w->small.dataset,
                                     w->small.options);
    }
    if (status >= 0)
        status = hirl_trainer_set_method(w->small.trainer, &calls);
    return status < 0 ? status : hirl_train_step(NULL, w->small.trainer);
}

static void with_own_method(world *w)
{
    hr_world_with_model(w);
    small_world_set(&w->small, "method", "own");
    small_world_set(&w->small, "head", "mlp 12 z bn");
    small_world_set(&w->small, "predictor", "mlp 10 z bn");
    small_world_set(&w->small, "own_teacher", "1");
    small_world_set(&w->small, "accumulate", "2");
    if (w->scenario == wanted_of)
        return;
    hr_assert_ok(own_step_made(w));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
}

/* trains a classifier on the encoder of the model, and evaluates it */
static hirl_status classifier_trained(world *w)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_status status = HIRL_OK;

    if (!w->small.trainer)
        status = hirl_trainer_create(&w->small.trainer, w->small.context, w->small.model,
                                     w->small.dataset, w->small.options);
    if (status >= 0)
        status = hirl_train_run(NULL, w->small.trainer);
    return status < 0 ? status : hirl_trainer_evaluate(&score, w->small.trainer, w->small.dataset);
}

static void with_labels(world *w)
{
    hr_world_with_model(w);
    hirl_dataset_destroy(w->small.dataset);
    hr_assert_ok(hirl_dataset_from_memory(&w->small.dataset, w->small.context,
                                          &small_pixels[0][0][0][0], SMALL_IMAGES, SMALL_SIDE,
                                          SMALL_SIDE, 3, small_label, 0, w->small.options));
    small_world_set(&w->small, "task", "linear");
    small_world_set(&w->small, "accumulate", "2");
    small_world_set(&w->small, "out", hr_world_path(w, "run"));
    if (w->scenario == wanted_of)
        return;
    hr_assert_ok(classifier_trained(w));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
    hr_test_remove(hr_world_path(w, "run"));
}

static const scenario scenario_of[] = {
    { "a trainer is created", hr_world_with_model, trainer_made, NULL },
    { "steps and clusterings are made", with_run, steps_made, same_state },
    { "a state is saved", with_steps, state_saved, same_state },
    { "a state is loaded", with_checkpoint, state_loaded, same_state },
    { "a run is inspected", with_steps, run_inspected, same_state },
    { "a run is made in a directory", with_run_directory, run_made, same_state },
    { "a stopped run is resumed", with_stopped_run, run_resumed, same_state },
    { "a step of the application's own method is made", with_own_method, own_step_made,
      same_state },
    { "a classifier is trained in a directory", with_labels, classifier_trained, same_state },
    { "a model is loaded from a run", with_stopped_run, run_directory_embedded, NULL },
};
const scenario_list hr_runs_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
