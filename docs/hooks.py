"""Pages of the site that lie elsewhere in the repository, and links between them and docs/.

In the repository every link counts from the file that holds it, so that it works where the files are read; MkDocs knows
docs/ alone.
"""

import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "README.md": "index.md",
    "config/README.md": "keys.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files outside docs/, and the pages that they become."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links of a page lead to pages; those to other files of the repository stay as their text."""
    sources = {page: source for source, page in ELSEWHERE.items()}
    folder = PurePosixPath(sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent
    parts = CODE.split(markdown)
    parts[::2] = [LINK.sub(lambda found: led(*found.groups(""), folder), part) for part in parts[::2]]
    return "".join(parts)


def led(mark: str, text: str, link: str, anchor: str, folder: PurePosixPath) -> str:
    """A link of a file in `folder` as the site has it; one to a file that is no page becomes its text."""
    if "://" in link:
        return f"{mark}[{text}]({link}{anchor})"
    path = (ROOT / folder / link).resolve().relative_to(ROOT).as_posix()
    if path in ELSEWHERE or path.startswith("docs/"):
        return f"{mark}[{text}]({ELSEWHERE.get(path, path.removeprefix('docs/'))}{anchor})"
    return text
