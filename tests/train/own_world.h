/* own_world.h - a small run of method=own with the functions of own_method.h.
 * All functions fail the test on error. */
#ifndef OWN_WORLD_H
#define OWN_WORLD_H

#include <hirl/hirl.h>

#include "own_method.h"

enum { OWN_IMAGES = 48, OWN_SIDE = 16, OWN_BATCH = 16, OWN_STEPS_AN_EPOCH = 3, OWN_DIM = 8 };

typedef struct own_world {
    hirl_options *options;
    hirl_context *context;
    hirl_dataset *images;
    hirl_trainer *trainer; /* NULL before own_world_begin */
    own_method method;
} own_world;

/* creates options, images and context, but no trainer */
void own_world_open(own_world *w, int threads);
void own_world_set(own_world *w, const char *key, const char *value);
/* replaces the trainer by a new one with the current options */
void own_world_begin(own_world *w);
/* passes the functions of w->method to the trainer */
void own_world_set_method(own_world *w);
void own_world_steps(own_world *w, int steps);
/* calls own_world_open, own_world_begin and own_world_set_method */
void own_world_run(own_world *w, int threads);
void own_world_close(own_world *w);

#endif
