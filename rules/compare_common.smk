# Which files a comparison has. config/compare.yaml is read when one of them is wanted, so that searches do not pay.
from functools import cache


@cache
def comparison():
    """Return the comparison, and the units of each job; a mistake, or that all tables are missing, is one line."""
    from swift_hyperband.compare import units
    from swift_hyperband.compare.comparison import load

    try:
        found = load(Path("config/compare.yaml"))
        jobs = units.jobs(found)
    except UserError as error:
        stop(error)
    if workflow.is_main_process:
        for line in found.absent:
            print(line, file=sys.stderr)
    return found, jobs


def compare_files(wildcards):
    folder = f"results/compare/{comparison()[0].name}"
    return [
        f"{folder}/{name}"
        for name in (
            "figure3.png",
            "table1.csv",
            "table1.md",
            "summary.csv",
            "summary.md",
            "verdicts.csv",
            "runs.parquet",
        )
    ]


def compared(wildcards):
    """Return what tells that all jobs are done."""
    folder = f"results/compare/{wildcards.comparison}"
    return [f"{folder}/done/{job}" for job in comparison()[1]]


def compared_table(wildcards):
    """Return the table of curves that a job works on."""
    return str(compared_units(wildcards)[0].source.path)


def compared_units(wildcards):
    job = f"{wildcards.part}/{wildcards.unit}"
    jobs = comparison()[1]
    if job not in jobs:
        stop(f"config/compare.yaml: has no {job}")
    return jobs[job]


def compared_cost(wildcards):
    """Return how long a job takes."""
    from swift_hyperband.compare.units import whole_cost

    return whole_cost(compared_units(wildcards))


def compared_names(wildcards):
    """Return what a job makes."""
    return [unit.key for unit in compared_units(wildcards)]


def compared_definition(wildcards):
    """Return what makes a job run again: another definition, or another number of seeds."""
    from swift_hyperband.compare.store import digest

    units = compared_units(wildcards)
    return digest({unit.key: [unit.definition, unit.seeds] for unit in units})


def comparison_definition(wildcards):
    """Return what makes pictures and tables be drawn again: also names and their order."""
    from swift_hyperband.compare.store import digest

    found, jobs = comparison()
    keys = found.keys.model_dump(mode="json")
    return digest({"keys": keys, "jobs": list(jobs)})
