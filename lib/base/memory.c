/* memory.c - main memory: how much is available, and the peak use of this process.
 *
 *   machine    /proc/meminfo: MemAvailable + SwapFree
 *   container  memory.max - memory.current + inactive_file (memory.stat: file pages that the kernel
 *              can drop), the smallest over the control group (version 2) of the process, named by
 *              /proc/self/cgroup, and all groups that contain it, below /sys/fs/cgroup
 */
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 8192, PATH = 512 };

/* Reads the start of a file behind a line break, so that each line, the first too, can be found as
 * "\nword". The text is empty when the file cannot be read. */
static void read_text(char text[TEXT], const char *root, const char *name)
{
    char path[3 * PATH];
    ssize_t bytes = 0;
    int file;

    snprintf(path, sizeof path, "%s%s", root, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    text[0] = '\n';
    if (file >= 0) {
        bytes = read(file, text + 1, TEXT - 2);
        close(file);
    }
    text[bytes > 0 ? bytes + 1 : 0] = 0;
}

/* The number that follows `word`; -1 when there is none. */
static int64_t number(const char *text, const char *word)
{
    const char *line = strstr(text, word);
    char *end;
    long long value;

    if (!line)
        return -1;
    line += strlen(word);
    value = strtoll(line, &end, 10);
    return end == line ? -1 : value;
}

static int64_t available_in_machine(const char *root)
{
    char text[TEXT];
    int64_t free_kib, swap_kib;

    read_text(text, root, "/proc/meminfo");
    free_kib = number(text, "\nMemAvailable:");
    swap_kib = number(text, "\nSwapFree:");
    return free_kib < 0 ? INT64_MAX : 1024 * (free_kib + (swap_kib > 0 ? swap_kib : 0));
}

static void read_group_file(char text[TEXT], const char *root, const char *group, const char *name)
{
    char path[2 * PATH];

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", group, name);
    read_text(text, root, path);
}

static int64_t available_in_group(const char *root, const char *group)
{
    char text[TEXT];
    int64_t most, now, files, left;

    read_group_file(text, root, group, "memory.max");
    most = number(text, "\n"); /* -1 for "max", which means no limit */
    read_group_file(text, root, group, "memory.current");
    now = number(text, "\n");
    read_group_file(text, root, group, "memory.stat");
    files = number(text, "\ninactive_file ");
    if (most < 0 || now < 0)
        return INT64_MAX;
    left = most - now + (files > 0 ? files : 0);
    return left > 0 ? left : 0; /* negative after the limit was lowered below the memory in use */
}

/* Gets "/a/b" from the line "0::/a/b"; empty for the root group or when there is no such line. */
static void read_group(char group[PATH], const char *root)
{
    char text[TEXT];
    const char *line;

    read_text(text, root, "/proc/self/cgroup");
    line = strstr(text, "\n0::/");
    snprintf(group, PATH, "%s", line ? line + strlen("\n0::") : "");
    group[strcspn(group, "\n")] = 0;
}

static int64_t available_in_container(const char *root)
{
    char group[PATH], *end;
    int64_t least;

    read_group(group, root);
    least = available_in_group(root, group);
    while ((end = strrchr(group, '/')) != NULL) {
        int64_t left;

        *end = 0;
        left = available_in_group(root, group);
        if (left < least)
            least = left;
    }
    return least;
}

int64_t hr_memory_available_in(const char *root)
{
    int64_t machine = available_in_machine(root), container = available_in_container(root);

    return machine < container ? machine : container;
}

int64_t hr_memory_available(void)
{
    return hr_memory_available_in("");
}

/* Does not use getrusage: its value survives exec and may be the peak of a larger parent. */
int64_t hr_memory_peak(void)
{
    char text[TEXT];
    int64_t kib;

    read_text(text, "", "/proc/self/status");
    kib = number(text, "\nVmHWM:");
    return kib < 0 ? 0 : 1024 * kib;
}
