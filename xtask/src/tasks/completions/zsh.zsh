#compdef cargo-xtask -P cargo

# Completes what comes after `cargo xtask`. What completes cargo, rustup's or another, asks for _cargo-xtask by itself; where
# there is no such thing, this is asked instead of it.

@GENERATED@

_cargo-xtask() {
    if [[ ${words[1]:t} == cargo ]]; then
        local task=2
        [[ $words[2] != +* ]] || task=3
        if [[ $words[task] != xtask ]] || (( CURRENT <= task )); then
            _default
            return
        fi
        shift $(( task - 1 )) words
        (( CURRENT -= task - 1 ))
    fi
    _cargo_xtask_words "$@"
}

if [[ $funcstack[1] == _cargo-xtask ]]; then
    _cargo-xtask "$@"
else
    compdef _cargo-xtask cargo-xtask
    compdef -P _cargo-xtask cargo
fi
