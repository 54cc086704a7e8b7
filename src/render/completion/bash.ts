/** For bash 3.2 (macOS) and later, without the package bash-completion, also under `set -u`. */
export const bashCompletion = `# Completion of kubepki for bash 3.2 and later. Made by "kubepki completion bash": source it.
# shellcheck shell=bash

# What may stand at the end of the line is asked of the kubepki that begins it. Nothing that was typed is evaluated.
_kubepki() {
  local quotes="[\\\\\\\\\\"']" program='' line='' directive='' word='' i
  local -a words=()
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]//$quotes/}
    # In --output=json readline takes "=" for a word.
    if [[ $word == '=' ]]; then
      if ((i < COMP_CWORD)); then continue; fi
      word=''
    fi
    words+=("$word")
  done
  program=\${words[0]}
  case $program in '~/'*) program=\${HOME-}/\${program#??} ;; esac
  if program=$(type -P -- "$program"); then
    while IFS= read -r -t 5 line; do
      case $line in
        :*) directive=$line ;;
        "$word"*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
      esac
    done < <("$program" __complete "\${words[@]:1}" </dev/null 2>/dev/null)
  fi
  # bash 3.2 has no compopt. Files and directories are left to readline, which quotes their names as it should.
  case $directive in
    :files) return 0 ;;
    :directories) compopt +o default -o dirnames 2>/dev/null || return 0 ;;
    :words) compopt +o default 2>/dev/null || : ;;
    *) compopt +o default 2>/dev/null || : ; COMPREPLY=() ;;
  esac
  # Something is still to be typed: jsonpath=…
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null || :; fi
  return 0
}

complete -o default -F _kubepki kubepki
`;
