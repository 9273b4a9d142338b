# What a search ends with: the best configuration, all curves in one table, the pictures.


rule best:
    input:
        ends,
    output:
        report(
            f"results/{study.name}/best.yaml",
            caption="../workflow/report/best.rst",
            category="Result",
            labels={"what": "best configuration"},
        ),
    log:
        f"results/{study.name}/logs/best.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "find the best configuration"
    shell:
        "swift-hyperband job best {output:q} 2> {log:q}"


rule pictures:
    input:
        f"results/{study.name}/best.yaml",
    output:
        report(
            f"results/{study.name}/report/brackets.png",
            caption="../workflow/report/brackets.rst",
            category="Pictures",
            labels={"what": "brackets"},
        ),
        report(
            f"results/{study.name}/report/learning_curves.png",
            caption="../workflow/report/learning_curves.rst",
            category="Pictures",
            labels={"what": "learning curves"},
        ),
        report(
            f"results/{study.name}/report/predictions.png",
            caption="../workflow/report/predictions.rst",
            category="Pictures",
            labels={"what": "predictions"},
        ),
        report(
            f"results/{study.name}/report/epochs.png",
            caption="../workflow/report/epochs.rst",
            category="Pictures",
            labels={"what": "epochs spent and saved"},
        ),
        report(
            f"results/{study.name}/report/jobs.png",
            caption="../workflow/report/jobs.rst",
            category="Pictures",
            labels={"what": "jobs"},
        ),
        report(
            f"results/{study.name}/report/index.html",
            caption="../workflow/report/index.rst",
            category="Result",
            labels={"what": "what was found, and pictures beside their captions"},
        ),
        report(
            f"results/{study.name}/curves.parquet",
            caption="../workflow/report/curves.rst",
            category="Result",
            labels={"what": "all learning curves"},
        ),
        f"results/{study.name}/report/summary.rst",
    log:
        f"results/{study.name}/logs/pictures.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    params:
        folder=subpath(output[0], parent=True),
    message:
        "draw the pictures, write the page and the table of curves"
    shell:
        "swift-hyperband job report {params.folder:q} 2> {log:q}"
