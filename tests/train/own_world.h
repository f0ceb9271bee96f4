/* own_world.h - a small run of method=own with the functions of small_host.h; calls end the test on failure. */
#ifndef OWN_WORLD_H
#define OWN_WORLD_H

#include <hirl/hirl.h>

#include "small_host.h"

enum { OWN_IMAGES = 48, OWN_SIDE = 16, OWN_BATCH = 16, OWN_STEPS_AN_EPOCH = 3, OWN_DIM = 8 };

typedef struct own_world {
    hirl_options *options;
    hirl_context *context;
    hirl_dataset *images;
    hirl_trainer *trainer; /* of own_world_begin */
    small_host host;
} own_world;

/* options, images and context; no trainer */
void own_world_open(own_world *w, int threads);
void own_world_set(own_world *w, const char *key, const char *value);
/* a trainer of the options as they are now, in place of the one before */
void own_world_begin(own_world *w);
/* the trainer gets the functions of w->host */
void own_world_give(own_world *w);
void own_world_steps(own_world *w, int steps);
/* open, begin and give */
void own_world_run(own_world *w, int threads);
void own_world_close(own_world *w);

#endif
