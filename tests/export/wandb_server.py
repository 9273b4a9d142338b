"""A loopback server that takes what `wandb sync` uploads, for wandb-core 0.31: GraphQL, file stream and files."""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

VIEWER = {"id": "v", "entity": "me", "username": "me", "teams": {"edges": []}, "flags": "{}"}
SERVER = {"cliVersionInfo": {"max_cli_version": "0.31.0"}, "latestLocalVersionInfo": None, "features": []}


@dataclass
class Uploads:
    """What came, by the id of the run; to be used as a context."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a run was made with: project, displayName, groupName, tags, config."""
    history: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    summary: dict[str, dict[str, Any]] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        uploads = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self._body())
                if self.path == "/graphql":
                    self._answer({"data": uploads.answered(told["query"], told["variables"] or {})})
                    return
                uploads.take(self.path.split("/")[4], told)
                self._answer({"exitcode": None, "limits": {}})

            def do_PUT(self) -> None:
                self._body()
                self._answer({})

            def _body(self) -> bytes:
                data = self.rfile.read(int(self.headers.get("content-length", 0)))
                return gzip.decompress(data) if self.headers.get("content-encoding") == "gzip" else data

            def _answer(self, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("localhost", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def answered(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        if "upsertBucket" in query:
            name = given["name"]
            self.runs.setdefault(name, {}).update({key: value for key, value in given.items() if value is not None})
            project = {"id": "p", "name": self.runs[name]["project"], "entity": {"id": "e", "name": "me"}}
            run = {"id": "b", "name": name, "displayName": name, "description": "", "config": "{}", "sweepName": None}
            return {"upsertBucket": {"bucket": {**run, "project": project, "historyLineCount": 0}, "inserted": True}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        return {"viewer": VIEWER, "serverInfo": SERVER, "model": None, "entity": {"name": "me"}}

    def take(self, run: str, told: dict[str, Any]) -> None:
        files = told.get("files") or {}
        self.history[run] += map(json.loads, files.get("wandb-history.jsonl", {}).get("content", []))
        for line in files.get("wandb-summary.json", {}).get("content", []):
            self.summary[run] = json.loads(line)
        if told.get("complete"):
            self.exit_codes[run] = told["exitcode"]
