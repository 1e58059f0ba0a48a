/* Preloaded into a test's camera process: stands in for /dev/udmabuf and /dev/dma_heap on kernels that have neither.
 * libcamera's virtual pipeline asks one of them for memory it can share; plain memory files do as well, since no device reads them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int (*opener)(const char *, int, ...);
typedef int (*controller)(int, unsigned long, ...);

static int stands_in(const char *path)
{
    return path && (strcmp(path, "/dev/udmabuf") == 0 || strncmp(path, "/dev/dma_heap/", 14) == 0);
}

static int open_by(const char *name, const char *path, int flags, int mode)
{
    if (stands_in(path))
        return memfd_create("stands-in", MFD_CLOEXEC);
    return ((opener)dlsym(RTLD_NEXT, name))(path, flags, mode);
}

static int mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = mode_of(flags, rest);
    va_end(rest);
    return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int mode = mode_of(flags, rest);
    va_end(rest);
    return open_by("open64", path, flags, mode);
}

/* One file stands for one piece of memory, so a piece of a heap is a new file of that length. */
static int from_heap(struct dma_heap_allocation_data *asked)
{
    int made = memfd_create("heap", MFD_CLOEXEC);
    if (made < 0)
        return -1;
    if (ftruncate(made, (off_t)asked->len) != 0) {
        close(made);
        return -1;
    }
    asked->fd = (unsigned)made;
    return 0;
}

int ioctl(int file, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    switch (request) {
    case UDMABUF_CREATE:
        return fcntl((int)((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    case DMA_HEAP_IOCTL_ALLOC:
        return from_heap(argument);
    case DMA_BUF_IOCTL_SYNC:
    case DMA_BUF_SET_NAME_A:
    case DMA_BUF_SET_NAME_B:
        return 0;
    default:
        return ((controller)dlsym(RTLD_NEXT, "ioctl"))(file, request, argument);
    }
}
