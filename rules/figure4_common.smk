# Which runs figure 4 has. config/figure4.yaml is read when one of them is wanted, so that searches do not pay.
from functools import cache

from swift_hyperband.search.algorithms import ALGORITHMS


@cache
def figure4_results():
    from swift_hyperband.compare.real_runs import load

    try:
        found = load(Path("config/figure4.yaml"))
    except UserError as error:
        stop(error)
    return [str(found.result(search, seed)) for search, seed in found.runs]


def figure4_runs(wildcards):
    return figure4_results()
