import { backupsInCertDir, defaultCertDir } from './backups.ts';
import { everyCommand, operandWords, type CommandAt, type CommandTree, type Flag } from './command-tree.ts';

const backupPattern = '^\\d{4}-\\S+T\\S+Z-\\S+$';

/** For fish 3.0 and later. */
export function fishCompletion(program: CommandTree): string {
  const all = everyCommand(program);
  const below = all.slice(1).map(({ path }) => quote(path));
  const valued = all.flatMap(({ path, command }) =>
    command.flags
      .filter(({ value }) => value !== undefined)
      .flatMap(({ names }) => names.map((name) => quote(`${path} ${name}`))),
  );
  return `# Completion of ${program.name} for fish. Made by "${program.name} completion fish".

set -g __kubepki_commands \\
    ${below.join(' \\\n    ')}
set -g __kubepki_flags_with_value \\
    ${valued.join(' \\\n    ')}

# The command that the line has come to: ${program.name} certs renew
function __kubepki_command
    set -l words (commandline -opc)
    set -e words[1]
    set -l path ${program.name}
    set -l skip no
    for word in $words
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case '-*'
                contains -- "$path $word" $__kubepki_flags_with_value; and set skip yes
            case '*'
                contains -- "$path $word" $__kubepki_commands; and set path "$path $word"
        end
    end
    echo $path
end

function __kubepki_is
    test (__kubepki_command) = "$argv"
end

# Those of the words (each followed by its description) that are not on the line yet; with "once" none when one is.
function __kubepki_left
    set -l given (commandline -opc)
    set -l often $argv[1]
    set -e argv[1]
    set -l left
    while set -q argv[2]
        if contains -- $argv[1] $given
            test $often = once; and return
        else
            set -a left $argv[1]\\t$argv[2]
        end
        set -e argv[1..2]
    end
    string join \\n $left
end

# The IDs of the backups, unless one is on the line. Only root sees any. Their names are read, and no program is started.
function __kubepki_backups
    set -l flag ''
    set -l rootfs ''
    set -l certs ${defaultCertDir}
    for word in (commandline -opc)
        string match -qr '${backupPattern}' -- $word; and return
        switch $flag
            case --rootfs
                set rootfs $word
            case --cert-dir
                set certs $word
        end
        set flag ''
        switch $word
            case '--rootfs=*'
                set rootfs (string replace -- --rootfs= '' $word)
            case '--cert-dir=*'
                set certs (string replace -- --cert-dir= '' $word)
            case --rootfs --cert-dir
                set flag $word
        end
    end
    set rootfs (string replace -r '^~/' $HOME/ -- $rootfs)
    set certs (string replace -r '^~/' $HOME/ -- $certs)
    string match -q '/*' -- $certs; and set certs $rootfs$certs
    set -l found $certs/${backupsInCertDir}/*/manifest.json
    string match -r '${backupPattern}' -- (string replace -r '.*/(.*)/manifest.json' '$1' -- $found)
end

complete -c ${program.name} -f
${all.map((at) => linesOf(at, program.name)).join('')}`;
}

function linesOf({ path, command }: CommandAt, program: string): string {
  const start = `complete -c ${program} -n ${quote(`__kubepki_is ${path}`)}`;
  const operands = operandWords(command);
  const flags = command.flags.map((flag) => `${start} ${flagWords(flag)}\n`);
  if (command.operands?.candidates.kind === 'backup') {
    return `${start} -a '(__kubepki_backups)'\n${flags.join('')}`;
  }
  if (operands.length === 0) return flags.join('');
  const often = command.commands.length > 0 || command.operands?.variadic === true ? 'many' : 'once';
  const pairs = operands.map(({ word, description }) => `${quote(word)} ${quote(description)}`).join(' ');
  return `${start} -a ${quote(`(__kubepki_left ${often} ${pairs})`)}\n${flags.join('')}`;
}

function flagWords({ names, description, value }: Flag): string {
  const spelled = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  return [...spelled, valueWords(value), `-d ${quote(description)}`].filter((word) => word !== '').join(' ');
}

function valueWords(value: Flag['value']): string {
  switch (value?.kind) {
    case undefined:
      return '';
    case 'words':
      return `-x -a ${quote(value.words.map(({ word }) => word).join(' '))}`;
    case 'file':
      return '-r -F';
    case 'directory':
      return `-x -a '(__fish_complete_directories (commandline -ct))'`;
    case 'backup':
      return `-x -a '(__kubepki_backups)'`;
    case 'anything':
      return '-x';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
