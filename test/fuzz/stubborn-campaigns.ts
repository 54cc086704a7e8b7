import type { Campaign } from './campaign.ts';

/** What watched.ts is for: campaigns named for how they end, each at its first input. */
const ends: Readonly<Record<string, () => string>> = {
  endless: () => {
    for (;;);
  },
  killed: () => {
    process.kill(process.pid, 'SIGKILL');
    return '';
  },
  thrown: () => {
    throw new TypeError('a defect');
  },
  slow: () => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 200_000);
    return '';
  },
  talkative: () => {
    process.stdout.write('said past the terminal');
    return '';
  },
};

export const campaigns: readonly Campaign[] = Object.entries(ends).map(([name, run]) => ({
  kind: { name, form: 'yaml', samples: [{ role: 'stacked-etcd-rsa', file: 'kubeadm.yaml' }] },
  run: async (_bytes, _input, timed) => timed(run),
}));
