/* emulate.cc - CUDA kernels on the host: threads of a block are fibers that switch at barriers. */
#include "emulate.h"

#include <cstdlib>
#include <ucontext.h>
#include <vector>

int64_t hr_emulate_block;
int hr_emulate_thread;

namespace
{
constexpr size_t STACK = 64 * 1024;

struct fiber {
    ucontext_t place;
    bool done;
};

ucontext_t scheduler;
fiber *running;
void (*kernel)(void *);
void *argument;

void enter()
{
    kernel(argument);
    running->done = true;
    swapcontext(&running->place, &scheduler);
}

void run_block(std::vector<fiber> &fibers)
{
    bool left = true;

    while (left) { /* one round takes every thread to its next barrier */
        left = false;
        for (size_t i = 0; i < fibers.size(); i++) {
            if (fibers[i].done)
                continue;
            running = &fibers[i];
            hr_emulate_thread = static_cast<int>(i);
            swapcontext(&scheduler, &running->place);
            left = left || !running->done;
        }
    }
}
} // namespace

void hr_emulate_barrier()
{
    swapcontext(&running->place, &scheduler);
}

void hr_emulate(int64_t grid, int block, void (*body)(void *), void *arg)
{
    std::vector<char> stacks(STACK * static_cast<size_t>(block));

    kernel = body;
    argument = arg;
    for (int64_t b = 0; b < grid; b++) {
        std::vector<fiber> fibers(static_cast<size_t>(block));

        hr_emulate_block = b;
        for (int i = 0; i < block; i++) {
            fiber &f = fibers[static_cast<size_t>(i)];

            getcontext(&f.place);
            f.place.uc_stack.ss_sp = stacks.data() + STACK * static_cast<size_t>(i);
            f.place.uc_stack.ss_size = STACK;
            f.place.uc_link = &scheduler;
            f.done = false;
            makecontext(&f.place, enter, 0);
        }
        run_block(fibers);
    }
}
