/* every.c - the slow suite: each allocation of each scenario fails. */
#include "oom/world.h"

const int64_t hr_oom_most = INT64_MAX;
