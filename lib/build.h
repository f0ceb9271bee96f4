/* build.h - describes this build of the library. */
#ifndef HR_BUILD_H
#define HR_BUILD_H

enum { HR_ABI = 1 };

/* compiler, BLAS and its threading, decoders, backends */
const char *hr_build_info(void);

#endif
