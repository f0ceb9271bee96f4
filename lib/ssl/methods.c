/* methods.c - the methods by index, in the order of the key `method` (nn/net.c). */
#include "ssl/method.h"

static const hr_method *const all[] = { &hr_method_mocov2 };

const hr_method *hr_method_find(int64_t index)
{
    return all[index];
}
