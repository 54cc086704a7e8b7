import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesProblem, takenProblem } from '../../../src/operations/kubelet-serving/name-checks.ts';
import type { ServerName } from '../../../src/pki/extension/subject-alt-name.ts';
import { hostOf, ipHost, otherNodeOwning } from '../../../src/operations/kubelet-serving/surroundings.ts';
import fc from '../../support/properties.ts';
import { surroundings } from './sample.ts';

// From a small set, so that what is asked for and what the Node has meet.
const address = fc.constantFrom(
  '192.0.2.1',
  '192.0.2.2',
  '192.0.2.3',
  '2001:db8::1',
  'node-1',
  'node-2',
  'a.b',
);
const asked = (text: string): ServerName => {
  const host = hostOf(text);
  return host.startsWith('ip:') ? { kind: 'ip', address: text } : { kind: 'dns', name: text };
};

test('names are within those of the Node exactly when each is one of them', () => {
  fc.assert(
    fc.property(fc.uniqueArray(address), fc.uniqueArray(address), (has, wants) => {
      const node = { name: 'node-9', addresses: has.map((one) => ({ type: 'InternalDNS', address: one })) };
      const within = wants.every((one) => has.includes(one));
      assert.equal(addressesProblem(wants.map(asked), node) === undefined, within);
    }),
  );
});

test("a name is another node's exactly when a node of another name has it", () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(address), { maxLength: 3 }), address, (lists, wanted) => {
      const nodes = lists.map((list, index) => ({
        name: `host-${String(index)}`,
        addresses: list.map((one) => ({ type: 'Hostname', address: one })),
      }));
      const around = surroundings([], { nodes });
      const problem = takenProblem([asked(wanted)], (host) => otherNodeOwning(host, 'host-0', around));
      assert.equal(
        problem !== undefined,
        lists.slice(1).some((list) => list.includes(wanted)),
      );
    }),
  );
});

test('spellings of one host are one host', () => {
  const same = [
    ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:C000:0201', '192.000.2.01'],
    ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1'],
    ['node-1', 'NODE-1', 'node-1.'],
  ];
  for (const spellings of same) assert.equal(new Set(spellings.map(hostOf)).size, 1, spellings.join(' '));
  assert.notEqual(hostOf('192.0.2.1'), hostOf('192.0.2.10'));
  assert.equal(ipHost('::ffff:10.0.0.1'), hostOf('10.0.0.1'));
});
