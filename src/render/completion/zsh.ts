/** As a file `_kubepki` in the fpath, and sourced after compinit. */
export const zshCompletion = `#compdef kubepki
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
