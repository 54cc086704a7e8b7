/** Ten RSA-2048 keys, all at once: what else `renew all` does beside making them. */
import { time, type Bench } from './bench.ts';
import { ratio, type Figure } from './figure.ts';
import { copyOf } from './place.ts';
import { runtimes, titles } from './programs.ts';
import type { Words } from './timers/timing.ts';

export function keys(bench: Bench): readonly Figure[] {
  const { kubepki, generateKeys } = bench.programs;
  const renew = ['certs', 'renew', 'all', '--rootfs', copyOf('stacked-etcd-rsa', bench.memory, 'keys')];
  // How long it takes to find primes is chance: many runs, and no median of medians.
  const took = time(bench, { rounds: 60, runs: 1 }, {
    'executable renews': [...kubepki.executable, ...renew],
    'executable generates': generateKeys.executable,
    'node renews': [...kubepki.node, ...renew],
    'node generates': generateKeys.node,
  } satisfies Record<string, Words>);
  return runtimes.map((runtime) =>
    ratio(
      {
        name: `Ten RSA-2048 keys, ${titles[runtime]}`,
        unit: 'ms',
        ...(runtime === 'executable' ? { limit: 1.25 } : {}),
      },
      { of: '`renew all`', value: took[`${runtime} renews`].wallMs },
      { of: 'ten bare key generations at once', value: took[`${runtime} generates`].wallMs },
    ),
  );
}
