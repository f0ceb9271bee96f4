/* augment.h - random views: recipes and the draw of each view (spec.md 2). Applying a record is the
 * table line `augment`. */
#ifndef HR_AUGMENT_H
#define HR_AUGMENT_H

#include "backend.h"
#include "types.h"

/* How one view is drawn. */
typedef struct hr_view {
    int32_t size;                 /* side of the result, pixels */
    int32_t filter;               /* 1 bilinear, 2 bicubic */
    double scale_low, scale_high; /* share of the area */
    double ratio_low, ratio_high; /* width / height of the crop, 3/4 to 4/3 */
    double jitter[4], jitter_p;   /* brightness, contrast, saturation, hue; 0: left out */
    double gray_p, blur_p, sigma_low, sigma_high, solarize_p, flip_p;
    bool flip_first; /* before the colour operations */
    bool evaluation; /* resize shorter side, centre crop; nothing is drawn */
    float mean[3], std[3];
} hr_view;

/* The columns of the table in spec.md 2.2. */
typedef enum hr_recipe {
    HR_RECIPE_MOCOV2, /* and SimSiam, both views */
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

/* The evaluation transform: shorter side to round(size * 256 / 224), centre crop; below 96 pixels
 * plain resize to size x size. */
void hr_view_evaluation(hr_view *view, int32_t size, int32_t filter, const float mean[3],
                        const float std[3]);

/* Draws of (seed, epoch, image, view) for an image of width x height, in double. Which random word
 * decides what is fixed: see augment.c. */
void hr_augment_draw(hr_augment_record *record, const hr_view *view, int64_t width, int64_t height,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view_index);

#endif
