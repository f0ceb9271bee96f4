/* simclr.c - a custom method, SimCLR (Chen et al. 2020), trained alone and under HIRL, and resumed.
 *
 *     p_ij = exp(u_i.u_j / T) / sum_{k != i} exp(u_i.u_k / T)   u: the 2n outputs of unit norm
 *     L    = mean_i -log p_ii'                                  i': the other view of row i's image
 *     dL/du_i = sum_j (p_ij + p_ji - 2 [j = i']) u_j / (2n T)
 *
 *     cc simclr.c -o simclr $(pkg-config --cflags --libs hirl) -lm
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <hirl/hirl.h>

/* clang-format off */
static const char *const keys[][2] = {
    { "method", "own" }, { "head", "mlp 64 64 bn" }, { "temperature", "0.2" }, { "width", "0.125" },
    { "batch_size", "64" }, { "max_images", "256" }, { "epochs", "4" }, { "lr", "0.1" },
    { "prototypes", "16,4" }, { "negatives", "4" }, { "cluster_warmup_epoch", "2" },
};
/* clang-format on */

static double dot(const double *a, const double *b, int64_t d)
{
    double sum = 0;

    for (int64_t k = 0; k < d; k++)
        sum += a[k] * b[k];
    return sum;
}

static int32_t simclr(double *loss, float *grad, const hirl_method_step *step, void *user)
{
    int64_t n = step->n, d = step->d, rows = 2 * n; /* rows i, i + n: views of image i */
    double t = step->temperature, *u, *p, *length, *g, *row, sum;

    (void)user;
    u = step->views == 2 ? calloc((size_t)(rows * (2 * d + rows + 1)), sizeof *u) : NULL;
    if (!u)
        return -1; /* makes hirl_train_run() return HIRL_E_CALLBACK */
    p = u + rows * d, length = p + rows * rows, g = length + rows;
    for (int64_t i = 0; i < rows * d; i++)
        u[i] = step->student[i];
    for (int64_t i = 0; i < rows; i++) {
        length[i] = fmax(sqrt(dot(u + i * d, u + i * d, d)), 1e-12);
        for (int64_t k = 0; k < d; k++)
            u[i * d + k] /= length[i];
    }
    for (int64_t i = 0; i < rows; i++) {
        row = p + i * rows, sum = 0;
        for (int64_t j = 0; j < rows; j++)
            sum += row[j] = j == i ? 0 : exp((dot(u + i * d, u + j * d, d) - 1) / t);
        for (int64_t j = 0; j < rows; j++)
            row[j] /= sum;
        *loss -= log(row[(i + n) % rows]) / (double)rows;
        row[(i + n) % rows] -= 1; /* now p_ij - [j = i'] */
    }
    for (int64_t i = 0; i < rows && grad; i++, g += d) { /* each row of g starts as zeros */
        for (int64_t j = 0; j < rows; j++)
            for (int64_t k = 0; k < d; k++)
                g[k] += (p[i * rows + j] + p[j * rows + i]) * u[j * d + k] / (double)rows / t;
        for (int64_t k = 0; k < d; k++) /* drops the part along u_i, which the scaling cancels */
            grad[i * d + k] = (float)((g[k] - dot(g, u + i * d, d) * u[i * d + k]) / length[i]);
    }
    free(u);
    return 0;
}

int main(void)
{
    hirl_method_calls calls = {
        .struct_size = sizeof calls, .name = "simclr", .loss = simclr, .coupled = 1
    };
    hirl_step_report whole = { .struct_size = sizeof whole }, again = whole;
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    int bad =
        hirl_options_create(&options) < 0 || hirl_options_preset(options, "hirl-mocov2-small") < 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys && !bad; i++)
        bad = hirl_options_set(options, keys[i][0], keys[i][1]) < 0;
    bad = bad || hirl_context_create(&context, options) < 0 ||
          hirl_dataset_open(&images, context, "generated", options) < 0;
    for (int hirl = 0; hirl < 2 && !bad; hirl++) {
        hirl_trainer *trainer = NULL;

        bad = hirl_options_set(options, "hirl", hirl ? "1" : "0") < 0 ||
              hirl_trainer_create(&trainer, context, NULL, images, options) < 0 ||
              hirl_trainer_set_method(trainer, &calls) < 0 || hirl_train_epoch(NULL, trainer) < 0 ||
              hirl_trainer_save(trainer, "simclr.run") < 0 || hirl_train_run(&whole, trainer) < 0 ||
              hirl_trainer_load(trainer, "simclr.run") < 0 || hirl_train_run(&again, trainer) < 0 ||
              again.loss != whole.loss;
        printf("hirl=%d: loss %.6f, resumed %.6f\n", hirl, whole.loss, again.loss);
        hirl_trainer_destroy(trainer);
    }
    fprintf(stderr, "%s\n",
            bad ? hirl_error_message() : "the resumed runs ended with the same loss");
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return bad;
}
