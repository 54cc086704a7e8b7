/** What `verify` of one node costs, offline, against `check-expiration` of the same node: both read its certificates. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { now, verifiedNode } from '../support/planners/verified-node.ts';
import { time, type Bench } from './bench.ts';
import { ratio, type Figure } from './figure.ts';
import type { Words } from './timers/timing.ts';

const limit = 1.5;

export function verify(bench: Bench): readonly Figure[] {
  const tree = join(bench.memory.directory, 'verified-node');
  const { directory } = verifiedNode({ after: (cleanUp) => process.on('exit', cleanUp) });
  cpSync(directory, tree, { recursive: true, verbatimSymlinks: true });
  const of = ['--rootfs', tree, '--at', now.toISOString()];
  const { node, executable } = bench.programs.kubepki;
  const took = time(bench, { rounds: 20, runs: 3 }, {
    node: [...node, 'verify', ...of],
    executable: [...executable, 'verify', ...of],
    nodeCheck: [...node, 'certs', 'check-expiration', ...of],
    executableCheck: [...executable, 'certs', 'check-expiration', ...of],
  } satisfies Record<string, Words>);
  const figure = (runtime: string, verifying: number, checking: number): Figure =>
    ratio(
      { name: `Verify, ${runtime}`, unit: 'ms CPU', limit },
      { of: '`verify`', value: verifying },
      { of: 'check-expiration', value: checking },
    );
  return [
    figure('Node.js', took.node.cpuMs, took.nodeCheck.cpuMs),
    figure('executable', took.executable.cpuMs, took.executableCheck.cpuMs),
  ];
}
