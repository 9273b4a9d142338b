# Training: one job trains a batch of trials. Trials own their states and curves; what a trial has behind it is not
# trained again, so a job may be killed and started over at any time.


rule train_full:
    input:
        ancient(promotion_before),
        ancient(draw_here),
        ancient(needed),
    output:
        f"{OF_ROUND}/full/{{batch}}.json",
    log:
        f"{OF_ROUND}/logs/full-{{batch}}.log",
    conda:
        "../envs/swift-hyperband.yaml"
    threads: study.target.threads * study.resources.side_by_side
    resources:
        mem_mb=memory,
        runtime=minutes,
        gpu=study.resources.gpus,
    message:
        "train fully: bracket {wildcards.bracket}, round {wildcards.round}, batch {wildcards.batch}"
    shell:
        f"{RUN} job train {{output:q}} {time_limit}2> {{log:q}}"


use rule train_full as train_partial with:
    output:
        f"{OF_ROUND}/partial/{{batch}}.json",
    log:
        f"{OF_ROUND}/logs/partial-{{batch}}.log",
    message:
        "train to the decision point: bracket {wildcards.bracket}, round {wildcards.round}, batch {wildcards.batch}"


use rule train_full as train_complete with:
    input:
        ancient(f"{OF_ROUND}/decision.json"),
    output:
        f"{OF_ROUND}/complete/{{batch}}.json",
    log:
        f"{OF_ROUND}/logs/complete-{{batch}}.log",
    message:
        "complete: bracket {wildcards.bracket}, round {wildcards.round}, batch {wildcards.batch}"
