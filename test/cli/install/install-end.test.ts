/** How soon a certificate that comes back may end. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { takeCaAway } from '../../support/certificates/openssl-ca.ts';
import { treeEnding } from '../../support/certificates/short-lived.ts';
import { temporaryDirectory } from '../../support/tree.ts';

describe('a certificate that comes back and ends soon', () => {
  /** @param inUse days that the one in use has left */
  async function installing(
    t: Parameters<typeof treeEnding>[0] & { skip(message?: string): void },
    inUse: number,
    openssl: string,
  ): Promise<(days: number) => Promise<{ stderr: string; code: number | undefined; changed: boolean }>> {
    const tree = treeEnding(t, { apiserver: inUse });
    const scratch = temporaryDirectory(t);
    const ca = takeCaAway(openssl, tree, mkdtempSync(join(scratch, 'ca-')));
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    const certificate = join(tree.certDir, 'apiserver.crt');
    const before = readFileSync(certificate, 'latin1');
    return async (days) => {
      ca.sign(join(tree.directory, 'csr/apiserver.csr'), join(scratch, 'signed.crt'), { days });
      copyFileSync(join(scratch, 'signed.crt'), join(tree.directory, 'csr/apiserver.crt'));
      const { stderr, code } = await certs(tree, 'install', '--csr-dir', '/csr');
      return { stderr, code, changed: readFileSync(certificate, 'latin1') !== before };
    };
  }

  test('within a day: refused; within a week: refused while the one in use lasts; later: said', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const install = await installing(t, 200, openssl);
    const date = String.raw`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
    const day = await install(1);
    assert.match(
      day.stderr,
      new RegExp(
        `^error: \\S+: the certificate for apiserver ends on ${date}, which is within 24 hours\nhint: `,
      ),
    );
    assert.deepEqual([day.code, day.changed], [1, false]);
    for (const days of [2, 7]) {
      const { stderr, code, changed } = await install(days);
      assert.match(
        stderr,
        new RegExp(
          `^error: \\S+: the certificate for apiserver ends on ${date}, which is within 7 days, and the one in use on ${date}\nhint: `,
        ),
      );
      assert.deepEqual([code, changed], [1, false], String(days));
    }
    const { stderr, code, changed } = await install(90);
    assert.match(
      stderr,
      new RegExp(
        `^warning: \\S+: the certificate for apiserver ends on ${date}, before the one in use \\(${date}\\)\n`,
      ),
    );
    assert.deepEqual([code, changed], [0, true]);
  });

  test('within a week, where the one in use has less than 30 days: said, and put in place', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const install = await installing(t, 29, openssl);
    const day = await install(1);
    assert.match(day.stderr, /^error: .* which is within 24 hours\n/);
    assert.equal(day.changed, false);
    const { stderr, code, changed } = await install(3);
    assert.match(stderr, /^warning: .* ends on \S+, before the one in use \(\S+\)\n/);
    assert.deepEqual([code, changed], [0, true]);
  });
});
