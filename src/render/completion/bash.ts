import { backupsInCertDir, defaultCertDir } from './backups.ts';
import { everyCommand, operandWords, type Candidates, type CommandTree } from './command-tree.ts';

/**
 * For bash 3.2 (macOS) and later, without the package bash-completion, also under `set -u`. Flags that take files leave it to
 * readline, which quotes their names as it should.
 */
export function bashCompletion(program: CommandTree): string {
  const all = everyCommand(program);
  const below = all.slice(1).map(({ path }) => quote(path));
  return `# Completion of ${program.name} for bash 3.2 and later. Made by "${program.name} completion bash": source it.
# shellcheck shell=bash

# What may follow the flag $2 of the command $1: sets kind and words. Fails for a flag that takes no value.
_kubepki_value() {
  case "$1 $2" in
${valueCases(program)}
    *) return 1 ;;
  esac
}

# What may follow the command $1: sets words and flags; once: not after another one.
_kubepki_command() {
  case "$1" in
${commandCases(program)}
  esac
}

# The IDs of the backups that begin with $3: sets words. $1: what --rootfs is, $2: what --cert-dir is.
# Only root sees any. Their names are read, and no program is started.
_kubepki_backups() {
  local directory=\${2:-${defaultCertDir}} found path
  if [[ $directory == /* ]]; then directory=$1$directory; fi
  found=$(compgen -d -- "$directory/${backupsInCertDir}/$3")
  words=''
  while IFS= read -r path; do
    case \${path##*/} in
      [0-9][0-9][0-9][0-9]-*T*Z-*) if [[ -f $path/manifest.json ]]; then words+=" \${path##*/}"; fi ;;
    esac
  done <<<"$found"
}

# A word as the shell would read it, but for what it would run or look up: sets plain.
_kubepki_plain() {
  local quotes="[\\\\\\\\\\"']"
  plain=\${1//$quotes/}
  case $plain in '~/'*) plain=$HOME/\${plain#??} ;; esac
}

# bash 3.2 has none.
_kubepki_compopt() {
  if type compopt >/dev/null 2>&1; then compopt "$@" 2>/dev/null; fi
  return 0
}

_kubepki() {
  local IFS=$' \\t\\n'
  local current=\${COMP_WORDS[COMP_CWORD]-} command=${program.name}
  local flag='' given=' ' literal='' operands=0 kind='' words='' flags='' once='' prefix='' left='' i word
  local backups='' rootfs='' certs='' plain=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $flag ]]; then
      # In --output=json readline takes "=" for a word.
      if [[ $word != '=' ]]; then
        _kubepki_plain "$word"
        case $flag in --rootfs) rootfs=$plain ;; --cert-dir) certs=$plain ;; esac
        flag=''
      fi
      continue
    fi
    kind=''
    if [[ -z $literal && $word == -- ]]; then
      literal=yes
    elif [[ -z $literal && $word == -* ]]; then
      if _kubepki_value "$command" "$word"; then flag=$word; fi
    else
      case "$command $word" in
        ${below.join(' | \\\n          ')})
          command="$command $word" ;;
        *) operands=$((operands + 1)) ;;
      esac
    fi
    # A flag whose value is anything may be given again: --add-san A --add-san B
    if [[ $kind != anything ]]; then given+="$word "; fi
  done

  kind='' words=''
  if [[ -z $flag && -z $literal && $current == --*=* ]]; then
    flag=\${current%%=*}
    prefix=$flag=
    current=\${current#*=}
  fi
  if [[ -n $flag ]]; then
    if [[ $current == '=' ]]; then current=''; fi
    if ! _kubepki_value "$command" "$flag"; then kind='anything'; fi
  else
    _kubepki_command "$command"
    if [[ -n $backups && $current != -* ]]; then _kubepki_backups "$rootfs" "$certs" "$current"; fi
    if [[ -n $once && $operands -gt 0 ]]; then words=''; fi
    if [[ -z $literal && $current == -* ]] || [[ -z $literal && -z $words ]]; then words=$flags; fi
    kind='words'
  fi
  case $kind in
    file) return 0 ;;
    directory)
      _kubepki_compopt +o default -o dirnames
      return 0
      ;;
  esac
  _kubepki_compopt +o default
  for word in $words; do
    if [[ $given != *" $word "* ]]; then left+=" $word"; fi
  done
  # shellcheck disable=SC2207 # bash 3.2 has no mapfile, and no word has a blank or a star
  COMPREPLY=($(compgen -P "$prefix" -W "$left" -- "$current"))
  # Something is still to be typed: jsonpath=…
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then _kubepki_compopt -o nospace; fi
  return 0
}

complete -o default -F _kubepki ${program.name}
`;
}

function valueCases(program: CommandTree): string {
  const patterns = new Map<string, string[]>();
  for (const { path, command } of everyCommand(program)) {
    for (const { names, value } of command.flags) {
      if (value === undefined) continue;
      const assignment = assignmentOf(value);
      const known = patterns.get(assignment) ?? [];
      patterns.set(assignment, [...known, ...names.map((name) => quote(`${path} ${name}`))]);
    }
  }
  return [...patterns]
    .map(([assignment, flags]) => `    ${flags.join(' | \\\n      ')})\n      ${assignment} ;;`)
    .join('\n');
}

function assignmentOf(value: Candidates): string {
  if (value.kind !== 'words') return `kind=${value.kind}`;
  return `kind=words words=${quote(value.words.map(({ word }) => word).join(' '))}`;
}

function commandCases(program: CommandTree): string {
  return everyCommand(program)
    .map(({ path, command }) => {
      const words = operandWords(command).map(({ word }) => word);
      const flags = command.flags.flatMap(({ names }) => names);
      const once = command.commands.length > 0 || command.operands?.variadic === true ? '' : 'yes';
      return `    ${quote(path)})
      words=${quote(words.join(' '))}
      flags=${quote(flags.join(' '))}
      once=${quote(once)}${command.operands?.candidates.kind === 'backup' ? '\n      backups=yes' : ''}
      ;;`;
    })
    .join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
