/* views.h - the views of a run: the recipe, overridden by the keys of data/views.h. */
#ifndef HR_CONFIG_VIEWS_H
#define HR_CONFIG_VIEWS_H

#include "config/run_config.h"
#include "data/views.h"

/* The recipes, in the order of the key `recipe`: RECIPE(name, number of global views, of local
 * views, augmentation of the first global view, of the other global views, of the local views). The
 * choice of the key and the defaults of the views follow from each line. */
#define HR_RECIPES(RECIPE)                                                                         \
    RECIPE(mocov2, 2, 0, MOCOV2, MOCOV2, MOCOV2)                                                   \
    RECIPE(swav, 2, 6, SWAV_GLOBAL, SWAV_GLOBAL, SWAV_LOCAL)                                       \
    RECIPE(mocov3, 2, 0, MOCOV3_FIRST, MOCOV3_SECOND, MOCOV3_SECOND)                               \
    RECIPE(dino, 2, 10, DINO_FIRST, DINO_SECOND, DINO_LOCAL)                                       \
    RECIPE(ibot, 2, 10, IBOT_FIRST, IBOT_SECOND, IBOT_LOCAL)                                       \
    RECIPE(linear, 1, 0, LINEAR, LINEAR, LINEAR)

#define HR_RECIPE_WORD(name, globals, locals, first, other, local) " " #name
/* the names separated by one space, for the choices of a key; [1] skips the first space */
#define HR_RECIPE_WORDS (&(HR_RECIPES(HR_RECIPE_WORD))[1])

/* view: the global views, then the local ones */
typedef struct hr_run_views {
    int32_t globals, count;
    hr_view view[HR_VIEWS];
} hr_run_views;

/* Resolves the views of a run and replaces each auto of config->view by its value. */
hirl_status hr_run_views_of(hr_run_views *views, hr_run_config *config);

#endif
