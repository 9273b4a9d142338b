# Learning curves of the study's target, for replays: `snakemake record --config configurations=60 --cores 2`.
# 'swift-hyperband record --profile ...' does the same with a job for each batch of trials.


rule record:
    output:
        f"{dag.folder.path}-curves/curves.parquet",
    log:
        f"{dag.folder.path}-curves/record.log",
    conda:
        "../envs/swift-hyperband.yaml"
    threads: study.target.threads * study.resources.workers
    resources:
        mem_mb=study.resources.mem_mb * study.resources.workers,
        gpu=study.resources.gpus,
    params:
        study=study_file,
        configurations=config.get("configurations", 60),
    message:
        "record {params.configurations} learning curves"
    shell:
        f"{RUN} record {{params.study:q}} --configurations {{params.configurations:q}} 2> {{log:q}}"
