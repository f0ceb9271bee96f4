/* small_world.h - one object of every kind on 32 synthetic images of 16 x
 * 16 pixels, and the long calls on them. */
#ifndef SMALL_WORLD_H
#define SMALL_WORLD_H

#include <stdint.h>

#include <hirl/hirl.h>

enum { SMALL_IMAGES = 32, SMALL_SIDE = 16, SMALL_ROWS = 120, SMALL_D = 4 };

typedef struct small_world {
    hirl_context *context;
    hirl_options *options;
    hirl_dataset *dataset;
    hirl_model *model;
    hirl_tree *tree;
    hirl_trainer *trainer;
} small_world;

extern uint8_t small_pixels[SMALL_IMAGES][SMALL_SIDE][SMALL_SIDE][3];
extern float small_rows[SMALL_ROWS * SMALL_D];
extern int32_t small_label[SMALL_ROWS]; /* classes 0 to 3 */

/* options and context alone */
void small_world_begin(small_world *w);
/* adds the data set and the model to a world that has begun */
void small_world_make_model(small_world *w);
/* all objects */
void small_world_open(small_world *w);
/* destroys the objects that exist */
void small_world_close(small_world *w);
void small_world_set(small_world *w, const char *key, const char *value);

typedef struct small_result {
    float value[SMALL_ROWS * 16];
} small_result;

hirl_status small_embed(small_result *r, small_world *w);
hirl_status small_embed_dataset(small_result *r, small_world *w);
hirl_status small_cluster(small_result *r, small_world *w);

/* phase: the progress phase in which tests cancel the call; NULL:
 * the call is too short to be cancelled */
typedef struct small_call {
    const char *phase;
    hirl_status (*call)(small_result *r, small_world *w);
} small_call;

enum {
    SMALL_CALLS = 12,
    SMALL_LONG_CALLS = 9
}; /* the long calls, which can be cancelled, come first */
extern const small_call small_calls[SMALL_CALLS];

#endif
