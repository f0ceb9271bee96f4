/* comm.h - a communicator whose 1 to 4 ranks are threads of this process (backend.h: hr_comm).
 *
 *     hr_test_ranks(2, body, arg);      calls body(comm, arg) once on each of two threads
 *
 * Each rank creates its own context and sets the context's communicator. Sums are taken in rank
 * order, so every rank gets the same bits every time.
 */
#ifndef HR_TEST_COMM_H
#define HR_TEST_COMM_H

#include "backend.h"

enum { HR_TEST_RANKS = 4 };

typedef void hr_test_rank(hr_comm *comm, void *arg);
void hr_test_ranks(int ranks, hr_test_rank *body, void *arg);

#endif
