import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { kubepki } from '../support/kubepki.ts';
import { copyFixture, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy } from './invariants.ts';

const runs = process.env['FAULTS'] === 'all' ? 50 : 12;

test(`${String(runs)} runs at once: each waits for its turn, and a reader never sees a mixed pair`, async (t) => {
  const tree = copyFixture(t, 'ipv6');
  const ended = new AbortController();
  let looks = 0;
  let pairs = 0;
  let retries = 0;

  // Two renames, back to back, are two moments: a server that reloads its files tries once more when they do not match.
  const retryMs = 20;
  const matches = (name: string): boolean => {
    const certificate = new X509Certificate(readFileSync(join(tree.certDir, `${name}.crt`)));
    return certificate.checkPrivateKey(createPrivateKey(readFileSync(join(tree.certDir, `${name}.key`))));
  };
  const reader = (async () => {
    const seen = new Set<string>();
    while (!ended.signal.aborted) {
      for (const name of ['apiserver', 'etcd/server', 'front-proxy-client']) {
        if (!matches(name)) {
          await pause(retryMs);
          assert.ok(matches(name), `${name}: a mixed pair`);
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
  for (const { code, stderr } of outcomes) assert.deepEqual([code, stderr], [0, '']);
  requireSound(tree, join(temporaryDirectory(t), 'sound'));
  requireTidy(tree);
  t.diagnostic(
    `${String(runs)} runs, ${String(looks)} looks, ${String(retries)} of them twice, ${String(pairs)} different certificates seen`,
  );
  assert.ok(pairs > 2, 'the reader saw renewals happen');
});
