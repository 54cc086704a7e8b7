import { backupsInCertDir, defaultCertDir } from './backups.ts';
import { operandWords, type Candidates, type CommandTree, type Flag, type Word } from './command-tree.ts';

/** As a file `_kubepki` in the fpath, and sourced after compinit. */
export function zshCompletion(program: CommandTree): string {
  return `#compdef ${program.name}
# Completion of ${program.name} for zsh. Made by "${program.name} completion zsh".

# Those of the names that are not on the command line yet.
_kubepki_names() {
  local -a names given
  names=("$@")
  given=("\${(@)words[1,CURRENT-1]}")
  _describe -t names name names -F given
}

# The IDs of the backups, the newest first. Only root sees any. Their names are read, and no program is started.
_kubepki_backups() {
  local word flag rootfs certs=${defaultCertDir}
  local -a ids
  for word in "\${(@Q)typed}"; do
    word=\${word/#\\~\\//$HOME/}
    case $flag in
      --rootfs) rootfs=$word ;;
      --cert-dir) certs=$word ;;
    esac
    flag=
    case $word in
      --rootfs=*) rootfs=\${word#*=} ;;
      --cert-dir=*) certs=\${word#*=} ;;
      --rootfs|--cert-dir) flag=$word ;;
    esac
  done
  [[ $certs == /* ]] && certs=$rootfs$certs
  ids=("$certs"/${backupsInCertDir}/[0-9][0-9][0-9][0-9]-*T*Z-*/manifest.json(NOn:h:t))
  (( $#ids )) && compadd -V backups -a ids
}

${functionsOf(program, `_${program.name}`, '\n  local -a typed\n  typed=("${words[@]}")')}
# Autoloaded from the fpath it is this very function; sourced it has yet to be said whose completion it is.
if [ "\${funcstack[1]:-}" = _${program.name} ]; then
  _${program.name} "$@"
else
  compdef _${program.name} ${program.name}
fi
`;
}

/** @param first what the function of a group does first */
function functionsOf(command: CommandTree, name: string, first = ''): string {
  const specs = command.flags.map(flagSpec);
  if (command.commands.length === 0) {
    const lines = [...specs, ...operandSpecs(command)].map((spec) => `    ${spec}`);
    return `${name}() {\n  _arguments -s -S : \\\n${lines.join(' \\\n')}\n}\n\n`;
  }
  const lines = [...specs, "'1: :->command'", "'*::: :->rest'"].map((spec) => `    ${spec}`);
  const children = command.commands.map((child) => ({ child, function: `${name}_${child.name}` }));
  return `${name}() {${first}
  local curcontext=$curcontext state line ret=1
  local -a commands
  _arguments -s -S -C : \\
${lines.join(' \\\n')} && ret=0
  case $state in
    command)
      commands=(
${operandWords(command)
  .map((word) => `        ${quote(described(word))}`)
  .join('\n')}
      )
      _describe -t commands command commands && ret=0
      ;;
    rest)
      words=("$line[1]" "\${words[@]}")
      (( CURRENT += 1 ))
      curcontext=\${curcontext%:*:*}:${command.name}-$line[1]:
      case $line[1] in
${children.map((one) => `        ${one.child.name}) ${one.function} && ret=0 ;;`).join('\n')}
      esac
      ;;
  esac
  return ret
}

${children.map((one) => functionsOf(one.child, one.function)).join('')}`;
}

function flagSpec({ names, description, value }: Flag): string {
  const said = `[${description.replaceAll(/[\\[\]]/g, '\\$&')}]`;
  const others = names.length > 1 ? `(${names.join(' ')})` : '';
  // A value that is anything may be one of several: --add-san A --add-san B.
  const again = value?.kind === 'anything' ? '*' : '';
  const action = value === undefined ? '' : `:value:${actionOf(value)}`;
  return names
    .map((name) => {
      const takes = value === undefined ? '' : name.startsWith('--') ? '=' : '+';
      const exclusive = again === '' ? others : '';
      return quote(`${exclusive}${again}${name}${takes}${said}${action}`);
    })
    .join(' \\\n    ');
}

function operandSpecs({ operands }: CommandTree): readonly string[] {
  if (operands === undefined) return [];
  const { candidates, variadic } = operands;
  if (candidates.kind !== 'words') return [quote(`${variadic ? '*' : '1'}:argument:${actionOf(candidates)}`)];
  const words = candidates.words.map((word) => quote(described(word))).join(' ');
  return [quote(`${variadic ? '*' : '1'}:name:{_kubepki_names ${words}}`)];
}

function actionOf(candidates: Candidates): string {
  switch (candidates.kind) {
    case 'words':
      return candidates.words.some(({ word }) => word.endsWith('='))
        ? // Something is still to be typed behind the one that ends so: no space.
          `{compadd ${plain(candidates.words)}; compadd -S "" ${open(candidates.words)}}`
        : `(${plain(candidates.words)})`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'backup':
      return '_kubepki_backups';
    case 'anything':
      return ' ';
  }
}

function plain(words: readonly Word[]): string {
  return words.flatMap(({ word }) => (word.endsWith('=') ? [] : [word])).join(' ');
}

function open(words: readonly Word[]): string {
  return words.flatMap(({ word }) => (word.endsWith('=') ? [word] : [])).join(' ');
}

/** `name:description`, as _describe takes it. */
function described({ word, description }: Word): string {
  const name = word.replaceAll(/[\\:]/g, '\\$&');
  return description === '' ? name : `${name}:${description.replaceAll(/[\\:]/g, '\\$&')}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
