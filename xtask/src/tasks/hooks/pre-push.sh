#!/bin/sh
# Written by `cargo xtask hooks install`; `cargo xtask hooks remove` takes it away.
# Refuses a push that `cargo xtask check` does not pass. `git push --no-verify` goes past it.
# Git's side of it: https://git-scm.com/docs/githooks#_pre_push
set -u

# A hooks folder may be shared with repositories that know nothing of this one.
[ -f config/pipeline.toml ] || exit 0

# Git says a commit that is not there by a hash of zeros, however long its hashes are.
is_zero() {
    case $1 in *[!0]*) return 1 ;; esac
}

# What the remote has of a ref that goes there: what it says itself, where that is known here, else where the two parted.
base_of() {
    if ! is_zero "$3" && git cat-file -e "$3^{commit}" 2>/dev/null; then
        echo "$3"
    else
        git merge-base "$2" "refs/remotes/$1/HEAD" 2>/dev/null
    fi
}

pushes= bases= everything=
while read -r _ local _ remote; do
    is_zero "$local" && continue
    pushes=yes
    if base=$(base_of "$1" "$local" "$remote"); then bases="$bases $base"; else everything=yes; fi
done
[ "$pushes" ] || exit 0

since=
if [ ! "$everything" ]; then
    # Of several refs, the commit that all of them come from: what changed since any of them changed since then.
    # shellcheck disable=SC2086 # one word each
    since=$(git merge-base --octopus $bases) || since=
fi

# They name this repository to every git below, and so to those of tests that make repositories of their own.
# shellcheck disable=SC2046 # one word each
unset $(git rev-parse --local-env-vars)

cargo xtask check ${since:+--since "$since"} </dev/null && exit 0
echo "pre-push: the check failed, so nothing is pushed; \`git push --no-verify\` goes past it" >&2
exit 1
