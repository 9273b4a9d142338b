"""Verdicts as people and programs read them."""

import csv
import io

from swift_hyperband.compare.means import Mean
from swift_hyperband.compare.verdicts import Verdict, overall
from swift_hyperband.report import verdicts

EPOCHS = Mean(0.76, 0.01, 0.7, 0.8)
WORSE = Verdict("worse", Mean(0.094, 0.031, -0.1, 0.4), better=0.12, worse=0.69, epochs=EPOCHS)
LEVEL = Verdict("level", None, better=0.0, worse=0.5, epochs=None)


def test_a_sentence_has_the_verdict_and_what_it_rests_on():
    assert verdicts.sentence(WORSE) == (
        "worse than Hyperband: regret +0.094 ± 0.031, worse in 69 % and better in 12 % of the seeds, "
        "at 76 % of its epochs"
    )
    assert verdicts.sentence(LEVEL) == "level with Hyperband: worse in 50 % and better in 0 % of the seeds"


def test_over_all_tables_a_search_has_a_line():
    found = [overall("Swift", {"one": WORSE, "two": LEVEL})]
    assert "| Swift  |                0/1/1 |   76 % (76 %) |             69 % | one: +0.094 ± 0.031 |" in (
        verdicts.as_markdown(found)
    )
    (line,) = csv.DictReader(io.StringIO(verdicts.as_csv(found)))
    assert (line["better"], line["level"], line["worse"], line["worst_table"]) == ("0", "1", "1", "one")
    assert float(line["worst_regret_difference_half_interval"]) == 0.031


def test_hyperband_alone_has_no_verdict():
    assert verdicts.as_csv([]) == ""
    assert verdicts.short(None) == ("", "")


def test_a_search_that_baselines_beat_is_named_with_each_of_them():
    by = {
        "Random": Verdict("better", Mean(-0.05, 0.01, -1, 0), 0.6, 0.1, EPOCHS),
        "Last value": Verdict("better", None, 0.6, 0.1, EPOCHS),
    }
    assert verdicts.beaten("Swift", by) == (
        "Swift is beaten by Random (regret -0.050 ± 0.010, at 76 % of its epochs) "
        "and by Last value (at 76 % of its epochs)"
    )


def test_the_predicted_kill_risk_stands_beside_the_counted_one():
    assert verdicts.kill_risk(0.03, 0.041) == "3 % (4 %)"
    assert verdicts.kill_risk(0.03, None) == "3 %"
    assert verdicts.kill_risk(None, None) == ""
