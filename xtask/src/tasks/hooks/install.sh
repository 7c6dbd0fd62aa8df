# Puts the hook on standard input into its place, unless another one is there.
set -eu
folder=$(git rev-parse --git-path hooks)
hook=$folder/pre-push
new=$hook.$$
mkdir -p "$folder"
trap 'rm -f "$new"' EXIT
cat >"$new"
chmod 755 "$new"
if [ ! -e "$hook" ] && [ ! -L "$hook" ]; then
    mv "$new" "$hook"
    echo "$hook is there from now on; \`git push --no-verify\` goes past it"
elif [ -x "$hook" ] && cmp -s "$new" "$hook"; then
    echo "$hook is there already"
elif grep -q '^# Written by `cargo xtask hooks install`' "$hook" 2>/dev/null; then
    mv "$new" "$hook"
    echo "$hook is renewed"
else
    echo "$hook is not of \`cargo xtask hooks\`, and stays as it is; add this line to it, before all that reads standard input:"
    echo "    sh \"\$(git rev-parse --show-toplevel)/xtask/src/tasks/hooks/pre-push.sh\" \"\$@\" || exit 1"
    exit 1
fi
