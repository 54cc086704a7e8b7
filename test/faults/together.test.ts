import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { allComponents, besideChangeNote } from '../support/change-note.ts';
import { until } from '../support/deadline.ts';
import { judge } from '../support/judge.ts';
import { kubepki } from '../support/kubepki.ts';
import { copyFixture, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy } from './invariants.ts';
import { pointsOf, renewal } from './scenario.ts';

const runs = process.env['FAULTS'] === 'all' ? 50 : 8;

test('a key and its certificate are renamed one right after the other, with nothing between', async (t) => {
  const strace = judge(t, 'strace');
  if (strace === undefined) return;
  const points = await pointsOf(t, strace, renewal);
  const renamed = (suffix: string): number[] =>
    points.flatMap(({ call, line }, index) =>
      call === 'rename' && line.includes('.kubepki-') && line.includes(`.${suffix}"`) ? [index] : [],
    );
  const certificates = renamed('crt');
  assert.equal(certificates.length, 7);
  assert.deepEqual(
    certificates.map((index) => index - 1),
    renamed('key'),
  );
});

test(`${String(runs)} runs at once: each waits for its turn, and a reader never keeps seeing a mixed pair`, async (t) => {
  const tree = copyFixture(t, 'ipv6');
  const ended = new AbortController();
  let looks = 0;
  let pairs = 0;
  let retries = 0;

  // Two renames, back to back, are two moments: a server that reloads its files tries again when they do not match. How
  // long the kernel keeps a process waiting between two calls is not ours to promise.
  const deadlineMs = 30_000;
  const matches = (name: string): boolean => {
    const certificate = new X509Certificate(readFileSync(join(tree.certDir, `${name}.crt`)));
    return certificate.checkPrivateKey(createPrivateKey(readFileSync(join(tree.certDir, `${name}.key`))));
  };
  const reader = (async () => {
    const seen = new Set<string>();
    while (!ended.signal.aborted) {
      for (const name of ['apiserver', 'etcd/server', 'front-proxy-client']) {
        if (!matches(name)) {
          await until(() => matches(name) || undefined, {
            deadlineMs,
            otherwise: () => `${name}: a mixed pair`,
          });
          retries += 1;
        }
        looks += 1;
      }
      seen.add(readFileSync(join(tree.certDir, 'apiserver.crt'), 'utf8'));
      pairs = seen.size;
      await turn();
    }
  })();

  const args = ['certs', 'renew', 'all', '--rootfs', tree.directory, '--lock-timeout', '5m'];
  const outcomes = await Promise.all(Array.from({ length: runs }, () => kubepki(args)));
  ended.abort();
  await reader;
  for (const { code, stderr } of outcomes) {
    const restart = `note: restart ${allComponents.join(', ')} to use the new certificates\nhint: kubepki restart ${allComponents.join(' ')} --rootfs ${tree.directory}\n`;
    assert.deepEqual([code, besideChangeNote(stderr)], [0, restart]);
  }
  requireSound(tree, join(temporaryDirectory(t), 'sound'));
  requireTidy(tree);
  t.diagnostic(
    `${String(runs)} runs, ${String(looks)} looks, ${String(retries)} of them twice, ${String(pairs)} different certificates seen`,
  );
  assert.ok(pairs > 2, 'the reader saw renewals happen');
});
