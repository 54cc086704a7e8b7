/** A thousand nodes' trees in one command: what each more takes, and the memory for all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { progress, time, type Bench } from './bench.ts';
import { amount, type Figure } from './figure.ts';
import { canMeasureMemory, peakMiB } from './timers/peak-memory.ts';
import { copyOf, freeMiB, temporary } from './place.ts';
import { runtimes, titles, type Runtime } from './programs.ts';
import type { Words } from './timers/timing.ts';

const count = 1000;
const neededMiB = 160;
const outputs = { text: [], JSON: ['-o', 'json'], Prometheus: ['-o', 'prometheus'] } as const;
type Output = keyof typeof outputs;

interface Kind {
  readonly runtime: Runtime;
  readonly output: Output;
}

const kinds: readonly Kind[] = runtimes.flatMap((runtime) =>
  (Object.keys(outputs) as Output[]).map((output) => ({ runtime, output })),
);
// The metrics name every subject and issuer, which takes its time: only that they need no more memory was promised.
const isTimed = ({ output }: Kind): boolean => output !== 'Prometheus';

export function manyTrees(bench: Bench): readonly Figure[] {
  if (freeMiB(bench.memory) < neededMiB) {
    progress(`not measured: many trees; they need ${String(neededMiB)} MiB, and there is no room for them`);
    return kinds.flatMap((kind) => [...(isTimed(kind) ? [each(kind, null)] : []), memory(kind, null)]);
  }
  const trees = Array.from({ length: count }, (_, index) =>
    copyOf('stacked-etcd-rsa', bench.memory, `trees/node-${String(index + 1)}`),
  );
  const lists = temporary(bench.memory.directory).directory;
  const list = (name: string, names: readonly string[]): string => {
    const file = join(lists, name);
    writeFileSync(file, names.map((tree) => `${tree}\n`).join(''));
    return file;
  };
  const all = list('all', trees);
  const one = list('one', trees.slice(0, 1));
  const measured = canMeasureMemory();
  if (!measured)
    progress('not measured: peak memory; GNU time is not installed (Debian: apt-get install time)');
  const words = ({ runtime, output }: Kind, from: string): Words => [
    ...bench.programs.kubepki[runtime],
    ...['certs', 'check-expiration', '--rootfs-from', from],
    ...outputs[output],
  ];
  const took = time(
    bench,
    { rounds: 5, runs: 1 },
    Object.fromEntries(
      kinds.filter(isTimed).flatMap((kind) => [
        [`${title(kind)}, all`, words(kind, all)],
        [`${title(kind)}, one`, words(kind, one)],
      ]),
    ),
  );
  const wallMs = (name: string): number => took[name]?.wallMs ?? NaN;
  const eachMs = (kind: Kind): number =>
    (wallMs(`${title(kind)}, all`) - wallMs(`${title(kind)}, one`)) / (count - 1);
  return kinds.flatMap((kind) => [
    ...(isTimed(kind) ? [each(kind, eachMs(kind))] : []),
    memory(kind, measured ? peakMiB(words(kind, all), lists) : null),
  ]);
}

function each(kind: Kind, value: number | null): Figure {
  // Thirteen signatures are verified in each, and sixteen private keys read: without those it was 2 ms.
  return amount({ name: title(kind), unit: 'ms', limit: 10 }, { of: 'each after the first', value });
}

function memory(kind: Kind, value: number | null): Figure {
  return amount({ name: title(kind), unit: 'MiB', limit: 150 }, { of: 'peak memory', value });
}

function title({ runtime, output }: Kind): string {
  return `1,000 trees, ${titles[runtime]}, ${output}`;
}
