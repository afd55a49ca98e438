# SPDX-License-Identifier: GPL-2.0-or-later
"""The completion scripts of the shells, and how they call patchgen.

Each script sets _PATCHGEN_COMPLETE and runs `patchgen ARG...`. patchgen then prints one completion
a line: its kind, its value, and a remark, separated by tabs. For the kinds `file` and `dir`, the
shell completes names of files or folders itself, because only it knows how the user quotes them;
the value is the name without quotes. The kind `word` is what bash replaces, without its quotes.
"""

from __future__ import annotations

# The arguments are the command line up to the cursor, and the part that bash replaces: it begins
# after the last of $COMP_WORDBREAKS. bash completes quoted names of files correctly only with
# `-o default`, which it uses only if COMPREPLY is empty.
_BASH = r"""
_patchgen_completion() {
    local current=${COMP_WORDS[COMP_CWORD]} kind value remark word files folders
    local -a values=()
    [[ $current == [=:] ]] && current=
    while IFS=$'\t' read -r kind value remark; do
        case $kind in
            plain) values+=("$value") ;;
            word) word=$value ;;
            file) files=1 ;;
            dir) folders=1 ;;
        esac
    done < <(_PATCHGEN_COMPLETE=bash_complete "${1/#\~/$HOME}" \
        "${COMP_LINE:0:COMP_POINT}" "$current" 2>/dev/null)
    COMPREPLY=()
    if ((${#values[@]} == 0)); then
        if [[ $files ]]; then
            compopt -o default
        elif [[ $folders ]]; then
            compopt -o dirnames
        fi
        return
    fi
    for value in "${values[@]}"; do
        [[ $files || $folders || $current == [\"\']* ]] || printf -v value %q "$value"
        COMPREPLY+=("$value")
        [[ $value == *[/=] ]] && compopt -o nospace
    done
    if [[ $files || $folders ]]; then
        compopt -o filenames
        local -a names
        [[ $files ]] && kind=-f || kind=-d
        mapfile -t names < <(compgen "$kind" -- "$word")
        COMPREPLY+=("${names[@]}")
    fi
}
complete -o nosort -F _patchgen_completion patchgen
"""

_ZSH = r"""#compdef patchgen
_patchgen_completion() {
    local line files folders
    local -a lines fields values described unfinished
    lines=("${(@f)$(_PATCHGEN_COMPLETE=zsh_complete ${(Q)words[1]} \
        "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in $lines; do
        fields=("${(@ps:\t:)line}")
        case $fields[1] in
            plain)
                if [[ $fields[2] == *[/=] ]]; then
                    unfinished+=("$fields[2]")
                else
                    values+=("$fields[2]")
                    described+=("$fields[2]${fields[3]:+  -- $fields[3]}")
                fi ;;
            file) files=1 ;;
            dir) folders=1 ;;
        esac
    done
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    (( $#values )) && compadd -l -d described -a values
    (( $#unfinished )) && compadd -S '' -a unfinished
    if [[ -n $files ]]; then
        _files
    elif [[ -n $folders ]]; then
        _files -/
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _patchgen_completion "$@"
else
    compdef _patchgen_completion patchgen
fi
"""

# fish compares completions with the whole word, so they begin with the word's `--option=`.
_FISH = r"""
function __patchgen_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l option (string match -r '^--[^=]*=' -- $current)
    for line in (env _PATCHGEN_COMPLETE=fish_complete $words "$current" 2>/dev/null)
        set -l fields (string split \t -- $line)
        switch $fields[1]
            case plain
                printf '%s%s\t%s\n' "$option" $fields[2] "$fields[3]"
            case file
                printf "$option%s\n" (__fish_complete_path "$fields[2]")
            case dir
                printf "$option%s\n" (__fish_complete_directories "$fields[2]" '')
        end
    end
end
complete --no-files --command patchgen --arguments '(__patchgen_complete)'
"""

SCRIPTS = {"bash": _BASH.lstrip(), "zsh": _ZSH, "fish": _FISH.lstrip()}
