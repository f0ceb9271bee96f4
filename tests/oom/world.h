/* world.h - small things to do with every handle of the library while memory is short. */
#ifndef HR_TEST_WORLD_H
#define HR_TEST_WORLD_H

#include <hirl/hirl.h>

#include "support/close.h"
#include "support/folder.h"

enum { HR_WORLD_IMAGES = 32, HR_WORLD_SIDE = 16, HR_WORLD_ROWS = 60, HR_WORLD_COLUMNS = 8 };

/* what a scenario stands on; made while there is memory, its folder has always the same name */
typedef struct world {
    char folder[HR_TEST_PATH];
    hirl_context *context;
    hirl_options *options;
    hirl_dataset *dataset;
    hirl_model *model;
    hirl_tree *tree;
    hirl_trainer *trainer;
    float rows[HR_WORLD_ROWS * HR_WORLD_COLUMNS];
    int32_t label[HR_WORLD_ROWS];
    uint8_t pixels[HR_WORLD_IMAGES][HR_WORLD_SIDE][HR_WORLD_SIDE][3];
    const struct scenario *scenario;
} world;

/* one thing that hosts do: `act` returns the first failure, gives back all that it made, and can be
 * called again; `check` (or NULL) looks at the world after it succeeded */
typedef struct scenario {
    const char *name;
    void (*prepare)(world *w);
    hirl_status (*act)(world *w);
    void (*check)(world *w);
} scenario;

typedef struct scenario_list {
    const scenario *scenario;
    int count;
} scenario_list;

extern const scenario_list hr_settings_scenarios, hr_images_scenarios, hr_models_scenarios,
    hr_trees_scenarios, hr_runs_scenarios;

void hr_world_open(world *w, const scenario *s);
void hr_world_close(world *w);

/* for the scenarios; what is lacking ends the test */
void hr_world_set(world *w, const char *key, const char *value);
/* valid until the fourth call from now */
const char *hr_world_path(const world *w, const char *name);
void hr_world_write(const world *w, const char *name, const void *data, size_t bytes);
void hr_world_nothing(world *w);
void hr_world_with_model(world *w); /* w->model, w->dataset */

/* at most so many of the allocations of a scenario fail in turn */
extern const int64_t hr_oom_most;

#endif
