/* augment.h - random views: the recipes of the methods, and the random choices for one view.
 *
 * The choices are written to a record, which the backend function `augment` applies to pixels.
 */
#ifndef HR_AUGMENT_H
#define HR_AUGMENT_H

#include "backend.h"
#include "types.h"

/* The distribution from which one view is drawn. */
typedef struct hr_view {
    int32_t size;                 /* side of the result in pixels */
    int32_t filter;               /* HR_BILINEAR or HR_BICUBIC (backend.h) */
    double scale_low, scale_high; /* area of the crop as a share of the image's */
    double ratio_low, ratio_high; /* width / height of the crop, 3/4 to 4/3 */
    double jitter[4], jitter_p;   /* brightness, contrast, saturation, hue; 0: not applied */
    double gray_p, blur_p, sigma_low, sigma_high, solarize_p, flip_p;
    bool flip_first; /* flip before the colour operations instead of after them */
    bool evaluation; /* resize the shorter side and crop the centre; no random choices */
    float mean[3], std[3];
} hr_view;

/* The augmentations of the papers of the six methods. */
typedef enum hr_recipe {
    HR_RECIPE_MOCOV2, /* both views of MoCo v2 and of SimSiam */
    HR_RECIPE_SWAV_GLOBAL,
    HR_RECIPE_SWAV_LOCAL,
    HR_RECIPE_MOCOV3_FIRST,
    HR_RECIPE_MOCOV3_SECOND,
    HR_RECIPE_DINO_FIRST,
    HR_RECIPE_DINO_SECOND,
    HR_RECIPE_DINO_LOCAL,
    HR_RECIPE_IBOT_FIRST,
    HR_RECIPE_IBOT_SECOND,
    HR_RECIPE_IBOT_LOCAL,
    HR_RECIPES
} hr_recipe;

void hr_view_recipe(hr_view *view, hr_recipe recipe, int32_t size, const float mean[3],
                    const float std[3]);

/* The evaluation transform: resizes the shorter side to round(size * 256 / 224) and crops the
 * centre. Below 96 pixels it resizes the whole image to size x size. */
void hr_view_evaluation(hr_view *view, int32_t size, int32_t filter, const float mean[3],
                        const float std[3]);

/* Makes the random choices of (seed, epoch, image, view) for an image of width x height, in double
 * precision. augment.c defines which random word makes which choice. */
void hr_augment_draw(hr_augment_record *record, const hr_view *view, int64_t width, int64_t height,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view_index);

#endif
