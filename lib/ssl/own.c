/* own.c - the application's own method (method=own): it computes loss and gradient (hirl/method.h).
 *
 *   x = (out_1; ...; out_V)                              [V n, d]; z0 if nothing follows z0
 *   L = f(x, z0, teacher, image), and dL/dx              f: hirl_method_loss_fn
 *
 * Keys declare networks, views and rates. A checkpoint holds the method's name, whether it couples
 * images, and the bytes that its `save` wrote. If a checkpoint is loaded before the functions are
 * set, its bytes are kept until then.
 */
#include "ssl/own.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/user.h"
#include "ssl/method.h"

static const hr_setting_pair paper[] = {
    { "recipe", "mocov2" }, { "head", "mlp in z" },   { "z_dim", "128" },
    { "optimizer", "sgd" }, { "momentum", "0.9" },    { "weight_decay", "1e-4" },
    { "base_lr", "0.03" },  { "schedule", "cosine" }, { "temperature", "0.2" },
    { NULL, NULL },
};
static const hr_setting_pair reference[] = { { NULL, NULL } };

enum { NAME = 64 };

typedef struct own {
    hr_method_config config;
    hirl_method_calls calls; /* loss NULL: not set yet */
    char name[NAME];         /* from the application or a checkpoint; empty: neither */
    bool coupled;
    bool waiting; /* a checkpoint was loaded, and `load` has not yet accepted its state */
    void *blob;   /* that state; NULL: the checkpoint has none */
    size_t bytes; /* size of blob */
} own;

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    (void)q;
    ((own *)state)->config = *config;
    return HIRL_OK;
}

static void drop_blob(own *self)
{
    hr_free(self->blob);
    self->blob = NULL;
    self->bytes = 0;
    self->waiting = false;
}

/* The application's functions are not called again. */
static void drop_calls(own *self)
{
    hr_user user = { self->calls.user, self->calls.release };

    self->calls = (hirl_method_calls){ 0 };
    hr_user_release(user);
}

static void done(void *state, hr_queue *q)
{
    (void)q;
    drop_blob(state);
    drop_calls(state);
}

/* ---- setting the functions ---- */

static bool matches(const own *self, const char *name, bool coupled)
{
    return !*self->name || (!strcmp(self->name, name) && self->coupled == coupled);
}

/* The status that a result of the application's function stands for. */
static hirl_status status_of(int32_t result, const char *which)
{
    if (result < 0)
        return hr_fail_callback(result, which);
    return result > 0 ? hr_halt_fail() : HIRL_OK;
}

/* Passes the state of a checkpoint to the application's `load`. */
static hirl_status call_load(own *self)
{
    int32_t result;

    if (self->blob && !self->calls.load)
        return hr_fail(HIRL_E_STATE,
                       "method %s: the checkpoint holds %zu bytes of its state, but load is NULL",
                       self->name, self->bytes);
    result = self->blob ? self->calls.load(self->blob, self->bytes, self->calls.user) : 0;
    HR_TRY(status_of(result, "load"));
    drop_blob(self);
    return HIRL_OK;
}

hirl_status hr_own_set(void *state, const hirl_method_calls *calls)
{
    own *self = state;
    size_t length = calls->name ? strnlen(calls->name, NAME) : 0;
    hirl_status status;

    if (!calls->loss || !length || length == NAME)
        return hr_fail(HIRL_E_INVALID, "method: %s",
                       !calls->loss ? "loss is NULL"
                       : length     ? "the name has more than 63 bytes"
                                    : "the name is NULL or empty");
    if (!matches(self, calls->name, calls->coupled != 0))
        return hr_fail(HIRL_E_INVALID,
                       "method: %s (coupled=%d) was given; the run has %s (coupled=%d)",
                       calls->name, calls->coupled != 0, self->name, self->coupled);
    memcpy(self->name, calls->name, length + 1);
    self->coupled = calls->coupled != 0;
    drop_calls(self);
    self->calls = *calls;
    self->calls.name = self->name;
    status = self->waiting ? call_load(self) : HIRL_OK;
    if (status < 0)
        self->calls = (hirl_method_calls){ 0 }; /* the functions count as not set */
    return status;
}

static hirl_status ready(const void *state)
{
    const own *self = state;

    if (!self->calls.loss)
        return hr_fail(HIRL_E_STATE, "method=own: the application must set its loss with "
                                     "hirl_trainer_set_method() first");
    if (self->waiting)
        return hr_fail(HIRL_E_STATE,
                       "method %s: load has not yet restored the state of the checkpoint",
                       self->name);
    return HIRL_OK;
}

/* ---- the loss of a batch ---- */

typedef struct own_batch {
    const hirl_method_calls *calls;
    hirl_method_step step;
} own_batch;

/* hr_host_fn: calls the application's loss. In the double build its floats are doubles. */
static hirl_status call_loss(double *loss, real *grad, const real *x, void *arg)
{
    own_batch *batch = arg;
    int32_t result;

    batch->step.student = (const void *)x;
    if (!batch->step.z0)
        batch->step.z0 = batch->step.student;
    result = batch->calls->loss(loss, (void *)grad, &batch->step, batch->calls->user);
    return status_of(result, "loss");
}

/* Copies outputs of all views to host memory [V, n, d]; valid after the next sync. NULL: the tape
 * has failed. */
static const void *on_host(int64_t *d, hr_tape *t, hr_tensor *const *x, int views)
{
    int64_t count = hr_count(&x[0]->x);
    real *host = hr_tape_take(t, (size_t)(views * count) * sizeof *host);

    *d = hr_cols(&x[0]->x);
    for (int v = 0; v < views && host; v++) {
        hr_tensor *written = hr_write(t, x[v]);

        if (hr_tape_status(t) < 0)
            return NULL;
        t->q->be->download(t->q, host + v * count, HR_REAL, &written->x);
    }
    return host;
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    own *self = state;
    hr_seen seen = *student;
    int views = (int)now->views;
    own_batch *batch = hr_tape_take(t, sizeof *batch);
    hirl_method_step *step;

    if (!batch)
        return &t->dead;
    *batch = (own_batch){ .calls = &self->calls };
    step = &batch->step;
    *step = (hirl_method_step){ .struct_size = sizeof *step,
                                .step = now->step,
                                .n = now->n,
                                .views = views,
                                .globals = (int32_t)now->globals,
                                .d = hr_cols(seen.out[0] ? &seen.out[0]->x : &seen.z0[0]->x),
                                .z_dim = hr_cols(&seen.z0[0]->x),
                                .image = now->image_on_host,
                                .temperature = self->config.temperature,
                                .teacher_temperature = now->teacher_temperature_on_host,
                                .micro = (int32_t)now->micro,
                                .micros = (int32_t)now->micros };
    if (seen.out[0])
        step->z0 = on_host(&step->z_dim, t, seen.z0, views);
    if (teacher->z0[0])
        step->teacher =
            on_host(&step->teacher_dim, t, teacher->out[0] ? teacher->out : teacher->z0, views);
    if (hr_tape_status(t) < 0)
        return &t->dead;
    return hr_host_loss(t, hr_concat(t, seen.out[0] ? seen.out : seen.z0, views), /* [V n, d] */
                        call_loss, batch);
}

static hirl_status commit(void *state, int64_t step)
{
    const hirl_method_calls *calls = &((own *)state)->calls;
    int32_t result = calls->commit ? calls->commit(step, calls->user) : 0;

    return status_of(result, "commit");
}

/* ---- checkpoint ---- */

static hirl_status new_blob(void **data, hr_tensors *out, size_t bytes)
{
    int64_t count = (int64_t)bytes;

    return hr_tensors_new(data, out, "own.state", HR_U8, 1, &count);
}

/* The application's `save` first returns the size of its state, then writes the state. */
static hirl_status call_save(hr_tensors *out, const hirl_method_calls *calls)
{
    size_t bytes = 0, written;
    int32_t result = calls->save(NULL, &bytes, calls->user);
    void *data;

    HR_TRY(status_of(result, "save"));
    HR_TRY(new_blob(&data, out, bytes));
    written = bytes;
    result = bytes ? calls->save(data, &written, calls->user) : 0;
    HR_TRY(status_of(result, "save"));
    if (written != bytes)
        return hr_fail(HIRL_E_INVALID,
                       "save: the first call returned a size of %zu bytes, the second one of %zu",
                       bytes, written);
    return HIRL_OK;
}

static hirl_status save(const void *state, hr_tensors *out)
{
    const own *self = state;
    void *data;

    if (!*self->name)
        return HIRL_OK;
    HR_TRY(hr_tensors_set_text(out, "own.name", self->name));
    HR_TRY(hr_tensors_set_int(out, "own.coupled", self->coupled));
    if (!self->waiting)
        return self->calls.save ? call_save(out, &self->calls) : HIRL_OK;
    if (!self->blob)
        return HIRL_OK;
    HR_TRY(new_blob(&data, out, self->bytes));
    memcpy(data, self->blob, self->bytes);
    return HIRL_OK;
}

static hirl_status keep_blob(own *self, const hr_named *found)
{
    drop_blob(self);
    if (!found)
        return HIRL_OK;
    self->blob = hr_alloc(found->bytes + 1);
    if (!self->blob)
        return HIRL_E_NOMEM;
    self->bytes = found->bytes;
    memcpy(self->blob, found->data, found->bytes);
    return HIRL_OK;
}

static hirl_status load(void *state, const hr_tensors *in)
{
    own *self = state;
    const char *name = hr_tensors_text(in, "own.name");
    int64_t coupled;

    drop_blob(self);
    if (!name)
        return HIRL_OK;
    HR_TRY(hr_tensors_int(&coupled, in, "own.coupled"));
    if (self->calls.loss && !matches(self, name, coupled != 0))
        return hr_fail(HIRL_E_INVALID,
                       "method: the checkpoint has %s (coupled=%d); the run has %s (coupled=%d)",
                       name, coupled != 0, self->name, self->coupled);
    HR_TRY(keep_blob(self, hr_tensors_find(in, "own.state")));
    snprintf(self->name, NAME, "%s", name);
    self->coupled = coupled != 0;
    self->waiting = true;
    return self->calls.loss ? call_load(self) : HIRL_OK;
}

static double chance(const hr_method_config *config)
{
    (void)config;
    return NAN;
}

const hr_method hr_method_own = {
    .name = "own",
    .paper = paper,
    .reference = reference,
    .student = HR_SEES_ALL,
    .teacher = HR_SEES_ALL,
    .declared = true,
    .joint = true,
    .sync = true,
    .locals = true,
    .state_size = sizeof(own),
    .init = init,
    .done = done,
    .loss = loss,
    .chance = chance,
    .ready = ready,
    .commit = commit,
    .save = save,
    .load = load,
};
