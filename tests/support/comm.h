/* comm.h - a communicator of 2 to 4 ranks that are threads of this process (backend.h: hr_comm).
 *
 *     hr_test_ranks(2, body, arg);      body(comm, arg) runs once on each of two threads
 *
 * Each rank makes a context of its own and hangs comm on it. Sums are taken in the
 * order of ranks: the same bits on every rank and in every run.
 */
#ifndef HR_TEST_COMM_H
#define HR_TEST_COMM_H

#include "backend.h"

enum { HR_TEST_RANKS = 4 };

typedef void hr_test_rank(hr_comm *comm, void *arg);
void hr_test_ranks(int ranks, hr_test_rank *body, void *arg);

#endif
