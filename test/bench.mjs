/**
 * `npm run bench`: how long commands take, as ratios measured in one run, since seconds are the machine's. Each is run in
 * turn with the others, so that what else the machine does falls on all of them; the median counts.
 */
import './setup.mjs';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin/kubepki.js');
const scratch = mkdtempSync(join(tmpdir(), 'kubepki-bench-'));
const rounds = 25;

const tree = (role) => {
  const copy = join(scratch, role);
  cpSync(join(root, 'fixtures', role), copy, { recursive: true });
  return copy;
};

try {
  const rsa = tree('stacked-etcd-rsa');
  const ecdsa = tree('ipv6');
  const commands = {
    'node, doing nothing': ['-e', '0'],
    'kubepki --version': [bin, '--version'],
    'check-expiration': [bin, 'certs', 'check-expiration', '--rootfs', rsa],
    'renew all, 10 ECDSA P-256': [bin, 'certs', 'renew', 'all', '--rootfs', ecdsa],
    'renew all, 10 RSA-2048': [bin, 'certs', 'renew', 'all', '--rootfs', rsa],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const start = process.hrtime.bigint();
      const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
      if (status !== 0) throw new Error(`${name} left with ${String(status)}`);
      times[name].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const bare = median(times['node, doing nothing']);
  for (const [name, list] of Object.entries(times)) {
    console.log(`${name.padEnd(28)} ${(median(list) / bare).toFixed(1)} times node's own start`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
