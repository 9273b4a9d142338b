"""Comparisons: what a file may say, what is done again and what is not, and what the summaries say."""

import dataclasses
import json
import math
import random
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from swift_hyperband.base.errors import UserError
from swift_hyperband.compare import published_results, store, summaries
from swift_hyperband.compare import units as compare
from swift_hyperband.compare.accuracy import configurations, split
from swift_hyperband.compare.comparison import load
from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.pool import Rows
from swift_hyperband.replay.tables.reader import read

EPOCHS = 9
SEARCHES = [
    {"label": "Hyperband", "search": "hyperband"},
    {"label": "Swift", "search": "swift-hyperband", "swift": {"d": 3}, "predictor": {"fewest_curves": 3}},
    {"label": "Random", "search": "random"},
]


def write_table(path, rows=60, seed=0, rising=0.0):
    draw = random.Random(seed)
    lines = ["config_id,speed,epoch,loss"]
    for row in range(rows):
        end, speed = draw.uniform(0.1, 0.6), draw.uniform(0.3, 1.5)
        values = [end + epoch**-speed + rising * max(0, epoch - 5) for epoch in range(1, EPOCHS + 1)]
        lines += [f"{row},{speed},{epoch},{value}" for epoch, value in enumerate(values, 1)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a comparison of three searches over two tables; keys replace those of the file."""
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "curves/one.csv")
    write_table(tmp_path / "curves/two.csv", seed=1)

    def written(**keys):
        content = {
            "name": "small",
            "seeds": 3,
            "tables": [
                {"name": "One", "path": "one.csv", "max_epochs": EPOCHS, "eta": 3},
                {"name": "Two", "path": "two.csv", "max_epochs": EPOCHS, "eta": 3, "source": "https://two.org"},
            ],
            "searches": SEARCHES,
            "predictions": {"splits": 3, "trained": 8, "qsvr": False},
        } | keys
        path = tmp_path / "compare.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return written


def made(path, tmp_path):
    """Make what is missing; return how many rows that were."""
    rows = Rows(compare.units(load(path)), tmp_path / "out")
    count = []
    rows.make(1, lambda: count.append(1))
    return len(count)


ALL = 2 * (3 * 3 + 4 * 3)
"""Rows: on each of two tables, three searches with three seeds and four predictors with three splits."""


def test_what_is_done_is_not_done_again(write, tmp_path):
    assert made(write(), tmp_path) == ALL
    assert made(write(), tmp_path) == 0


def test_more_seeds_only_add_those_that_are_missing_and_fewer_keep_the_others(write, tmp_path):
    made(write(), tmp_path)
    assert made(write(seeds=5), tmp_path) == 2 * 3 * 2
    units = compare.pairs(load(write(seeds=2)))
    assert [len(Rows(units, tmp_path / "out")[place]) for place in range(len(units))] == [2] * 6
    assert made(write(seeds=5), tmp_path) == 0


def test_a_changed_search_is_done_again_and_the_others_are_not(write, tmp_path):
    made(write(), tmp_path)
    changed = [*SEARCHES[:1], {**SEARCHES[1], "swift": {"d": 4}}, *SEARCHES[2:]]
    assert made(write(searches=changed), tmp_path) == 2 * 3


def test_a_changed_table_is_done_again_and_the_other_is_not(write, tmp_path):
    path = write()
    made(path, tmp_path)
    write_table(tmp_path / "curves/two.csv", seed=2)
    compare._bytes.cache_clear()
    assert made(path, tmp_path) == ALL / 2


def test_a_table_may_be_compared_by_the_last_and_by_the_best_epoch(write, tmp_path):
    write_table(tmp_path / "curves/one.csv", rising=0.05)
    table = {"path": "one.csv", "max_epochs": EPOCHS, "eta": 3}
    tables = [{"name": "Last", **table}, {"name": "Best", **table, "metric_at": "best"}]
    made(write(tables=tables), tmp_path)
    runs = {
        name: pyarrow.parquet.read_table(tmp_path / f"out/runs/{name}--hyperband.parquet").to_pylist()
        for name in ("last", "best")
    }
    for last, best in zip(runs["last"], runs["best"], strict=True):
        assert best["best"] < last["best"]
        assert best["regret"] >= 0
    # only what is judged by another epoch is made again
    tables[1]["metric_at"] = "last"
    assert made(write(tables=tables), tmp_path) == ALL / 2
    tables[1]["metric_at"] = "first"
    with pytest.raises(UserError, match=r"tables\[1\]\.metric_at must be last or best, found 'first'"):
        load(write(tables=tables))


def test_a_broken_file_of_runs_is_made_anew(write, tmp_path):
    path = write()
    made(path, tmp_path)
    (tmp_path / "out/runs/one--swift.parquet").write_bytes(b"half of a fi")
    assert made(path, tmp_path) == 3


def test_a_file_of_runs_tells_what_defines_it(write, tmp_path):
    made(write(), tmp_path)
    metadata = pyarrow.parquet.read_schema(tmp_path / "out/runs/one--swift.parquet").metadata
    told = json.loads(metadata[b"swift-hyperband"])
    assert told["definition"]["swift"]["d"] == 3
    assert told["digest"] == store.digest(told["definition"])


def test_an_error_keeps_the_rows_made_before(write, tmp_path, monkeypatch):
    calls = []

    def row(self, seed):
        calls.append(seed)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return {"seed": seed, "r2": 1.0, "rank_correlation": 1.0}

    monkeypatch.setattr(compare.Accuracy, "row", row)
    units = compare.accuracies(load(write()))
    with pytest.raises(KeyboardInterrupt):
        Rows(units, tmp_path / "out").make(1, lambda: None)
    assert len(Rows(units, tmp_path / "out").missing()) == len(units) * 3 - 7


def test_processes_side_by_side_find_what_one_finds(write, tmp_path):
    units = compare.units(load(write()))
    found = []
    for cores in (1, 2):
        rows = Rows(units, tmp_path / f"out{cores}")
        rows.make(cores, lambda: None)
        times = [[{**row, "cpu_s": None} for row in rows[place]] for place in range(len(units))]
        found.append(times)
    assert found[0] == found[1]


def test_what_takes_longest_is_started_first(write, tmp_path):
    searches = [*SEARCHES, {"label": "Quantum", "search": "swift-hyperband", "predictor": "qsvr"}]
    rows = Rows(compare.units(load(write(searches=searches))), tmp_path / "out")
    first, last = rows.missing()[0][0], rows.missing()[-1][0]
    assert rows.units[first].key == "runs/one--quantum"
    assert rows.units[last].key.partition("--")[2] in ("hyperband", "random")


def test_an_absent_table_is_skipped_with_a_line_that_says_where_to_get_it(write, tmp_path):
    (tmp_path / "curves/two.csv").unlink()
    found = load(write())
    assert [source.name for source in found.sources] == ["One"]
    assert found.absent == ["Two: skipped, there is no curves/two.csv; get it from https://two.org"]


def test_a_recorded_table_that_is_absent_is_skipped_with_the_command_that_records_it(write, tmp_path):
    (tmp_path / "curves/results").mkdir()
    write_table(tmp_path / "curves/results/own.csv")
    own = {"name": "Own", "path": "results/own.csv", "record": "own.yaml", "max_epochs": EPOCHS, "eta": 3}
    one = {"name": "One", "path": "one.csv", "max_epochs": EPOCHS, "eta": 3}
    # it is looked for where 'record' writes it, not in the folder of published tables
    line = "Own: skipped, there is no results/own.csv; make it with: swift-hyperband record own.yaml"
    assert load(write(tables=[one, own])).absent == [line]
    with pytest.raises(UserError, match="found none; make it with: swift-hyperband record"):
        load(write(tables=[own]))
    write_table(tmp_path / "results/own.csv")
    found = load(write(tables=[one, own]))
    assert [str(source.path) for source in found.sources] == ["curves/one.csv", "results/own.csv"]


def test_if_all_tables_are_absent_one_line_says_where_to_get_and_put_them(write, tmp_path):
    path = write()
    with pytest.raises(UserError) as caught:
        load(path, tmp_path / "elsewhere")
    assert "\n" not in str(caught.value)
    for part in (str(path), str(tmp_path / "elsewhere"), "one.csv", "two.csv from https://two.org", "--curves"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"clustr": {}}, "clustr is not a key; did you mean cluster?"),
        ({"seeds": 10**9}, "seeds must be at most 100000, found 1000000000"),
        (
            {"seeds": 2**64},
            "seeds must be a whole number of at most 64 bits, or a real one such as 1.0e+20, found 1844674",
        ),
        ({"seeds": 0}, "seeds must be at least 1, found 0"),
        ({"searches": []}, "searches must hold at least one entry, found none"),
        (
            {"searches": [{"label": "Swift", "search": "swift"}]},
            "searches[0].search must be random, predicted-random, one-epoch, hyperband, fast-hyperband, "
            "swift-hyperband, asha, swift-asha or adaptive-hyperband, found 'swift'",
        ),
        (
            {"searches": [*SEARCHES, {"label": "swift!", "search": "swift-hyperband"}]},
            "searches[3].label must differ from the others in letters and digits, found 'swift!' and 'Swift'",
        ),
        (
            {"searches": [{"label": "Swift", "search": "swift-hyperband", "swift": {"d": 2}}]},
            "searches[0]: swift.d must be at least 3, found 2",
        ),
        (
            {"searches": [{"label": "Fast", "search": "fast-hyperband", "fast": {"delat": 2}}]},
            "searches[0].fast.delat is not a key; did you mean delta?",
        ),
        ({"cluster": {"workers": 0}}, "cluster.workers must be at least 1, found 0"),
        (
            {"tables": [{"name": "One", "path": "one.csv", "max_epochs": 9, "eta": 3, "draws": "study.yaml"}]},
            "tables[0].draws must be a study file, found no file study.yaml",
        ),
        (
            {"tables": [{"name": "One", "path": "one.csv", "max_epochs": 2, "eta": 3}]},
            "tables[0].max_epochs must be at least eta (3), found 2",
        ),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(write, keys, line):
    path = write(**keys)
    with pytest.raises(UserError) as caught:
        load(path)
    found = str(caught.value).split("; the keys here")[0]
    assert found.startswith(f"{path}: {line}")
    assert "\n" not in found


def test_all_mistakes_are_told_at_once_and_each_once(write):
    bad = {"label": "Swift", "search": "swift-hyperband", "swift": {"d": 2}}
    with pytest.raises(UserError) as caught:
        load(write(searches=[bad, {**bad, "label": "Other", "swift": {"k": 2}}]))
    assert len(str(caught.value).splitlines()) == 2


def test_differences_to_hyperband_are_taken_seed_by_seed(write, tmp_path):
    path = write()
    made(path, tmp_path)
    units = compare.pairs(load(path))
    rows = Rows(units, tmp_path / "out")
    found = {unit.key: summaries.summary(unit, compare.table(unit.source), rows[n]) for n, unit in enumerate(units)}
    plain, swift = found["runs/one--hyperband"], found["runs/one--swift"]
    assert plain.difference == Mean(0, 0, 0, 0)
    assert (plain.same, plain.saved.mean, plain.failed) == (1.0, 0.0, 0)
    assert swift.saved.mean > 0
    assert math.isclose(swift.difference.mean, swift.best.mean - plain.best.mean, abs_tol=1e-12)
    # both vary from seed to seed, their difference does not where the winner is the same
    assert plain.best.half > 0
    if swift.same == 1:
        assert swift.difference.half == 0


def test_runs_without_a_winner_are_counted_and_spoil_no_mean(write, tmp_path):
    unit = compare.pairs(load(write()))[0]
    row = unit.row(0)
    failed = row | {"best": None, "regret": None}
    found = summaries.summary(unit, compare.table(unit.source), [row, failed])
    assert (found.runs, found.failed) == (2, 1)
    assert found.best.mean == row["best"]
    assert math.isnan(found.best.half)


def test_published_figures_stand_beside_the_published_settings_only(write):
    unit = compare.pairs(load(write()))[0]

    def told(algorithm, **keys):
        recipe = compare.recipe(algorithm, 100, 2, **keys)
        source = dataclasses.replace(unit.source, format="mlpf", max_epochs=100, eta=2)
        return summaries.published(dataclasses.replace(unit, source=source, recipe=recipe))

    results = published_results.RESULTS
    assert told("hyperband") == results["mlpf", "hyperband", None]
    assert told("swift-hyperband", preset="published") == results["mlpf", "swift-hyperband", "svr"]
    quantum = {"preset": "published", "predictor": {"name": "qsvr"}}
    assert told("swift-hyperband", **quantum) == results["mlpf", "swift-hyperband", "qsvr"]
    assert told("swift-hyperband") is None
    assert told("swift-hyperband", preset="published", swift={"d": 10}) is None
    assert told("asha") is None


def test_curves_of_one_configuration_never_lie_on_both_sides_of_a_split(tmp_path):
    write_table(tmp_path / "curves/one.csv")
    table = read(tmp_path / "curves/one.csv")
    twice = {"speed": [value for value in table.hyperparameters["speed"][:30] for _ in range(2)]}
    numbers = configurations(dataclasses.replace(table, hyperparameters=twice))
    for seed in range(20):
        trained, rest = split(numbers, 10, seed)
        assert len(trained) == len(set(numbers[trained])) == 10
        assert not set(numbers[trained]) & set(numbers[rest])
        assert len(rest) == 2 * (30 - 10)


def test_a_table_with_too_few_configurations_to_judge_predictors_is_told_before_anything_starts(write):
    unit = compare.accuracies(load(write(predictions={"trained": 59})))[0]
    with pytest.raises(UserError, match=r"must have at least 61 configurations .* found 60; give a smaller"):
        unit.check()


def test_the_default_comparison_is_sound(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    default = Path(__file__).parents[2] / "config/compare.yaml"
    keys = yaml.safe_load(default.read_text())
    for table in keys["tables"]:
        place = tmp_path / table["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    found = load(default, tmp_path)
    assert (len(found.sources), len(found.keys.searches), found.seeds) == (13, 16, 100)
    assert "curves/" in (default.parents[1] / ".gitignore").read_text().splitlines()


def test_a_fresh_clone_has_a_table_to_compare_on(monkeypatch, tmp_path):
    monkeypatch.chdir(Path(__file__).parents[2])
    found = load(Path("config/compare.yaml"), tmp_path / "absent")
    assert [str(source.path) for source in found.sources] == ["examples/digits-curves.parquet"]
    assert compare.table(found.sources[0]).complete(27).rows == 60
    assert sum("get it from https://github.com" in line for line in found.absent) == 6
    ours = [line for line in found.absent if "make it with: swift-hyperband record examples/tables/" in line]
    assert len(ours) == len(found.absent) - 6 == 6


def test_units_that_take_little_time_share_a_job_of_the_workflow_and_others_have_their_own(write):
    slow = [{"label": "Fast", "search": "fast-hyperband"}, {"label": "Quantum", "search": "hyperband"}]
    found = compare.jobs(load(write(seeds=3000, searches=[*SEARCHES, *slow])))
    assert list(found) == ["runs/one", "runs/one--fast", "runs/two", "runs/two--fast"]
    assert [unit.key for unit in found["runs/one"]] == [
        *(f"runs/one--{name}" for name in ("hyperband", "swift", "random", "quantum")),
        *(f"predictions/one--{name}" for name in ("last-value", "linear-default", "svr-published", "svr-default")),
    ]
    assert compare.whole_cost(found["runs/one--fast"]) > compare.whole_cost(found["runs/one"])
    assert sum(map(len, found.values())) == len(compare.units(load(write(searches=[*SEARCHES, *slow]))))
