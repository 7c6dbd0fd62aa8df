# What the scripts of this folder share, each of which sources it first. They work on clones of what is committed in a
# temporary folder and leave the checkout alone.
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What a shell or a runner sets besides would be measured too.
unset CARGO_TARGET_DIR RUSTFLAGS CI

# Ends a script that was called in another way than its first lines say.
usage() {
    sed -n '2,/^set/{/^set/d;p}' "$0"
    exit 2
}

# Changes a string that the service prints, so that its code really differs.
edit() {
    sed -i "s/\"listening[0-9]*\"/\"listening$(date +%N)\"/" app/src/server/mod.rs
    ! git diff --quiet || { echo "there is nothing to edit any more" >&2; exit 1; }
}

# seconds COMMAND... : how long it takes; its output goes to a file, and is shown if it fails.
seconds() {
    local start=$EPOCHREALTIME
    ("$@") >"$work/log" 2>&1 || { tail -n 50 "$work/log" >&2; exit 1; }
    awk "BEGIN { printf \"%.3f\n\", $EPOCHREALTIME - $start }"
}

# median FILE [COLUMN] : of the values of a column, the lower one of two in the middle.
median() { awk "{ print \$${2:-1} }" "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
