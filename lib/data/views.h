/* views.h - the views of a run: how many, how large and how drawn, by key over what the method does. */
#ifndef HR_VIEWS_H
#define HR_VIEWS_H

#include "base/option.h"
#include "data/augment.h"
#include "data/loader.h"
#include "types.h"

/* Three kinds of views: the first global one, the other global ones, the local ones. */
enum { HR_VIEW_FIRST, HR_VIEW_OTHER, HR_VIEW_LOCAL, HR_VIEW_KINDS };

/* Texts are "auto" or values of views: one for all, one a view, or one for each kind. A value is one
 * number, with commas between values, or several with commas, and ; between values. */
typedef struct hr_view_config {
    int64_t global_crops_number;                      /* HR_AUTO until resolved */
    hr_key_list local_crops_number, local_crops_size; /* group by group; count 0: auto */
    int64_t crop_filter;                              /* 0 auto, 1 bilinear, 2 bicubic */
    char global_crops_scale[HR_KEY_TEXT_BYTES], local_crops_scale[HR_KEY_TEXT_BYTES];
    char jitter[HR_KEY_TEXT_BYTES], blur_sigma[HR_KEY_TEXT_BYTES];
    /* probabilities */
    char jitter_p[HR_KEY_TEXT_BYTES], gray_p[HR_KEY_TEXT_BYTES], flip_p[HR_KEY_TEXT_BYTES];
    char blur_p[HR_KEY_TEXT_BYTES], solarize_p[HR_KEY_TEXT_BYTES];
} hr_view_config;
extern const hr_keys hr_view_keys;

/* what a method does when no key says otherwise */
typedef struct hr_view_defaults {
    int32_t globals, locals;
    hr_recipe recipe[HR_VIEW_KINDS];
    int32_t fewest, most; /* global views that the method can use; most 0: any number */
    int32_t multiple; /* local_crops_size=auto is a multiple of it: the patch of a ViT; else 1 */
} hr_view_defaults;

/* Fills the views of a loader, global ones first, and replaces each auto in config by what it stands
 * for. INVALID names the key; on failure nothing is written. */
hirl_status hr_views_resolve(hr_view view[HR_VIEWS], int32_t *globals, int32_t *count,
                             hr_view_config *config, const hr_view_defaults *defaults,
                             int32_t image_size, const float mean[3], const float std[3]);

#endif
