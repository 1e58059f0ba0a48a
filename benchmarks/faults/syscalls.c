/* Stands between a program and the system (LD_PRELOAD): counts the calls that change something in one folder, and at the one that is
 * asked for kills or stops the process, or lets it and all that follow fail.
 *
 * Counted: writing, fsync, cutting to a length, renaming, removing, making files and folders. What is counted lies in memory that
 * parent and children share, so that the parent can tell how far a child came.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, KILL, STOP, FAIL };
enum { ALWAYS = 1, ROOM = 2, SYNC = 4 }; /* kinds of calls, and those that an error hits */

struct shared {
    atomic_long count;
    char call[128];
};

static struct shared *shared;
static char under[PATH_MAX];
static size_t length;
static long moment;
static int action, error, hits, failed;

__attribute__((constructor)) static void begin(void) {
    void *page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = page == MAP_FAILED ? NULL : page;
}

/* Begin to count what happens in `folder`; at call number `at` (from 1) do `what`. `kinds`: which calls fail. */
void faults_arm(const char *folder, long at, int what, int number, int kinds) {
    snprintf(under, sizeof under, "%s", folder);
    length = strlen(under);
    moment = at;
    action = what;
    error = number;
    hits = kinds;
    failed = 0;
}

void faults_reset(void) {
    length = 0;
    if (shared) {
        atomic_store(&shared->count, 0);
        shared->call[0] = 0;
    }
}

long faults_count(void) { return shared ? atomic_load(&shared->count) : -1; }
const char *faults_call(void) { return shared ? shared->call : ""; }

static void hit(int number) {
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

/* 0: go on. -1: do half of the writing, then call `hit(SIGKILL)`. Else: the error to fail with. */
static int come(const char *call, const char *path, int kind, int halves) {
    if (!length || !shared || !path) return 0;
    char whole[PATH_MAX];
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;
        if (snprintf(whole, sizeof whole, "%s/%s", here, path) >= (int)sizeof whole) return 0;
        path = whole;
    }
    if (strncmp(path, under, length) || (path[length] && path[length] != '/')) return 0;
    long now = atomic_fetch_add(&shared->count, 1) + 1;
    if (action == NOTHING || now < moment || (now > moment && action != FAIL)) return 0;
    if (now == moment || (action == FAIL && (kind & hits) && !failed)) {
        const char *name = strrchr(path, '/');
        snprintf(shared->call, sizeof shared->call, "%s %.100s", call, name ? name + 1 : path);
    }
    if (action == FAIL) {
        failed |= kind & hits;
        return kind & hits ? error : 0;
    }
    if (action == KILL && halves && now % 2) return -1;
    hit(action == KILL ? SIGKILL : SIGSTOP);
    return 0;
}

static int come_fd(const char *call, int fd, int kind, int halves) {
    if (!length) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return come(call, path, kind, halves);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define GATE(found) \
    do { \
        int why = (found); \
        if (why > 0) { errno = why; return -1; } \
    } while (0)

/* Writing: a process can be killed when half is done, and a disk that becomes full takes the first half. */
#define WRITE(fd, n, half, whole) \
    do { \
        int was = failed; \
        int why = come_fd("write", fd, ALWAYS | ROOM, (n) > 1); \
        if (why == -1) { if (half) {} hit(SIGKILL); } \
        if (why > 0) { \
            if (was == 0 && (n) > 1) return half; \
            errno = why; \
            return -1; \
        } \
        return whole; \
    } while (0)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    WRITE(fd, n, real(fd, data, n / 2), real(fd, data, n));
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    REAL(pwrite64);
    WRITE(fd, n, real(fd, data, n / 2, at), real(fd, data, n, at));
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

int fsync(int fd) {
    REAL(fsync);
    GATE(come_fd("fsync", fd, ALWAYS | SYNC, 0));
    return real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    GATE(come_fd("fsync", fd, ALWAYS | SYNC, 0));
    return real(fd);
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    GATE(come_fd("truncate", fd, ALWAYS, 0));
    return real(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char *from, const char *to) {
    REAL(rename);
    GATE(come("rename", to, ALWAYS, 0));
    return real(from, to);
}

int unlink(const char *path) {
    REAL(unlink);
    GATE(come("remove", path, ALWAYS, 0));
    return real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    GATE(come("make", path, ALWAYS | ROOM, 0));
    return real(path, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    mode_t mode = 0;
    int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    if (makes) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
        struct stat there;
        if ((flags & O_TMPFILE) == O_TMPFILE || stat(path, &there)) GATE(come("make", path, ALWAYS | ROOM, 0));
    }
    return real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    return open64(path, flags, mode);
}
