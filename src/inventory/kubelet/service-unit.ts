/** What systemd (systemd.service, systemd.exec) starts, as far as the words of a command line go. */
interface ServiceUnit {
  /** As the last ExecStart= has it, with variables in it. */
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
