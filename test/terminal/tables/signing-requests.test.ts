/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from '../../support/properties.ts';
import type { ListedRequest } from '../../../src/render/requests/signing-requests.ts';
import { signingRequestTables } from '../../../src/terminal/tables/signing-requests.ts';
import { object } from '../../operations/kubelet-serving/sample.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

const now = new Date('2026-11-23T23:00:00Z');
const asked = { key: 'ECDSA P-256', names: ['DNS:node-1', 'IP:192.0.2.10'] };

const listed = (name: string, conditions: readonly string[] = []): ListedRequest => ({
  object: { ...object, name, conditions },
  asked,
});

suite('csr list', () => {
  test('fits: no word is broken, every name can be recognised and is in its order, at any width', () => {
    const some = fc.record({
      username: fc.constantFrom('system:node:node-1', `system:node:${'節'.repeat(40)}`),
      names: fc.constantFrom(asked.names, [`DNS:${'long-name.'.repeat(25)}`, 'IP:192.0.2.1'], [], undefined),
      conditions: fc.subarray(['Approved', 'Denied', 'Failed']),
    });
    fc.assert(
      fc.property(
        fc.array(some, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 40, max: 220 }),
        (all, width) => {
          const requests = all.map(({ username, names, conditions }, index): ListedRequest => ({
            object: { ...object, name: `csr-9wvg${String(index)}`, username, conditions },
            asked: names && { key: 'RSA 2048', names },
          }));
          const text = (look: { readonly width: number; readonly colour: boolean }): string =>
            signingRequestTables([...requests, { name: 'unreadable' }], now, look);
          const lines = tableLines(text({ width, colour: true }), width);
          assertWholeWords(lines, [text({ width: 10_000, colour: false })]);
          assert.deepEqual(
            lines.flatMap((line) => /^csr-\S+/.exec(line)?.[0] ?? []),
            requests.map((_one, index) => `csr-9wvg${String(index)}`),
          );
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  test('at 80 columns: who asks for what; at 120 which signer', () => {
    const requests = [listed('csr-1'), listed('csr-2', ['Denied'])];
    assert.deepEqual(tableLines(signingRequestTables(requests, now, { width: 80, colour: false }), 80), [
      'NAME   AGE  REQUESTOR           CONDITION  REQUESTED NAMES',
      'csr-1  84m  system:node:node-1  Pending    DNS:node-1, IP:192.0.2.10',
      'csr-2  84m  system:node:node-1  Denied     DNS:node-1, IP:192.0.2.10',
      '',
      '2 signing requests, 1 pending',
    ]);
    const [, line = ''] = tableLines(signingRequestTables(requests, now, { width: 120, colour: false }), 120);
    assert.match(
      line,
      /^csr-1 +84m +kubernetes.io\/kubelet-serving +system:node:node-1 +Pending +ECDSA P-256 +DNS/,
    );
  });

  test('who asks is said whole at 80 columns, beside long names too', () => {
    const issued = listed('kubepki-control-plane-1-scheduler-conf-1a74f6a67d', ['Approved']);
    const worker: ListedRequest = {
      object: { ...object, name: 'csr-1', username: 'system:node:worker-1' },
      asked: { key: 'RSA 2048', names: ['DNS:worker-1', 'IP:192.0.2.21', 'IP:2001:db8::21'] },
    };
    const lines = tableLines(signingRequestTables([issued, worker], now, { width: 80, colour: false }), 80);
    assert.match(lines.join('\n'), /^csr-1 .* system:node:worker-1 /m);
  });

  test('yellow waits for a decision, red gets no certificate', () => {
    const requests = [listed('a'), listed('b', ['Denied']), listed('c', ['Approved']), { name: 'd' }];
    const coloured = signingRequestTables(requests, now, { width: 80, colour: true });
    const colours = coloured.split('\n').map((line) => /\u001b\[(\d+)m/.exec(line)?.[1]);
    assert.deepEqual(colours.slice(1, 5), ['33', '31', undefined, '31']);
  });

  test('none, and what others wrote draws nothing', () => {
    const look = { width: 80, colour: false };
    assert.equal(signingRequestTables([], now, look), 'no signing requests\n');
    const hostile = signingRequestTables(
      [
        {
          object: { ...object, username: 'a\u001b[2J\u202eb' },
          asked: { key: 'k', names: ['DNS:\u0007\n'] },
        },
      ],
      now,
      look,
    );
    assert.doesNotMatch(hostile, /[\u001b\u202e\u0007]/);
    assert.equal(hostile.split('\n').length, 5);
  });
});
