/** @file handles.h - the opaque handles; each ends with its _destroy, which accepts NULL. */
#ifndef HIRL_HANDLES_H
#define HIRL_HANDLES_H

typedef struct hirl_context hirl_context; /**< backend, threads, callbacks: context.h */
typedef struct hirl_options hirl_options; /**< key = value: options.h */
typedef struct hirl_dataset hirl_dataset; /**< where images come from: dataset.h */
typedef struct hirl_model hirl_model;     /**< encoder and heads: model.h */
typedef struct hirl_trainer hirl_trainer; /**< a training run: train.h */
typedef struct hirl_tree hirl_tree;       /**< prototypes and their tree: cluster.h */

#endif
