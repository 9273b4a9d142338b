"""A hook of mkdocs: files outside docs/ become part of the site.

Pages name other files of the repository by relative paths, which work where the repository is shown. In the site the
same links lead to the page that such a file has become, or to a copy of it.
"""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "config/README.md": "keys.md",
    "benchmarks/README.md": "benchmarks.md",
    "findings/README.md": "findings.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    # the index of the folder, where the site has its navigation
    "docs/README.md": "index.md",
}
"""Pages of the site that lie outside docs/, or under another name there."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
SHOWN = ".txt"
"""Browsers show text, but load a file of YAML or Python down."""


def on_files(files, config):
    """Add the pages that lie outside docs/, and the files to which pages link."""
    for source, page in PAGES.items():
        if not source.startswith("docs/"):
            files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for page in files.documentation_pages():
        for name in map(_place, _linked(_source(page), page.content_string)):
            if name.startswith("files/") and not files.get_file_from_path(name):
                path = ROOT / name.removeprefix("files/").removesuffix(SHOWN)
                files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, **_):
    """Turn links to files of the repository into links of the site."""
    source = _source(page.file)
    folder = dirname(page.file.src_uri) or "."
    return LINK.sub(lambda link: relpath(_place(normpath(join(dirname(source), link[0]))), folder), markdown)


def _source(file):
    """Return the path of a page in the repository."""
    return next((source for source, page in PAGES.items() if page == file.src_uri), f"docs/{file.src_uri}")


def _linked(source, text):
    """Return the paths in the repository to which a page links."""
    return {normpath(join(dirname(source), link)) for link in LINK.findall(text)}


def _place(path):
    """Return where the site has a file of the repository; mkdocs complains of what is not there."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"files/{path}{SHOWN}" if (ROOT / path).is_file() else path
