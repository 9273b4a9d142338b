"""The promises of the README: its target and its study file run as printed, and all links work."""

import os
import re
import sys
from pathlib import Path

import forked
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def block(language, containing):
    return next(code for code in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in code)


def test_the_target_of_the_readme_can_be_searched(tmp_path):
    target = block("python", "class MyModel")
    (tmp_path / "my_model.py").write_text(target)
    study = yaml.safe_load(block("yaml", "name: my-model"))
    study["search"] |= {"max_epochs": 4, "eta": 2}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(study))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    printed = tmp_path / "printed.txt"
    for command in ("plan", "search", "status"):
        code = forked.run([forked.SWIFT_HYPERBAND, command], tmp_path, environment, printed)
        assert code == 0, printed.read_text()
    best = yaml.safe_load((tmp_path / "results/my-model/best.yaml").read_text())
    assert best["value"] < 0.6
    assert (tmp_path / best["state"]).exists()


def test_the_target_of_the_readme_is_short():
    lines = [line for line in block("python", "class MyModel").splitlines() if line.strip()]
    assert len(lines) <= 18


def test_the_readme_can_be_read_in_one_go():
    assert len(README.splitlines()) < 150


PAGES = [*ROOT.glob("*.md"), *(page for folder in ROOT.glob("[!.]*") for page in folder.glob("*.md"))]


def anchors(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for name, anchor in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
            file = page.parent / name if name else page
            assert file.exists(), (page, name)
            assert not anchor or anchor in anchors(file), (page, name, anchor)


def test_the_index_of_the_documentation_names_every_page():
    index = ROOT / "docs/README.md"
    linked = {(index.parent / name).resolve() for name in re.findall(r"\]\(((?!http)[^)#]+)", index.read_text())}
    assert set(PAGES) - {index} <= linked
