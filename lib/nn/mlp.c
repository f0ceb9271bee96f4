/* mlp.c - heads: linear layers with optional batch norm and ReLU between them.
 *
 * Slots are named as a torch Sequential would: <name>.0 linear, .1 norm, .2 ReLU, .3 linear, ...
 * without a norm: .0 linear, .1 ReLU, .2 linear.
 */
#include "nn/mlp.h"

#include <stdio.h>

#include "base/error.h"

static const double NORM_EPS = 1e-5; /* spec.md 0.2 */
static const double NORM_KEEP = 0.9;

static hirl_status add_vector(int32_t *slot, hr_layout *layout, const char *name, const char *part,
                              hr_first first, double fan, int64_t n)
{
    char full[HR_SLOT_NAME];

    hr_slot_name(full, name, part);
    *slot = hr_layout_add(layout, full, first, fan, 1, &n);
    return *slot < 0 ? *slot : HIRL_OK;
}

hirl_status hr_norm_add(hr_norm_slots *slots, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t channels, bool zero_gamma)
{
    hr_first gamma = zero_gamma ? HR_FIRST_ZERO : HR_FIRST_ONE;

    HR_TRY(add_vector(&slots->gamma, params, name, ".weight", gamma, 1, channels));
    HR_TRY(add_vector(&slots->beta, params, name, ".bias", HR_FIRST_ZERO, 1, channels));
    HR_TRY(add_vector(&slots->mean, norms, name, ".running_mean", HR_FIRST_ZERO, 1, channels));
    return add_vector(&slots->var, norms, name, ".running_var", HR_FIRST_ONE, 1, channels);
}

hr_tensor *hr_norm_run(const hr_norm_slots *slots, const hr_run *run, hr_tensor *y, hr_tensor *add,
                       bool relu)
{
    const hr_weights *w = run->weights;
    hr_norm norm = {
        .gamma = slots->gamma < 0 ? NULL : hr_weight(run->tape, w, slots->gamma),
        .beta = slots->beta < 0 ? NULL : hr_weight(run->tape, w, slots->beta),
        .mean = hr_running(w, slots->mean),
        .var = hr_running(w, slots->var),
        .eps = NORM_EPS,
        .keep = NORM_KEEP,
        .groups = run->groups,
        .running_groups = run->running_groups,
        .commit = run->commit,
    };

    return hr_batch_norm(run->tape, y, &norm, add, relu);
}

static hirl_status add_linear(hr_mlp *mlp, hr_layout *params, const char *name, int position,
                              int64_t in, int64_t out, bool bias)
{
    int layer = mlp->layers++;
    int64_t shape[2] = { out, in };
    char full[HR_SLOT_NAME];

    snprintf(full, sizeof full, "%s.%d.weight", name, position);
    mlp->layer[layer].weight = hr_layout_add(params, full, HR_FIRST_UNIFORM, (double)in, 2, shape);
    if (mlp->layer[layer].weight < 0)
        return mlp->layer[layer].weight;
    mlp->layer[layer].bias = -1;
    mlp->out = out;
    if (!bias)
        return HIRL_OK;
    snprintf(full, sizeof full, "%s.%d", name, position);
    return add_vector(&mlp->layer[layer].bias, params, full, ".bias", HR_FIRST_UNIFORM, (double)in,
                      out);
}

hirl_status hr_mlp_mocov2(hr_mlp *mlp, hr_layout *params, const char *name, int64_t in,
                          int64_t hidden, int64_t out)
{
    *mlp = (hr_mlp){ 0 };
    HR_TRY(add_linear(mlp, params, name, 0, in, hidden, true));
    mlp->layer[0].relu = true;
    return add_linear(mlp, params, name, 2, hidden, out, true);
}

hirl_status hr_mlp_path(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t d, int32_t depth)
{
    char full[HR_SLOT_NAME];

    *mlp = (hr_mlp){ 0 };
    for (int i = 0; i + 1 < depth; i++) {
        HR_TRY(add_linear(mlp, params, name, 3 * i, d, d, false));
        snprintf(full, sizeof full, "%s.%d", name, 3 * i + 1);
        HR_TRY(hr_norm_add(&mlp->layer[i].norm, params, norms, full, d, false));
        mlp->layer[i].has_norm = mlp->layer[i].relu = true;
    }
    return add_linear(mlp, params, name, 3 * (depth - 1), d, d, true);
}

hr_tensor *hr_mlp_run(const hr_mlp *mlp, const hr_run *run, hr_tensor *x)
{
    hr_tape *t = run->tape;

    for (int i = 0; i < mlp->layers; i++) {
        hr_tensor *bias =
            mlp->layer[i].bias < 0 ? NULL : hr_weight(t, run->weights, mlp->layer[i].bias);

        x = hr_linear(t, x, hr_weight(t, run->weights, mlp->layer[i].weight), bias);
        if (mlp->layer[i].has_norm)
            x = hr_norm_run(&mlp->layer[i].norm, run, x, NULL, mlp->layer[i].relu);
        else if (mlp->layer[i].relu)
            x = hr_relu(t, x);
    }
    return hr_write(t, x);
}
