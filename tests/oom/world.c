/* world.c - the files, handles and things to do of test_oom.c. */
#include "oom/world.h"

#include <zlib.h>

#include "train/small_host.h"

/* ---- a world ---- */

const char *hr_world_path(const world *w, const char *name)
{
    static char path[4][HR_TEST_PATH];
    static int at;

    at = (at + 1) % 4;
    return hr_test_path(path[at], w->folder, name);
}

static void set(world *w, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(w->options, key, value));
}

static void write_file(const world *w, const char *name, const void *data, size_t bytes)
{
    hr_test_write(hr_world_path(w, name), data, bytes);
}

static void copy_image(const world *w, const char *from, const char *to)
{
    static char data[1 << 16];
    char path[HR_TEST_PATH];
    size_t bytes;
    FILE *file;

    snprintf(path, sizeof path, "%.400s/images/%.150s", getenv("HIRL_TEST_DATA"), from);
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    write_file(w, to, data, bytes);
}

static void nothing(world *w)
{
    (void)w;
}

void hr_world_open(world *w, const scenario *s)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" },
        { "width", "0.0625" },
        { "stem", "small" },
        { "image_size", "16" },
        { "batch_size", "8" },
        { "prototypes", "6,3" },
        { "negatives", "3" },
        { "queue", "16" },
        { "lr", "0.03" },
        { "z_dim", "8" },
        { "kmeans_redo", "2" },
        { "kmeans_iterations", "2" },
        { "seed", "7" },
        { "loader_threads", "0" },
        { "cluster_warmup_epoch", "1" },
        { "epochs", "2" },
        { "backend", "cpu" },
        { "threads", "2" },
        { "knn_k", "3,5" },
        { "levels", "2" },
        { "generated_images", "20" },
        { "generated_size", "16" },
    };

    memset(w, 0, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "%.400s/hirl-oom-%ld", hr_test_base(), (long)getpid());
    hr_test_remove(w->folder); /* a test that failed left it */
    ck_assert_int_eq(mkdir(w->folder, 0777), 0);
    w->scenario = s;
    hr_assert_ok(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        set(w, small[i][0], small[i][1]);
    hr_assert_ok(hirl_context_create(&w->context, w->options));
    for (int i = 0; i < HR_WORLD_ROWS * HR_WORLD_COLUMNS; i++)
        w->rows[i] = (float)((i * 37 + i * i * 11) % 61) / 8 - 3;
    for (int i = 0; i < HR_WORLD_ROWS; i++)
        w->label[i] = i % 4;
    for (int i = 0; i < (int)sizeof w->pixels; i++)
        (&w->pixels[0][0][0][0])[i] = (uint8_t)(i * 31 + i / 777 * 13);
    s->prepare(w);
}

void hr_world_close(world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_model_destroy(w->model);
    hirl_tree_destroy(w->tree);
    hirl_dataset_destroy(w->dataset);
    hirl_options_destroy(w->options);
    hirl_context_destroy(w->context);
    hr_test_remove(w->folder);
}

/* ---- contexts, options ---- */

static hirl_status context_made(world *w)
{
    hirl_context *context = NULL;
    hirl_status status = hirl_context_create(&context, w->options);

    hirl_context_destroy(context);
    return status;
}

static void settings_written(world *w)
{
    static const char yaml[] = "data: photos\nbatch_size: 16\nprototypes: [80, 20]\n";
    static const char json[] =
        "{\"batch_size\": 16, \"prototypes\": [80, 20], \"arch\": \"resnet34\"}";

    write_file(w, "a.yaml", yaml, sizeof yaml - 1);
    write_file(w, "a.json", json, sizeof json - 1);
}

static hirl_status options_filled(world *w)
{
    hirl_options *options = NULL;
    hirl_status status = hirl_options_create(&options);

    if (status >= 0)
        status = hirl_options_load(options, hr_world_path(w, "a.yaml"));
    if (status >= 0)
        status = hirl_options_load(options, hr_world_path(w, "a.json"));
    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2");
    if (status >= 0)
        status = hirl_options_set(options, "prototypes", "9,3");
    if (status >= 0)
        status = hirl_options_set_real(options, "lr", 0.25);
    hirl_options_destroy(options);
    return status;
}

/* ---- data sets ---- */

/* what the program does with each: count, names, labels, one picture */
static hirl_status look(hirl_dataset *dataset)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    uint8_t *pixels = NULL;
    int64_t height, width;
    hirl_status status = hirl_dataset_describe(&info, dataset);

    if (status >= 0)
        status = hirl_dataset_read(&pixels, &height, &width, dataset, info.count - 1);
    hirl_free(pixels);
    return status;
}

static hirl_status open_and_look(world *w, const char *path)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_open(&dataset, w->context, path, w->options);

    if (status >= 0)
        status = look(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

static void folder_written(world *w)
{
    static const char tree[] = "0\tcar\t0\tthing\n1\tcat\t1\tanimal\n";

    ck_assert_int_eq(mkdir(hr_world_path(w, "train"), 0777), 0);
    ck_assert_int_eq(mkdir(hr_world_path(w, "train/cat"), 0777), 0);
    ck_assert_int_eq(mkdir(hr_world_path(w, "train/car"), 0777), 0);
    ck_assert_int_eq(mkdir(hr_world_path(w, "val"), 0777), 0);
    ck_assert_int_eq(mkdir(hr_world_path(w, "val/cat"), 0777), 0);
    copy_image(w, "444.jpg", "train/car/a.jpg");
    copy_image(w, "palette8.png", "train/car/b.png");
    copy_image(w, "rgb16.png", "train/cat/c.png");
    copy_image(w, "cmyk.jpg", "train/cat/d.jpg");
    copy_image(w, "grey8.png", "val/cat/e.png");
    write_file(w, "hierarchy.tsv", tree, sizeof tree - 1);
}

static hirl_status folder_opened(world *w)
{
    return open_and_look(w, w->folder);
}

static void cifar_written(world *w)
{
    static uint8_t record[2][3074] = { { 1, 3 }, { 2, 4 } };

    write_file(w, "train.bin", record, sizeof record);
    write_file(w, "test.bin", record, sizeof record);
}

static void idx_written(world *w)
{
    static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0,
                                      0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3 };
    static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 0 };
    gzFile file;

    write_file(w, "train-images-idx3-ubyte", images, sizeof images);
    write_file(w, "train-labels-idx1-ubyte", labels, sizeof labels);
    file = gzopen(hr_world_path(w, "t10k-images-idx3-ubyte.gz"), "wb");
    ck_assert_int_eq(gzwrite(file, images, sizeof images), (int)sizeof images);
    gzclose(file);
}

static hirl_status idx_zipped_opened(world *w)
{
    return open_and_look(w, hr_world_path(w, "t10k-images-idx3-ubyte.gz"));
}

static void arrays_written(world *w)
{
    static const int64_t shape[] = { HR_WORLD_IMAGES, HR_WORLD_SIDE, HR_WORLD_SIDE, 3 };

    hr_assert_ok(hirl_npy_write(hr_world_path(w, "a.npy"), w->pixels, "u1", 4, shape));
}

static hirl_status arrays_opened(world *w)
{
    return open_and_look(w, hr_world_path(w, "a.npy"));
}

static hirl_status arrays_of_features(world *w)
{
    static const int64_t shape[] = { HR_WORLD_ROWS, HR_WORLD_COLUMNS };
    const char *path = hr_world_path(w, "rows.npy");
    hirl_status status = hirl_npy_write(path, w->rows, "f4", 2, shape);
    float *rows = NULL;
    int64_t n, d;

    if (status >= 0)
        status = hirl_npy_read(&rows, &n, &d, path);
    hirl_free(rows);
    return status;
}

static hirl_status generated_opened(world *w)
{
    return open_and_look(w, "generated");
}

static hirl_status memory_opened(world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status =
        hirl_dataset_from_memory(&dataset, w->context, &w->pixels[0][0][0][0], HR_WORLD_IMAGES,
                                 HR_WORLD_SIDE, HR_WORLD_SIDE, 3, w->label, 1, w->options);

    if (status >= 0)
        status = look(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

static int32_t give_pixels(hirl_image *image, int64_t index, void *user)
{
    const world *w = user;

    image->pixels = &w->pixels[index][0][0][0];
    image->height = image->width = HR_WORLD_SIDE;
    image->channels = 3;
    return 0;
}

static hirl_status callback_opened(world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_from_callback(&dataset, w->context, give_pixels, w,
                                                    HR_WORLD_IMAGES, w->label, w->options);

    if (status >= 0)
        status = look(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

/* ---- models ---- */

static hirl_status model_made(world *w)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_model_create(&model, w->context, w->options);

    hirl_model_destroy(model);
    return status;
}

static void with_model(world *w)
{
    hr_assert_ok(hirl_model_create(&w->model, w->context, w->options));
    hr_assert_ok(hirl_dataset_from_memory(&w->dataset, w->context, &w->pixels[0][0][0][0],
                                          HR_WORLD_IMAGES, HR_WORLD_SIDE, HR_WORLD_SIDE, 3, NULL, 0,
                                          w->options));
}

static hirl_status model_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "model.safetensors");
    hirl_model *model = NULL;
    hirl_status status = hirl_model_save(w->model, path);

    if (status >= 0)
        status = hirl_model_load(&model, w->context, path, w->options);
    hirl_model_destroy(model);
    return status;
}

static hirl_status images_embedded(world *w)
{
    const uint8_t *image[3] = { w->pixels[0][0][0], w->pixels[1][0][0], w->pixels[2][0][0] };
    const int64_t height[3] = { 16, 8, 32 }, width[3] = { 16, 20, 24 };
    float features[3 * 32], input[16 * 16 * 3] = { 0 };
    hirl_status status;

    status = hirl_model_embed(features, w->model, NULL, image, height, width, 3);
    if (status >= 0)
        status = hirl_model_embed_input(features, w->model, "z1", input, 1);
    return status;
}

static hirl_status dataset_embedded(world *w)
{
    float features[HR_WORLD_IMAGES * 32];
    uint8_t readable[HR_WORLD_IMAGES];

    return hirl_model_embed_dataset(features, readable, w->model, "z0", w->dataset, w->options);
}

static void with_model_and_loader(world *w)
{
    with_model(w);
    set(w, "loader_threads", "2");
}

/* ---- trees, losses, neighbours ---- */

static void with_tree(world *w)
{
    set(w, "kmeans_max_points", "4");
    hr_assert_ok(hirl_cluster(&w->tree, w->context, w->rows, HR_WORLD_ROWS, HR_WORLD_COLUMNS, NULL,
                              NULL, w->options));
}

static hirl_status rows_clustered(world *w)
{
    float weight[HR_WORLD_ROWS];
    hirl_tree *tree = NULL;
    hirl_status status;

    for (int i = 0; i < HR_WORLD_ROWS; i++)
        weight[i] = (float)(i % 5);
    status = hirl_cluster(&tree, w->context, w->rows, HR_WORLD_ROWS, HR_WORLD_COLUMNS, weight,
                          w->tree, w->options);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "tree.hpt");
    hirl_tree *tree = NULL;
    hirl_status status = hirl_tree_save(w->tree, path);

    if (status >= 0)
        status = hirl_tree_load(&tree, w->context, path);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_exported(world *w)
{
    static const char *const format[] = { "json", "dot", "newick", "graphml", "csv" };
    hirl_status status = HIRL_OK;

    for (int i = 0; i < 5 && status >= 0; i++)
        status = hirl_tree_export(w->tree, hr_world_path(w, format[i]), format[i], NULL);
    return status;
}

static hirl_status tree_used(world *w)
{
    hirl_tree_score score = { .struct_size = sizeof score };
    int32_t path[2 * HR_WORLD_ROWS];
    float margin[HR_WORLD_ROWS];
    hirl_status status;

    status = hirl_tree_assign(path, margin, w->tree, w->rows, HR_WORLD_ROWS);
    if (status >= 0)
        status = hirl_tree_evaluate(&score, w->tree, w->label, HR_WORLD_ROWS);
    return status;
}

static hirl_status path_loss_made(world *w)
{
    float z[2 * 8 * HR_WORLD_COLUMNS], grad[2 * 8 * HR_WORLD_COLUMNS], loss = -1;
    hirl_status status;

    for (int i = 0; i < 2 * 8 * HR_WORLD_COLUMNS; i++)
        z[i] = w->rows[i] + 0.5f;
    status =
        hirl_spd_loss(&loss, grad, w->context, w->tree, z, 8, w->label, NULL, 3, 1, w->options);
    ck_assert(status >= 0 || loss == -1); /* on failure it is left as it was */
    return status;
}

static hirl_status neighbours_found(world *w)
{
    hirl_knn_report report = { .struct_size = sizeof report };

    return hirl_eval_knn(&report, w->context, w->rows, w->label, HR_WORLD_ROWS, NULL, NULL, 0,
                         HR_WORLD_COLUMNS, w->options);
}

/* ---- runs ---- */

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
    with_model(w);
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
    with_model(w);
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
    with_model(w);
    set(w, "out", hr_world_path(w, "run"));
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
    set(w, "resume", "1");
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
    static small_host host;
    hirl_method_calls calls = small_host_calls(&host);
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
    with_model(w);
    set(w, "method", "own");
    set(w, "head", "mlp 12 z bn");
    set(w, "predictor", "mlp 10 z bn");
    set(w, "own_teacher", "1");
    set(w, "accumulate", "2");
    if (w->scenario == wanted_of)
        return;
    hr_assert_ok(own_step_made(w));
    free(wanted);
    wanted = state_of(&wanted_bytes, w);
    wanted_of = w->scenario;
    end_run(w);
}

const scenario hr_scenarios[] = {
    { "a context is made", nothing, context_made, NULL },
    { "options are filled from YAML, JSON, preset and calls", settings_written, options_filled,
      NULL },
    { "a folder of JPEG and PNG is opened", folder_written, folder_opened, NULL },
    { "CIFAR files are opened", cifar_written, folder_opened, NULL },
    { "IDX files are opened", idx_written, folder_opened, NULL },
    { "a gzip IDX file is opened", idx_written, idx_zipped_opened, NULL },
    { "an array of images is opened", arrays_written, arrays_opened, NULL },
    { "an array of features is written and read", nothing, arrays_of_features, NULL },
    { "generated images are opened", nothing, generated_opened, NULL },
    { "images in memory are opened", nothing, memory_opened, NULL },
    { "images of a callback are opened", nothing, callback_opened, NULL },
    { "a model is made", nothing, model_made, NULL },
    { "a model is saved and loaded", with_model, model_saved_and_loaded, NULL },
    { "images are embedded", with_model, images_embedded, NULL },
    { "a data set is embedded", with_model, dataset_embedded, NULL },
    { "a data set is embedded by loader threads", with_model_and_loader, dataset_embedded, NULL },
    { "rows are clustered", with_tree, rows_clustered, NULL },
    { "a tree is saved and loaded", with_tree, tree_saved_and_loaded, NULL },
    { "a tree is exported", with_tree, tree_exported, NULL },
    { "a tree assigns and is scored", with_tree, tree_used, NULL },
    { "the path loss is made", with_tree, path_loss_made, NULL },
    { "neighbours are found", nothing, neighbours_found, NULL },
    { "a trainer is made", with_model, trainer_made, NULL },
    { "steps and clusterings are made", with_run, steps_made, same_state },
    { "a state is saved", with_steps, state_saved, same_state },
    { "a state is loaded", with_checkpoint, state_loaded, same_state },
    { "a run is looked into", with_steps, run_looked_into, same_state },
    { "a run is made in a directory", with_run_directory, run_made, same_state },
    { "a stopped run is resumed", with_stopped_run, run_resumed, same_state },
    { "a step of the host's own method is made", with_own_method, own_step_made, same_state },
    { "a model is loaded from a run", with_stopped_run, run_directory_embedded, NULL },
};
const int hr_scenario_count = sizeof hr_scenarios / sizeof *hr_scenarios;
