/* world.h - what an application does with each object of the library,
 * as scenarios in which allocations fail. */
#ifndef HR_TEST_WORLD_H
#define HR_TEST_WORLD_H

#include <hirl/hirl.h>

#include "support/close.h"
#include "support/folder.h"
#include "unit/api/small_world.h"

/* The objects that a scenario needs, prepared while no allocation
 * fails. The folder always has the same name. */
typedef struct world {
    small_world small;
    char folder[HR_TEST_PATH];
    const struct scenario *scenario;
} world;

/* `act` returns its first failure, frees all that it created, and can be called again. `check` (or
 * NULL) checks the world after `act` succeeded. */
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

/* a path in the world's folder; valid until the fourth call from now */
const char *hr_world_path(const world *w, const char *name);
void hr_world_write(const world *w, const char *name, const void *data, size_t bytes);

/* prepare functions: no objects besides options and context; also a model and a data set */
void hr_world_nothing(world *w);
void hr_world_with_model(world *w);

/* number of different allocations of a scenario that fail in turn, at most */
extern const int64_t hr_oom_most;

#endif
