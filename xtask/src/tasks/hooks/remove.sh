# Removes the hook, if it is ours.
set -eu
hook=$(git rev-parse --git-path hooks)/pre-push
if [ ! -e "$hook" ] && [ ! -L "$hook" ]; then
    echo "there is no $hook"
elif grep -q '^# Written by `cargo xtask hooks install`' "$hook" 2>/dev/null; then
    rm "$hook"
    echo "$hook is gone"
else
    echo "$hook is not of \`cargo xtask hooks\`, and stays as it is"
    exit 1
fi
