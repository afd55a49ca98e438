# SPDX-License-Identifier: GPL-2.0-or-later
"""Blank attributes that kernel code spells as macros and the grammar does not know.

The grammar reads one unknown word in a declaration as a type; with two it loses the function.
"""

from __future__ import annotations

import re

from patchgen.audit.c_text import blank, closing

# Patterns that match whole words.
_WORDS = rb"""
    ACPI_EXPORT_SYMBOL_INIT ACPI_INIT_\w+ ACPI_INTERNAL_VAR_XFACE ACPI_SYSTEM_XFACE
    __always_unused asmlinkage __assume_ctx_lock __attribute_const__ __attribute_used__
    __bitwise __bpf_kfunc __bss_decrypted ____cacheline_\w+ __cacheline_aligned\w* __cold
    __cpuidle __cpuinit\w* __data_nosave debug_noinline __deprecated __designated_init
    __devinit\w* __diagnose_as_builtin __efi_\w+text __efiapi EFIAPI __entry_text __exit
    fastcall __flatten __force __fortify_\w+ __guarded_by __head __hot __init __init_memblock
    __init_or_module __init_refok __initconst\w* __initdata\w* __iomem __irq_entry __kernel
    __kprobes __ksym __latent_entropy __lockfunc __malloc __maybe_unused __meminit\w*
    __must_check __mutually_exclusive __naked __net_exit\w* __net_init\w* __no_\w+ __nocast
    __nocfi __noclone __noderef __noendbr noinline\w* noinstr nokprobe_inline __nonstring
    __noreturn __nosavedata __noscs notrace __notrace_funcgraph __overloadable __packed
    __page_aligned_\w+ __percpu __private __pure __randomize_layout __rcu __read_mostly __ref
    __refconst __refdata __ro_after_init __safe __sched __section_\w+ __softirq_entry __unused
    __used __user __vdso\w* __visible __weak __xen_pv\w*
"""
_ATTRIBUTE = re.compile(rb"\b(?:%b)\b(?!\s*\()" % b"|".join(_WORDS.split()))
_WORDS_WITH_ARGUMENTS = rb"""
    __acquires __alias_by\w* __aligned __alloc_size ALLOW_ERROR_INJECTION ASSERT_STRUCT_\w+
    __assume_aligned __attribute__ __bpf_kfunc_\w+_defs BTF_\w+ __cacheline_group_\w+ __cleanup
    __cond_acquires __cond_releases __copy DECLARE_LOCK_GUARD_\w+ __DEFINE_\w+_GUARD
    DEFINE_CLASS DEFINE_FREE DEFINE_GUARD\w* DEFINE_LOCK_GUARD_\w+ __diag_\w+ EXPORT_\w+
    __init_or_suspend MODULE_ALIAS\w* MODULE_AUTHOR MODULE_DESCRIPTION MODULE_DEVICE_TABLE
    MODULE_FIRMWARE MODULE_IMPORT_NS MODULE_INFO MODULE_LICENSE MODULE_PARM_DESC MODULE_SOFTDEP
    MODULE_VERSION __must_hold __must_hold_\w+ __no_context_analysis __no_sanitize
    NOKPROBE_SYMBOL __printf PV_CALLEE_SAVE_REGS_THUNK __realloc_size __releases __scanf
    __section STACK_FRAME_NON_STANDARD\w* static_assert _Static_assert TRACE_DEFINE_ENUM
"""
_ATTRIBUTE_CALL = re.compile(rb"\b(?:%b)\s*(\()[ \t]*" % b"|".join(_WORDS_WITH_ARGUMENTS.split()))
_FREE = re.compile(rb"\b__free\(\w+\)")
_ALWAYS_INLINE = re.compile(rb"\b__always_inline\b")


def blank_attributes(text: bytes) -> bytes:
    """Overwrite attributes and their arguments with spaces."""
    text = _ALWAYS_INLINE.sub(b"inline         ", text)
    text = _blank_calls(text)
    text = _FREE.sub(lambda match: blank(match[0]), text)
    return _ATTRIBUTE.sub(lambda match: blank(match[0]), text)


def _blank_calls(text: bytes) -> bytes:
    """Overwrite attributes that have arguments with spaces."""
    pieces, done = [], 0
    for match in _ATTRIBUTE_CALL.finditer(text):
        if match.start() < done:
            continue
        end = closing(text, match.start(1))
        pieces += [text[done : match.start()], blank(text[match.start() : end])]
        done = end
    return b"".join([*pieces, text[done:]])
