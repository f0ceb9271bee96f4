/* tile.c - the inner loops of tile_body.h for each instruction set, and the choice between them.
 *
 * Products and sums are fused where the processor supports it, so results differ between processor
 * types, but never between numbers of threads.
 */
#include "cpu/tile.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- any processor: 16-byte registers ---- */

#define NAME(x) x##_any
#define TARGET
#define BYTES 16
#define TALL 4
#define WIDE 2
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#include "cpu/tile_body.h"

static const hr_cpu_tile tile_any = { 2 * 16 / sizeof(real), sweep_any, gather_any };

#if defined(__x86_64__)

/* ---- AVX2 with FMA ---- */

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define BYTES 32
#define TALL 6
#define WIDE 2
#ifdef HR_REAL_DOUBLE
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_pd(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#endif
#include "cpu/tile_body.h"

static const hr_cpu_tile tile_avx2 = { 2 * 32 / sizeof(real), sweep_avx2, gather_avx2 };

/* ---- AVX-512 ---- */

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f")))
#define BYTES 64
#define TALL 12
#define WIDE 2
#ifdef HR_REAL_DOUBLE
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_pd(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#endif
#include "cpu/tile_body.h"

static const hr_cpu_tile tile_avx512 = { 2 * 64 / sizeof(real), sweep_avx512, gather_avx512 };

#endif

const hr_cpu_tile *hr_cpu_tile_for(int64_t channels)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && channels > tile_avx2.lanes)
        return &tile_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &tile_avx2;
#endif
    (void)channels;
    return &tile_any;
}

/* ---- long windows ---- */

enum {
    PANEL_BYTES = 24576, /* most of a panel that stays in the L1 cache */
    RUN = 256,           /* numbers of a window row taken at a time when the panel is larger */
};

void hr_cpu_sweep_panel(const hr_cpu_tile *tile, const hr_cpu_sweep *whole, const real *panel)
{
    hr_cpu_sweep part = *whole;

    if (whole->rows * whole->run * tile->lanes * (int64_t)sizeof(real) <= PANEL_BYTES) {
        tile->sweep(whole, panel);
        return;
    }
    part.rows = 1;
    for (int64_t row = 0; row < whole->rows; row++)
        for (int64_t k = 0; k < whole->run; k += part.run) {
            part.run = whole->run - k < RUN ? whole->run - k : RUN;
            part.x = whole->x + row * whole->row_stride + k;
            tile->sweep(&part, panel + (row * whole->run + k) * tile->lanes);
            part.keep = 1;
        }
}
