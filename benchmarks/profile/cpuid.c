/* Hides what a processor can do beyond AVX2 from the program it is loaded into (LD_PRELOAD): AVX-512, AMX and the int8 dot
 * products of VNNI. XNNPACK, OpenCV and NumPy then choose the kernels of an older PC, and run at this machine's own speed.
 *
 * Linux lets CPUID fault where the processor can (arch_prctl, flag cpuid_fault); the handler asks the processor, clears the
 * bits and steps over the instruction. Threads inherit this. Where CPUID cannot fault the program ends with code 77.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define CANNOT 77

/* Intel's manual, CPUID leaf 7: bits of subleaf 0 in EBX, ECX, EDX, and of subleaf 1 in EAX, EDX. */
#define EBX_0 (1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31)
#define ECX_0 (1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14)
#define EDX_0 (1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25)
#define EAX_1 (1u << 4 | 1u << 5 | 1u << 21 | 1u << 23)
#define EDX_1 (1u << 4 | 1u << 5 | 1u << 10 | 1u << 19)

static long allow(long yes) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, yes); }

static void faulted(int number, siginfo_t *info, void *context)
{
    (void)info;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)r[REG_RIP];
    if (at[0] != 0x0f || at[1] != 0xa2) { /* no CPUID: a fault like any other */
        signal(number, SIG_DFL);
        return;
    }
    uint32_t a = (uint32_t)r[REG_RAX], b, c = (uint32_t)r[REG_RCX], d;
    uint32_t leaf = a, part = c;
    allow(1);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    allow(0);
    if (leaf == 7 && part == 0)
        b &= ~EBX_0, c &= ~ECX_0, d &= ~EDX_0;
    else if (leaf == 7 && part == 1)
        a &= ~EAX_1, d &= ~EDX_1;
    r[REG_RAX] = a, r[REG_RBX] = b, r[REG_RCX] = c, r[REG_RDX] = d;
    r[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void)
{
    struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, NULL) != 0 || allow(0) != 0)
        _exit(CANNOT);
}
