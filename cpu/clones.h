/* clones.h - HR_CLONES compiles a function for several instruction sets; the loader selects one.
 *
 * All variants give the same bits, because products and sums are not fused (-ffp-contract=off).
 * HR_CLONES is empty with a sanitizer, whose runtime is not ready when the loader selects, and with
 * clang (14), which gives static functions of the same name in two files a single resolver.
 */
#ifndef HR_CLONES_H
#define HR_CLONES_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define HR_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HR_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(HR_SANITIZED) && !defined(__clang__)
#define HR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define HR_CLONES
#endif

#endif
