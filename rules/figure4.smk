# The paper's figure 4 on real training: `snakemake figure4 --cores 2`. Its runs come one after another, as their times
# are compared, so each takes all cores.


rule figure4_run:
    output:
        "results/{figure}/{search}-{seed}.json",
    log:
        "results/{figure}/logs/{search}-{seed}.log",
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    # more than there are: all of them
    threads: 1024
    message:
        "figure 4: {wildcards.search}, seed {wildcards.seed}"
    shell:
        f"{RUN} figure4 config/figure4.yaml --only {{wildcards.search:q}}-{{wildcards.seed:q}} > {{log:q}} 2>&1"


rule figure4:
    input:
        figure4_runs,
    log:
        "logs/figure4.log",
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "draw figure 4"
    shell:
        f"{RUN} figure4 config/figure4.yaml --draw 2> {{log:q}}"
