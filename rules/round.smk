# A round's decisions: seconds each, on the head. Retries, which a profile gives, are for training jobs.


rule draw:
    input:
        drawn_from,
    output:
        f"{OF_ROUND}/draw.json",
    log:
        f"{OF_ROUND}/logs/draw.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "draw the configurations of bracket {wildcards.bracket} from the curves so far"
    shell:
        f"{RUN} job draw {{output:q}} 2> {{log:q}}"


rule threshold:
    input:
        full_batches,
    output:
        f"{OF_ROUND}/threshold.json",
    log:
        f"{OF_ROUND}/logs/threshold.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "threshold: bracket {wildcards.bracket}, round {wildcards.round}"
    shell:
        f"{RUN} job threshold {{output:q}} 2> {{log:q}}"


rule fit:
    input:
        training_curves,
    output:
        f"{OF_ROUND}/predictor.json",
    log:
        f"{OF_ROUND}/logs/fit.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    # one problem at a time on an annealer in the network; the head is where the network is
    resources:
        qpu=1 if annealer_in_network() else 0,
    message:
        "fit the predictor: bracket {wildcards.bracket}, round {wildcards.round}"
    shell:
        f"{RUN} job fit {{output:q}} 2> {{log:q}}"


checkpoint decide:
    input:
        threshold=f"{OF_ROUND}/threshold.json",
        predictor=predictor_here,
        partial=partial_batches,
    output:
        f"{OF_ROUND}/decision.json",
    log:
        f"{OF_ROUND}/logs/decide.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "decide: bracket {wildcards.bracket}, round {wildcards.round}"
    shell:
        f"{RUN} job decide {{output:q}} 2> {{log:q}}"


checkpoint thaw:
    input:
        left_behind,
    output:
        f"{OF_ROUND}/thaw.json",
    log:
        f"{OF_ROUND}/logs/thaw.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "thaw: choose which trials that were left behind train to the end"
    shell:
        f"{RUN} job thaw {{output:q}} 2> {{log:q}}"


checkpoint promote:
    input:
        previous=promotion_before,
        full=full_batches,
        decision=decision_here,
        complete=completed_batches,
    output:
        f"{OF_ROUND}/promotion.json",
    log:
        f"{OF_ROUND}/logs/promote.log",
    retries: 0
    localrule: True
    conda:
        "../envs/swift-hyperband.yaml"
    message:
        "promote: bracket {wildcards.bracket}, round {wildcards.round}"
    shell:
        f"{RUN} job promote {{output:q}} 2> {{log:q}}"
