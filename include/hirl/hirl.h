/** @file hirl.h - libhirl: hierarchical image representations learned without labels, and their tree.
 *
 *     hirl_options *options;
 *     hirl_context *context;
 *     hirl_dataset *images;
 *     hirl_trainer *trainer;
 *
 *     if (hirl_options_create(&options) < 0 ||
 *         hirl_options_preset(options, "hirl-mocov2-small") < 0 ||
 *         hirl_context_create(&context, options) < 0 ||
 *         hirl_dataset_open(&images, context, "my/photos", options) < 0 ||
 *         hirl_trainer_create(&trainer, context, NULL, images, options) < 0 ||
 *         hirl_train_run(NULL, trainer) < 0)
 *         fprintf(stderr, "%s\n", hirl_error_message());
 *
 * Link with `pkg-config --cflags --libs hirl`.
 */
#ifndef HIRL_HIRL_H
#define HIRL_HIRL_H

#include "cluster.h"
#include "context.h"
#include "dataset.h"
#include "eval.h"
#include "loss.h"
#include "method.h"
#include "model.h"
#include "options.h"
#include "status.h"
#include "train.h"
#include <hirl/version.h>

#endif
