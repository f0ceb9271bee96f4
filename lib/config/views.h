/* views.h - the views of a run: the method's recipe, under the keys of data/views.h. */
#ifndef HR_TRAIN_VIEWS_H
#define HR_TRAIN_VIEWS_H

#include "data/views.h"
#include "config/config.h"

/* global views first */
typedef struct hr_run_views {
    int32_t globals, count;
    hr_view view[HR_VIEWS];
} hr_run_views;

/* replaces each auto of config->view by what it stands for */
hirl_status hr_run_views_of(hr_run_views *views, hr_run_config *config);

#endif
