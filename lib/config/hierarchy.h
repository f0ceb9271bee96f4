/* hierarchy.h - settings that HIRL adds to each method; the methods in ssl/ do not know the
 * hierarchy. */
#ifndef HR_HIERARCHY_H
#define HR_HIERARCHY_H

#include "base/option.h"
#include "types.h"

/* Lists end with key NULL. They override the settings of the method. */
typedef struct hr_hierarchy {
    int32_t images[2]; /* by profile: images that share the batch-norm statistics of h_l */
    const hr_setting_pair *paper, *reference;
    const hr_setting_pair *variant; /* for the method, in profile reference with hirl=1 only */
} hr_hierarchy;

const hr_hierarchy *hr_hierarchy_over(int64_t method); /* index of the key `method` */

#endif
