# Prints the matches that an interactive zsh finds for a line, one on a line of its own.
# usage: zsh -f capture.zsh fpath|source DIRECTORY LINE; DIRECTORY holds the script as _kubepki
zmodload zsh/zpty
zpty z zsh -f -i
# Nothing is listed, so nothing asks whether to list so much.
zpty -w z 'PROMPT=; stty columns 1000 rows 1000; unsetopt autolist automenu'
if [[ $1 == fpath ]]; then
  zpty -w z "fpath=(${(q)2} \$fpath); autoload -Uz compinit; compinit -u -d ${(q)2}/dump"
else
  zpty -w z "autoload -Uz compinit; compinit -u -d ${(q)2}/dump; source ${(q)2}/_kubepki"
fi
# Every match goes through compadd; -A, -D and -O only ask it.
zpty -w z 'compadd() {
  if [[ -n ${(M)@[1,(i)(-|--)]:#-*[ADO]} ]]; then builtin compadd "$@"; return; fi
  local -a matches
  builtin compadd -A matches "$@"
  (( $#matches )) && print -rl -- "MATCH<"$^matches">"
  builtin compadd "$@"
}'
zpty -w z 'comppostfuncs=(exit); bindkey "^I" complete-word; print READ""Y'
zpty -r -m z ignored '*READY*'
zpty -w -n z "$3"$'\t'
while zpty -r z chunk; do output+=$chunk; done
print -r -- $output | grep -o 'MATCH<[^>]*>' | sed 's/^MATCH<//; s/>$//' | sort -u
