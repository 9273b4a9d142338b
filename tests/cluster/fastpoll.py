"""swift-hyperband, asking SLURM every second how its jobs are.

The plugin asks 10 s later each time that no job has ended, up to every 3 minutes, and has no setting for that.
"""

import sys

import snakemake_executor_plugin_slurm as plugin

from swift_hyperband.cli import main

plugin.Executor.next_seconds_between_status_checks = property(lambda executor: 1.0, lambda executor, seconds: None)
sys.exit(main())
