# SPDX-License-Identifier: GPL-2.0-or-later
"""Let the user write a text in an editor, as git does it (git-var(1), GIT_EDITOR)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from patchgen.cachefile import cache_path
from patchgen.campaign import CampaignTexts, parse_text
from patchgen.errors import RefusedError
from patchgen.git_environment import program_environment
from patchgen.process import run, run_on_terminal
from patchgen.scratch import scratch_folder

# The line of `git commit --cleanup=scissors`: it and what follows are not part of the text.
_SCISSORS = "# ------------------------ >8 ------------------------"


class TextEditor:
    """Lets the user edit texts.

    `saved` are copies of the edited texts: they preserve the user's work if the series cannot be
    made.
    """

    def __init__(self) -> None:
        self.saved: list[Path] = []

    def edit(self, texts: CampaignTexts) -> CampaignTexts:
        """Let the user edit the message and the cover letter, each as a file.

        Raises RefusedError if the editor fails, or if a text is empty, without a subject, or not
        UTF-8.
        """
        message = self._edit(
            str(texts.message),
            "MESSAGE",
            "The message of all patches. The first line is the subject, without the prefix.\n"
            "patchgen adds the semantic patch, and the numbers of places.",
        )
        cover = self._edit(
            str(texts.cover),
            "COVER-LETTER",
            "The cover letter. The first line is its subject.\n"
            "patchgen adds the list of patches, the semantic patch, and the numbers of places.",
        )
        edited = CampaignTexts(
            parse_text(message, "the message"), parse_text(cover, "the cover letter")
        )
        for text, name in ((edited.message, "message"), (edited.cover, "cover letter")):
            if not text.subject:
                raise RefusedError(
                    f"the {name} has no subject; nothing was written",
                    code="text-without-subject",
                    hint="its first line is the subject, and an empty line follows it",
                )
        return edited

    def _edit(self, text: str, name: str, advice: str) -> str:
        """Return a text as the user edited it, in a file `name`; `advice` is shown below it."""
        comment = "".join(f"# {line}\n" for line in advice.split("\n"))
        with scratch_folder("editor") as folder:
            path = folder / name
            path.write_text(f"{text.rstrip()}\n\n{_SCISSORS}\n{comment}", encoding="utf-8")
            editor = _find_editor(folder)
            # As git runs it: the editor may be a command with arguments.
            code = run_on_terminal(["sh", "-c", f'{editor} "$@"', editor, str(path)])
            content = path.read_bytes() if path.exists() else b""
        edited = content.partition(_SCISSORS.encode())[0].strip()
        if edited:
            self._save(name, edited)
        if code != 0:
            raise RefusedError(
                f"the editor failed with exit code {code}; nothing was written",
                code="editor-failed",
                hint=f"$GIT_EDITOR replaces the editor, which is {editor}",
            )
        if not edited:
            raise RefusedError(
                "cancelled, as the text is empty; nothing was written", code="cancelled"
            )
        try:
            return f"{edited.decode()}\n"
        except UnicodeDecodeError:
            raise RefusedError(
                "the edited text is not UTF-8; nothing was written", code="not-utf8"
            ) from None

    def _save(self, name: str, text: bytes) -> None:
        path = cache_path("edited") / name
        # The series can be made without the copy.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text + b"\n")
            self.saved.append(path)


def _find_editor(folder: Path) -> str:
    """Return the user's editor. `folder` is not in a repository.

    The configuration of the tree, which a stranger may have written, is not read.
    """
    if editor := os.environ.get("GIT_EDITOR"):
        return editor
    env = {**program_environment(), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    completed = run(["git", "config", "--get", "core.editor"], cwd=folder, env=env, ok=(0, 1))
    configured = completed.stdout.decode("utf-8", "surrogateescape").strip()
    return configured or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
