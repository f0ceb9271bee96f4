/* hierarchy.h - what HIRL sets over each method; methods know nothing of it (ssl/method.h). */
#ifndef HR_HIERARCHY_H
#define HR_HIERARCHY_H

#include "base/option.h"
#include "types.h"

/* lists end with key NULL and lie over those of the method */
typedef struct hr_hierarchy {
    int32_t images[2]; /* by profile: of a process, groups of the norms in h_l */
    const hr_setting_pair *paper, *reference;
    const hr_setting_pair
        *variant; /* of the method itself, in profile reference, with hirl=1 only */
} hr_hierarchy;

const hr_hierarchy *hr_hierarchy_over(int64_t method); /* index of the key `method` */

#endif
