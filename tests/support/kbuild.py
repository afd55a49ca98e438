"""Build the objects that a series touches, commit by commit, in several configurations."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """A kernel configuration: a defconfig, and options that have to be on or off in the end."""

    name: str
    arch: str
    defconfig: str
    on: tuple[str, ...]
    off: tuple[str, ...] = ()


_GUEST = ("HYPERVISOR_GUEST", "PARAVIRT", "KVM_GUEST")
CONFIGS = (
    Config("x86_64", "x86_64", "x86_64_defconfig", (*_GUEST, "AMD_MEM_ENCRYPT")),
    Config("no-amd-mem-encrypt", "x86_64", "x86_64_defconfig", _GUEST, ("AMD_MEM_ENCRYPT",)),
    Config("no-paravirt", "x86_64", "x86_64_defconfig", ("AMD_MEM_ENCRYPT",), ("PARAVIRT",)),
    Config("i386", "i386", "i386_defconfig", _GUEST),
)
_WARNING = re.compile(r"^(?P<file>[^:\n]+):\d+(?::\d+)?: warning: (?P<text>.*)$", re.MULTILINE)


class BuildError(Exception):
    """make failed; the message has its last lines."""


class Builder:
    """A source folder at some commit, and one output folder a configuration."""

    def __init__(self, source: Path, output: Path, config: Config):
        self.source = source
        self.output = output
        self.config = config

    def configure(self) -> None:
        """Write .config, and check that it says what was asked for."""
        self._make(self.config.defconfig)
        words = [w for o in self.config.on for w in ("-e", o)]
        words += [w for o in self.config.off for w in ("-d", o)]
        script = self.source / "scripts" / "config"
        subprocess.run(["bash", script, "--file", self.output / ".config", *words], check=True)
        self._make("olddefconfig")
        text = (self.output / ".config").read_text()
        for option in self.config.on:
            assert f"CONFIG_{option}=y\n" in text, f"{self.config.name}: {option} is not on"
        for option in self.config.off:
            assert f"CONFIG_{option}=y\n" not in text, f"{self.config.name}: {option} is on"

    def objects_for(self, files: Sequence[str]) -> list[str]:
        """Return the objects of these C files that the configuration builds."""
        text = (self.output / ".config").read_text()
        objects = []
        for file in files:
            path = Path(file)
            if path.suffix != ".c":
                continue
            option = _option_of(self.source / path.parent / "Makefile", path.stem)
            if option is None or f"CONFIG_{option}=y\n" in text:
                objects.append(str(path.with_suffix(".o")))
        return objects

    def build(self, objects: Sequence[str]) -> set[str]:
        """Build objects with W=1 and return the warnings, without line numbers."""
        if not objects:
            return set()  # make without a target would build the whole kernel.
        for name in objects:
            (self.output / name).unlink(missing_ok=True)
        said = self._make("W=1", *objects)
        for name in objects:
            assert (self.output / name).is_file(), f"{name} was not built"
        return {f"{Path(m['file']).name}: {m['text']}" for m in _WARNING.finditer(said)}

    def find_unlinkable(self, objects: Sequence[str]) -> set[str]:
        """Return the symbols that objects use, but neither they nor the kernel around them define.

        Objects alone link to nothing, so this looks where the definition could be: the objects
        themselves, this configuration's linker script, and what the source exports.
        """
        if not objects:
            return set()
        used = self._symbols("--undefined-only", objects)
        missing = used - self._symbols("--defined-only", objects)
        self._make("arch/x86/kernel/vmlinux.lds")
        script = (self.output / "arch/x86/kernel/vmlinux.lds").read_text()
        missing -= set(re.findall(r"\b(\w+) = ", script))
        exports = r"EXPORT_[A-Z_]*SYMBOL[A-Z_]*\((\w+)"
        words = [
            "git",
            "-C",
            self.source,
            "grep",
            "-hoE",
            exports,
            "--",
            "arch/x86",
            "kernel",
            "mm",
        ]
        exported = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return missing - set(re.findall(r"\((\w+)", exported))

    def _symbols(self, option: str, objects: Sequence[str]) -> set[str]:
        words = ["nm", option, "--format=just-symbols", *objects]
        done = subprocess.run(words, cwd=self.output, capture_output=True, text=True, check=True)
        return {name for name in done.stdout.split() if not name.endswith(":")}

    def _make(self, *words: str) -> str:
        self.output.mkdir(parents=True, exist_ok=True)
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        done = subprocess.run(
            [
                "make",
                "-C",
                self.source,
                f"O={self.output}",
                f"ARCH={self.config.arch}",
                f"-j{os.cpu_count()}",
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=env,
        )
        if done.returncode != 0:
            raise BuildError(f"{self.config.name}: make {' '.join(words)}:\n{done.stdout[-3000:]}")
        return done.stdout


def _option_of(makefile: Path, stem: str) -> str | None:
    """Return the CONFIG_ option that builds an object, None for one that is always built."""
    text = makefile.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        match = re.match(r"obj-\$\(CONFIG_(\w+)\)\s*\+?=(.*)", line)
        if match and f"{stem}.o" in match[2].split():
            return match[1]
    return None


def build_series(
    source: Path, commits: Sequence[str], files: Sequence[str], output: Path
) -> dict[str, dict[str, set[str]]]:
    """Build commits in all configurations; return what is wrong, by configuration and commit.

    That is warnings, and symbols that nothing would define when the kernel is linked.
    `source` is a work tree of the test's own; it is moved from commit to commit, so that make
    rebuilds what changed only. Raises BuildError where a commit does not build.
    """
    problems: dict[str, dict[str, set[str]]] = {}
    for commit in commits:
        subprocess.run(["git", "-C", source, "checkout", "-q", "-f", commit], check=True)
        for config in CONFIGS:
            builder = Builder(source, output / config.name, config)
            if not (builder.output / ".config").is_file():
                builder.configure()
            try:
                objects = builder.objects_for(files)
                found = builder.build(objects)
            except BuildError as err:
                raise BuildError(f"commit {commit}: {err}") from None
            found |= {f"undefined: {name}" for name in builder.find_unlinkable(objects)}
            problems.setdefault(config.name, {})[commit] = found
    return problems
