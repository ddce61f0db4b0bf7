"""The documents as tests read them: links, code blocks, and a reader who follows a page from top to bottom."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from vbiflow.provenance import ROOT

PAGES = sorted(
    [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "config/README.md", *(ROOT / "resources").glob("*/*.md")]
)
FENCE = re.compile(r"^```(\w*)(?: title=\"(.*?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "--- end of block {} ---"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is, if it has a title, and its text."""

    language: str
    title: str
    text: str


def blocks(path: Path) -> list[Block]:
    """Fenced blocks of a page, in their order."""
    return [Block(*found) for found in FENCE.findall(path.read_text(encoding="utf-8"))]


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """What the links and pictures of a page lead to."""
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<(?:img|a)\b[^>]*?(?:src|href)="([^"]+)"', text)


def anchors(path: Path) -> set[str]:
    """What a link can lead to within a page: its headings, as GitHub and MkDocs spell them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    plain = (re.sub(r"\[(.*?)\]\(.*?\)|[`*]", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def script(page: list[Block]) -> str:
    """A Bash script that writes the files of a page and runs its commands, with a line after each block of commands."""
    lines = ["set -euo pipefail"]
    for number, block in enumerate(page):
        if block.title:
            folder = str(Path(block.title).parent)
            lines.append(f"mkdir -p {shlex.quote(folder)}; cat > {shlex.quote(block.title)} <<'END_OF_FILE'")
            lines.append(f"{block.text}END_OF_FILE")
        elif block.language == "sh":
            lines += [block.text, f"echo '{END.format(number)}'"]
    return "\n".join(lines)


def expected(page: list[Block], output: str) -> list[tuple[str, str]]:
    """Lines that a page shows as output and that the commands before did not print, each with what they did print."""
    missing, start, last = [], 0, ""
    for number, block in enumerate(page):
        if block.language == "sh" and not block.title:
            stop = output.index(END.format(number), start)
            last, start = output[start:stop], stop
        elif block.language == "text":
            for line in block.text.splitlines():
                pattern = ".*".join(re.escape(part) for part in line.split("..."))
                if not re.search(f"^{pattern}$", last, re.MULTILINE):
                    missing.append((line, last))
    return missing
