/* some.c - the quick suite: a sample of the allocations of each scenario fails. */
#include "oom/world.h"

const int64_t hr_oom_most = 8;
