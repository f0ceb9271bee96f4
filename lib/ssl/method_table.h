/* method_table.h - the table of methods, in the order of HR_METHODS. */
#ifndef HR_METHOD_TABLE_H
#define HR_METHOD_TABLE_H

#include "methods.h"
#include "ssl/method.h"

#define HR_METHOD_DECLARE(name) extern const hr_method hr_method_##name;
HR_METHODS(HR_METHOD_DECLARE)
#undef HR_METHOD_DECLARE

const hr_method *hr_method_find(int64_t index); /* index of the key `method` */
/* The method of a run: method=own without own_teacher has no teacher. */
hr_method hr_method_of(int64_t index, bool own_teacher);

#endif
