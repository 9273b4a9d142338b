# `snakemake compare`: searches replayed over recorded learning curves, as config/compare.yaml says. Runs are kept by
# the command in runs/ and predictions/, which are no outputs: Snakemake would delete what a stopped job has done.


rule compare_runs:
    input:
        compared_table,
    output:
        touch("results/compare/{comparison}/done/{part}/{unit}"),
    log:
        "results/compare/{comparison}/logs/{part}/{unit}.log",
    # the longest first, so that no core waits for one at the end
    priority: compared_cost
    conda:
        "../envs/swift-hyperband.yaml"
    params:
        only=compared_names,
        definition=compared_definition,
    message:
        "compare: {wildcards.part} of {wildcards.unit}"
    shell:
        f"{RUN} compare config/compare.yaml --cores 1 --only {{params.only:q}} 2> {{log:q}}"


rule compare_report:
    input:
        compared,
    output:
        figure="results/compare/{comparison}/figure3.png",
        table=multiext("results/compare/{comparison}/table1", ".csv", ".md"),
        summary=multiext("results/compare/{comparison}/summary", ".csv", ".md"),
        verdicts="results/compare/{comparison}/verdicts.csv",
        runs="results/compare/{comparison}/runs.parquet",
    log:
        "results/compare/{comparison}/logs/report.log",
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    params:
        definition=comparison_definition,
    message:
        "compare: draw the figure and write the tables"
    shell:
        f"{RUN} compare config/compare.yaml --cores 1 2> {{log:q}}"


rule compare:
    input:
        compare_files,
    localrule: True
