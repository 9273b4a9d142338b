"""What the make_*.py scripts share: where a file goes, and what the training itself measured, beside it."""

import json
import socket
from pathlib import Path

HERE = Path(__file__).parent


def keep(case: str, written: str | Path, epochs: dict[int, dict[str, float]], tolerance: float, note: str) -> None:
    """Copy the file that a library wrote into CASE and put the values that the training measured into expected.json.

    Parameters
    ----------
    case
        Folder of the file, such as "keras/first".
    written
        The file as the library wrote it; its name is kept.
    epochs
        Epoch of the whole training, counted from 1, to the metrics that the library returned in memory.
    tolerance
        How far the file's number may be from the measured one, relative, because the library rounds it.
    note
        One sentence: who wrote the file, and what is odd about it.
    """
    content = Path(written).read_bytes()
    for personal in (str(Path.cwd()), str(Path.home()) + "/", socket.gethostname()):
        assert personal.encode() not in content, f"{written} holds {personal}"
    folder = HERE / case
    folder.mkdir(parents=True, exist_ok=True)
    (folder / Path(written).name).write_bytes(content)
    told = {"note": note, "tolerance": tolerance, "epochs": {str(epoch): epochs[epoch] for epoch in sorted(epochs)}}
    (folder / "expected.json").write_text(json.dumps(told, indent=1) + "\n")
