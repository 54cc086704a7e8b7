import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readDirectory, readFile } from '../reading.ts';

/** The flags that the kubelet of this root is started with, word by word. */
export type KubeletFlags = readonly string[];

// systemd.unit: of two files by one name the one in the earlier directory counts.
const unitDirectories = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

// kubeadm's 10-kubeadm.conf, as its packages for Debian and for RPM have it, for a root where no unit is found.
const kubeadmUnit = `[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/sysconfig/kubelet
EnvironmentFile=-/etc/default/kubelet
ExecStart=/usr/bin/kubelet $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

/** @throws KubepkiError for a file that is there and cannot be read */
export function readKubeletFlags(root: FileSystemRoot): KubeletFlags {
  const texts = [...readUnit(root), ...readDropIns(root)];
  const found = parseServiceUnit(texts);
  const unit = found.command.length > 0 ? found : parseServiceUnit([kubeadmUnit, ...texts]);
  const variables = new Map(unit.environment);
  for (const path of unit.environmentFiles) {
    for (const [name, value] of parseEnvironmentFile(textAt(root, path) ?? '')) variables.set(name, value);
  }
  return expandCommand(unit.command, variables).slice(1);
}

/** pflag: of several, the last one counts. */
export function kubeletFlag(flags: KubeletFlags, name: string): string | undefined {
  const values = flags.flatMap((word, index) => {
    if (word === `--${name}`) return flags[index + 1] ?? [];
    return word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : [];
  });
  return values.at(-1);
}

/** pflag: the value of a switch is behind `=`, or it is on. */
export function kubeletSwitch(flags: KubeletFlags, name: string): boolean | undefined {
  const values = flags.flatMap((word) => {
    if (word === `--${name}`) return [true];
    return word.startsWith(`--${name}=`) ? [/^(?:1|t|true)$/i.test(word.slice(name.length + 3))] : [];
  });
  return values.at(-1);
}

function readUnit(root: FileSystemRoot): string[] {
  for (const directory of unitDirectories) {
    const text = textAt(root, `${directory}/kubelet.service`);
    if (text !== undefined) return [text];
  }
  return [];
}

function readDropIns(root: FileSystemRoot): string[] {
  const found = new Map<string, string>();
  for (const directory of unitDirectories.map((one) => `${one}/kubelet.service.d`)) {
    for (const { name } of readDirectory(root, root.locate(directory))) {
      if (name.endsWith('.conf') && !found.has(name)) found.set(name, `${directory}/${name}`);
    }
  }
  return [...found.keys()].sort().flatMap((name) => textAt(root, found.get(name) ?? '') ?? []);
}

function textAt(root: FileSystemRoot, path: string): string | undefined {
  return readFile(root, root.locate(path)).bytes?.toString('utf8');
}

/** What systemd (systemd.service, systemd.exec) starts, as far as the words of a command line go. */
interface ServiceUnit {
  /** The words of the last ExecStart=, with variables in them. */
  readonly command: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  /** Paths; those read later win, and all of them over `environment`. */
  readonly environmentFiles: readonly string[];
}

/** @param texts a unit's file and its drop-ins, in systemd's order */
export function parseServiceUnit(texts: readonly string[]): ServiceUnit {
  let command: readonly string[] = [];
  let environmentFiles: string[] = [];
  let environment = new Map<string, string>();
  for (const [name, value] of texts.flatMap(serviceSettings)) {
    // An empty value takes back what came before.
    if (name === 'ExecStart') command = wordsOf(value.replace(/^[-@:+!]+/, ''));
    if (name === 'Environment') {
      if (value === '') environment = new Map();
      for (const word of wordsOf(value)) setVariable(environment, word);
    }
    if (name === 'EnvironmentFile') {
      environmentFiles = value === '' ? [] : [...environmentFiles, value.replace(/^-/, '')];
    }
  }
  return { command, environment, environmentFiles };
}

/** The variables of an EnvironmentFile. */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const [, name, value = ''] = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) variables.set(name, unquoted(value.trim()));
  }
  return variables;
}

/** The command line with its variables: `$NAME` becomes words, and `${NAME}` a part of one. */
export function expandCommand(
  command: readonly string[],
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  return command.flatMap((word) => {
    const [, alone] = /^\$([A-Za-z_]\w*)$/.exec(word) ?? [];
    if (alone !== undefined) return wordsOf(variables.get(alone) ?? '');
    return [word.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (_match, name: string) => variables.get(name) ?? '')];
  });
}

/** Separated by white space, with quotes around what has some. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'])+/gs)].map(([word]) =>
    unquoted(word),
  );
}

function unquoted(text: string): string {
  return text.replaceAll(
    /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/gs,
    (_match, double: string | undefined, single: string | undefined) =>
      (double ?? single ?? '').replaceAll(/\\(.)/gs, '$1'),
  );
}

function serviceSettings(text: string): (readonly [name: string, value: string])[] {
  let section = '';
  return logicalLines(text).flatMap((line) => {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1] ?? section;
    const [, name, value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
    return name === undefined || section !== 'Service' ? [] : [[name, value.trim()] as const];
  });
}

/** A backslash at its end joins a line to the next; comments are lines of their own. */
function logicalLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*[#;]/.test(line))
    .join('\n')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/);
}

function setVariable(variables: Map<string, string>, word: string): void {
  const [, name, value = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
  if (name !== undefined) variables.set(name, value);
}
