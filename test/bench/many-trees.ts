/** A thousand nodes' trees in one command: what each more takes, and the memory for all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { progress, time, type Bench } from './bench.ts';
import { amount, type Figure } from './figure.ts';
import { canMeasureMemory, peakMiB } from './peak-memory.ts';
import { copyOf, freeMiB, temporary } from './place.ts';
import { runtimes, titles, type Runtime } from './programs.ts';
import type { Words } from './timing.ts';

const count = 1000;
const neededMiB = 160;
const outputs = { text: [], JSON: ['-o', 'json'] } as const;
type Output = keyof typeof outputs;

const kinds = runtimes.flatMap((runtime) =>
  (Object.keys(outputs) as Output[]).map((output) => ({ runtime, output })),
);

export function manyTrees(bench: Bench): readonly Figure[] {
  if (freeMiB(bench.memory) < neededMiB) {
    progress(`not measured: many trees; they need ${String(neededMiB)} MiB, and there is no room for them`);
    return kinds.flatMap((kind) => [each(kind, null), memory(kind, null)]);
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
  return kinds.flatMap((kind) => {
    progress(`${String(count)} trees: ${titles[kind.runtime]}, ${kind.output}`);
    const words = (from: string): Words => [
      ...bench.programs.kubepki[kind.runtime],
      ...['certs', 'check-expiration', '--rootfs-from', from],
      ...outputs[kind.output],
    ];
    const took = time(bench, { rounds: 5, runs: 1 }, { all: words(all), one: words(one) });
    return [
      each(kind, (took.all.wallMs - took.one.wallMs) / (count - 1)),
      memory(kind, measured ? peakMiB(words(all), lists) : null),
    ];
  });
}

interface Kind {
  readonly runtime: Runtime;
  readonly output: Output;
}

function each({ runtime, output }: Kind, value: number | null): Figure {
  const name = `1,000 trees, ${titles[runtime]}, ${output}`;
  return amount({ name, unit: 'ms', limit: 2 }, { of: 'each after the first', value });
}

function memory({ runtime, output }: Kind, value: number | null): Figure {
  const name = `1,000 trees, ${titles[runtime]}, ${output}`;
  return amount({ name, unit: 'MiB', limit: 150 }, { of: 'peak memory', value });
}
