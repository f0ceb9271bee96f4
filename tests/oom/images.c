/* images.c - scenarios with data sets of every source. */
#include <zlib.h>

#include "oom/world.h"

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
    hr_world_write(w, to, data, bytes);
}

/* describes a data set and reads its last image */
static hirl_status read_one(hirl_dataset *dataset)
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

static hirl_status open_and_read(world *w, const char *path)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_open(&dataset, w->small.context, path, w->small.options);

    if (status >= 0)
        status = read_one(dataset);
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
    hr_world_write(w, "hierarchy.tsv", tree, sizeof tree - 1);
}

static hirl_status folder_opened(world *w)
{
    return open_and_read(w, w->folder);
}

static void cifar_written(world *w)
{
    static uint8_t record[2][3074] = { { 1, 3 }, { 2, 4 } };

    hr_world_write(w, "train.bin", record, sizeof record);
    hr_world_write(w, "test.bin", record, sizeof record);
}

static void idx_written(world *w)
{
    static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0,
                                      0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3 };
    static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 0 };
    gzFile file;

    hr_world_write(w, "train-images-idx3-ubyte", images, sizeof images);
    hr_world_write(w, "train-labels-idx1-ubyte", labels, sizeof labels);
    file = gzopen(hr_world_path(w, "t10k-images-idx3-ubyte.gz"), "wb");
    ck_assert_int_eq(gzwrite(file, images, sizeof images), (int)sizeof images);
    gzclose(file);
}

static hirl_status idx_zipped_opened(world *w)
{
    return open_and_read(w, hr_world_path(w, "t10k-images-idx3-ubyte.gz"));
}

static void arrays_written(world *w)
{
    static const int64_t shape[] = { SMALL_IMAGES, SMALL_SIDE, SMALL_SIDE, 3 };

    hr_assert_ok(hirl_npy_write(hr_world_path(w, "a.npy"), small_pixels, "u1", 4, shape));
}

static hirl_status arrays_opened(world *w)
{
    return open_and_read(w, hr_world_path(w, "a.npy"));
}

static hirl_status arrays_of_features(world *w)
{
    static const int64_t shape[] = { SMALL_ROWS, SMALL_D };
    const char *path = hr_world_path(w, "rows.npy");
    hirl_status status = hirl_npy_write(path, small_rows, "f4", 2, shape);
    float *rows = NULL;
    int64_t n, d;

    if (status >= 0)
        status = hirl_npy_read(&rows, &n, &d, path);
    hirl_free(rows);
    return status;
}

static hirl_status generated_opened(world *w)
{
    return open_and_read(w, "generated");
}

static hirl_status memory_opened(world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_from_memory(
        &dataset, w->small.context, &small_pixels[0][0][0][0], SMALL_IMAGES, SMALL_SIDE, SMALL_SIDE,
        3, small_label, 1, w->small.options);

    if (status >= 0)
        status = read_one(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

static int32_t give_pixels(hirl_image *image, int64_t index, void *user)
{
    (void)user;
    image->pixels = &small_pixels[index][0][0][0];
    image->height = image->width = SMALL_SIDE;
    image->channels = 3;
    return 0;
}

static hirl_status callback_opened(world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status =
        hirl_dataset_from_callback(&dataset, w->small.context, give_pixels, w, NULL, SMALL_IMAGES,
                                   small_label, w->small.options);

    if (status >= 0)
        status = read_one(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

/* grey images in 16 bits, with names and two levels of classes */
static hirl_status own_images_opened(world *w)
{
    static const char *const name[] = { "a", "b", "c" };
    static const char *const fine[] = { "x", "y", "z", "w" };
    static const int32_t parent[] = { 0, 0, 1, 1 };
    static const uint16_t pixels[4][4] = { { 1, 2, 3, 4 } };
    hirl_image image[3];
    hirl_dataset *dataset = NULL;
    hirl_status status;

    for (int i = 0; i < 3; i++)
        image[i] = (hirl_image){ .struct_size = sizeof *image,
                                 .pixels = pixels,
                                 .type = HIRL_PIXELS_U16,
                                 .height = 4,
                                 .width = 4,
                                 .channels = 1 };
    status = hirl_dataset_from_images(&dataset, w->small.context, image, 3, small_label, NULL);
    if (status >= 0)
        status = hirl_dataset_set_names(dataset, name, 3);
    if (status >= 0)
        status = hirl_dataset_set_classes(dataset, 0, 4, fine, parent);
    if (status >= 0)
        status = read_one(dataset);
    hirl_dataset_destroy(dataset);
    return status;
}

static const scenario scenario_of[] = {
    { "a folder of JPEG and PNG is opened", folder_written, folder_opened, NULL },
    { "CIFAR files are opened", cifar_written, folder_opened, NULL },
    { "IDX files are opened", idx_written, folder_opened, NULL },
    { "a gzip IDX file is opened", idx_written, idx_zipped_opened, NULL },
    { "an array of images is opened", arrays_written, arrays_opened, NULL },
    { "an array of features is written and read", hr_world_nothing, arrays_of_features, NULL },
    { "generated images are opened", hr_world_nothing, generated_opened, NULL },
    { "images in memory are opened", hr_world_nothing, memory_opened, NULL },
    { "images from a callback are opened", hr_world_nothing, callback_opened, NULL },
    { "images of the application are named", hr_world_nothing, own_images_opened, NULL },
};
const scenario_list hr_images_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
