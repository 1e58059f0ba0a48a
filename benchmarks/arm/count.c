/* A QEMU plugin that counts the guest's instructions and writes the count down at marks.
 *
 * A mark is a system call that fails and does nothing: lseek on file descriptor MARK. The count so far goes to the file
 * given as out=PATH, one a line. Instructions of all threads are added up; they are counted by block, so that
 * a mark is exact to the few instructions around its system call. With stores=on the bytes that instructions have written to
 * memory follow on each line (not those that the kernel wrote, nor lines cleared by DC ZVA); that is several times slower.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu-plugin.h"

#define MARK 1000000000
#define LSEEK_AARCH64 62

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static uint64_t executed;
static uint64_t written;
static int stores;
static FILE *out;

static void stored(unsigned int core, qemu_plugin_meminfo_t access, uint64_t address, void *data)
{
    (void)core, (void)address, (void)data;
    /* QEMU 7.2 calls for loads too, whatever was asked for. */
    if (qemu_plugin_mem_is_store(access))
        written += UINT64_C(1) << qemu_plugin_mem_size_shift(access);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
    for (size_t i = 0; stores && i < qemu_plugin_tb_n_insns(block); i++)
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(block, i), stored, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_W, NULL);
}

static void called(qemu_plugin_id_t id, unsigned int core, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                   uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)core, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number == LSEEK_AARCH64 && (int32_t)a1 == MARK) {
        fprintf(out, "%" PRIu64, executed);
        if (stores)
            fprintf(out, " %" PRIu64, written);
        fprintf(out, "\n");
        fflush(out);
    }
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            out = fopen(argv[i] + 4, "w");
        if (strcmp(argv[i], "stores=on") == 0)
            stores = 1;
    }
    if (out == NULL) {
        fprintf(stderr, "count: out=PATH is missing or cannot be written\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
