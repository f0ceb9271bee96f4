/* test_networks.c - which images and networks a run uses: views of every size, the images and the
 * network that are clustered, the network that is evaluated. For masks see test_masks.c. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "small_methods.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/images.h"
#include "support/run.h"
#include "train/run.h"

enum { MOCOV2, SIMSIAM, SWAV, MOCOV3, DINO, IBOT };
enum { MOST_SIZE = 112, MOST_DIM = 32, ROWS = SMALL_IMAGES * MOST_DIM };

/* ---- views ---- */

static double first_loss(int method, const char *joint)
{
    const small_pair own[] = { { "epochs", "2" },
                               { "image_size", "36" },
                               { "local_crops_number", "1,1,1,1,1,1,1,1" },
                               { "local_crops_size", "4,8,12,16,20,24,28,32" },
                               { "joint_views", joint },
                               { NULL, NULL } };
    const small_pair *const over[] = { small_method[method], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;

    small_trainer_open(&t, 2, over);
    hr_assert_ok(hirl_train_step(&report, t.trainer));
    small_trainer_close(&t);
    return report.loss_image;
}

/* Nine sizes are as many as the keys allow. Without batch norm (DINO) the features of a view do not
 * depend on the other views in the pass, except for rounding in sums of some hundred numbers. */
START_TEST(each_local_view_may_have_its_own_size)
{
    first_loss(SWAV, "1"); /* the step succeeds */
    ck_assert_double_eq_tol(first_loss(DINO, "1"), first_loss(DINO, "0"), 1e-4);
}
END_TEST

/* ---- clustering ---- */

static float input[SMALL_IMAGES * MOST_SIZE * MOST_SIZE * 3];

/* PIL's bilinear enlargement along one axis, rounded half up to 8 bits */
static void enlarge(uint8_t *to, const uint8_t *from, int size, int stride)
{
    for (int i = 0; i < size; i++) {
        double centre = (i + 0.5) * SMALL_SIDE / size, sum = 0, all = 0;

        for (int k = 0; k < SMALL_SIDE; k++) {
            double weight = fmax(0, 1 - fabs(k + 0.5 - centre));

            sum += weight * from[k * stride];
            all += weight;
        }
        to[i * stride] = (uint8_t)floor(sum / all + 0.5);
    }
}

static void enlarge_image(uint8_t *to, const uint8_t *from, int size)
{
    static uint8_t wide[SMALL_SIDE][MOST_SIZE * 2 * 3], turned[SMALL_SIDE];

    for (int y = 0; y < SMALL_SIDE; y++)
        for (int c = 0; c < 3; c++)
            enlarge(&wide[y][c], from + y * SMALL_SIDE * 3 + c, size, 3);
    for (int x = 0; x < size * 3; x++) {
        uint8_t column[MOST_SIZE * 2];

        for (int y = 0; y < SMALL_SIDE; y++)
            turned[y] = wide[y][x];
        enlarge(column, turned, size, 1);
        for (int y = 0; y < size; y++)
            to[y * size * 3 + x] = column[y];
    }
}

/* fills `input` with all images, resized to `resize`, cropped to
 * `size` around the centre and normalised */
static void prepare(int size, int resize)
{
    static const double mean[] = { 0.485, 0.456, 0.406 }, std[] = { 0.229, 0.224, 0.225 };
    static uint8_t large[MOST_SIZE * 2 * MOST_SIZE * 2 * 3];
    int edge = (resize - size) / 2;
    float *to = input;

    for (int n = 0; n < SMALL_IMAGES; n++) {
        enlarge_image(large, &small_pixels[n][0][0][0], resize);
        for (int y = edge; y < edge + size; y++)
            for (int x = edge * 3; x < (edge + size) * 3; x++)
                *to++ = (float)((large[y * resize * 3 + x] / 255.0 - mean[x % 3]) / std[x % 3]);
    }
}

/* encodes the prepared images: unit rows of z0 */
static void encode(float *rows, const small_trainer *t, const char *network)
{
    hirl_model *model;
    int64_t d;

    hr_assert_ok(hirl_trainer_model(&model, t->trainer, network));
    d = hirl_model_dim(model, "z0");
    hr_assert_ok(hirl_model_embed_input(rows, model, "z0", input, SMALL_IMAGES));
    for (int n = 0; n < SMALL_IMAGES; n++) {
        double square = 0;

        for (int64_t k = 0; k < d; k++)
            square += (double)rows[n * d + k] * rows[n * d + k];
        for (int64_t k = 0; k < d; k++)
            rows[n * d + k] = (float)(rows[n * d + k] / sqrt(square));
    }
    hirl_model_destroy(model);
}

static int32_t stop_at_cluster(const char *phase, int64_t done, int64_t total, void *user)
{
    (void)done;
    (void)total;
    (void)user;
    return *phase == 'c';
}

/* downloads the rows that the next step clusters */
static void get_clustered(float *rows, small_trainer *t)
{
    hr_queue *q = t->trainer->learner->queue;
    hr_array *points = &t->trainer->grove.making.points;
    hr_call call;

    hirl_context_set_progress(t->context, stop_at_cluster, NULL, NULL);
    ck_assert_int_eq(hirl_train_step(NULL, t->trainer), HIRL_E_CANCELED);
    ck_assert_ptr_nonnull(points->data);
    ck_assert_int_le(hr_count(points), ROWS);
    hr_assert_ok(hr_context_enter(&call, t->context));
    q->be->download(q, rows, HR_F32, points);
    hr_assert_ok(q->be->sync(q));
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
}

static double distance(const float *a, const float *b, int64_t n)
{
    double most = 0;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - b[i]));
    return most;
}

/* SAME: rounding in f32 of sums of some hundred numbers in about ten layers.
 * The other network is 100 times as far. */
static const double SAME = 1e-5, APART = 1e-3;

/* HIRL clusters features of the momentum encoder for MoCo v2, DINO and iBOT (Xu et al. 2022). The
 * authors' program does so for MoCo v3 too, hence profile reference differs. */
static const struct {
    int method;
    const char *profile, *key; /* key: value of cluster_network; NULL: the method's default */
    const char *network, *other;
} clustered[] = {
    { MOCOV2, "paper", NULL, "teacher", "online" },
    { SIMSIAM, "paper", NULL, "online", NULL },
    { SWAV, "paper", NULL, "online", NULL },
    { MOCOV3, "paper", NULL, "online", "teacher" },
    { DINO, "paper", NULL, "teacher", "online" },
    { IBOT, "paper", NULL, "teacher", "online" },
    { MOCOV3, "reference", NULL, "teacher", "online" },
    { MOCOV2, "paper", "online", "online", "teacher" },
    { MOCOV3, "paper", "teacher", "teacher", "online" },
    { IBOT, "paper", "online", "online", "teacher" },
};
enum { CLUSTERED = sizeof clustered / sizeof *clustered };

/* Compares after one epoch. The images already have the network's input size. */
START_TEST(a_run_clusters_features_of_the_network_its_method_names)
{
    const char *key = clustered[_i].key, *other = clustered[_i].other;
    const small_pair own[] = { { "epochs", "2" },
                               { "hirl", "1" },
                               { "ema", "0.5" },
                               { "profile", clustered[_i].profile },
                               { key ? "cluster_network" : NULL, key },
                               { NULL, NULL } };
    const small_pair *const over[] = { small_method[clustered[_i].method], own, NULL };
    static float got[ROWS], want[ROWS], wrong[ROWS];
    small_trainer t;
    int64_t n;

    small_trainer_open(&t, 2, over);
    n = SMALL_IMAGES * t.trainer->pretrain->net.z_dim;
    small_trainer_steps(&t, SMALL_PER_EPOCH);
    prepare(SMALL_SIDE, SMALL_SIDE);
    encode(want, &t, clustered[_i].network);
    if (other)
        encode(wrong, &t, other);
    get_clustered(got, &t);
    ck_assert_msg(distance(got, want, n) <= SAME,
                  "case %d: features differ by %g from those of the %s network", _i,
                  distance(got, want, n), clustered[_i].network);
    if (other)
        ck_assert_msg(distance(got, wrong, n) > APART, "case %d: both networks are alike", _i);
    small_trainer_close(&t);
}
END_TEST

/* Checks Resize(256)-CenterCrop(224) at half the size, and a size too small to be
 * cropped. Clustering resizes bilinearly, evaluations bicubically. The filter weights are
 * multiples of 1/16, so that halves are exact. */
START_TEST(images_are_clustered_through_the_bilinear_evaluation_transform)
{
    static const struct {
        const char *key;
        int size, resize;
    } of[] = { { "32", 32, 32 }, { "112", 112, 128 } };
    const small_pair own[] = { { "epochs", "1" },
                               { "hirl", "1" },
                               { "cluster_warmup_epoch", "0" },
                               { "image_size", of[_i].key },
                               { NULL, NULL } };
    const small_pair *const over[] = { small_method[MOCOV2], own, NULL };
    static float got[ROWS], want[ROWS];
    small_trainer t;
    double far;

    small_trainer_open(&t, 2, over);
    prepare(of[_i].size, of[_i].resize);
    encode(want, &t, "teacher");
    get_clustered(got, &t);
    far = distance(got, want, SMALL_IMAGES * t.trainer->pretrain->net.z_dim);
    ck_assert_msg(far <= SAME, "size %d: features differ by %g", of[_i].size, far);
    small_trainer_close(&t);
}
END_TEST

/* ---- evaluation ---- */

/* Computes the backbone features of a model and the name of its
 * network, then destroys it. Returns the bytes. */
static size_t embed(float *rows, char name[16], hirl_model *model)
{
    hirl_model_info info = { .struct_size = sizeof info };
    const uint8_t *pixels[SMALL_IMAGES];
    int64_t side[SMALL_IMAGES];
    size_t bytes;

    for (int n = 0; n < SMALL_IMAGES; n++) {
        pixels[n] = &small_pixels[n][0][0][0];
        side[n] = SMALL_SIDE;
    }
    hr_assert_ok(hirl_model_describe(&info, model));
    snprintf(name, 16, "%s", info.network);
    bytes = (size_t)(SMALL_IMAGES * hirl_model_dim(model, "backbone")) * sizeof *rows;
    ck_assert_uint_le(bytes, 4 * ROWS * sizeof *rows);
    hr_assert_ok(hirl_model_embed(
        rows, model, "backbone",
        hr_test_images((hirl_image[SMALL_IMAGES]){ 0 }, pixels, side, side, SMALL_IMAGES),
        SMALL_IMAGES));
    hirl_model_destroy(model);
    return bytes;
}

static hirl_model *load(const small_trainer *t, const char *path, const char *network)
{
    hirl_options *options;
    hirl_model *model = NULL;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "network", network));
    hr_assert_ok(hirl_model_load(&model, t->context, path, options));
    hirl_options_destroy(options);
    return model;
}

/* Computes features of `network`; checks that models from the trainer, from the run's folder and
 * from its last checkpoint agree. */
static size_t embed_network(float *rows, char name[16], const small_trainer *t, const char *folder,
                            const char *network)
{
    static float again[4 * ROWS];
    char path[HR_TEST_PATH], loaded[16];
    hirl_model *model;
    size_t bytes;

    hr_assert_ok(hirl_trainer_model(&model, t->trainer, network));
    bytes = embed(rows, name, model);
    for (int k = 0; k < 2; k++) {
        if (k)
            hr_test_path(path, folder, "checkpoints/last.safetensors");
        ck_assert_uint_eq(embed(again, loaded, load(t, k ? path : folder, network)), bytes);
        ck_assert_str_eq(loaded, name);
        ck_assert_msg(!memcmp(again, rows, bytes),
                      "network=%s of the %s differs from the trainer's", network,
                      k ? "checkpoint" : "folder");
    }
    return bytes;
}

/* The official programs of DINO and iBOT evaluate the teacher, those of
 * the other methods the online network. */
START_TEST(auto_is_the_network_that_the_method_evaluates)
{
    static const char *const evaluated[] = { "online", "online",  "online",
                                             "online", "teacher", "teacher" };
    char folder[HR_TEST_PATH], name[16];
    const small_pair own[] = {
        { "epochs", "2" }, { "hirl", "0" }, { "ema", "0.5" }, { "out", folder }, { NULL, NULL }
    };
    const small_pair *const over[] = { small_method[_i], own, NULL };
    bool averages = _i != SIMSIAM && _i != SWAV;
    static float automatic[4 * ROWS], online[4 * ROWS], teacher[4 * ROWS];
    hirl_model *model;
    small_trainer t;
    size_t bytes;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    bytes = embed_network(automatic, name, &t, folder, "auto");
    ck_assert_str_eq(name, evaluated[_i]);
    embed_network(online, name, &t, folder, "online");
    ck_assert_str_eq(name, "online");
    if (averages) {
        embed_network(teacher, name, &t, folder, "teacher");
        ck_assert_str_eq(name, "teacher");
        ck_assert(memcmp(online, teacher, bytes) != 0);
    } else
        ck_assert_int_eq(hirl_trainer_model(&model, t.trainer, "teacher"), HIRL_E_INVALID);
    ck_assert(!memcmp(automatic, *evaluated[_i] == 't' ? teacher : online, bytes));
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

static Suite *networks(void)
{
    Suite *suite = suite_create("networks");
    TCase *tests = tcase_create("networks");

    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, each_local_view_may_have_its_own_size);
    tcase_add_loop_test(tests, a_run_clusters_features_of_the_network_its_method_names, 0,
                        CLUSTERED);
    tcase_add_loop_test(tests, images_are_clustered_through_the_bilinear_evaluation_transform, 0,
                        2);
    tcase_add_loop_test(tests, auto_is_the_network_that_the_method_evaluates, 0, SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(networks)
