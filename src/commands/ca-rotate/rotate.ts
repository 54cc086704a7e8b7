import { certificateAuthorities, type CaName } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { unknownWord } from '../../flags/names/unknown-name.ts';
import { longOf } from '../../flags/table.ts';
import { openNode, readConfiguration } from '../../node/node-options.ts';
import { stages, type Stage } from '../../operations/rotation/plan.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

/** The flags that one stage alone knows what to do with. Another would pass over them, and the operator believe that it has not. */
const flagsOf = {
  import: 'prepare',
  caCert: 'prepare',
  crossCert: 'prepare',
  destroyOldKey: 'finish',
  withKeys: 'export',
} as const satisfies Partial<Record<keyof RotateOptions, Stage | 'export'>>;

/** @param word a stage; undefined: what is next */
export async function rotate(
  word: string | undefined,
  names: readonly string[],
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  if (word !== undefined && word !== 'export') parseStage(word);
  requireFlagsOf(word, options);
  if (word === undefined) {
    const { showNext } = await import('./next.ts');
    return showNext(node, options, terminal);
  }
  if (word === 'export') {
    const { exportFile } = await import('./export.ts');
    return exportFile(names, node, options, terminal);
  }
  const stage = parseStage(word);
  const authorities = parseAuthorities(names);
  if (stage === 'prepare' && options.import !== undefined) {
    if (authorities !== undefined) throw new KubepkiError('usage', 'with --import the file says which CAs');
    const { importFile } = await import('./import.ts');
    return importFile(options.import, node, options, terminal);
  }
  if (stage === 'prepare') {
    const { prepare } = await import('./prepare.ts');
    return prepare(authorities, node, options, terminal);
  }
  const { makeStage } = await import('./stage.ts');
  return makeStage(stage, authorities, node, options, terminal);
}

/** @throws KubepkiError usage */
function requireFlagsOf(word: string | undefined, options: RotateOptions): void {
  for (const [flag, stage] of Object.entries(flagsOf) as [keyof typeof flagsOf, string][]) {
    if (options[flag] === undefined || stage === word) continue;
    throw new KubepkiError('usage', `${longOf(flag)} goes with "ca rotate ${stage}"`);
  }
}

function parseStage(word: string): Stage {
  const stage = stages.find((one) => one === word);
  if (stage !== undefined) return stage;
  throw unknownWord('stage', word, {
    allowed: [...stages, 'export'],
    otherwise: `the stages are, in this order: ${stages.join(', ')}`,
  });
}

/** @returns undefined: all */
function parseAuthorities(names: readonly string[]): readonly CaName[] | undefined {
  if (names.length === 0 || (names.length === 1 && names[0] === 'all')) return undefined;
  if (names.includes('all'))
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  const allowed = certificateAuthorities.map(({ name }) => name);
  for (const name of names) {
    if (allowed.some((one) => one === name)) continue;
    throw unknownWord('CA', name, { allowed, otherwise: `use some of: ${allowed.join(', ')}` });
  }
  return allowed.filter((name) => names.includes(name));
}
