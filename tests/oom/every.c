/* every.c - the slow suite: every allocation of each scenario. */
#include "oom/world.h"

const int64_t hr_oom_most = INT64_MAX;
