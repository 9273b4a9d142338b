# What the rules share: the study, and which files a round's jobs read.
from swift_hyperband.workflow import deciding, fitting, journaled, place
from swift_hyperband.annealing.settings import REMOTE
from swift_hyperband.results.begin import begin, reason_to_give_up
from swift_hyperband.workflow.adopting import adopt
from swift_hyperband.workflow.dag import Dag
from swift_hyperband.base.errors import about_disk
from swift_hyperband.earlier.taking import found_for, take_over
from swift_hyperband.processes.head import become_head
from swift_hyperband.processes.watch import watcher
from swift_hyperband.results.jobs import was_out_of_time
from swift_hyperband.results.freeze import check_frozen, freeze
from swift_hyperband.workflow.paths import check_paths_for_cluster
from swift_hyperband.workflow.retrying import give_up_with
from swift_hyperband.slurm import left_workers, plugin
from snakemake.utils import update_config


def prefix():
    """Jobs run the swift-hyperband that lies beside this Snakemake, with --sdm conda by that environment's Python."""
    deployment = getattr(workflow.deployment_settings, "deployment_method", None)
    if "conda" in map(str, deployment or ()):
        package = shlex.quote(str(Path(swift_hyperband.__file__).parents[1]))
        return f'swift-hyperband() {{ PYTHONPATH={package} python -m swift_hyperband "$@"; }}; '
    # not the script in that folder: the installer's first line in it holds few odd characters
    python = shlex.quote(sys.executable)
    return (
        f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
        f'swift-hyperband() {{ {python} -P -m swift_hyperband "$@"; }}; '
    )


# How rules begin their commands, formatted by Snakemake. The prefix of all commands is left to the main workflow.
RUN = "swift-hyperband"
if IS_MAIN:
    shell.prefix(prefix().replace("{", "{{").replace("}", "}}"))
else:
    RUN = prefix().replace("{", "{{").replace("}", "}}") + RUN


def paths():
    """What the commands of jobs name."""
    return [Path.cwd(), workflow.basedir, RESULTS, *study_files()]


def looking():
    """Whether nothing will run (-n, --dag, --rulegraph, --summary, --report ...).

    Snakemake has no documented way to ask; `--config plan=True` and `plan=False` overrule the guess.
    """
    if config.get("plan", "auto") != "auto":
        return bool(config["plan"])
    try:
        return workflow.executor_plugin is None or workflow.dryrun
    except AttributeError:
        return False


def lead():
    """Return whether this process runs the search: it becomes the one that does, if it can be."""
    # once, though each 'use rule' of a module reads these rules anew
    leads = workflow.__dict__.setdefault("leads_searches", {})
    if dag.folder not in leads:
        leads[dag.folder] = take_lead()
    return leads[dag.folder]


def take_lead():
    """Become the one process that runs this search, if it can be; jobs on other machines never are."""
    if not workflow.is_main_process:
        return False
    try:
        if not workflow.executor_plugin.common_settings.local_exec:
            check_paths_for_cluster(paths(), sys.executable)
        become_head(dag.folder.path, watcher())
        earlier = found_for(dag.folder, study)
        freeze(dag.folder, study)
        begin(dag.folder, study.definition()["target"])
        # the job that writes best.yaml trains nothing; who decides for workers sees to it
        take_over(dag.folder, study, earlier, remakes=study.execution == "workers")
        fitting.check(dag.folder, study.frozen())
        deciding.mend(dag.folder, study)
        if study.execution == "rounds":
            adopt(dag)
        supervisor = supervise()
    except UserError as error:
        stop(error)
    except OSError as error:
        stop(about_disk(error))
    give_up_with(
        lambda: (supervisor and supervisor.error)
        or reason_to_give_up(
            dag.folder, study.definition()["target"], study.give_up_after
        ),
        lambda worker: was_out_of_time(dag.folder.worker(worker)),
    )
    correct_executors(supervisor)
    return True


def correct_executors(supervisor):
    """Correct what waits in vain in those that submit to SLURM, and let them go on with workers left there."""
    if workflow.executor_plugin.common_settings.local_exec:
        return
    names = (left_workers.PLUGIN, left_workers.GENERIC)
    found = {name: sys.modules[name] for name in names if name in sys.modules}
    taken = left_workers.take_over(found.values(), study.name) if supervisor else ()
    is_over = lambda: supervisor is not None and supervisor.is_over
    error = lambda: supervisor and supervisor.error
    if left_workers.PLUGIN in found:
        plugin.mend(found[left_workers.PLUGIN], is_over, taken, error)
    if left_workers.GENERIC in found and supervisor:
        plugin.let_workers_end(found[left_workers.GENERIC], is_over, error)


def supervise():
    """Let a process decide for the workers as long as this one lives; return what sees to that, if there are any."""
    if study.execution != "workers" or dag.is_over:
        return None
    # of no use to rounds
    from swift_hyperband.workers.supervisor import Supervisor

    return Supervisor(dag.folder)


def wait_for(checkpoint, round_):
    of_round = (
        {} if round_ is None else {"bracket": round_.bracket, "round": round_.index}
    )
    getattr(checkpoints, checkpoint).get(study=study.name, **of_round)


# Keys that --config gives and the study file does not have.
SETTINGS = ("plan", "configurations")


def study_files():
    """Return the files that are the study together: those of the command line, or the one that a module is given."""
    if IS_MAIN:
        return workflow.configfiles
    return [config.get("study_file", "config/config.yaml")]


def read_study():
    where = ", ".join(map(str, study_files())) or "--config"
    try:
        given = {}
        # read anew, as for Snakemake 1e-4 is text, with or without quotes
        for path in study_files():
            update_config(given, reader.read(Path(path)))
        if IS_MAIN:
            update_config(given, workflow.config_settings.config)
        given = {
            key: value
            for key, value in given.items()
            if key not in SETTINGS and not key.startswith(place.PREFIX)
        }
        found = swift_hyperband.study.model.parse(given, where)
        # jobs need not look again
        if workflow.is_main_process:
            swift_hyperband.study.files.check_data(found, where)
            at_a_time = found.resources.workers * found.resources.side_by_side
            swift_hyperband.study.files.check_own_files(found, where, at_a_time)
            journaled.check_rounds(found, where)
        handed = workflow.config_settings.config
        folder = place.folder_of(found.name, found.results, handed)
        if workflow.is_main_process:
            place.hand_on(workflow.config_settings, found.name, found.results, folder)
        check_folder(folder.path)
        return check_frozen(folder, found), folder
    except UserError as error:
        stop(error)
    except OSError as error:
        stop(about_disk(error))


study, study_folder = read_study()
# what the paths of rules begin with
RESULTS = study_folder.path.parent
OF_STUDY = str(RESULTS / "{study}")
OF_ROUND = f"{OF_STUDY}/bracket={{bracket}}/round={{round}}"
study_file = study_files()[-1] if study_files() else "config/config.yaml"
dag = Dag(study, study_folder, looking, lead, wait_for)


def round_of(wildcards):
    return dag.schedule.by_key[int(wildcards.bracket), int(wildcards.round)]


def full_batches(wildcards):
    return dag.manifests(round_of(wildcards), "full")


def partial_batches(wildcards):
    return dag.manifests(round_of(wildcards), "partial")


def completed_batches(wildcards):
    return dag.manifests(round_of(wildcards), "complete")


def promotion_before(wildcards):
    return dag.previous(round_of(wildcards))


def draw_here(wildcards):
    return dag.draw(round_of(wildcards))


def drawn_from(wildcards):
    return dag.drawn_from(round_of(wildcards))


def decision_here(wildcards):
    return dag.decision(round_of(wildcards))


def predictor_here(wildcards):
    return dag.predictor(round_of(wildcards))


def training_curves(wildcards):
    return dag.training_rounds(round_of(wildcards))


def ended_workers(wildcards):
    return dag.ended_workers()


def needed(wildcards):
    """Return the files of other rules that trainings need, which the config of a module names."""
    return [] if IS_MAIN else config.get("needs", [])


# More for a job that failed, for its reason may be that it had too little.
def memory(wildcards, attempt):
    return min(attempt, 3) * study.resources.mem_mb


def minutes(wildcards, attempt):
    return min(attempt, 3) * study.resources.runtime


# A job that the head runs itself, here or within an allocation, has none. Not among the params: changed ones run again.
time_limit = "" if workflow.is_main_process else "--minutes {resources.runtime} "


def annealer_in_network():
    return study.predictor.name == "qsvr" and study.predictor.sampler.name in REMOTE


def mended(wildcards):
    """No file: becomes the head, and mends what was damaged, before Snakemake looks which files there are."""
    dag.begin()
    return []


def left_behind(wildcards):
    return dag.left_behind()


def ends(wildcards):
    dag.begin()
    return dag.ends()
