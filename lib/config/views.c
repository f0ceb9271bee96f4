/* views.c - the views of a run: the recipe, overridden by the keys of data/views.h. */
#include "config/views.h"

#include "base/error.h"
#include "ssl/method_table.h"

#define ROW(name, globals, locals, first, other, local)                                            \
    { globals, locals, { HR_RECIPE_##first, HR_RECIPE_##other, HR_RECIPE_##local }, 0, 0, 1 },
static const hr_view_defaults recipes[] = { HR_RECIPES(ROW) };

/* refuses local views that the method cannot use or whose side is not a whole number of patches */
static hirl_status check_locals(const hr_run_views *views, const hr_method *method, int32_t patch)
{
    if (views->count > views->globals && !method->locals)
        return hr_fail(HIRL_E_INVALID,
                       "local_crops_number: %d local views, but %s has no use for them",
                       (int)(views->count - views->globals), method->name);
    for (int v = views->globals; v < views->count; v++)
        if (views->view[v].size % patch)
            return hr_fail(HIRL_E_INVALID,
                           "local_crops_size: %d is not a multiple of the patch size of %d pixels",
                           (int)views->view[v].size, (int)patch);
    return HIRL_OK;
}

hirl_status hr_run_views_of(hr_run_views *views, hr_run_config *config)
{
    const hr_model_config *m = &config->model;
    hr_view_defaults defaults = recipes[config->train.recipe];
    float mean[3], std[3];

    for (int i = 0; i < 3; i++) {
        mean[i] = (float)m->mean[i];
        std[i] = (float)m->std[i];
    }
    /* one view can be enough for an application's loss */
    defaults.fewest = hr_method_find(m->method)->declared ? 1 : 2;
    defaults.most = hr_method_find(m->method)->student == HR_SEES_ALL ? 0 : 2;
    if (config->label.task == HR_TASK_LINEAR) /* a classifier sees one view of an image */
        defaults.fewest = defaults.most = 1;
    defaults.multiple = hr_arch_is_vit(m->arch) ? (int32_t)hr_model_patch(m) : 1;
    HR_TRY(hr_views_resolve(views->view, &views->globals, &views->count, &config->view, &defaults,
                            (int32_t)m->image_size, mean, std));
    if (config->train.iter_wise_assignment && views->count < 2)
        return hr_fail(HIRL_E_INVALID,
                       "iter_wise_assignment=1: leaves are chosen by the second view, "
                       "but there is only one view");
    return check_locals(views, hr_method_find(m->method), defaults.multiple);
}
