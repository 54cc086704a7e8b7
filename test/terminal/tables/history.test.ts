import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from '../../support/properties.ts';
import type { HistoryEntry } from '../../../src/render/change/history.ts';
import { historyTables } from '../../../src/terminal/tables/history.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

const certificates = ['admin.conf', 'apiserver', 'apiserver-kubelet-client', 'etcd-healthcheck-client'];

function entry(sequence: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id: `2026-11-29T07114${String(sequence)}.931Z-90a20a`,
    sequence,
    time: '2026-11-29T07:11:42.931Z',
    user: 'root',
    command: 'kubepki certs renew all --rootfs /srv/a/directory/with/a/name/that/is/too/long',
    restored: null,
    certificates: certificates.map((name) => ({ name, old: undefined, new: undefined })),
    files: [],
    ...more,
  };
}

suite('history', () => {
  test('fits: no word is broken, and every ID is whole and in its order, at any width', () => {
    const words = fc.array(fc.constantFrom('kubepki', 'renew', '節点', '/a/very/long/path/of/a/node'), {
      maxLength: 9,
    });
    const some = fc.record({
      command: words.map((all) => all.join(' ')),
      user: fc.constantFrom('root', 'an-operator-with-a-long-name'),
      restored: fc.constantFrom(null, { id: 'x', sequence: 7 }),
    });
    fc.assert(
      fc.property(
        fc.array(some, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 40, max: 220 }),
        (all, width) => {
          const entries = all.map((one, index) => entry(9 - index, one));
          const lines = tableLines(historyTables(entries, { width, colour: true }), width);
          assertWholeWords(lines, [historyTables(entries, { width: 10_000, colour: false })]);
          const ids = lines.flatMap((line) => /^2026\S+/.exec(line)?.[0] ?? []);
          assert.deepEqual(
            ids,
            entries.map(({ id }) => id),
          );
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  test('at 80 columns', () => {
    const entries = [entry(2), entry(1, { certificates: [], command: 'kubepki certs generate sa' })];
    assert.deepEqual(tableLines(historyTables(entries, { width: 80, colour: false }), 80), [
      'ID                             COMMAND                CERTIFICATES',
      '2026-11-29T071142.931Z-90a20a  kubepki certs renew    admin.conf, apiserver,',
      '                               all --rootfs           apiserver-kubelet-client,',
      '                               /srv/a/dir…s/too/long  etcd-healthcheck-client',
      '2026-11-29T071141.931Z-90a20a  kubepki certs',
      '                               generate sa',
      '',
      '2 backups',
    ]);
  });

  test('none', () => {
    assert.equal(historyTables([], { width: 80, colour: true }), 'no backups yet\n');
  });
});
