/* augment.c - random views: the recipes of the methods, and the random choices for one view.
 *
 * Block b of the generator (seed, AUGMENT, view, epoch, image) gives four uniforms u in [0, 1):
 *
 *     b = 0..9   attempt b of the crop: area, aspect, top, left
 *     b = 10     brightness, contrast, saturation, hue
 *     b = 11     whether to flip, jitter, turn gray, blur
 *     b = 12     whether to solarize, sigma of the blur, order of the jitter, unused
 *
 * so that no choice depends on how many attempts the crop needed.
 *
 *     crop: area = W H U(scale), aspect = exp U(ln ratio), w = round sqrt(area aspect),
 *           h = round sqrt(area / aspect), rounding half to even. The first attempt that fits is
 *           taken; after ten, the centre of the image, clamped to the range of ratios
 *           (torchvision's RandomResizedCrop)
 *     order: the digits of floor(24 u) in the bases 4, 3, 2 pick from the remaining operations
 */
#include "data/augment.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

enum {
    ATTEMPTS = 10,
    BLOCK_STRENGTH = ATTEMPTS,
    BLOCK_CHANCE,
    BLOCK_REST,
    HUE = 3,
    EVALUATION_CROP_FROM = 96, /* smaller results are resized without a crop */
};

/* The numbers in which the recipes differ. Sources: MoCo v2 (Chen et al. 2020), SwAV (Caron et al.
 * 2020), MoCo v3 (Chen et al. 2021), DINO (Caron et al. 2021), iBOT (Zhou et al. 2022). */
typedef struct recipe {
    double scale_low, scale_high;
    int32_t filter;
    double jitter[4];
    double blur_p, solarize_p;
    bool flip_first;
} recipe;

#define MOCO                                                                                       \
    {                                                                                              \
        0.4, 0.4, 0.4, 0.1                                                                         \
    }
#define STRONG                                                                                     \
    {                                                                                              \
        0.8, 0.8, 0.8, 0.2                                                                         \
    }
#define BYOL                                                                                       \
    {                                                                                              \
        0.4, 0.4, 0.2, 0.1                                                                         \
    }

/* clang-format off */
static const recipe recipes[HR_RECIPES] = {
    [HR_RECIPE_MOCOV2]        = { 0.20, 1.00, HR_BILINEAR, MOCO,   0.5, 0.0, false },
    [HR_RECIPE_SWAV_GLOBAL]   = { 0.14, 1.00, HR_BILINEAR, STRONG, 0.5, 0.0, true },
    [HR_RECIPE_SWAV_LOCAL]    = { 0.05, 0.14, HR_BILINEAR, STRONG, 0.5, 0.0, true },
    [HR_RECIPE_MOCOV3_FIRST]  = { 0.08, 1.00, HR_BILINEAR, BYOL,   1.0, 0.0, false },
    [HR_RECIPE_MOCOV3_SECOND] = { 0.08, 1.00, HR_BILINEAR, BYOL,   0.1, 0.2, false },
    [HR_RECIPE_DINO_FIRST]    = { 0.25, 1.00, HR_BICUBIC,  BYOL,   1.0, 0.0, true },
    [HR_RECIPE_DINO_SECOND]   = { 0.25, 1.00, HR_BICUBIC,  BYOL,   0.1, 0.2, true },
    [HR_RECIPE_DINO_LOCAL]    = { 0.05, 0.25, HR_BICUBIC,  BYOL,   0.5, 0.0, true },
    [HR_RECIPE_IBOT_FIRST]    = { 0.32, 1.00, HR_BICUBIC,  BYOL,   1.0, 0.0, true },
    [HR_RECIPE_IBOT_SECOND]   = { 0.32, 1.00, HR_BICUBIC,  BYOL,   0.1, 0.2, true },
    [HR_RECIPE_IBOT_LOCAL]    = { 0.05, 0.32, HR_BICUBIC,  BYOL,   0.5, 0.0, true },
};
/* clang-format on */

static void set_output(hr_view *view, int32_t size, int32_t filter, const float mean[3],
                       const float std[3])
{
    memset(view, 0, sizeof *view);
    view->size = size;
    view->filter = filter;
    memcpy(view->mean, mean, sizeof view->mean);
    memcpy(view->std, std, sizeof view->std);
}

void hr_view_recipe(hr_view *view, hr_recipe which, int32_t size, const float mean[3],
                    const float std[3])
{
    const recipe *r = &recipes[which];

    set_output(view, size, r->filter, mean, std);
    view->scale_low = r->scale_low;
    view->scale_high = r->scale_high;
    view->ratio_low = 3.0 / 4;
    view->ratio_high = 4.0 / 3;
    memcpy(view->jitter, r->jitter, sizeof view->jitter);
    view->jitter_p = 0.8;
    view->gray_p = 0.2;
    view->blur_p = r->blur_p;
    view->sigma_low = 0.1;
    view->sigma_high = 2.0;
    view->solarize_p = r->solarize_p;
    view->flip_p = 0.5;
    view->flip_first = r->flip_first;
}

void hr_view_evaluation(hr_view *view, int32_t size, int32_t filter, const float mean[3],
                        const float std[3])
{
    set_output(view, size, filter, mean, std);
    view->evaluation = true;
}

/* Returns the four uniforms of one block. */
static void uniforms(double u[4], const hr_rng *rng, uint32_t block)
{
    uint32_t counter[4] = { block, rng->counter[1], rng->counter[2], rng->counter[3] };
    uint32_t word[4];

    hr_philox(word, counter, rng->key);
    for (int i = 0; i < 4; i++)
        u[i] = word[i] * 0x1p-32;
}

static double between(double u, double low, double high)
{
    return low + u * (high - low);
}

static void set_box(hr_augment_record *r, int64_t left, int64_t top, int64_t width, int64_t height)
{
    r->left = (int32_t)left;
    r->top = (int32_t)top;
    r->width = (int32_t)width;
    r->height = (int32_t)height;
}

static bool try_crop(hr_augment_record *r, const hr_view *view, int64_t width, int64_t height,
                     const double u[4])
{
    double area = (double)width * (double)height * between(u[0], view->scale_low, view->scale_high);
    double aspect = exp(between(u[1], log(view->ratio_low), log(view->ratio_high)));
    double w = rint(sqrt(area * aspect)), h = rint(sqrt(area / aspect));

    if (!(w > 0 && w <= (double)width && h > 0 && h <= (double)height))
        return false;
    set_box(r, (int64_t)(u[3] * ((double)width - w + 1)),
            (int64_t)(u[2] * ((double)height - h + 1)), (int64_t)w, (int64_t)h);
    return true;
}

static void middle_crop(hr_augment_record *r, const hr_view *view, int64_t width, int64_t height)
{
    double ratio = (double)width / (double)height;
    int64_t w = width, h = height;

    if (ratio < view->ratio_low)
        h = (int64_t)rint((double)width / view->ratio_low);
    else if (ratio > view->ratio_high)
        w = (int64_t)rint((double)height * view->ratio_high);
    set_box(r, (width - w) / 2, (height - h) / 2, w, h);
}

static void draw_crop(hr_augment_record *r, const hr_view *view, int64_t width, int64_t height,
                      const hr_rng *rng)
{
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        double u[4];

        uniforms(u, rng, attempt);
        if (try_crop(r, view, width, height, u))
            return;
    }
    middle_crop(r, view, width, height);
}

/* Draws the factors of the four operations and the order in which they are applied. */
static void draw_jitter(hr_augment_record *r, const hr_view *view, const hr_rng *rng,
                        double u_order)
{
    int32_t left[4] = { 0, 1, 2, 3 }, code = (int32_t)(24 * u_order);
    double u[4];

    uniforms(u, rng, BLOCK_STRENGTH);
    for (int i = 0; i < 4; i++) {
        double strength = view->jitter[i], low = i == HUE ? -strength : fmax(0, 1 - strength);

        r->factor[i] = (float)between(u[i], low, i == HUE ? strength : 1 + strength);
    }
    for (int i = 0; i < 4; i++) {
        int32_t pick = code % (4 - i);

        code /= 4 - i;
        r->order[i] = view->jitter[left[pick]] > 0 ? left[pick] : -1;
        memmove(left + pick, left + pick + 1, (size_t)(3 - pick) * sizeof *left);
    }
    r->jitter = 1;
}

static void draw_evaluation(hr_augment_record *r, const hr_view *view, int64_t width,
                            int64_t height)
{
    set_box(r, 0, 0, width, height);
    if (view->size >= EVALUATION_CROP_FROM)
        r->resize = (int32_t)rint(view->size * 256 / 224.0);
}

void hr_augment_draw(hr_augment_record *record, const hr_view *view, int64_t width, int64_t height,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view_index)
{
    hr_rng rng;
    double chance[4], rest[4];

    memset(record, 0, sizeof *record);
    record->size = view->size;
    record->filter = view->filter;
    memcpy(record->mean, view->mean, sizeof record->mean);
    memcpy(record->std, view->std, sizeof record->std);
    if (view->evaluation) {
        draw_evaluation(record, view, width, height);
        return;
    }
    hr_rng_init(&rng, seed, HR_RNG_AUGMENT, (uint32_t)view_index, (uint32_t)epoch, (uint32_t)image);
    uniforms(chance, &rng, BLOCK_CHANCE);
    uniforms(rest, &rng, BLOCK_REST);
    draw_crop(record, view, width, height, &rng);
    if (chance[0] < view->flip_p)
        record->flip = view->flip_first ? 2 : 1;
    if (chance[1] < view->jitter_p)
        draw_jitter(record, view, &rng, rest[2]);
    record->gray = chance[2] < view->gray_p;
    if (chance[3] < view->blur_p)
        record->sigma = (float)between(rest[1], view->sigma_low, view->sigma_high);
    record->solarize = rest[0] < view->solarize_p;
}
