/* types.h - the names of all internal types, and `real`, the number type of the kernels. */
#ifndef HR_TYPES_H
#define HR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hirl/handles.h>
#include <hirl/status.h>

/* The type of weights, statistics and losses. The library is built with float; hirl-core-f64, the
 * same source with -DHR_REAL_DOUBLE, exists for tests only. */
#ifdef HR_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

enum { HR_LEVELS = 8 }; /* the most levels that a tree can have */

typedef struct hr_arena hr_arena;
typedef struct hr_array hr_array;
typedef struct hr_backend hr_backend;
typedef struct hr_batch hr_batch;
typedef struct hr_comm hr_comm;
typedef struct hr_geometry hr_geometry;
typedef struct hr_learner hr_learner;
typedef struct hr_loader hr_loader;
typedef struct hr_map hr_map;
typedef struct hr_method hr_method;
typedef struct hr_op hr_op;
typedef struct hr_params hr_params;
typedef struct hr_pool hr_pool;
typedef struct hr_queue hr_queue;
typedef struct hr_rng hr_rng;
typedef struct hr_scalars hr_scalars;
typedef struct hr_node hr_node;
typedef struct hr_tape hr_tape;
typedef struct hr_task hr_task;
typedef struct hr_tensor hr_tensor;
typedef struct hr_tensors hr_tensors;
typedef struct hr_workspace hr_workspace;

#endif
