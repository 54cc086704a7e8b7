/** What somebody without kubepki would type, against it. */
import { join } from 'node:path';
import { progress, time, type Bench } from './bench.ts';
import { isThere, run } from './child.ts';
import { ratio, type Figure } from './figure.ts';
import { copyOf } from './place.ts';
import { runtimes, titles, type Runtime } from './programs.ts';
import { certificateFiles, kubeconfigFiles } from './start-up.ts';
import type { Words } from './timers/timing.ts';

const look = `set -e
cd "$1"
for file in ${certificateFiles.join(' ')}; do
  openssl x509 -noout -enddate -in "$file"
done
for file in ${kubeconfigFiles.join(' ')}; do
  grep client-certificate-data "$file" | tr -d ' ' | cut -d : -f 2 | base64 -d | openssl x509 -noout -enddate
done`;

const generate = `for key in 1 2 3 4 5 6 7 8 9 10; do openssl genrsa -out "$1" 2048 2>"$1.said" || exit; done`;

export function alternatives(bench: Bench): readonly Figure[] {
  if (!isThere('openssl')) {
    progress('not measured: the alternatives; openssl is not installed');
    return [
      ...runtimes.map((runtime) => looking(runtime, null, null)),
      ...runtimes.map((runtime) => renewing(runtime, null, null)),
    ];
  }
  const { executable, node } = bench.programs.kubepki;
  const tree = copyOf('stacked-etcd-rsa', bench.memory, 'alternatives');
  const loop: Words = ['sh', '-c', look, 'sh', join(tree, 'etc/kubernetes')];
  const dates = run(loop).match(/^notAfter=/gm)?.length;
  if (dates !== 13) throw new Error(`openssl says ${String(dates)} dates, not 13`);
  const check = ['certs', 'check-expiration', '--rootfs', tree];
  const looks = time(
    bench,
    { rounds: 10, runs: 5 },
    { executable: [...executable, ...check], node: [...node, ...check], loop },
  );
  const renew = ['certs', 'renew', 'all', '--rootfs', tree];
  const key = join(bench.memory.directory, 'key');
  const renewals = time(
    bench,
    { rounds: 40, runs: 1 },
    {
      executable: [...executable, ...renew],
      node: [...node, ...renew],
      genrsa: ['sh', '-c', generate, 'sh', key],
    },
  );
  return [
    ...runtimes.map((runtime) => looking(runtime, looks.loop.wallMs, looks[runtime].wallMs)),
    ...runtimes.map((runtime) => renewing(runtime, renewals.genrsa.wallMs, renewals[runtime].wallMs)),
  ];
}

function looking(runtime: Runtime, loop: number | null, kubepki: number | null): Figure {
  return ratio(
    { name: `Instead of check-expiration, ${titles[runtime]}`, unit: 'ms' },
    { of: 'a shell loop over `openssl x509 -enddate`', value: loop },
    { of: 'check-expiration', value: kubepki },
  );
}

function renewing(runtime: Runtime, genrsa: number | null, kubepki: number | null): Figure {
  return ratio(
    { name: `Instead of \`renew all\`, ${titles[runtime]}`, unit: 'ms' },
    { of: 'ten `openssl genrsa 2048`, one after the other', value: genrsa },
    { of: '`renew all`', value: kubepki },
  );
}
