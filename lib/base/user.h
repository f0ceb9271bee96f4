/* user.h - what a function of the application is called with, and who lets go of it. */
#ifndef HR_USER_H
#define HR_USER_H

#include <hirl/handles.h>

#include "types.h"

typedef struct hr_user {
    void *data;
    hirl_release_fn *release; /* NULL: the application needs no call */
} hr_user;

/* The library does not use `data` again. Call this last: the application's function may end here
 * what it holds. */
static inline void hr_user_release(hr_user user)
{
    if (user.release)
        user.release(user.data);
}

#endif
