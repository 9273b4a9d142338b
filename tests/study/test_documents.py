"""The schema for editors and the table of keys."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.study.documents import BEGIN, END, README, SCHEMA, json_schema, keys_table, write_docs
from swift_hyperband.study.model import parse

ROOT = Path(__file__).parents[2]


def categorical(*choices):
    return {"type": "categorical", "choices": list(choices)}


def test_the_schema_accepts_studies_and_refuses_typos(changed, study):
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    conditional = {"type": "float", "low": 0, "high": 1, "when": {"o": "sgd"}}
    for raw in [
        changed(),
        changed(swift=None, constraints=None, resources=None, batch_size=4, search__brackets=[1]),
        changed(space__o=categorical("sgd", 3, 0.5, True), space__momentum=conditional, constraints=["momentum < 1"]),
        {**study().definition(), **study().settings()},
    ]:
        validator.validate(raw)
        parse(raw, "study.yaml")
    for changes in [
        {"serach": {}},
        {"space__dropout__lwo": 1},
        {"space__dropout__type": "flaot"},
        {"space__2nd": categorical(1)},
        {"target__mode": "maximum"},
        {"search__eta": 1},
        {"search__max_epochs": None},
        {"batch_size": "atuo"},
        {"swift__k": 0},
    ]:
        assert not validator.is_valid(changed(**changes)), changes


def test_schema_and_table_of_keys_are_in_step_with_the_model(tmp_path):
    (tmp_path / README).parent.mkdir()
    (tmp_path / README).write_text((ROOT / README).read_text())
    write_docs(tmp_path)
    for path in (README, SCHEMA):
        text = (ROOT / path).read_text()
        assert text == (tmp_path / path).read_text(), "run 'make docs' to write it anew"
    assert f"{BEGIN}\n{keys_table()}\n{END}" in (ROOT / README).read_text()


def test_the_table_tells_what_a_preset_changes():
    table = keys_table()
    assert "| `swift.decision_fraction` | number > 0, ≤ 1 | `0.6`; published: `0.5`; bold: `0.15` |" in table
    assert "| `swift.margin` | number ≥ 0, ≤ 1e+06 | `1.5`; published: `0`; bold: `0.75` |" in table
    assert "| `swift.d` | whole number ≥ 3 | `5`; published: `15` |" in table
    assert "| `search.max_epochs` | whole number | required |" in table
    assert "| `batch_size` | `auto` or whole number ≥ 1 or a time such as `30min` | `auto` |" in table


def test_a_readme_without_markers_is_told(tmp_path):
    (tmp_path / README).parent.mkdir()
    (tmp_path / README).write_text("nothing\n")
    with pytest.raises(UserError, match="must hold the lines"):
        write_docs(tmp_path)


def test_the_example_studies_of_the_manual_are_valid(changed, tmp_path):
    blocks = [block.split("```")[0] for block in (ROOT / README).read_text().split("```yaml\n")[1:]]
    raw = changed()
    for block in blocks:
        raw |= yaml.safe_load(block)
    found = parse(raw, "README.md")
    assert found.swift.d == 10
    assert "momentum" in found.space
