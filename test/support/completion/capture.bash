# Prints what the completion function gives for a line, one word on a line of its own.
# usage: bash --norc capture.bash SCRIPT WORD...; "=" is a word of its own, as readline has it
set -u
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_kubepki
if [[ ${#COMPREPLY[@]} -gt 0 ]]; then printf '%s\n' "${COMPREPLY[@]}"; fi
