/** What it costs that nothing is said to be renewed before it is on the disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { progress, time, type Bench } from './bench.ts';
import { isThere, run } from './child.ts';
import { amount, type Figure } from './figure.ts';
import { copyOf } from './place.ts';
import type { Words } from './timers/timing.ts';

// Keys that take no time to make: RSA's chance is larger than what is looked for.
const role = 'ipv6';
const name = 'Flushing to the disk';

export function disk(bench: Bench): readonly Figure[] {
  return [difference(bench), calls(bench)];
}

function difference(bench: Bench): Figure {
  const of = '`renew all`, ECDSA, on a disk minus on a tmpfs';
  if (bench.disk === undefined || !bench.memory.isTmpfs) {
    progress('not measured: what the disk costs; a tmpfs and a disk are needed');
    return amount({ name, unit: 'ms' }, { of, value: null });
  }
  const took = time(
    bench,
    { rounds: 20, runs: 2 },
    {
      disk: renewal(bench, copyOf(role, bench.disk, 'disk')),
      memory: renewal(bench, copyOf(role, bench.memory, 'disk')),
    },
  );
  return amount({ name, unit: 'ms' }, { of, value: took.disk.wallMs - took.memory.wallMs });
}

function calls(bench: Bench): Figure {
  const quantity = { of: '`fsync` of one `renew all`', value: null };
  if (!isThere('strace')) {
    progress('not measured: how often files are flushed; strace is not installed');
    return amount({ name, unit: 'calls' }, quantity);
  }
  const log = join(bench.memory.directory, 'strace');
  const words = renewal(bench, copyOf(role, bench.memory, 'calls'));
  run(['strace', '-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', log, ...words]);
  const value = [...readFileSync(log, 'utf8').matchAll(/\bf(?:data)?sync\(/g)].length;
  return amount({ name, unit: 'calls' }, { ...quantity, value });
}

function renewal({ programs }: Bench, tree: string): Words {
  return [...programs.kubepki.executable, 'certs', 'renew', 'all', '--rootfs', tree];
}
