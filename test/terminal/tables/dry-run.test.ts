import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from '../../support/properties.ts';
import { certificates } from '../../../src/catalog/catalog.ts';
import type { PlannedChange } from '../../../src/render/change/dry-run.ts';
import { dryRunTables } from '../../../src/terminal/tables/dry-run.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

const planned: PlannedChange = {
  name: 'apiserver',
  oldNotAfter: new Date('2026-12-01T10:00:00Z'),
  newNotAfter: new Date('2027-12-01T10:00:00Z'),
  issuer: 'CN=kubernetes',
  keyType: 'RSA-2048',
  files: ['/etc/kubernetes/pki/apiserver.key', '/etc/kubernetes/pki/apiserver.crt'],
};

suite('a dry run', () => {
  test('fits: no word is broken, every name is whole and in its order, at any width', () => {
    const some = fc.record({
      capped: fc.boolean(),
      remark: fc.constantFrom(
        'SANs added DNS:new.example.com, IP:192.0.2.77',
        `SANs added DNS:${'x'.repeat(250)}`,
      ),
      issuer: fc.constantFrom('CN=kubernetes', `CN=${'節点 '.repeat(30)}`),
      oldNotAfter: fc.constantFrom(planned.oldNotAfter, undefined),
    });
    fc.assert(
      fc.property(
        fc.tuple(...certificates.map(() => some)),
        fc.integer({ min: 40, max: 220 }),
        (all, width) => {
          const changes = all.map((one, index) => ({
            ...planned,
            ...one,
            name: certificates[index]?.name ?? '',
            files: [`/${'directory/'.repeat(index * 3)}a.crt`],
          }));
          const text = (columns: number): string =>
            dryRunTables(changes, ['/var/lib/kubelet/x'], { width: columns, colour: false });
          const lines = tableLines(text(width), width);
          assertWholeWords(lines, [text(10_000), 'Dec 01, 2026']);
          assert.deepEqual(
            lines.slice(1, changes.length + 1).map((line) => line.split(' ')[0]),
            certificates.map(({ name }) => name),
          );
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  test('at 80 columns', () => {
    const text = dryRunTables([{ ...planned, capped: true, remark: 'SANs added DNS:new.example.com' }], [], {
      width: 80,
      colour: false,
    });
    assert.deepEqual(tableLines(text, 80), [
      'CERTIFICATE  EXPIRES       WOULD EXPIRE  ISSUER         KEY',
      'apiserver    Dec 01, 2026  Dec 01, 2027  CN=kubernetes  RSA-2048',
      '',
      "apiserver: capped to the CA's end",
      'apiserver: SANs added DNS:new.example.com',
      '',
      'FILE',
      '/etc/kubernetes/pki/apiserver.key',
      '/etc/kubernetes/pki/apiserver.crt',
      '',
      '1 certificate and 2 files would change; nothing was changed (--dry-run)',
    ]);
  });

  test('of nothing', () => {
    assert.equal(dryRunTables([], [], { width: 80, colour: true }), 'nothing was changed (--dry-run)\n');
  });
});
