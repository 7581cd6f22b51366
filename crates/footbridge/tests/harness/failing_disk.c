/* A disk that fails: preloaded, it counts the calls that change files below FAILING_PATH and fails those that FAILING_CONTROL names.
   The control file holds four numbers: calls so far, the first call that fails, how many fail, and with which errno. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int32_t *control;
static const char *below;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAILING_CONTROL");
    below = getenv("FAILING_PATH");
    int file = path && below ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *mapped = mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(file);
}

static int fails(int file) {
    char link[64], path[4096];
    if (!control) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, below, strlen(below))) return 0;
    int32_t call = __atomic_add_fetch(&control[0], 1, __ATOMIC_SEQ_CST);
    int32_t first = __atomic_load_n(&control[1], __ATOMIC_SEQ_CST);
    if (first <= 0 || call < first || call - first >= control[2]) return 0;
    errno = control[3];
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t size) { REAL(write); return fails(file) ? -1 : real(file, bytes, size); }
ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) { REAL(pwrite); return fails(file) ? -1 : real(file, bytes, size, at); }
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) { REAL(pwrite64); return fails(file) ? -1 : real(file, bytes, size, at); }
int fsync(int file) { REAL(fsync); return fails(file) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); return fails(file) ? -1 : real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); return fails(file) ? -1 : real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); return fails(file) ? -1 : real(file, size); }
