"""Make kernel C readable for a parser that does not expand macros, and keep what that takes away.

Directives are taken out of the text, since they cut through statements and declarations; what they
say is returned beside it: conditions by line, includes, macros. Attributes that the grammar has no
place for (`__init`, `noinstr`) and macros that stand for a function's head (`DEFINE_IDTENTRY(f)`)
are overwritten in place. Every byte keeps its line.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.facts import Asm, Invocation, Macro, Region

_DIRECTIVE = re.compile(
    rb"^[ \t]*#[ \t]*(\w+)((?:\\\r?\n|/\*.*?\*/|[^\n\\]|\\(?!\r?\n))*)", re.M | re.S
)
_COMMENT_OR_STRING = re.compile(
    rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S
)
_DEFINE = re.compile(rb"^[ \t]+(\w+)(\(([^)]*)\))?(.*)$", re.S)
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_END = re.compile(rb"\n")
_CONTINUED = b"\\\n"
_INK = re.compile(rb"[^\n]")
_FUNCTION_IN_MACRO = re.compile(r"\)\s*(?:\\\s*)?\{")
_ASM_CALL = re.compile(r"\bcall\s+([a-z_]\w+)")
_ASM = re.compile(r"\b(?:asm|__asm__|__asm)\b")
_NO_CALLS = frozenset(
    [
        "if",
        "while",
        "for",
        "switch",
        "sizeof",
        "typeof",
        "__typeof__",
        "return",
        "defined",
        "asm",
        "__asm__",
        "volatile",
        "do",
        "__attribute__",
        "__volatile__",
        "__builtin_constant_p",
    ]
)
# Attributes that kernel code spells as macros, with and without arguments. The grammar takes one
# unknown word in a declaration for a type; with two it loses the function.
_ATTRIBUTE_CALL = re.compile(
    rb"\b(?:__attribute__|__section|__aligned|__printf|__scanf|__acquires|__releases|__must_hold"
    rb"|__cond_acquires|__alloc_size|__assume_aligned|__no_sanitize|__copy|__alias_by\w*"
    rb"|__cleanup|__realloc_size|__bpf_kfunc_\w+_defs|__diag_\w+|__must_hold_\w+"
    rb"|__cond_releases|__init_or_suspend|__no_context_analysis|__cacheline_group_\w+"
    rb"|EXPORT_\w+|MODULE_(?:LICENSE|AUTHOR|DESCRIPTION|ALIAS\w*|VERSION|DEVICE_TABLE|FIRMWARE"
    rb"|PARM_DESC|IMPORT_NS|INFO|SOFTDEP)|NOKPROBE_SYMBOL|STACK_FRAME_NON_STANDARD\w*"
    rb"|TRACE_DEFINE_ENUM|ALLOW_ERROR_INJECTION|BTF_\w+|PV_CALLEE_SAVE_REGS_THUNK"
    rb"|_Static_assert|static_assert|ASSERT_STRUCT_\w+|__DEFINE_\w+_GUARD"
    rb"|DEFINE_(?:FREE|GUARD\w*|LOCK_GUARD_\w+|CLASS)|DECLARE_LOCK_GUARD_\w+"
    rb")\s*(\()[ \t]*"
)
_ATTRIBUTE = re.compile(
    rb"\b(?:__init|__exit|__ref|__refdata|__initdata\w*|__initconst\w*|__init_or_module|__meminit\w*"
    rb"|__cpuinit\w*|__devinit\w*|__visible|__head|__sched|__lockfunc|__percpu|__user|__iomem|__rcu"
    rb"|__kernel|__force|__nocast|__bitwise|__safe|__private|__must_check|__malloc|__pure|__cold|__hot"
    rb"|__weak|__used|__unused|__always_unused|__maybe_unused|__packed|__read_mostly|__ro_after_init"
    rb"|__noreturn|__deprecated|__naked|__noclone|__mutually_exclusive|__latent_entropy|__flatten"
    rb"|__nosavedata|__randomize_layout|__no_randomize_layout|__designated_init|__noendbr|__nocfi"
    rb"|__noscs|__notrace_funcgraph|__no_\w+|__kprobes|__cpuidle|__irq_entry|__softirq_entry"
    rb"|__entry_text|__fortify_\w+|__bpf_kfunc|__net_init\w*|__net_exit\w*|__net_initdata"
    rb"|__overloadable|__diagnose_as_builtin|__cacheline_aligned\w*"
    rb"|____cacheline_\w+|__page_aligned_\w+|__bss_decrypted|__data_nosave|__attribute_const__"
    rb"|__attribute_used__|__assume_ctx_lock|__guarded_by|__vdso\w*|__init_memblock|__initdata_memblock"
    rb"|__initdata_or_meminfo|__init_refok|__refconst|__nonstring|__noderef"
    rb"|__section_\w+|__efi_\w+text|__efiapi"
    rb"|__ksym"
    rb"|noinstr|notrace|asmlinkage|noinline\w*|fastcall|nokprobe_inline|debug_noinline"
    rb""
    rb"|ACPI_INIT_\w+|ACPI_EXPORT_SYMBOL_INIT|ACPI_INTERNAL_VAR_XFACE|EFIAPI"
    rb"|__xen_pv\w*|ACPI_SYSTEM_XFACE"
    rb"|__initdata_\w+)\b(?!\s*\()"
)
_FREE = re.compile(rb"\b__free\(\w+\)")
_ALWAYS_INLINE = re.compile(rb"\b__always_inline\b")
_ASM_STATEMENT = re.compile(
    rb"\b(?:asm|__asm__|__asm|asm_inline|asm_volatile_goto|asm_goto_output)\b"
    rb"(?:\s|volatile\b|__volatile__\b|__volatile\b|goto\b|inline\b|__inline\b)*\("
)
# A loop by a macro: to a parser, a call and then a statement without a semicolon between.
_LOOP = re.compile(rb"^[ \t]+\w*for_each\w*[ \t]*\(", re.M)
_STATEMENT = re.compile(rb"\s*([ \t])(?=[A-Za-z_{])")
# `DEFINE_SCHED_CLASS(fair) = {`: by custom the macro's name is the struct's.
_DEFINED = re.compile(rb"^(?:const[ \t]+)?DEFINE_(\w+)\((\w+)\)(?=\s*=)", re.M)
_PERCPU_GIVEN = re.compile(
    rb"\bDEFINE_PER_CPU\w*\(\s*(?:struct|union)\s+(\w+),\s*(\w+)\)(?=\s*=\s*\{)"
)
_INVOCATION = re.compile(rb"^(?:static[ \t]+)?([A-Za-z_]\w*)[ \t]*\(", re.M)
_NEXT = re.compile(rb"\s*(.?)", re.S)
_PERCPU = re.compile(
    rb"\bDE(?:FINE|CLARE)_PER_CPU\w*\(\s*(?:const\s+)?(?:struct\s+|union\s+)?(\w+)[\s*]*,\s*(\w+)"
)
_HEAD_MACRO = re.compile(
    rb"^([A-Z][A-Z0-9_]+|[a-z_]+_DEFINE\w*)"
    rb"\(([ \t\n]*\w+)(?:[^;{}()]|\([^;{}()]*\))*\)[ \t\n]*(?=\{)",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the parser gets, and what was taken out of it."""

    text: bytes
    regions: tuple[Region, ...]
    includes: tuple[str, ...]
    macros: tuple[Macro, ...]
    invocations: tuple[Invocation, ...] = ()
    asms: tuple[Asm, ...] = ()
    percpu: tuple[tuple[str, int, str], ...] = ()


class Lines:
    """The lines of a text, by offset."""

    def __init__(self, text: bytes):
        self._starts = [0, *(match.end() for match in _END.finditer(text))]

    def number(self, offset: int) -> int:
        """Return the number of the line that an offset is in, from 1."""
        return bisect.bisect_right(self._starts, offset)


def blank(content: bytes) -> bytes:
    """Return as many bytes, all blanks but for the ends of lines."""
    return _INK.sub(b" ", content) if b"\n" in content else b" " * len(content)


def read_directives(content: bytes) -> Prepared:
    """Take comments and directives out of a file, C or assembly."""
    content = _COMMENT_OR_STRING.sub(_blank_comment, content)
    reader = _Directives(content)
    text = bytearray(content)
    for match in _DIRECTIVE.finditer(content):
        reader.read(match)
        text[match.start() : match.end()] = blank(match[0])
    for start, end in reader.dropped:
        text[start:end] = blank(bytes(text[start:end]))
    return Prepared(
        bytes(text), tuple(reader.regions), tuple(reader.includes), tuple(reader.macros)
    )


def prepare_source(content: bytes) -> Prepared:
    """Take directives and what the grammar does not know out of a C file."""
    taken = read_directives(content)
    cleaned, asms = _take_asms(_blank_attributes(taken.text))
    cleaned = _DEFINED.sub(_spell_variable, _end_loop_heads(cleaned))
    cleaned = _PERCPU_GIVEN.sub(_spell_variable, cleaned)
    percpu = tuple(_find_percpu(cleaned))
    cleaned, invocations = _take_invocations(cleaned)
    return Prepared(
        cleaned,
        taken.regions,
        taken.includes,
        taken.macros,
        tuple(invocations),
        tuple(asms),
        percpu,
    )


def _take_asms(text: bytes) -> tuple[bytes, list[Asm]]:
    """Take asm statements out: the grammar knows only those whose template is a literal."""
    pieces, asms, done = [], [], 0
    lines = Lines(text)
    for match in _ASM_STATEMENT.finditer(text):
        if match.start() < done:
            continue
        end = closing(text, match.end() - 1)
        inner = text[match.end() : end - 1].decode("utf-8", "replace")
        template, operands = _split_template(inner)
        line = lines.number(match.start())
        asms.append(Asm(line, template, operands))
        pieces += [text[done : match.start()], blank(text[match.start() : end])]
        done = end
    return b"".join([*pieces, text[done:]]), asms


def _split_template(inner: str) -> tuple[str, str]:
    """Split what is between the parentheses of an asm at its first colon outside of strings."""
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
    """Put a semicolon behind the head of a loop by a macro, in the place of a blank."""
    changed = bytearray(text)
    for match in _LOOP.finditer(text):
        follows = _STATEMENT.match(text, closing(text, match.end() - 1))
        if follows is not None:
            changed[follows.start(1)] = ord(";")
    return bytes(changed)


def _spell_variable(match: re.Match[bytes]) -> bytes:
    """Spell a variable that a macro defines as one, in as many bytes."""
    spelt = b"struct %b %b" % (match[1].lower(), match[2])
    return spelt.ljust(len(match[0])) if len(spelt) <= len(match[0]) else match[0]


def _find_percpu(text: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield variables that macros define: name, line and type."""
    lines = Lines(text)
    for match in _PERCPU.finditer(text):
        yield match[2].decode(), lines.number(match.start()), match[1].decode()


def _take_invocations(text: bytes) -> tuple[bytes, list[Invocation]]:
    """Take macros out that stand at file scope where a declaration would."""
    pieces, found, done = [], [], 0
    lines = Lines(text)
    for match in _INVOCATION.finditer(text):
        if match.start() < done or not _begins_statement(text, match.start()):
            continue
        end = closing(text, match.end() - 1)
        follows = _NEXT.match(text, end)
        if follows is None or follows[1] not in (b";", b""):
            if follows is None or text[end : follows.start(1)].count(b"\n") == 0:
                continue
            if follows[1] == b"{":
                continue
        arguments = split_arguments(text[match.end() : end - 1].decode("utf-8", "replace"))
        line = lines.number(match.start())
        found.append(Invocation(match[1].decode(), line, arguments))
        stop = follows.end(1) if follows[1] == b";" else end
        pieces += [text[done : match.start()], blank(text[match.start() : stop])]
        done = stop
    return b"".join([*pieces, text[done:]]), found


def _begins_statement(text: bytes, offset: int) -> bool:
    before = text[max(0, offset - 2000) : offset].rstrip()
    return not before or before[-1:] in b";})"


def split_arguments(inner: str) -> tuple[str, ...]:
    """Split at the commas outside of parentheses, braces and strings."""
    depth, start, parts = 0, 0, []
    for match in re.finditer(r'"(?:\\.|[^"\\])*"|[(){}\[\],]', inner):
        if match[0] in "({[":
            depth += 1
        elif match[0] in ")}]":
            depth -= 1
        elif match[0] == "," and depth == 0:
            parts.append(inner[start : match.start()])
            start = match.end()
    return tuple(" ".join(part.split())[:200] for part in [*parts, inner[start:]])


def _blank_comment(match: re.Match[bytes]) -> bytes:
    text = match[0]
    if text[:1] in b"\"'":
        return text
    # In a macro's text the line goes on behind a comment as well.
    return _CONTINUED.join(map(blank, text.split(_CONTINUED)))


def _blank_attributes(text: bytes) -> bytes:
    text = _ALWAYS_INLINE.sub(b"inline         ", text)
    text = _blank_calls(text)
    text = _FREE.sub(lambda match: blank(match[0]), text)
    text = _ATTRIBUTE.sub(lambda match: blank(match[0]), text)
    return _HEAD_MACRO.sub(_spell_head, text)


def _blank_calls(text: bytes) -> bytes:
    """Overwrite attributes that have arguments."""
    pieces, done = [], 0
    for match in _ATTRIBUTE_CALL.finditer(text):
        if match.start() < done:
            continue
        end = closing(text, match.start(1))
        pieces += [text[done : match.start()], blank(text[match.start() : end])]
        done = end
    return b"".join([*pieces, text[done:]])


def closing(text: bytes, opening: int) -> int:
    """Return the offset behind the parenthesis that closes the one at `opening`."""
    depth = 0
    for match in re.compile(rb"[()]").finditer(text, opening):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return match.end()
    return opening + 1


def _spell_head(match: re.Match[bytes]) -> bytes:
    """Spell `DEFINE_IDTENTRY(exc_debug)` as a function's head, in as many bytes."""
    name = match[2].strip()
    if match[1].startswith(b"SYSCALL_DEFINE"):
        name = b"__do_sys_" + name
    head = b"int " + name + b"()"
    rest = match[0]
    lines = rest.count(b"\n")
    room = len(rest) - lines
    if len(head) > room:
        return match[0]
    return head + b" " * (room - len(head)) + b"\n" * lines


class _Directives:
    """Reads directives in their order: conditions become regions of lines."""

    def __init__(self, content: bytes):
        self._content = content
        self._lines = Lines(content)
        self._open: list[_Branch] = []
        self.regions: list[Region] = []
        self.includes: list[str] = []
        self.macros: list[Macro] = []
        self.dropped: list[tuple[int, int]] = []

    def read(self, match: re.Match[bytes]) -> None:
        word = match[1]
        rest = match[2].replace(b"\\\n", b" ")
        line = self._lines.number(match.start())
        if word in (b"if", b"ifdef", b"ifndef"):
            self._open.append(_Branch(_condition(word, rest), line, match.end()))
        elif word in (b"elif", b"else", b"elifdef") and self._open:
            self._close(line, match.start())
            before = self._open.pop()
            earlier = [*before.earlier, before.condition]
            own = _condition(b"if", rest) if word == b"elif" else "1"
            self._open.append(_Branch(own, line, match.end(), earlier, before.uneven))
        elif word == b"endif" and self._open:
            self._close(line, match.start())
            self._open.pop()
        elif word == b"include":
            self.includes.append(rest.strip().decode("utf-8", "replace"))
        elif word == b"define":
            self._define(match[2], line)

    def _close(self, line: int, offset: int) -> None:
        """End a branch: its lines get its condition, and where it cuts through braces, only the
        first of its alternatives stays in the text."""
        branch = self._open[-1]
        condition = " && ".join(
            [*(f"!({each})" for each in branch.earlier), f"({branch.condition})"]
        )
        self.regions.append(Region(branch.line, line, condition))
        piece = _COMMENT_OR_STRING.sub(b"", self._content[branch.start : offset])
        uneven = piece.count(b"{") != piece.count(b"}") or piece.count(b"(") != piece.count(b")")
        if branch.earlier and branch.uneven and uneven:
            self.dropped.append((branch.start, offset))
        branch.uneven = branch.uneven or uneven

    def _define(self, rest: bytes, line: int) -> None:
        match = _DEFINE.match(rest.replace(b"\\\n", b" \n"))
        if match is None:
            return
        body = match[4].decode("utf-8", "replace")
        # What inline assembly calls counts, too; other strings say nothing.
        bare = _STRING.sub(_keep_call, body)
        parameters = (match[3] or b"").decode().replace("...", "__VA_ARGS__")
        names = tuple(each.strip() for each in parameters.split(",") if each.strip())
        calls = []
        for called in _CALLED.finditer(bare):
            if called[1] not in _NO_CALLS and called[1] not in names:
                calls.append((called[1], line + bare.count("\n", 0, called.start())))
        # What defines functions is expanded where it is used at file scope.
        defines = _FUNCTION_IN_MACRO.search(body) is not None
        keep = defines or bool(_ASM.search(body)) or '"' in body or len(body) < 400
        self.macros.append(
            Macro(
                match[1].decode(),
                line,
                match[2] is not None,
                names,
                tuple(calls),
                " ".join(body.split()) if keep else "",
            )
        )


def _keep_call(match: re.Match[str]) -> str:
    called = _ASM_CALL.search(match[0])
    return f" {called[1]}( " if called else '""'


@dataclass(slots=True)
class _Branch:
    condition: str
    line: int
    start: int
    earlier: list[str] | tuple[str, ...] = ()
    uneven: bool = False


def _condition(word: bytes, rest: bytes) -> str:
    text = " ".join(rest.decode("utf-8", "replace").split())
    if word == b"ifdef":
        return f"defined({text})"
    if word == b"ifndef":
        return f"!defined({text})"
    return text
