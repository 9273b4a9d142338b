"""The child program of a check: trains another epoch, and compares a restored target with the trained one."""

from __future__ import annotations

import faulthandler
import json
import sys
from pathlib import Path
from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import read_json, write_json
from swift_hyperband.targets import COMMAND, TargetError, load_class
from swift_hyperband.training import reproducible, segment, state
from swift_hyperband.training.check.compared import differences
from swift_hyperband.training.clock import Clock
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import read_rows


def train(settings: TrainingSettings, folder: Path, epochs: int) -> dict[str, Any]:
    """Train a trial to an epoch as a job would; return its last row, the device, and what restoring loses."""
    # before the target is imported, as in a job: else it would run on all cores, and need not repeat its bits
    reproducible.set_environment(settings.threads)
    segment.train(folder, settings, load_class(settings.target), epochs)
    rows = read_rows(folder)
    found: dict[str, Any] = {"row": rows[-1], "device": _device(settings.target), "differences": []}
    if epochs > 1 and settings.target != COMMAND:
        found["differences"] = _lost(settings, folder, epochs)
    return found


def _device(target: str) -> str | None:
    """Return what the target trains on; None where only the target knows: it is a program, or does without torch."""
    torch = sys.modules.get("torch")
    if torch is None or target == COMMAND:
        return None
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "the CPU"


def _lost(settings: TrainingSettings, folder: Path, epoch: int) -> list[str]:
    """Return in what a restored target differs from the one whose state it was: "!" before what has a state."""
    configuration = read_json(folder / "config.json")["configuration"]
    target_class = load_class(settings.target)
    trained = segment.begin(folder, configuration, settings, target_class, epoch + 1, Clock())
    saved = state.load(folder)
    if saved is None:
        return []
    state.restore(trained, saved)
    segment.train_epoch(folder, settings, trained, epoch + 1)
    elsewhere = folder / "restored"
    elsewhere.mkdir(exist_ok=True)
    state.save(elsewhere, trained, saved.curve)
    again = segment.begin(folder, configuration, settings, target_class, epoch + 1, Clock())
    restored = state.load(elsewhere)
    assert restored is not None
    state.restore(again, restored)
    return list(differences(trained, again))


def main(path: str) -> int:
    """Train what a file says, and write what there is to tell beside the trial."""
    # a segmentation fault leaves file and line
    faulthandler.enable(2)
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    folder = Path(given["folder"])
    try:
        found = train(TrainingSettings(**given["settings"]), folder, given["epochs"])
    except segment.CrashError:
        error = read_json(folder / "failures.json")["error"]
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- the parent process reads it
        return 1
    except (UserError, TargetError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- the parent process reads it
        return 2
    write_json(folder / "told.json", found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
