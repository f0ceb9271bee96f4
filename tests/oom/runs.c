/* runs.c - trainers, steps, states and run directories while memory is short: all end with the bits
 * of a run that never lacked any. */
#include "oom/world.h"
#include "train/own_method.h"

/* checkpoint of a run that never lacked memory, and whose it is */
static char *wanted;
static size_t wanted_bytes;
static const scenario *wanted_of;

static char *state_of(size_t *bytes, world *w)
{
    const char *path = hr_world_path(w, "state");

    hr_assert_ok(hirl_trainer_save(w->trainer, path));
    return hr_test_read(bytes, path);
}

static void begin_run(world *w)
{
    hr_assert_ok(hirl_trainer_create(&w->trainer, w->context, NULL, w->dataset, w->options));
}

static void end_run(world *w)
{
    hirl_trainer_destroy(w->trainer);
    w->trainer = NULL;
}

/* what a whole run ends with; the same for all worlds of a scenario */
static void learn_wanted(world *w)
{
    if (w->scenario == wanted_of)
        return;
    free(wanted);
    begin_run(w);
    hr_assert_ok(hirl_train_run(NULL, w->trainer));
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
    hr_test_remove(hr_world_path(w, "run"));
}

static void with_run(world *w)
{
    hr_world_with_model(w);
    learn_wanted(w);
    begin_run(w);
}

static hirl_status trainer_made(world *w)
{
    hirl_trainer *trainer = NULL;
    hirl_status status =
        hirl_trainer_create(&trainer, w->context, w->model, w->dataset, w->options);

    hirl_trainer_destroy(trainer);
    return status;
}

static hirl_status steps_made(world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status = HIRL_OK;

    while (status == HIRL_OK)
        status = hirl_train_step(&report, w->trainer);
    return status;
}

/* the run that lacked memory for a while ends with the bits of the one that never did */
static void same_state(world *w)
{
    size_t bytes;
    char *state = state_of(&bytes, w);

    ck_assert_uint_eq(bytes, wanted_bytes);
    ck_assert_msg(!memcmp(state, wanted, bytes), "the run went another way");
    free(state);
}

static void with_steps(world *w)
{
    hr_world_with_model(w);
    begin_run(w);
    for (int s = 0; s < 6; s++)
        hr_assert_ok(hirl_train_step(NULL, w->trainer));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
}

static hirl_status state_saved(world *w)
{
    return hirl_trainer_save(w->trainer, hr_world_path(w, "checkpoint"));
}

static void with_checkpoint(world *w)
{
    with_steps(w);
    hr_assert_ok(state_saved(w));
}

static hirl_status state_loaded(world *w)
{
    return hirl_trainer_load(w->trainer, hr_world_path(w, "checkpoint"));
}

static hirl_status run_looked_into(world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_model *model = NULL;
    hirl_tree *tree = NULL;
    hirl_status status = hirl_trainer_model(&model, w->trainer, "teacher");

    if (status >= 0)
        status = hirl_trainer_tree(&tree, w->trainer);
    if (status >= 0)
        status = hirl_trainer_evaluate(&report, w->trainer, w->dataset);
    hirl_tree_destroy(tree);
    hirl_model_destroy(model);
    return status;
}

static void with_run_directory(world *w)
{
    hr_world_with_model(w);
    hr_world_set(w, "out", hr_world_path(w, "run"));
    learn_wanted(w);
    begin_run(w);
}

static hirl_status run_made(world *w)
{
    return hirl_train_run(NULL, w->trainer);
}

static void with_stopped_run(world *w)
{
    with_run_directory(w);
    for (int s = 0; s < 6; s++)
        hr_assert_ok(hirl_train_step(NULL, w->trainer));
    hr_assert_ok(hirl_trainer_save(w->trainer, NULL));
    end_run(w);
    hr_world_set(w, "resume", "1");
}

static hirl_status run_resumed(world *w)
{
    hirl_status status = HIRL_OK;

    if (!w->trainer)
        status = hirl_trainer_create(&w->trainer, w->context, NULL, w->dataset, w->options);
    return status < 0 ? status : hirl_train_run(NULL, w->trainer);
}

static hirl_status run_directory_embedded(world *w)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_model_load(&model, w->context, hr_world_path(w, "run"), w->options);

    hirl_model_destroy(model);
    return status;
}

/* a trainer of method=own that the functions were given to and that made its first step */
static hirl_status own_step_made(world *w)
{
    static own_method host;
    hirl_method_calls calls = own_method_calls(&host);
    hirl_status status = HIRL_OK;

    if (!w->trainer) {
        memset(&host, 0, sizeof host);
        status = hirl_trainer_create(&w->trainer, w->context, NULL, w->dataset, w->options);
    }
    if (status >= 0)
        status = hirl_trainer_set_method(w->trainer, &calls);
    return status < 0 ? status : hirl_train_step(NULL, w->trainer);
}

static void with_own_method(world *w)
{
    hr_world_with_model(w);
    hr_world_set(w, "method", "own");
    hr_world_set(w, "head", "mlp 12 z bn");
    hr_world_set(w, "predictor", "mlp 10 z bn");
    hr_world_set(w, "own_teacher", "1");
    hr_world_set(w, "accumulate", "2");
    if (w->scenario == wanted_of)
        return;
    hr_assert_ok(own_step_made(w));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
}

static const scenario scenario_of[] = {
    { "a trainer is made", hr_world_with_model, trainer_made, NULL },
    { "steps and clusterings are made", with_run, steps_made, same_state },
    { "a state is saved", with_steps, state_saved, same_state },
    { "a state is loaded", with_checkpoint, state_loaded, same_state },
    { "a run is looked into", with_steps, run_looked_into, same_state },
    { "a run is made in a directory", with_run_directory, run_made, same_state },
    { "a stopped run is resumed", with_stopped_run, run_resumed, same_state },
    { "a step of the host's own method is made", with_own_method, own_step_made, same_state },
    { "a model is loaded from a run", with_stopped_run, run_directory_embedded, NULL },
};
const scenario_list hr_runs_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
