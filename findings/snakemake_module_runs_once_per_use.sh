#!/usr/bin/env bash
# Snakemake 9.27: each statement `use rule ... from a module` runs the module's whole Snakefile again, so what it does
# besides rules (reading, writing, starting a process) happens once for each. And a statement that ends in `exclude` takes
# the next one as its own, unless a blank line stands between them: a SyntaxError about `as` and `with`.
#
# Seen: one use: 1 run, two uses: 2 runs
#       exclude, then use: SyntaxError; with a blank line between: exit code 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check snakemake==9.27.1
cat >module.smk <<'EOF'
with open("runs", "a") as file:
    file.write("run\n")


rule a:
    output: "a.txt"
    shell: "touch {output}"


rule b:
    output: "b.txt"
    shell: "touch {output}"
EOF
begin=$'module m:\n    snakefile: "module.smk"\n\nuse rule * from m exclude b\n'
runs() { # of the module's Snakefile, in a dry run of the Snakefile that is given
    rm -f runs
    printf '%s' "$1" >Snakefile
    venv/bin/snakemake a --dry-run >out 2>&1
    grep -c run runs
}
one=$(runs "$begin")
two=$(runs "$begin"$'\nuse rule a from m as c with:\n    output: "c.txt"\n')
echo "one use: $one run, two uses: $two runs"
[ "$one" = 1 ] && [ "$two" = 2 ]
printf '%s' "$begin"$'use rule a from m as c with:\n    output: "c.txt"\n' >Snakefile
if venv/bin/snakemake --dry-run a >out 2>&1; then exit 1; fi
grep -q 'SyntaxError' out
grep -q "Expecting at most one 'as' or 'with' statement" out
echo 'exclude, then use: SyntaxError; with a blank line between: exit code 0'
