# SPDX-License-Identifier: GPL-2.0-or-later
"""Make kernel C readable for a parser that does not expand macros.

Directives are removed from the text, since they cut through statements and declarations, and
returned separately: conditions by line, includes, macros. Attributes that the grammar does not know
(`__init`, `noinstr`) and macros that replace a function's head (`DEFINE_IDTENTRY(f)`) are
overwritten in place: the grammar reads one unknown word in a declaration as a type, and with two it
loses the function. Every byte remains on its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.c_text import (
    LineCounter,
    find_closing,
    join_words,
    overwrite_spans,
    overwrite_with_spaces,
    split_arguments,
)
from patchgen.audit.directives import Preprocessed, read_directives
from patchgen.audit.facts import Asm, Invocation

# Attributes that kernel code spells as macros: patterns that match whole words.
_ATTRIBUTE_NAMES = rb"""
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
_ATTRIBUTE = re.compile(rb"(?:%b)\b(?!\s*\()" % join_words(_ATTRIBUTE_NAMES))
_ATTRIBUTES_WITH_ARGUMENTS = rb"""
    __acquires __alias_by\w* __aligned __alloc_size ALLOW_ERROR_INJECTION ASSERT_STRUCT_\w+
    __assume_aligned __attribute__ __bpf_kfunc_\w+_defs BTF_\w+ __cacheline_group_\w+ __cleanup
    __cond_acquires __cond_releases __copy DECLARE_LOCK_GUARD_\w+ __DEFINE_\w+_GUARD
    DEFINE_FREE __diag_\w+ EXPORT_\w+
    __init_or_suspend MODULE_ALIAS\w* MODULE_AUTHOR MODULE_DESCRIPTION MODULE_DEVICE_TABLE
    MODULE_FIRMWARE MODULE_IMPORT_NS MODULE_INFO MODULE_LICENSE MODULE_PARM_DESC MODULE_SOFTDEP
    MODULE_VERSION __must_hold __must_hold_\w+ __no_context_analysis __no_sanitize
    NOKPROBE_SYMBOL __printf PV_CALLEE_SAVE_REGS_THUNK __realloc_size __releases __scanf
    __section STACK_FRAME_NON_STANDARD\w* static_assert _Static_assert TRACE_DEFINE_ENUM
"""
_ATTRIBUTE_CALL = re.compile(rb"(?:%b)\s*(\()[ \t]*" % join_words(_ATTRIBUTES_WITH_ARGUMENTS))
_FREE = re.compile(rb"__free(?<!\w__free)\(\w+\)")
_ALWAYS_INLINE = re.compile(rb"__always_inline(?<!\w__always_inline)\b")
_ASM_STATEMENT = re.compile(
    rb"\b(?:asm|__asm__|__asm|asm_inline|asm_volatile_goto|asm_goto_output)\b"
    rb"(?:\s|volatile\b|__volatile__\b|__volatile\b|goto\b|inline\b|__inline\b)*\("
)
# A loop macro: a parser sees a call, and then a statement without a semicolon between them.
_LOOP = re.compile(rb"for_each\w*+[ \t]*+\(")
_BEFORE_LOOP = re.compile(rb"[ \t]+\w*")
_STATEMENT = re.compile(rb"\s*([ \t])(?=[A-Za-z_{])")
# `DEFINE_SCHED_CLASS(fair) = {`: by custom the macro's name is the struct's.
_DEFINED = re.compile(rb"^(?:const[ \t]+)?DEFINE_(\w+)\((\w+)\)(?=\s*=)", re.M)
_PERCPU_INITIALISED = re.compile(
    rb"DEFINE_PER_CPU(?<!\wDEFINE_PER_CPU)\w*"
    rb"\(\s*(?:struct|union)\s+(\w+),\s*(\w+)\)(?=\s*=\s*\{)"
)
_INVOCATION = re.compile(rb"\n(?:static[ \t]+)?([A-Za-z_]\w*)[ \t]*\(")
_NEXT = re.compile(rb"\s*(.?)", re.S)
_PERCPU = re.compile(
    rb"DE(?<!\wDE)(?:FINE|CLARE)_PER_CPU\w*"
    rb"\(\s*(?:const\s+)?(?:struct\s+|union\s+)?(\w+)[\s*]*,\s*(\w+)"
)
_HEAD_MACRO = re.compile(
    rb"\n([A-Z][A-Z0-9_]+|[a-z_]+_DEFINE\w*)"
    rb"\(([ \t\n]*\w+)(?:[^;{}()]|\([^;{}()]*\))*\)[ \t\n]*(?=\{)"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The text for the parser, and what was removed from it."""

    text: bytes
    preprocessed: Preprocessed
    invocations: tuple[Invocation, ...]
    asms: tuple[Asm, ...]
    percpu: tuple[tuple[str, int, str], ...]


def prepare_source(content: bytes) -> Prepared:
    """Remove directives, and what the grammar cannot parse, from a C file."""
    preprocessed = read_directives(content)
    cleaned, asms = _take_asms(_spell_heads(_remove_attributes(preprocessed.text)))
    cleaned = _spell_variables(_end_loop_heads(cleaned))
    percpu = tuple(_find_percpu(cleaned))
    cleaned, invocations = _take_invocations(cleaned)
    return Prepared(cleaned, preprocessed, tuple(invocations), tuple(asms), percpu)


def _remove_attributes(text: bytes) -> bytes:
    """Overwrite attributes and their arguments with spaces."""
    text = _ALWAYS_INLINE.sub(b"inline         ", text)
    text = _remove_attribute_calls(text)
    text = _FREE.sub(lambda match: overwrite_with_spaces(match[0]), text)
    return _ATTRIBUTE.sub(lambda match: overwrite_with_spaces(match[0]), text)


def _remove_attribute_calls(text: bytes) -> bytes:
    """Overwrite attributes that have arguments with spaces."""
    spans, position = [], 0
    for match in _ATTRIBUTE_CALL.finditer(text):
        if match.start() >= position:
            position = find_closing(text, match.start(1))
            spans.append((match.start(), position))
    return overwrite_spans(text, spans)


def _take_asms(text: bytes) -> tuple[bytes, list[Asm]]:
    """Remove asm statements: the grammar parses only a template that is a literal."""
    if b"asm" not in text:
        return text, []
    spans, asms, position = [], [], 0
    lines = LineCounter(text)
    for match in _ASM_STATEMENT.finditer(text):
        if match.start() < position:
            continue
        end = find_closing(text, match.end() - 1)
        inner = text[match.end() : end - 1].decode("utf-8", "replace")
        template, operands = _split_template(inner)
        line = lines.number(match.start())
        asms.append(Asm(line, template, operands))
        spans.append((match.start(), end))
        position = end
    return overwrite_spans(text, spans), asms


def _split_template(inner: str) -> tuple[str, str]:
    """Split the text between the parentheses of an asm at its first colon outside of strings."""
    depth = 0
    for match in re.finditer(r'"(?:\\.|[^"\\])*"|[():]', inner):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif match[0] == ":" and depth == 0:
            return (
                " ".join(inner[: match.start()].split()),
                " ".join(inner[match.end() :].split()),
            )
    return " ".join(inner.split()), ""


def _end_loop_heads(text: bytes) -> bytes:
    """Replace a space after the head of a loop macro by a semicolon."""
    changed = bytearray(text)
    line = before = 0
    for match in _LOOP.finditer(text):
        line = max(line, text.rfind(b"\n", before, match.start()) + 1)
        before = match.start()
        if not _BEFORE_LOOP.fullmatch(text, line, before):
            continue
        follows = _STATEMENT.match(text, find_closing(text, match.end() - 1))
        if follows is not None:
            changed[follows.start(1)] = ord(";")
    return bytes(changed)


def _spell_variables(text: bytes) -> bytes:
    if b"DEFINE_" in text:
        text = _DEFINED.sub(_spell_variable, text)
        text = _PERCPU_INITIALISED.sub(_spell_variable, text)
    return text


def _spell_variable(match: re.Match[bytes]) -> bytes:
    """Spell a macro that defines a variable as its declaration, in as many bytes."""
    declaration = b"struct %b %b" % (match[1].lower(), match[2])
    return declaration.ljust(len(match[0])) if len(declaration) <= len(match[0]) else match[0]


def _find_percpu(text: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield variables that macros define: name, line and type."""
    lines = LineCounter(text)
    for match in _PERCPU.finditer(text):
        yield match[2].decode(), lines.number(match.start()), match[1].decode()


def _take_invocations(text: bytes) -> tuple[bytes, list[Invocation]]:
    """Remove macros that are used at file scope in place of a declaration."""
    spans, invocations, position = [], [], 0
    lines = LineCounter(text)
    for match in _INVOCATION.finditer(b"\n" + text):
        start, opening = match.start(), match.end() - 2
        if start < position or not _begins_statement(text, start):
            continue
        end = find_closing(text, opening)
        follows = _NEXT.match(text, end)
        if follows is None or follows[1] not in (b";", b""):
            if follows is None or text[end : follows.start(1)].count(b"\n") == 0:
                continue
            if follows[1] == b"{":
                continue
        arguments = split_arguments(text[opening + 1 : end - 1].decode("utf-8", "replace"))
        invocations.append(Invocation(match[1].decode(), lines.number(start), arguments))
        position = follows.end(1) if follows[1] == b";" else end
        spans.append((start, position))
    return overwrite_spans(text, spans), invocations


def _begins_statement(text: bytes, offset: int) -> bool:
    before = text[max(0, offset - 2000) : offset].rstrip()
    return not before or before[-1:] in b";})"


def _spell_heads(text: bytes) -> bytes:
    return _HEAD_MACRO.sub(_spell_head, b"\n" + text)[1:]


def _spell_head(match: re.Match[bytes]) -> bytes:
    """Spell `DEFINE_IDTENTRY(exc_debug)` as a function's head, in as many bytes."""
    name = match[2].strip()
    if match[1].startswith(b"SYSCALL_DEFINE"):
        name = b"__do_sys_" + name
    head = b"\nint " + name + b"()"
    text = match[0]
    lines = text.count(b"\n", 1)
    room = len(text) - lines
    if len(head) > room:
        return match[0]
    return head + b" " * (room - len(head)) + b"\n" * lines
