/* mlp.c - heads: linear layers with batch norm and activation between them, described by a text.
 *
 * Slots are named as in a torch Sequential: <name>.0 linear, .1 norm, .2 ReLU, .3 linear, ...;
 * without a norm: .0 linear, .1 ReLU, .2 linear, ...
 */
#include "nn/mlp.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/option.h"

static const double NORM_EPS = 1e-5; /* this and the next: torch's defaults */
static const double NORM_KEEP = 0.9;
static const double NORMAL_STD = 0.02; /* DINO's head: Caron et al. 2021 */

/* ---- text ---- */

static bool flag_of(hr_mlp_shape *shape, const char *word)
{
    struct {
        const char *name;
        bool *flag;
    } known[] = { { "bn", &shape->norm },
                  { "bias", &shape->bias },
                  { "gelu", &shape->gelu },
                  { "out_bn", &shape->out_norm },
                  { "normal", &shape->normal } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i].name)) {
            *known[i].flag = true;
            return true;
        }
    return false;
}

/* 0: the word is not a width */
static int64_t width_of(const char *word, const hr_mlp_words *words)
{
    int64_t width = 0;

    if (!strcmp(word, "in"))
        return words->in;
    if (!strcmp(word, "hidden"))
        return words->hidden;
    if (!strcmp(word, "z"))
        return words->z;
    for (; *word >= '0' && *word <= '9' && width < 1 << 20; word++)
        width = 10 * width + (*word - '0');
    return *word ? 0 : width;
}

static hirl_status read_word(hr_mlp_shape *shape, const char *key, const char *word,
                             const hr_mlp_words *words)
{
    int64_t width = width_of(word, words);

    if (!width && flag_of(shape, word))
        return HIRL_OK;
    if (!width || width > 1 << 20)
        return hr_fail(
            HIRL_E_INVALID,
            "%s: \"%.40s\" is neither a width from 1 to 1048576 nor one of bn, bias, gelu, "
            "out_bn, normal%s%s%s",
            key, word, words->in ? ", in" : "", words->hidden ? ", hidden" : "",
            words->z ? ", z" : "");
    if (shape->layers == HR_MLP_LAYERS)
        return hr_fail(HIRL_E_INVALID, "%s: more than %d layers", key, HR_MLP_LAYERS);
    shape->width[shape->layers++] = width;
    return HIRL_OK;
}

hirl_status hr_mlp_parse(hr_mlp_shape *shape, const char *key, const char *text,
                         const hr_mlp_words *words)
{
    char copy[HR_KEY_TEXT_BYTES], *rest = NULL;
    const char *first;

    *shape = (hr_mlp_shape){ 0 };
    snprintf(copy, sizeof copy, "%s", text);
    first = strtok_r(copy, " ", &rest);
    if (!first || strcmp(first, "mlp"))
        return hr_fail(HIRL_E_INVALID,
                       "%s: \"%.60s\" does not begin with mlp, as in \"mlp 2048 128 bn\"", key,
                       text);
    for (char *word = strtok_r(NULL, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        HR_TRY(read_word(shape, key, word, words));
    if (!shape->layers)
        return hr_fail(HIRL_E_INVALID, "%s: \"%.60s\" has no layer", key, text);
    return HIRL_OK;
}

/* ---- slots ---- */

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

hr_norm hr_norm_of(const hr_norm_slots *slots, const hr_pass *pass)
{
    const hr_weights *w = pass->weights;

    return (hr_norm){
        .gamma = slots->gamma < 0 ? NULL : hr_weight(pass->tape, w, slots->gamma),
        .beta = slots->beta < 0 ? NULL : hr_weight(pass->tape, w, slots->beta),
        .mean = hr_running(w, slots->mean),
        .var = hr_running(w, slots->var),
        .eps = NORM_EPS,
        .keep = NORM_KEEP,
        .groups = pass->groups,
        .running_groups = pass->running_groups,
        .slot = pass->commit ? &w->norm_slot[slots->mean] : NULL,
        .part = pass->part,
        .parts = pass->parts,
        .sync = pass->sync,
    };
}

static hr_tensor *norm_run(const hr_norm_slots *slots, const hr_pass *pass, hr_tensor *y, bool relu)
{
    hr_norm norm = hr_norm_of(slots, pass);

    return hr_batch_norm(pass->tape, y, &norm, NULL, relu);
}

/* adds a linear layer: its weight and, optionally, its bias */
static hirl_status add_linear(hr_mlp *mlp, hr_layout *params, const char *name, int64_t in,
                              int64_t out, bool bias, bool normal)
{
    int layer = mlp->layers++;
    int64_t shape[2] = { out, in };
    hr_first weight = normal ? HR_FIRST_NORMAL : HR_FIRST_UNIFORM;
    double fan = normal ? NORMAL_STD : (double)in;
    char full[HR_SLOT_NAME];

    hr_slot_name(full, name, ".weight");
    mlp->layer[layer].weight = hr_layout_add(params, full, weight, fan, 2, shape);
    if (mlp->layer[layer].weight < 0)
        return mlp->layer[layer].weight;
    mlp->layer[layer].bias = -1;
    mlp->out = out;
    if (!bias)
        return HIRL_OK;
    return add_vector(&mlp->layer[layer].bias, params, name, ".bias",
                      normal ? HR_FIRST_ZERO : HR_FIRST_UNIFORM, (double)in, out);
}

static hirl_status add_norm(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                            bool affine)
{
    int layer = mlp->layers - 1;
    hr_norm_slots *norm = &mlp->layer[layer].norm;

    mlp->layer[layer].has_norm = true;
    if (affine)
        return hr_norm_add(norm, params, norms, name, mlp->out, false);
    norm->gamma = norm->beta = -1;
    HR_TRY(add_vector(&norm->mean, norms, name, ".running_mean", HR_FIRST_ZERO, 1, mlp->out));
    return add_vector(&norm->var, norms, name, ".running_var", HR_FIRST_ONE, 1, mlp->out);
}

hirl_status hr_mlp_init(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t in, const hr_mlp_shape *shape)
{
    int place = 0; /* index in the Sequential */

    *mlp = (hr_mlp){ .gelu = shape->gelu };
    for (int i = 0; i < shape->layers; i++) {
        bool last = i + 1 == shape->layers, norm = last ? shape->out_norm : shape->norm;
        char full[HR_SLOT_NAME];

        snprintf(full, sizeof full, "%s.%d", name, place);
        HR_TRY(add_linear(mlp, params, full, in, shape->width[i], !norm || (shape->bias && !last),
                          shape->normal));
        snprintf(full, sizeof full, "%s.%d", name, place + 1);
        if (norm)
            HR_TRY(add_norm(mlp, params, norms, full, !last));
        place += norm ? 3 : 2;
        in = shape->width[i];
    }
    return HIRL_OK;
}

hirl_status hr_mlp_path(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t d, int32_t depth)
{
    hr_mlp_shape shape = { .layers = depth, .norm = true };

    for (int i = 0; i < depth; i++)
        shape.width[i] = d;
    return hr_mlp_init(mlp, params, norms, name, d, &shape);
}

static hr_tensor *activate(const hr_mlp *mlp, int layer, const hr_pass *pass, hr_tensor *x)
{
    bool last = layer + 1 == mlp->layers;

    if (mlp->layer[layer].has_norm)
        x = norm_run(&mlp->layer[layer].norm, pass, x, !last && !mlp->gelu);
    else if (!last && !mlp->gelu)
        x = hr_relu(pass->tape, x);
    return !last && mlp->gelu ? hr_gelu(pass->tape, hr_write(pass->tape, x)) : x;
}

hr_tensor *hr_mlp_run(const hr_mlp *mlp, const hr_pass *pass, hr_tensor *x)
{
    hr_tape *t = pass->tape;

    for (int i = 0; i < mlp->layers; i++) {
        hr_tensor *bias =
            mlp->layer[i].bias < 0 ? NULL : hr_weight(t, pass->weights, mlp->layer[i].bias);

        x = hr_linear(t, x, hr_weight(t, pass->weights, mlp->layer[i].weight), bias);
        x = activate(mlp, i, pass, x);
    }
    return hr_write(t, x);
}
