"""A loopback D-Wave Solver API (SAPI): 127.0.0.1 only, answers by annealing the submitted problem, fails on demand.

The unmodified dwave-cloud-client 0.14 and dwave-system talk to it. In a test: `with Loopback(size=4) as server:`. As a
process: `python tests/annealing/sapi.py --port 8000 --faults '{"outcome": "FAILED"}'`; it prints its endpoint,
`GET /loopback/problems` lists what was submitted and `POST /loopback/faults` sets the faults anew.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import threading
import time
import uuid
import zlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dimod
import dwave.graphs
import numpy as np
from dwave.cloud.solver import StructuredSolver
from dwave.cloud.testing.mocks import hybrid_bqm_solver_data, qpu_problem_timing_data, structured_solver_data
from dwave.samplers import SimulatedAnnealingSampler

TOKEN = "a-token-that-nobody-may-see"
# unlike a real token, which the client's own log masks by its form
QPU, HYBRID = "Loopback_system1.0", "loopback_hybrid_bqm_version1"


@dataclass
class Faults:
    """What goes wrong. All fields may be set while the server runs.

    Attributes
    ----------
    status : dict of str to int
        HTTP status answered at a place: "solvers", "submit", "poll" (states, and lists by label) or "answer".
    text : str
        Its message; `{token}` stands for the token that was sent.
    times : int or None
        How many requests fail before all is well again; None: all.
    after : int
        How many problems are taken before "submit" fails.
    hang : list of str
        Places that never answer.
    html : bool
        Every answer is a web page.
    offline : bool
        The solvers are listed as offline.
    outcome : str
        State in which problems end: "COMPLETED", "FAILED" or "CANCELLED".
    message : str
        Error message of a failed problem.
    delay : float
        Seconds until a problem has ended.
    lose : bool
        A submitted problem is taken, but the connection drops before the answer.
    """

    status: dict[str, int] = field(default_factory=dict)
    text: str = "made to fail"
    times: int | None = None
    after: int = 0
    hang: list[str] = field(default_factory=list)
    html: bool = False
    offline: bool = False
    outcome: str = "COMPLETED"
    message: str = "Problem failed"
    delay: float = 0.0
    lose: bool = False


@dataclass
class Problem:
    """A submitted problem; its answer is computed when it was accepted, its state follows the clock."""

    id: str
    type: str
    label: str | None
    solver: dict[str, Any]
    submitted: float
    job: dict[str, Any]
    answer: dict[str, Any]
    cancelled: bool = False


class Loopback:
    """The server in a thread.

    Parameters
    ----------
    topology : {"pegasus", "zephyr"}
    size : int
        16 is an Advantage, zephyr 12 an Advantage2; 4 is fast.
    loss : float
        Share of qubits that do not work.
    sweeps : int
        Of the annealing that stands for the hardware.
    """

    def __init__(
        self, topology: str = "pegasus", size: int = 16, loss: float = 0.0, sweeps: int = 100, port: int = 0
    ) -> None:
        self.faults = Faults()
        self.problems: dict[str, Problem] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.sweeps = sweeps
        self.solvers = {QPU: _qpu(topology, size, loss), HYBRID: hybrid_bqm_solver_data(name=HYBRID)}
        self._timing = StructuredSolver(None, self.solvers[QPU])
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"loopback": self}))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/sapi/v2/"

    @property
    def submitted(self) -> int:
        """How many problems were taken: what a user would have paid for."""
        return len(self.problems)

    def reset(self) -> None:
        """Forget all problems and faults; end the answers that hang."""
        self.stopping.set()
        self.stopping = threading.Event()
        self.faults = Faults()
        self.problems.clear()
        self.requests.clear()

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Loopback:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def state(self, problem: Problem) -> str:
        if problem.cancelled:
            return "CANCELLED"
        return self.faults.outcome if time.time() >= problem.submitted + self.faults.delay else "PENDING"

    def describe(self, problem: Problem, with_answer: bool = False) -> dict[str, Any]:
        state = self.state(problem)
        shown: dict[str, Any] = {
            "id": problem.id,
            "type": problem.type,
            "solver": problem.solver,
            "label": problem.label,
            "status": state,
            "submitted_on": _date(problem.submitted),
        }
        if state not in ("PENDING", "IN_PROGRESS"):
            shown["solved_on"] = _date(time.time())
        if state == "FAILED":
            shown["error_message"] = self.faults.message
        if state == "COMPLETED" and with_answer:
            shown["answer"] = problem.answer
        return shown

    def submit(self, job: dict[str, Any]) -> dict[str, Any]:
        solver = self.solvers.get(job["solver"]["name"])
        if solver is None:
            return {"error_code": 404, "error_msg": "Solver not found"}
        try:
            answer = self._hybrid(job) if job["type"] == "bqm" else self._anneal(job, solver["properties"])
        except ValueError as error:
            return {"error_code": 400, "error_msg": str(error)}
        problem = Problem(
            str(uuid.uuid4()), job["type"], job.get("label"), solver["identity"], time.time(), job, answer
        )
        with self.lock:
            self.problems[problem.id] = problem
        return self.describe(problem)

    def _anneal(self, job: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
        """Return the answer ("qp" encoding) of a problem on the solver's graph; refuse what hardware refuses."""
        biases = np.frombuffer(base64.b64decode(job["data"]["lin"]), "<f8")
        qubits = np.asarray(properties["qubits"])
        active = qubits[~np.isnan(biases)]
        working = set(active.tolist())
        couplers = [(u, v) for u, v in properties["couplers"] if u in working and v in working]
        couplings = np.frombuffer(base64.b64decode(job["data"]["quad"]), "<f8")
        linear = dict(zip(active.tolist(), biases[~np.isnan(biases)].tolist(), strict=True))
        quadratic = dict(zip(couplers, couplings.tolist(), strict=True))
        reads, duration = job["params"].get("num_reads", 1), job["params"].get("annealing_time", 20.0)
        for name, values, (low, high) in (
            ("num_reads", [reads], properties["num_reads_range"]),
            ("annealing_time", [duration], properties["annealing_time_range"]),
            ("problem run duration", [reads * duration], properties["problem_run_duration_range"]),
            ("h", linear.values(), properties["h_range"]),
            ("J", quadratic.values(), properties["extended_j_range"]),
        ):
            if any(not low <= value <= high for value in values):
                raise ValueError(f"{name} value out of range [{low}, {high}]")
        model = dimod.BinaryQuadraticModel(linear, quadratic, "SPIN" if job["type"] == "ising" else "BINARY")
        found = SimulatedAnnealingSampler().sample(model, num_reads=reads, num_sweeps=self.sweeps, seed=1).aggregate()
        order = [found.variables.index(qubit) for qubit in active.tolist()]
        bits = np.packbits(found.record.sample[:, order] > 0, axis=1)
        access = self._timing.estimate_qpu_access_time(len(active), reads, duration)
        return {
            "format": "qp",
            "active_variables": _base64(active.astype("<i4")),
            "energies": _base64(found.record.energy.astype("<f8")),
            "num_occurrences": _base64(found.record.num_occurrences.astype("<i4")),
            "solutions": _base64(bits),
            "num_variables": properties["num_qubits"],
            "timing": {"qpu_access_time": float(access)},
        }

    def _hybrid(self, job: dict[str, Any]) -> dict[str, Any]:
        parts = self.uploads[job["data"]["data"]]
        bqm = dimod.BinaryQuadraticModel.from_file(b"".join(data for _, data in sorted(parts.items())))
        best = SimulatedAnnealingSampler().sample(bqm, num_reads=10, num_sweeps=self.sweeps, seed=1).truncate(1)
        limit = job["params"]["time_limit"] * 1e6
        best.info.update(qpu_access_time=20000, charge_time=limit, run_time=limit)
        return {"format": "bq", "data": best.to_serializable()}


class _Handler(BaseHTTPRequestHandler):
    loopback: Loopback
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        url, body = urlsplit(self.path), self._body()
        try:
            if url.path.startswith("/loopback/"):
                self._reply(200, self._control(method, url.path, body))
                return
            path = url.path.removeprefix("/sapi/v2/").strip("/").split("/")
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            with self.loopback.lock:
                self.loopback.requests.append((method, self.path))
            place = _place(method, path)
            if self._fails(place):
                return
            code, content = self._answer(method, path, query, body)
            if place == "submit" and self.loopback.faults.lose:
                self.close_connection = True
                return
            self._reply(code, content)
        except (BrokenPipeError, ConnectionResetError):
            # the client has given up on a late answer, or was killed
            self.close_connection = True

    def _fails(self, place: str) -> bool:
        """Fail as the faults say; return whether an answer was given."""
        faults = self.loopback.faults
        if faults.html:
            self._reply(200, "<html>Welcome to the router</html>", "text/html")
            return True
        if self.headers.get("X-Auth-Token") != TOKEN:
            self._reply(401, {"error_code": 401, "error_msg": "Unauthorized"})
            return True
        if place in faults.hang:
            self.loopback.stopping.wait()
            self.close_connection = True
            return True
        with self.loopback.lock:
            failing = place in faults.status and (faults.times is None or faults.times > 0)
            failing = failing and (place != "submit" or self.loopback.submitted >= faults.after)
            if failing and faults.times is not None:
                faults.times -= 1
        if failing:
            code = faults.status[place]
            self._reply(code, {"error_code": code, "error_msg": faults.text.replace("{token}", TOKEN)})
        return failing

    def _answer(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> tuple[int, Any]:
        server = self.loopback
        match method, path:
            case "GET", ["solvers", "remote"]:
                return 200, [self._solver(solver, query) for solver in server.solvers.values()]
            case "GET", ["solvers", "remote", name] if unquote(name) in server.solvers:
                return 200, self._solver(server.solvers[unquote(name)], query)
            case "POST", ["problems"]:
                return 200, [server.submit(job) for job in json.loads(body)]
            case "GET", ["problems"] if "id" in query:
                ids = query["id"].split(",")
                return 200, [server.describe(server.problems[one]) for one in ids if one in server.problems]
            case "GET", ["problems"]:
                found = [one for one in server.problems.values() if query.get("label") in (None, one.label)]
                return 200, [server.describe(one) for one in found[: int(query.get("max_results", 1000))]]
            case "GET", ["problems", one] if one in server.problems:
                return 200, server.describe(server.problems[one], with_answer=True)
            case "DELETE", ["problems"]:
                return 200, [self._cancel(one) for one in json.loads(body)]
            case "DELETE", ["problems", one] if one in server.problems:
                return 200, self._cancel(one)
            case "POST", ["bqm", "multipart"]:
                upload = str(uuid.uuid4())
                server.uploads[upload] = {}
                return 200, {"id": upload}
            case "PUT", ["bqm", "multipart", upload, "part", part]:
                server.uploads[upload][int(part)] = body
                return 200, {}
            case "GET", ["bqm", "multipart", upload, "status"]:
                parts = server.uploads[upload].items()
                sums = [{"part_number": part, "checksum": hashlib.md5(data).hexdigest()} for part, data in parts]
                return 200, {"status": "UPLOAD_IN_PROGRESS", "parts": sums}
            case "POST", ["bqm", "multipart", _, "combine"]:
                return 200, {}
        return 404, {"error_code": 404, "error_msg": "Not found"}

    def _solver(self, solver: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        shown = {**solver, "status": "OFFLINE" if self.loopback.faults.offline else "ONLINE"}
        if query.get("filter", "").startswith("none"):
            return {key: shown[key] for key in ("identity", "status", "avg_load")}
        return shown

    def _cancel(self, one: str) -> dict[str, Any]:
        problem = self.loopback.problems[one]
        if self.loopback.state(problem) != "PENDING":
            return {"error_code": 409, "error_msg": "Problem cannot be cancelled"}
        problem.cancelled = True
        return self.loopback.describe(problem)

    def _control(self, method: str, path: str, body: bytes) -> Any:
        if method == "POST" and path == "/loopback/faults":
            self.loopback.faults = Faults(**json.loads(body))
            return asdict(self.loopback.faults)
        return [self.loopback.describe(problem) for problem in self.loopback.problems.values()]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return zlib.decompress(body) if self.headers.get("Content-Encoding") == "deflate" else body

    def _reply(self, code: int, content: Any, media: str | None = None) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        if media is None:
            # the client insists on the media type that it asked for, and on a version
            asked = self.headers.get("Accept", "*/*").split(";")[0]
            media = "application/json" if asked == "*/*" else f"{asked}; version=3.0.0"
        self.send_response(code)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _place(method: str, path: list[str]) -> str:
    """Return what a request is for, in the words of `Faults`."""
    if path[0] == "solvers":
        return "solvers"
    if path[0] == "bqm":
        return "upload"
    if method == "POST":
        return "submit"
    if method == "DELETE":
        return "cancel"
    return "poll" if len(path) == 1 else "answer"


def _qpu(topology: str, size: int, loss: float) -> dict[str, Any]:
    """Return the definition of a QPU solver with a Pegasus or Zephyr graph."""
    graph = (dwave.graphs.pegasus_graph if topology == "pegasus" else dwave.graphs.zephyr_graph)(size)
    total = 24 * size * (size - 1) if topology == "pegasus" else len(graph)
    graph.remove_nodes_from(random.Random(1).sample(sorted(graph), round(loss * len(graph))))
    data: dict[str, Any] = structured_solver_data(
        name=QPU,
        graph_id="01loopback",
        qubits=sorted(graph),
        couplers=sorted(sorted(edge) for edge in graph.edges),
        topology={"type": topology, "shape": [size] if topology == "pegasus" else [size, 4]},
        num_qubits=total,
        h_range=[-4.0, 4.0],
        problem_run_duration_range=[0.0, 1000000.0],
        problem_timing_data=qpu_problem_timing_data(),
        default_annealing_time=20.0,
        default_readout_thermalization=0.0,
        default_programming_thermalization=1000.0,
    )
    data["properties"]["parameters"].update(annealing_time="", auto_scale="", answer_mode="")
    if topology == "pegasus":
        data["properties"]["per_qubit_coupling_range"] = [-18.0, 15.0]
    return data


def _base64(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--topology", choices=("pegasus", "zephyr"), default="pegasus")
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--faults", type=json.loads, default={}, help="fields of Faults, as JSON")
    options = parser.parse_args()
    server = Loopback(options.topology, options.size, options.loss, options.sweeps, options.port)
    server.faults = Faults(**options.faults)
    print(server.endpoint, flush=True)
    server.serve()


if __name__ == "__main__":
    main()
