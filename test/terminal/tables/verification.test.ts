import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeVerification, verification } from '../../../src/operations/verification/verification.ts';
import { allRows } from '../../../src/operations/expiration/expiration-report.ts';
import { expiration } from '../../../src/operations/expiration/expiration.ts';
import { verificationTables } from '../../../src/terminal/tables/verification.ts';
import { edit, observed, verifiedNode } from '../../support/planners/verified-node.ts';
import type { Tree } from '../../support/tree.ts';

function shown(tree: Tree, width: number): readonly string[] {
  const node = observed(tree);
  const found = { results: verification(node), rows: allRows(expiration(node.subject).report) };
  const look = { width, colour: false };
  return [...verificationTables([nodeVerification('', found)], look)].join('').split('\n');
}

describe('the tables of verify', () => {
  for (const width of [80, 120, 200]) {
    test(`fit ${String(width)} columns where all is well, and end with the sum`, (t) => {
      const lines = shown(verifiedNode(t), width);
      assert.deepEqual(
        lines.filter((line) => line.length > width),
        [],
      );
      assert.match(lines.at(-2) ?? '', /^all is well: \d+ checks of 14 certificates and CAs$/);
    });
  }

  test('mark each check, and draw how long each certificate lasts', (t) => {
    const lines = shown(verifiedNode(t), 80);
    assert.ok(lines.includes('✓  server-names         each server has the SANs by which it is called (3)'));
    assert.ok(lines.some((line) => /^apiserver +362d +█{30,}$/.test(line)));
    assert.ok(lines.some((line) => /^front-proxy-ca +\S+ +█+▶$/.test(line)));
  });

  test('never cut the command that mends something', (t) => {
    const tree = verifiedNode(t);
    edit(tree, 'etc/kubernetes/admin.conf', (text) =>
      text.replace(
        '192.0.2.10:6443',
        'a-very-long-name-of-a-load-balancer.in-the-data-centre.example.com:6443',
      ),
    );
    const text = shown(tree, 80).join('\n');
    assert.match(text, /^✗ {2}server-names /m);
    assert.match(
      text,
      /kubepki certs renew apiserver --add-san a-very-long-name-of-a-load-balancer\.in-the-data-centre\.example\.com/,
    );
  });
});
