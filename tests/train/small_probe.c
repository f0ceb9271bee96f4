/* small_probe.c - a linear classifier on the frozen encoder of a small untrained network. */
#include "small_probe.h"

#include <math.h>
#include <string.h>

#include <hirl/hirl.h>

#include "base/rng.h"
#include "step/state.h"
#include "step/step.h"
#include "support/close.h"

enum { SEED = 3 };

static void make_model(small_probe *p)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" }, { "width", "0.125" }, { "stem", "small" }, { "image_size", "8" }
    };
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        hr_assert_ok(hirl_options_set(options, small[i][0], small[i][1]));
    hr_assert_ok(hirl_model_create(&p->model, p->context, options));
    hirl_options_destroy(options);
}

void small_probe_open(small_probe *p, int64_t accumulate, bool decay_all)
{
    hr_probe_config config = {
        .learner = { .batch = PROBE_ROWS,
                     .accumulate = accumulate,
                     .optim = { .kind = HR_OPTIM_SGD },
                     .seed = SEED },
        .size = PROBE_SIDE,
        .classes = PROBE_CLASSES,
        .momentum = 0.9,
        .decay_all = decay_all,
    };

    memset(p, 0, sizeof *p);
    hr_assert_ok(hr_context_create(&p->context, "cpu", 1));
    make_model(p);
    config.model = p->model->config;
    hr_assert_ok(hr_context_enter(&p->call, p->context));
    hr_assert_ok(hr_probe_create(&p->learner, &p->probe, p->context, &p->model->weights, &config));
}

void small_probe_close(small_probe *p)
{
    hr_learner_destroy(p->learner);
    hr_assert_ok(hr_context_leave(&p->call, HIRL_OK));
    hirl_model_destroy(p->model);
    hr_context_drop(p->context);
}

static void draw_images(small_probe *p, int64_t step)
{
    int64_t n = sizeof p->image / sizeof *p->image;
    hr_rng rng;

    hr_rng_init(&rng, SEED, HR_RNG_TEST, 0, 0, (uint32_t)step);
    for (int64_t i = 0; i < n; i++)
        p->image[i] = (float)hr_rng_normal(&rng);
    for (int i = 0; i < PROBE_ROWS; i++)
        p->label[i] = (int32_t)hr_rng_range(&rng, 0, PROBE_CLASSES);
}

hr_step_input small_probe_input(small_probe *p, int64_t step, double decay)
{
    static const int64_t id[PROBE_ROWS];

    draw_images(p, step);
    return (hr_step_input){ .n = PROBE_ROWS,
                            .step = step,
                            .rates = { .rate = 0.1, .decay = decay },
                            .globals = 1,
                            .views = 1,
                            .view = { p->image },
                            .size = { PROBE_SIDE },
                            .image = id,
                            .label = p->label };
}

hr_step_result small_probe_step(small_probe *p, int64_t step, double decay)
{
    hr_step_input in = small_probe_input(p, step, decay);
    hr_step_result result;

    hr_assert_ok(hr_learner_step(&result, p->learner, &in));
    ck_assert(isfinite(result.loss));
    return result;
}

void small_probe_state(hr_tensors *state, const small_probe *p)
{
    hr_tensors_init(state);
    hr_assert_ok(hr_learner_save(state, p->learner));
}
