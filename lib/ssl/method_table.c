/* method_table.c - the table of methods, in the order of methods.h. */
#include "ssl/method_table.h"

#define ROW(name) &hr_method_##name,
static const hr_method *const all[] = { HR_METHODS(ROW) };

const hr_method *hr_method_find(int64_t index)
{
    return all[index];
}

hr_method hr_method_of(int64_t index, bool own_teacher)
{
    hr_method method = *all[index];

    if (method.declared && !own_teacher)
        method.teacher = 0;
    return method;
}
