"""The documentation as a site: built strictly and without network, it needs none to be read, and links work in it."""

import re
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_NETWORK = """
import socket

def refused(*_, **__):
    raise AssertionError("the site must be built without network")

socket.socket.connect = socket.getaddrinfo = refused
from mkdocs.__main__ import cli
cli()
"""


class Elements(HTMLParser):
    """The elements of a page: names of tags with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page.read_text())

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def pages(site):
    return [page for page in site.glob("*.html") if page.name != "404.html"]


def test_every_page_is_in_the_site(site):
    expected = {f"{page.stem}.html" for page in ROOT.glob("docs/*.md")} - {"README.html"}
    expected |= {f"{name}.html" for name in ("index", "keys", "benchmarks", "findings", "contributing", "changelog")}
    assert {page.name for page in pages(site)} == expected
    assert "search.eta" in (site / "keys.html").read_text()


def test_reading_the_site_needs_no_network(site):
    loaded = [
        (page.name, attributes.get("src") or attributes["href"])
        for page in pages(site)
        for tag, attributes in Elements(page).found
        if tag in ("script", "img", "iframe", "source", "link") and (attributes.get("src") or attributes.get("href"))
    ]
    assert loaded
    assert [(page, url) for page, url in loaded if re.match(r"(\w+:)?//", url)] == []
    styles = "".join(style.read_text() for style in site.rglob("*.css"))
    assert not re.search(r"url\([\"']?(https?:)?//", styles)


def test_links_of_the_site_lead_to_files_and_titles_in_it(site):
    ids = {page.name: {attributes.get("id") for _, attributes in Elements(page).found} for page in pages(site)}
    checked = 0
    for page in pages(site):
        for tag, attributes in Elements(page).found:
            href = attributes.get("href")
            if tag != "a" or not href or re.match(r"\w+:", href):
                continue
            name, _, anchor = href.partition("#")
            assert (site / (name or page.name)).is_file(), (page.name, href)
            assert not anchor or anchor in ids[name or page.name] or anchor == "__skip", (page.name, href)
            checked += 1
    assert checked > 500


def test_files_of_the_repository_come_along(site):
    for name in ("examples/train.sh", "config/studies/ptb-lstm.yaml"):
        assert (site / f"files/{name}.txt").read_bytes() == (ROOT / name).read_bytes()


def test_the_search_of_the_site_works_behind_any_server(site, browser):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shown = browser.new_page()
    try:
        shown.goto(f"http://127.0.0.1:{server.server_port}/index.html?q=thaw")
        shown.get_by_text(re.compile(r"\d+ matching documents")).wait_for(timeout=100_000)
    finally:
        shown.close()
        server.shutdown()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
