/* views.h - the views of a run: their number, size and distribution, from keys and the method. */
#ifndef HR_VIEWS_H
#define HR_VIEWS_H

#include "base/option.h"
#include "data/batch.h"
#include "types.h"

/* The kinds of views: the first global one, the other global ones, and the local ones. */
enum { HR_VIEW_FIRST, HR_VIEW_OTHER, HR_VIEW_LOCAL, HR_VIEW_KINDS };

/* A text is "auto" or a list of values: one for all views, one per view, or one per kind. Values of
 * one number are separated by commas. Values of several numbers are separated by semicolons, and
 * their numbers by commas. */
typedef struct hr_view_config {
    int64_t global_crops_number;                      /* HR_AUTO until resolved */
    hr_key_list local_crops_number, local_crops_size; /* one item per size; count 0: auto */
    int64_t crop_filter;                              /* 0 auto, HR_BILINEAR, HR_BICUBIC */
    char global_crops_scale[HR_KEY_TEXT_BYTES], local_crops_scale[HR_KEY_TEXT_BYTES];
    char jitter[HR_KEY_TEXT_BYTES], blur_sigma[HR_KEY_TEXT_BYTES];
    /* probabilities */
    char jitter_p[HR_KEY_TEXT_BYTES], gray_p[HR_KEY_TEXT_BYTES], flip_p[HR_KEY_TEXT_BYTES];
    char blur_p[HR_KEY_TEXT_BYTES], solarize_p[HR_KEY_TEXT_BYTES];
} hr_view_config;
extern const hr_keys hr_view_keys;

/* The views of a method where no key overrides them. */
typedef struct hr_view_defaults {
    int32_t globals, locals;
    hr_recipe recipe[HR_VIEW_KINDS];
    int32_t fewest, most; /* global views that the method can use; most 0: no limit */
    int32_t multiple; /* local_crops_size=auto becomes a multiple of this: a ViT's patch, else 1 */
} hr_view_defaults;

/* Fills the views of a loader, global ones first, and replaces each auto in `config` by its value.
 * The message of INVALID names the key. On failure nothing is written. */
hirl_status hr_views_resolve(hr_view view[HR_VIEWS], int32_t *globals, int32_t *count,
                             hr_view_config *config, const hr_view_defaults *defaults,
                             int32_t image_size, const float mean[3], const float std[3]);

#endif
