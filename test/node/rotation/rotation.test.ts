import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { openNode, type Node } from '../../../src/node/node-options.ts';
import { readKeptKey, readRotation, rotationTarget } from '../../../src/node/rotation/rotation.ts';
import type { KeptAuthority } from '../../../src/operations/rotation/rotation.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { isSameKey } from '../../../src/pki/key/public-key.ts';
import { planText } from '../../../src/operations/rotation/plan-text.ts';
import {
  crossOf,
  madeAuthority,
  newKey,
  planOf,
  selfSigned,
  type MadeAuthority,
} from '../../support/certificates/made-rotation.ts';
import { copyFixture } from '../../support/tree.ts';

function nodeFor(t: TestContext): Node {
  const tree = copyFixture(t, 'ipv6');
  return openNode({ rootfs: tree.directory }, { config: undefined, configFrom: 'nobody' });
}

/** Lays the files as the stages leave them. */
function lay(node: Node, authorities: readonly MadeAuthority[]): string {
  const state = join(node.layout.certDir, '.kubepki');
  const directory = join(state, 'rotation');
  mkdirSync(state, { mode: 0o700, recursive: true });
  mkdirSync(directory, { mode: 0o700, recursive: true });
  const write = (name: string, content: string | Buffer): void => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
  };
  write('plan.json', planText(planOf(authorities)));
  for (const { name, old, next, cross, keys } of authorities) {
    write(`${name}.old.crt`, encodeCertificates([old]));
    write(`${name}.next.crt`, encodeCertificates([next]));
    write(`${name}.cross.crt`, encodeCertificates([cross]));
    write(`${name}.next.key`, encodePrivateKey(keys.next));
  }
  return directory;
}

describe('the rotation that a node knows of', () => {
  test('there is none', (t) => {
    const node = nodeFor(t);
    assert.equal(readRotation(node), undefined);
    const target = rotationTarget(node, 'plan.json');
    assert.equal(target.path, join(node.layout.certDir, '.kubepki/rotation/plan.json'));
    assert.equal(target.before, undefined);
    assert.deepEqual(readKeptKey(node, 'ca', 'next').content, { status: 'missing' });
  });

  test('is its plan, with each certificate and which keys are kept', (t) => {
    const node = nodeFor(t);
    const authorities = [madeAuthority('ca'), madeAuthority('etcd-ca')];
    const directory = lay(node, authorities);
    const rotation = readRotation(node);
    assert.deepEqual(rotation?.plan, planOf(authorities));
    assert.equal(rotation.planFile.path, join(directory, 'plan.json'));
    for (const [index, made] of authorities.entries()) {
      const read: KeptAuthority | undefined = rotation.authorities[index];
      assert.ok(read);
      assert.equal(read.name, made.name);
      assert.ok(read.old.der.equals(made.old.der));
      assert.ok(read.next.der.equals(made.next.der));
      assert.ok(read.cross.der.equals(made.cross.der));
      assert.deepEqual(read.keys, { old: false, next: true });
      assert.equal(read.files.cross.path, join(directory, `${made.name}.cross.crt`));
      assert.notEqual(read.files.cross.before, undefined);
      const key = readKeptKey(node, made.name, 'next').content;
      assert.ok(key.status === 'present' && isSameKey(publicKeyOf(key.value), made.next.publicKey));
    }
  });

  const made = madeAuthority('ca');
  const other = madeAuthority('ca');
  for (const [what, file, content, code] of [
    ['a certificate that is gone', 'ca.next.crt', undefined, 'not-found'],
    ['another certificate', 'ca.old.crt', encodeCertificates([other.old]), 'bad-certificate'],
    ['something else', 'ca.next.crt', 'hello', 'bad-pem'],
    [
      'the cross-certificate of another',
      'ca.cross.crt',
      encodeCertificates([other.cross]),
      'bad-certificate',
    ],
  ] as const) {
    test(`${what}: an error with the file and the next step`, (t) => {
      const node = nodeFor(t);
      const path = join(lay(node, [made]), file);
      rmSync(path);
      if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
      assert.throws(() => readRotation(node), { code, file: path, hint: /kubepki certs history --rootfs / });
    });
  }

  const key = newKey();
  const impostor = selfSigned('kubernetes', key);
  for (const [what, cross, message] of [
    ['of another CA', crossOf(made.old, made.keys.old, other.next), /the name and the key of the new CA/],
    ['signed by a namesake of the old CA', crossOf(impostor, key, made.next), /not signed by the old CA/],
    [
      'that the new CA has signed itself',
      crossOf(made.next, made.keys.next, made.next),
      /not signed by the old CA/,
    ],
  ] as const) {
    test(`a plan with a cross-certificate ${what} is refused`, (t) => {
      const node = nodeFor(t);
      const directory = lay(node, [{ ...made, cross }]);
      assert.throws(() => readRotation(node), {
        code: 'bad-certificate',
        message,
        file: join(directory, 'ca.cross.crt'),
      });
    });
  }
});
