import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from '../../support/properties.ts';
import { fixturePath } from '../../support/tree.ts';
import { base64Parts } from './base64-parts.ts';
import { bytesOf, inputsOf, type FuzzInput } from '../input.ts';
import { mutate, type Mutation } from './mutation.ts';
import { commandInputs, parserInputs, processInputs } from '../samples.ts';

const read = (path: string): Buffer =>
  readFileSync(fixturePath('stacked-etcd-rsa', `etc/kubernetes/${path}`));

function kindsIn(mutations: readonly Mutation[]): string[] {
  return mutations.flatMap((mutation) => [
    mutation.kind,
    ...(mutation.kind === 'inside' ? kindsIn(mutation.mutations) : []),
  ]);
}

test('an input that is printed and replayed is the same input', () => {
  for (const kind of [...Object.values(parserInputs), ...commandInputs, ...processInputs]) {
    for (const input of fc.sample(inputsOf(kind), { numRuns: 100 })) {
      const again = JSON.parse(JSON.stringify(input)) as FuzzInput;
      assert.ok(bytesOf(again).equals(bytesOf(input)));
      // In a shell it stands between single quotes.
      assert.doesNotMatch(JSON.stringify(input), /'/);
    }
  }
});

test('every kind of mutation occurs, everywhere in a file', () => {
  const inputs = fc.sample(inputsOf(parserInputs.kubeconfig), { numRuns: 5000 });
  const mutations = inputs.flatMap((input) => input.mutations);
  assert.deepEqual([...new Set(kindsIn(mutations))].sort(), [
    ...[
      'again',
      'bring',
      'cut',
      'encode',
      'fill',
      'flip',
      'inside',
      'length',
      'lines',
      'nest',
      'number',
      'put',
    ],
    ...['repeat', 'swap', 'truncate'],
  ]);
  const places = mutations.flatMap((mutation) => ('at' in mutation ? [mutation.at] : []));
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const count = places.filter((at) => Math.floor(at * 10) === tenth).length;
    assert.ok(count > places.length / 20, `${String(count)} of ${String(places.length)}`);
  }
});

test('a mutation inside leaves what is around it whole', () => {
  const certificate = read('pki/apiserver.crt');
  const flip: Mutation = { kind: 'flip', at: 0.99, bit: 0 };
  const changed = mutate(certificate, [{ kind: 'inside', at: 0, mutations: [flip] }]);
  const [before, after] = [certificate, changed].map((pem) => new X509Certificate(pem).raw);
  assert.ok(before && after);
  assert.equal(before.filter((byte, index) => byte !== after[index]).length, 1);

  // The DER inside the PEM inside the kubeconfig: its last value is the client's key, the one before the certificate.
  const kubeconfig = mutate(read('admin.conf'), [
    { kind: 'inside', at: 0.5, mutations: [{ kind: 'inside', at: 0, mutations: [flip] }] },
  ]);
  const embedded = [read('admin.conf'), kubeconfig].map((file) =>
    Buffer.from(base64Parts(file)[1]?.text ?? '', 'base64'),
  );
  const [old, now] = embedded.map((pem) => new X509Certificate(pem));
  assert.equal(old?.subject, now?.subject);
  assert.notEqual(old?.fingerprint256, now?.fingerprint256);
});

test('blocks change places, and a length byte is one', () => {
  const chain = readFileSync(fixturePath('leaf-chain', 'etc/kubernetes/pki/ca.crt'), 'latin1');
  const [first, second] = chain.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? [];
  const swapped = mutate(Buffer.from(chain), [{ kind: 'swap', first: 0.9, second: 0.1 }]).toString();
  assert.equal(swapped, `${String(second)}${String(first)}`);

  const { raw } = new X509Certificate(read('pki/ca.crt'));
  const outermost = mutate(raw, [{ kind: 'length', at: 0, hex: '84ffffffff' }]);
  assert.equal(outermost.toString('hex', 0, 6), '3084ffffffff');
  assert.equal(outermost.toString('hex', 6), raw.toString('hex', 2));
});
