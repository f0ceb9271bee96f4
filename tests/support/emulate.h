/* emulate.h - CUDA kernels on the host: the threads of a block are fibers that switch at barriers.
 *
 * Only for tests of the .cu files without a GPU. Blocks are computed one after the other, so shared
 * memory can be static.
 */
#ifndef HR_TEST_EMULATE_H
#define HR_TEST_EMULATE_H

#include <cstdint>

#include "backend.h"

#define HR_KERNEL static void
#define HR_DEVICE static inline
#define HR_SHARED static
#define HR_BLOCK hr_emulate_block
#define HR_THREAD hr_emulate_thread
#define HR_BARRIER() hr_emulate_barrier()
#define HR_LAUNCH(queue, kernel, grid, block, ...)                                                 \
    do {                                                                                           \
        auto hr_body = [&] { kernel(__VA_ARGS__); };                                               \
        hr_emulate(                                                                                \
            grid, block, [](void *body) { (*static_cast<decltype(hr_body) *>(body))(); },          \
            &hr_body);                                                                             \
        hr_cuda_launched(queue, #kernel);                                                          \
    } while (0)

extern int64_t hr_emulate_block;
extern int hr_emulate_thread;
void hr_emulate_barrier();
void hr_emulate(int64_t grid, int block, void (*body)(void *), void *arg);

#endif
