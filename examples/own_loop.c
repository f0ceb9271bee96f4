/* own_loop.c - adds the hierarchy to an application's own training loop.
 *
 * The application's model is a matrix W and one matrix H_l per level, z_0 = x W and z_l = z_0 H_l,
 * trained by plain gradient descent. Each epoch clusters z_0 with hirl_cluster(). Each step gets
 * the path loss of a batch and its gradients dz_l from hirl_spd_loss(), and back-propagates them:
 *
 *     dH_l = z_0' dz_l      dz_0 = sum_l dz_l H_l'      dW = x' dz_0
 *
 *     cc own_loop.c -o own_loop $(pkg-config --cflags --libs hirl)
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <hirl/hirl.h>

enum { N = 1200, IN = 12, D = 8, L = 2, BATCH = 100, NEGATIVES = 20, EPOCHS = 6, CENTRES = 24 };

static float x[N * IN], z0[N * D], w[IN * D], h[L * D * D];

static float draw(void) /* uniform between -1 and 1 */
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1;
}

static void fill(void)
{
    float centre[CENTRES * IN];

    for (int i = 0; i < CENTRES * IN; i++)
        centre[i] = draw();
    for (int i = 0; i < N * IN; i++)
        x[i] = centre[i % (CENTRES * IN)] + 0.2f * draw(); /* row r: centre r % CENTRES */
    for (int i = 0; i < IN * D; i++)
        w[i] = 0.5f * draw();
    for (int i = 0; i < L * D * D; i++)
        h[i] = 0.5f * draw();
}

/* c += scale a b. a is [m, k], or [k, m] if transposed; b is [k, n], or [n, k] if transposed. */
static void multiply(float *c, const float *a, int transpose_a, const float *b, int transpose_b,
                     int m, int n, int k, float scale)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0;

            for (int e = 0; e < k; e++)
                sum += (transpose_a ? a[e * m + i] : a[i * k + e]) *
                       (transpose_b ? b[j * k + e] : b[e * n + j]);
            c[i * n + j] += scale * sum;
        }
}

static void forward(float *out, const float *in, int rows) /* z_0 = x W */
{
    memset(out, 0, sizeof(float) * (size_t)rows * D);
    multiply(out, in, 0, w, 0, rows, D, IN, 1);
}

static hirl_status step(double *loss, hirl_context *context, const hirl_tree *tree, int first,
                        uint64_t seed)
{
    static float z[L * BATCH * D], dz[L * BATCH * D], dz0[BATCH * D];
    const float *rows = x + first * IN;
    float *base = z0 + first * D;
    const float rate = 0.5f;
    hirl_status status;

    memset(z, 0, sizeof z);
    memset(dz0, 0, sizeof dz0);
    forward(base, rows, BATCH);
    for (int l = 0; l < L; l++)
        multiply(z + l * BATCH * D, base, 0, h + l * D * D, 0, BATCH, D, D, 1);
    status = hirl_spd_loss(loss, dz, context, tree, z, BATCH, hirl_tree_leaves(tree) + first, NULL,
                           NEGATIVES, seed, NULL);
    for (int l = 0; l < L && status >= 0; l++) {
        multiply(dz0, dz + l * BATCH * D, 0, h + l * D * D, 1, BATCH, D, D, 1);
        multiply(h + l * D * D, base, 1, dz + l * BATCH * D, 0, D, D, BATCH, -rate);
    }
    if (status >= 0)
        multiply(w, rows, 1, dz0, 0, IN, D, BATCH, -rate);
    return status;
}

int main(void)
{
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_tree *tree = NULL;
    hirl_status status = hirl_options_create(&options);

    fill();
    if (status >= 0)
        status = hirl_options_set(options, "prototypes", "24,6");
    if (status >= 0)
        status = hirl_context_create(&context, options);
    for (int epoch = 0; epoch < EPOCHS && status >= 0; epoch++) {
        double loss = 0, sum = 0;

        forward(z0, x, N);
        hirl_tree_destroy(tree);
        tree = NULL;
        status = hirl_cluster(&tree, context, z0, N, D, NULL, NULL, options);
        for (int first = 0; first < N && status >= 0; first += BATCH, sum += loss)
            status = step(&loss, context, tree, first, (uint64_t)(epoch * N + first));
        if (status >= 0)
            printf("epoch %d: path loss %.4f\n", epoch, sum / (N / BATCH));
    }
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());
    hirl_tree_destroy(tree);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return status < 0;
}
