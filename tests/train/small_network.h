/* small_network.h - a ResNet-18 of width 1/4 on the generated images:
 * computes features and trains with labels. */
#ifndef HR_TEST_SMALL_NETWORK_H
#define HR_TEST_SMALL_NETWORK_H

#include "data/loader.h"
#include "nn/net.h"
#include "tape/tape.h"

enum { SMALL_CLASSES = 64, SMALL_SIDE = 32, SMALL_BATCH = 128 };

typedef struct small_network {
    hirl_context *context;
    hirl_dataset *train, *test;
    hr_queue *queue;
    hr_net net; /* z0 has one column for each fine class */
    hr_weights weights;
    hr_array moment;
    hr_tape tape;
} small_network;

void small_network_open(small_network *s);
void small_network_close(small_network *s);
/* Returns features [count, dim] of a layer in evaluation mode and *label
 * [count]. The caller frees both with hr_free. */
float *small_network_embed(small_network *s, int32_t layer, hirl_dataset *dataset, int32_t **label);
/* Makes one step of SGD on the cross-entropy of z0 for a batch of view 0. Returns the loss. */
double small_network_step(small_network *s, const hr_batch *batch, double rate);

#endif
