# Completes what comes after `cargo xtask`, besides what fish itself knows of cargo.

@GENERATED@

# Files only where a flag takes one.
complete -c cargo-xtask -f

# The command line as that of a program `cargo-xtask`, up to the cursor; fails where it is about something else.
function __cargo_xtask_line
    set -l words (commandline -opc)
    set -l now (commandline -ct)
    set -e words[1]
    string match -q '+*' -- $words[1]; and set -e words[1]
    test "$words[1]" = xtask; or return 1
    set words[1] cargo-xtask
    set words (string escape -- $words)
    echo "$words $now"
end

complete -c cargo -n '__cargo_xtask_line >/dev/null' -f -a '(complete -C (__cargo_xtask_line))'
