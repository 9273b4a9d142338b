# Execution by workers: jobs that stay until the search is over. Each takes one training after another; the decider, a
# process beside Snakemake, says which. What a worker has trained stays, so it may be killed and started over at any time.


rule worker:
    input:
        mended,
        ancient(needed),
    output:
        touch(f"{OF_STUDY}/workers/{{worker}}/done"),
    log:
        f"{OF_STUDY}/workers/{{worker}}/log",
    conda:
        "../envs/swift-hyperband.yaml"
    threads: study.target.threads * study.resources.side_by_side
    resources:
        mem_mb=memory,
        runtime=minutes,
        gpu=study.resources.gpus,
    message:
        "worker {wildcards.worker}"
    shell:
        f"{RUN} work {shlex.quote(str(RESULTS))}/{{wildcards.study}} --name {{wildcards.worker}} {time_limit}2> {{log:q}}"


checkpoint over:
    input:
        ended_workers,
    output:
        touch(f"{OF_STUDY}/workers.done"),
    retries: 0
    localrule: True
    message:
        "the search is over"
