# Completes what comes after `cargo xtask`. All else of cargo is left to what completes it already, or will: whatever is
# loaded before this, after it, or by bash-completion when it is first needed.

@GENERATED@

# The words after `xtask`, which is the word number $1; $2 is the part of the last one that is before the cursor.
_cargo_xtask_words() {
    local word words=() cur=$2 list=
    # bash makes three words of --flag=value.
    for word in "${COMP_WORDS[@]:$1 + 1:COMP_CWORD - $1 - 1}"; do
        [[ $word == = ]] || words+=("$word")
    done
    [[ $cur != = ]] || cur=
    local prev=xtask
    (( ${#words[@]} == 0 )) || prev=${words[${#words[@]} - 1]}
    case $prev in
        @LISTS@)
            [[ $cur != *,* ]] || list=${cur%,*},
            cur=${cur##*,}
            ;;
    esac
    local COMP_WORDS=(cargo-xtask "${words[@]}" "$cur")
    local COMP_CWORD=$(( ${#words[@]} + 1 ))
    (( BASH_VERSINFO[0] < 4 )) || compopt -o bashdefault -o default
    _cargo_xtask cargo-xtask "$cur" "$prev"
    COMPREPLY=("${COMPREPLY[@]/#/$list}")
}

_cargo_xtask_cargo() {
    local task=1
    [[ ${COMP_WORDS[1]} != +* ]] || task=2
    if [[ ${COMP_WORDS[task]} == xtask && $COMP_CWORD -gt $task ]]; then
        _cargo_xtask_words "$task" "$2"
    elif [[ -n $_cargo_xtask_before ]]; then
        "$_cargo_xtask_before" "$@"
    else
        _cargo_xtask_load "$@"
    fi
}

# bash-completion loads what completes a command when that is first needed, unless there is something already.
_cargo_xtask_load() {
    local loader
    loader=$(complete -p -D 2>/dev/null)
    if [[ $loader == *" -F "* ]]; then
        loader=${loader#* -F }
        complete -r cargo
        "${loader%% *}" cargo "$2" "$3"
        _cargo_xtask_take_over
        # bash asks what is there now.
        [[ -z $_cargo_xtask_before ]] || return 124
    fi
    (( BASH_VERSINFO[0] < 4 )) || compopt -o bashdefault -o default
}

# Puts ours before what completes cargo.
_cargo_xtask_take_over() {
    local now
    now=$(complete -p cargo 2>/dev/null)
    case $now in
        *" -F _cargo_xtask_cargo "*) ;;
        *" -F "*)
            _cargo_xtask_before=${now#* -F }
            _cargo_xtask_before=${_cargo_xtask_before%% *}
            eval "${now/ -F $_cargo_xtask_before / -F _cargo_xtask_cargo }"
            ;;
        '') complete -F _cargo_xtask_cargo cargo ;;
    esac
}

# Once more at the first prompt, after all that ~/.bashrc loads.
_cargo_xtask_at_prompt() {
    local status=$?
    _cargo_xtask_take_over
    PROMPT_COMMAND=${PROMPT_COMMAND/_cargo_xtask_at_prompt;/}
    PROMPT_COMMAND=${PROMPT_COMMAND/_cargo_xtask_at_prompt/}
    return $status
}

_cargo_xtask_before=
_cargo_xtask_take_over
PROMPT_COMMAND="_cargo_xtask_at_prompt${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
