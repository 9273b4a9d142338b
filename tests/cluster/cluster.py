"""A real SLURM cluster on this one machine, for tests: three nodes with a fake GPU each, and one without.

    python tests/cluster/cluster.py up                 install what is missing, and start what does not run
    python tests/cluster/cluster.py down               stop everything, and remove what it left
    python tests/cluster/cluster.py with COMMAND ...   up, the command, and then down again, unless it was up before
    python tests/cluster/cluster.py kill-node n2       as if the node lost its power
    python tests/cluster/cluster.py start-node n2      ... and got it back
    python tests/cluster/cluster.py stop-controller
    python tests/cluster/cluster.py start-controller
    python tests/cluster/cluster.py why-not            say in one line why there can be none here, if so

It runs Debian 12's own SLURM, as root and without systemd. A node is a slurmd in a PID namespace of its own: processes
see those of their node only, as on real machines, and a node whose first process is killed is gone at once with all
that ran on it. Everything lies in one folder, but for links in /etc/slurm: the plugin's jobs forget SLURM_CONF.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "swift-hyperband-slurm"
PACKAGES = ["munge", "slurmctld", "slurmd", "slurm-client"]
ACCOUNTING_PACKAGES = ["slurmdbd", "mariadb-server-core", "mariadb-client-core"]
GPU_NODES = ["n1", "n2", "n3"]
CPU_NODES = ["c1"]
NODES = GPU_NODES + CPU_NODES
DISK = "8m"
"""Size of a disk that tests fill."""
PORT = 26830
"""The controller's; slurmdbd, MariaDB and the nodes have those above it."""
ETC = Path("/etc/slurm")
LINKS = ["slurm.conf", "gres.conf", "cgroup.conf", "slurmdbd.conf"]
CGROUPS = Path("/sys/fs/cgroup")
_started: list[subprocess.Popen[bytes]] = []
"""Daemons outlive this process; kept here because Python warns of processes that nobody remembers."""


class ClusterError(Exception):
    """The cluster cannot be, or does not do what it must."""


@dataclass(frozen=True)
class Job:
    """A job as SLURM sees it."""

    id: str
    name: str
    state: str
    partition: str
    node: str
    comment: str
    folder: str


@dataclass(frozen=True)
class Cluster:
    """The cluster of this machine.

    Parameters
    ----------
    folder : Path
        Where all its files lie.
    accounting : bool
        Whether slurmdbd runs, so that there is sacct, and accounts are checked: `lab` is the only one.
    """

    folder: Path = FOLDER
    accounting: bool = False

    @property
    def disk(self) -> Path:
        """A disk that is quickly full."""
        return self.folder / "disk"

    def why_not(self) -> str | None:
        """Say in one line why there can be no cluster here; None where there can be one."""
        wanted = "a SLURM cluster for tests needs"
        if os.geteuid() != 0:
            return f"{wanted} root"
        if shutil.which("apt-get") is None:
            return f"{wanted} Debian's packages, and there is no apt-get"
        for controller in ("freezer", "memory"):
            if not os.access(CGROUPS / controller / "cgroup.procs", os.W_OK):
                return f"{wanted} cgroups of version 1, and cannot write to {CGROUPS / controller}"
        if not _address().startswith("127."):
            return f"{wanted} a host name with a loopback address, to open ports there only, and finds {_address()}"
        for name in LINKS:
            if os.path.lexists(ETC / name) and not self._is_ours(ETC / name):
                return f"{wanted} to be the only one, and finds {ETC / name}"
        return None

    def up(self) -> None:
        """Install what is missing and start what does not run."""
        if reason := self.why_not():
            raise ClusterError(reason)
        self._install()
        for name in ("munge", "state", "spool", "log", "run", "dev", "disk"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # before the nodes, whose processes see what was mounted when they started
        if not self.disk.is_mount():
            _run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.disk))
        self._configure()
        self._start_munged()
        if self.accounting:
            self._start_accounting()
        self.start_controller()
        for node in NODES:
            self.start_node(node)

    def down(self) -> None:
        """Stop everything and remove what it left."""
        for node in NODES:
            self.kill_node(node)
        for daemon in ("slurmctld", "slurmdbd", "mariadbd", "munged"):
            self._stop(daemon)
        for name in LINKS:
            if self._is_ours(ETC / name):
                (ETC / name).unlink()
        if self.disk.is_mount():
            _run("umount", "--lazy", str(self.disk))
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else run tests on the cluster, or take it down, meanwhile."""
        with self.folder.with_suffix(".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClusterError("one run of tests at a time can have the cluster, and another one has it") from None
            yield

    def with_(self, command: list[str], minutes: float) -> int:
        """Run a command while the cluster is up, and leave the cluster as it was before.

        Ctrl-C, SIGTERM and a command that takes too long end it by one Ctrl-C, after which it has a minute to tidy up.

        Returns
        -------
        int
            The command's exit code.
        """
        was_up = self._pid("slurmctld") is not None
        try:
            self.up()
            # out of reach of the terminal's own Ctrl-C, which would come beside ours
            process = subprocess.Popen(command, start_new_session=True)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: process.send_signal(signal.SIGINT))
            try:
                return process.wait(minutes * 60)
            except subprocess.TimeoutExpired:
                print(f"not through within {minutes:g} minutes: {' '.join(command)}", file=sys.stderr)
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            return 1
        finally:
            if not was_up:
                self.down()

    def kill_node(self, node: str) -> None:
        """Let a node lose its power: all that runs on it is gone at once. SLURM notices after half a minute."""
        pid = self._pid(node, "unshare")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        self._until(lambda: _remove_cgroups(node), 10, f"the processes of node {node} must be gone")

    def lose_node(self, node: str) -> None:
        """Kill a node, and let SLURM know at once."""
        self.kill_node(node)
        _run("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")

    def start_node(self, node: str) -> None:
        """Start a node if it does not run, and wait until it takes jobs."""
        if self._pid(node, "unshare") is None:
            (self.folder / "spool" / node).mkdir(exist_ok=True)
            # the shell is the node's first process, and takes care of orphans as an init does
            inside = ["bash", "-c", f"slurmd -D -N {node} & wait $!"]
            self._spawn(node, ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *inside])
        self._until(lambda: self.node_state(node) in ("idle", "mix", "alloc"), 30, f"node {node} must take jobs")

    def start_controller(self) -> None:
        """Start slurmctld if it does not run, and wait until it answers."""
        if self._pid("slurmctld") is None:
            _run("slurmctld", "-i", cwd=self.folder / "log")
        self._until(lambda: _works("scontrol", "ping"), 20, "slurmctld must answer")

    def stop_controller(self) -> None:
        """Stop slurmctld; jobs that run go on."""
        self._stop("slurmctld")

    def jobs(self) -> list[Job]:
        """Return the jobs in the order of their numbers, also those that ended in the last five minutes."""
        printed = _run("squeue", "-h", "-a", "--sort=i", "--states=all", "-o", "%i|%j|%T|%P|%N|%k|%Z")
        return [Job(*line.split("|")) for line in printed.splitlines()]

    def node_state(self, node: str) -> str:
        """Return what SLURM says of a node, such as idle or down."""
        return _run("sinfo", "-h", "-n", node, "-o", "%t").split("\n")[0]

    def logs(self, lines: int = 15) -> str:
        """Return the end of each daemon's log."""
        return "\n".join(tail(path, lines) for path in sorted((self.folder / "log").glob("*.log")))

    def _is_ours(self, link: Path) -> bool:
        return link.is_symlink() and link.readlink() == self.folder / link.name

    def _install(self) -> None:
        wanted = PACKAGES + (ACCOUNTING_PACKAGES if self.accounting else [])
        known = _run("dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *wanted, check=False).splitlines()
        missing = [name for name in wanted if f"{name} installed" not in known]
        if missing:
            with _no_services():
                _run("apt-get", "update", "-qq", timeout=120)
                _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, timeout=300)

    def _configure(self) -> None:
        device = self.folder / "dev/nvidia0"
        if not device.exists():
            # the numbers of NVIDIA's first GPU, but no driver: SLURM only looks at the file
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(195, 0))
        values = {
            "folder": self.folder,
            "host": socket.gethostname(),
            "address": _address(),
            "port": PORT,
            "accounting_port": PORT + 1,
            "database_port": PORT + 2,
            "gpu_nodes": ",".join(GPU_NODES),
            "cpu_nodes": ",".join(CPU_NODES),
        }
        nodes = [
            f"NodeName={node} NodeHostname={values['host']} NodeAddr={values['address']} Port={PORT + 10 + number} "
            f"CPUs=4 RealMemory=4000 {'Gres=gpu:fake:1 ' if node in GPU_NODES else ''}State=UNKNOWN"
            for number, node in enumerate(NODES)
        ]
        values["nodes"] = "\n".join(nodes)
        values["accounting"] = "AccountingStorageType=accounting_storage/none"
        files = {"cgroup.conf": _template("cgroup.conf", {})}
        if self.accounting:
            values["accounting"] = _template("accounting.conf", values)
            files["slurmdbd.conf"] = _template("slurmdbd.conf", values)
        files["slurm.conf"] = _template("slurm.conf", values)
        files["gres.conf"] = "".join(f"NodeName={node} Name=gpu Type=fake File={device}\n" for node in GPU_NODES)
        ETC.mkdir(exist_ok=True)
        for name, content in files.items():
            path = self.folder / name
            if path.exists() and path.read_text() != content:
                raise ClusterError(f"the cluster that runs must be the one that is wanted, and {path} is another")
            path.write_text(content)
            path.chmod(0o600 if name == "slurmdbd.conf" else 0o644)
            if not (ETC / name).is_symlink():
                (ETC / name).symlink_to(path)

    def _start_munged(self) -> None:
        munge = self.folder / "munge"
        if self._pid("munged") is None:
            (munge / "key").unlink(missing_ok=True)
            (munge / "key").touch(0o400)
            (munge / "key").write_bytes(os.urandom(1024))
            for left in munge.glob("socket*"):
                left.unlink()
            options = {"key-file": munge / "key", "socket": munge / "socket", "seed-file": munge / "seed"}
            options |= {"pid-file": self.folder / "run/munged.pid", "log-file": self.folder / "log/munged.log"}
            _run("munged", *(f"--{name}={value}" for name, value in options.items()))
        self._until(lambda: _works("munge", "-n", "-S", str(munge / "socket")), 10, "munged must answer")

    def _start_accounting(self) -> None:
        data, database = self.folder / "database", self.folder / "run/database"
        common = ["--no-defaults", "--user=root", f"--datadir={data}"]
        if self._pid("mariadbd") is None:
            if not data.exists():
                _run("mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db")
            network = ["--bind-address=127.0.0.1", f"--port={PORT + 2}", "--skip-name-resolve"]
            # slurmdbd asks for these two; tests need no data to outlive a power failure
            sizes = ["--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"]
            quick = ["--innodb-flush-log-at-trx-commit=0"]
            self._spawn("mariadbd", ["mariadbd", *common, f"--socket={database}", *network, *sizes, *quick])
        client = ["mariadb", "--no-defaults", "-uroot", "-S", str(database), "-e"]
        self._until(lambda: _works(*client, "select 1"), 30, "MariaDB must answer")
        user = "'slurm'@'127.0.0.1'"
        _run(
            *client,
            "create database if not exists slurm; "
            f"create user if not exists {user} identified by 'slurm'; grant all on slurm.* to {user}",
        )
        if self._pid("slurmdbd") is None:
            _run("slurmdbd", cwd=self.folder / "log")
        self._until(lambda: _works("sacctmgr", "-n", "list", "cluster"), 30, "slurmdbd must answer")
        for entity in (["cluster", "test"], ["account", "lab"], ["user", "root", "account=lab"]):
            # fails where it is there already
            _run("sacctmgr", "-i", "-Q", "add", *entity, check=False)

    def _spawn(self, name: str, command: list[str]) -> None:
        """Start a daemon that stays in the foreground, and note its process."""
        with (self.folder / f"log/{name}.log").open("a") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder / "log",
                start_new_session=True,
            )
        _started.append(process)
        (self.folder / f"run/{name}.pid").write_text(str(process.pid))

    def _pid(self, daemon: str, command: str | None = None) -> int | None:
        """Return the process of a daemon; None where it does not run."""
        try:
            pid = int((self.folder / f"run/{daemon}.pid").read_text())
            status = Path(f"/proc/{pid}/stat").read_text()
        except (OSError, ValueError):
            return None
        # neither a zombie, nor another process that was given the number of one that is gone
        name, _, rest = status.partition("(")[2].rpartition(")")
        return pid if name == (command or daemon) and rest.split()[0] not in "ZX" else None

    def _stop(self, daemon: str) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self._pid(daemon)
            if pid is None:
                return
            os.kill(pid, number)
            with contextlib.suppress(ClusterError):
                self._until(lambda: self._pid(daemon) is None, 10, f"{daemon} must end")

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise ClusterError(f"{what} within {seconds} s\n{self.logs()}")
            time.sleep(0.1)


def tail(path: Path, lines: int) -> str:
    """Return the end of a log under its name."""
    return "\n".join([f"--- {path}", *path.read_text(errors="replace").splitlines()[-lines:]])


def _address() -> str:
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "none"


def _template(name: str, values: dict[str, object]) -> str:
    return (Path(__file__).parent / "etc" / name).read_text().format(**values)


def _run(*command: str, check: bool = True, timeout: float = 60, cwd: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=cwd, env=environment, stdin=subprocess.DEVNULL
    )
    if check and done.returncode:
        raise ClusterError(f"{' '.join(command)} must work, and said: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).returncode == 0


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting daemons of their own when they are installed."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _remove_cgroups(node: str) -> bool:
    """Remove the cgroups of a node that is gone; False while there are processes in them."""
    for top in CGROUPS.glob(f"*/slurm_{node}"):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                return False
    return True


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    parser.add_argument("--minutes", type=float, default=60, help="how long COMMAND may take")
    parser.add_argument("do", help="one of the above")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    cluster = Cluster(accounting=options.accounting)
    signal.signal(signal.SIGTERM, _leave)
    try:
        if options.do == "why-not":
            print(cluster.why_not() or "", end="")
        elif options.do == "with":
            with cluster.alone():
                return cluster.with_(options.rest, options.minutes)
        elif options.do == "down":
            with cluster.alone():
                cluster.down()
        else:
            getattr(cluster, options.do.replace("-", "_"))(*options.rest)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
