/** The script runs in bash 3.2 (macOS) and later, without the package bash-completion, also under `set -u`. */
const bashCompletion = `# Completion of kubepki for bash 3.2 and later. Made by "kubepki completion bash": source it.
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

/** The script may be a file `_kubepki` in the fpath, or be sourced after compinit. */
const zshCompletion = `#compdef kubepki
# Completion of kubepki for zsh. Made by "kubepki completion zsh".

# What may stand at the end of the line is asked of the kubepki that begins it. Nothing that was typed is evaluated.
_kubepki() {
  local program=\${(Q)words[1]} line directive
  local -a found open
  program=$(whence -p -- \${program/#\\~\\//$HOME/}) || return 1
  while IFS= read -r -t 5 line; do
    case $line in
      :*) directive=$line ;;
      # Something is still to be typed: jsonpath=…
      *=) open+=($line) ;;
      *) found+=(\${line/$'\\t'/:}) ;;
    esac
    # Else zsh would wait for its end.
  done < <($program __complete "\${(@Q)words[2,CURRENT]}" </dev/null 2>/dev/null &!)
  case $directive in
    :words) _describe -V kubepki found -- open -S '' ;;
    :files) compset -P '--[^=]#='; _files ;;
    :directories) compset -P '--[^=]#='; _files -/ ;;
    *) return 1 ;;
  esac
}

# Autoloaded from the fpath it is this very function; sourced it has yet to be said whose completion it is.
if [ "\${funcstack[1]:-}" = _kubepki ]; then
  _kubepki "$@"
else
  compdef _kubepki kubepki
fi
`;

/** The script runs in fish 3.0 and later. */
const fishCompletion = `# Completion of kubepki for fish. Made by "kubepki completion fish".

# What may stand at the end of the line is asked of the kubepki that begins it. Nothing that was typed is evaluated.
# Fails where fish is to offer files.
function __kubepki_ask
    set -g __kubepki_found
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (command -s -- (string replace -r '^~/' $HOME/ -- $words[1])); or return 0
    set -l lines (command $program __complete $words[2..-1] "$current" </dev/null 2>/dev/null)
    switch "$lines[-1]"
        case :words
            set -g __kubepki_found $lines[1..-2]
        case :directories
            set -g __kubepki_found (__fish_complete_directories "$current")
        case :files
            return 1
    end
    return 0
end

complete -c kubepki -n __kubepki_ask -f -k -a '$__kubepki_found'
`;

/**
 * The script that each shell completes by. It asks the program (`kubepki __complete WORD… PARTIAL`), which answers with candidates, one a
 * line with a tab and a description, and a last line: `:words`, or `:files` or `:directories` where the shell knows better.
 */
export const completionScripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
