#!/bin/sh
# A segment command in plain shell: it "trains" a loss that falls towards a floor. Its state is the loss, in a file.
# Options: --config FILE --from N --to N --state-in FOLDER|- --state-out FOLDER --metrics FILE --seed N. The environment
# has them as well: SWIFT_CONFIG, SWIFT_FROM, SWIFT_TO ...
set -eu
rate=$(sed -n 's/.*"rate": *\([0-9.e-]*\).*/\1/p' "$SWIFT_CONFIG")
loss=1
[ "$SWIFT_STATE_IN" = - ] || loss=$(cat "$SWIFT_STATE_IN/loss")
epoch=$SWIFT_FROM
while [ "$epoch" -lt "$SWIFT_TO" ]; do
    epoch=$((epoch + 1))
    loss=$(awk "BEGIN { print $loss - $rate * ($loss - 0.1) * exp(-4 * $rate) }")
    echo "{\"epoch\": $epoch, \"loss\": $loss}" >> "$SWIFT_METRICS"
done
echo "$loss" > "$SWIFT_STATE_OUT/loss"
