# What a search ends with: the best configuration, all curves in one table, the pictures.


rule best:
    input:
        ends,
    output:
        report(
            f"{dag.folder.path}/best.yaml",
            caption="../workflow/report/best.rst",
            category="Result",
            labels={"what": "best configuration"},
        ),
    log:
        f"{dag.folder.path}/logs/best.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "find the best configuration"
    shell:
        f"{RUN} job best {{output:q}} 2> {{log:q}}"


rule pictures:
    input:
        f"{dag.folder.path}/best.yaml",
    output:
        report(
            f"{dag.folder.path}/report/brackets.png",
            caption="../workflow/report/brackets.rst",
            category="Pictures",
            labels={"what": "brackets"},
        ),
        report(
            f"{dag.folder.path}/report/learning_curves.png",
            caption="../workflow/report/learning_curves.rst",
            category="Pictures",
            labels={"what": "learning curves"},
        ),
        report(
            f"{dag.folder.path}/report/predictions.png",
            caption="../workflow/report/predictions.rst",
            category="Pictures",
            labels={"what": "predictions"},
        ),
        report(
            f"{dag.folder.path}/report/epochs.png",
            caption="../workflow/report/epochs.rst",
            category="Pictures",
            labels={"what": "epochs spent and saved"},
        ),
        report(
            f"{dag.folder.path}/report/jobs.png",
            caption="../workflow/report/jobs.rst",
            category="Pictures",
            labels={"what": "jobs"},
        ),
        report(
            f"{dag.folder.path}/curves.parquet",
            caption="../workflow/report/curves.rst",
            category="Result",
            labels={"what": "all learning curves"},
        ),
        f"{dag.folder.path}/report/summary.rst",
        # not part of Snakemake's report, in which browsers of Chromium's kind show no page of more than 1.5 MB
        f"{dag.folder.path}/report/index.html",
    log:
        f"{dag.folder.path}/logs/pictures.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    params:
        folder=subpath(output[0], parent=True),
    message:
        "draw the pictures, write the page and the table of curves"
    shell:
        f"{RUN} job report {{params.folder:q}} 2> {{log:q}}"
