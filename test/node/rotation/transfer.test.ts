/** A rotation goes from one control plane to another, through the file and the passphrase. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { replaceFile, type ChangeSet } from '../../../src/changeset/change-set.ts';
import { openNode, type Node } from '../../../src/node/node-options.ts';
import {
  readKeptKey,
  readRotation,
  requireRotation,
  rotationTarget,
} from '../../../src/node/rotation/rotation.ts';
import {
  exportHere,
  importHere,
  newKeysHere,
  readGivenFile,
  readReceivingNode,
} from '../../../src/node/rotation/transfer.ts';
import { stateOf } from '../../../src/node/waiting.ts';
import { planText } from '../../../src/operations/rotation/plan-text.ts';
import {
  keysToSeal,
  openedKeys,
  requireTrustworthy,
  type Transfer,
} from '../../../src/operations/rotation/transfer.ts';
import { encodeCertificates, parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { isSameKey } from '../../../src/pki/key/public-key.ts';
import { openSealedKeys, sealKeys } from '../../../src/pki/key/sealed-keys.ts';
import { writeNewFile } from '../../../src/storage/public-file.ts';
import { openTransaction } from '../../../src/storage/transaction.ts';
import { readTransfer, writeTransfer } from '../../../src/transfer/transfer.ts';
import {
  crossOf,
  newKey,
  planOf,
  selfSigned,
  type MadeAuthority,
} from '../../support/certificates/made-rotation.ts';
import { copyFixture } from '../../support/tree.ts';

const passphrase = 'correct horse battery';

function nodeFor(t: TestContext, role = 'ipv6'): Node {
  const tree = copyFixture(t, role);
  return openNode({ rootfs: tree.directory }, { config: undefined, configFrom: 'nobody' });
}

function rootOf({ layout: { root } }: Node): string {
  return root.directory;
}

function commit(node: Node, changes: ChangeSet): void {
  const occasion = {
    time: new Date().toISOString(),
    command: 'test',
    user: 'root',
    certificates: [],
    restored: null,
  };
  const targets = changes.map(({ target }) => target);
  const transaction = openTransaction(stateOf(node), targets, { occasion });
  for (const change of changes) transaction.stage(change);
  transaction.prepare({ occasion, verify: () => undefined, keepBackups: 5 }).finish();
}

/** A rotation of the node's own CAs. */
function prepared(node: Node): readonly MadeAuthority[] {
  const { certDir } = node.layout;
  const made = (
    [
      ['ca', 'ca'],
      ['etcd-ca', 'etcd/ca'],
    ] as const
  ).map(([name, baseName]): MadeAuthority => {
    const [old] = parseCertificates(readFileSync(join(certDir, `${baseName}.crt`)));
    const keys = { old: parsePrivateKey(readFileSync(join(certDir, `${baseName}.key`))), next: newKey() };
    const next = selfSigned(`${name}-next`, keys.next);
    return { name, old, next, cross: crossOf(old, keys.old, next), keys };
  });
  const put = (name: Parameters<typeof rotationTarget>[1], text: string): ChangeSet[number] =>
    replaceFile(rotationTarget(node, name), text, 0o600);
  commit(node, [
    ...made.flatMap(({ name, old, next, cross, keys }) => [
      put(`${name}.old.crt`, encodeCertificates([old])),
      put(`${name}.next.crt`, encodeCertificates([next])),
      put(`${name}.cross.crt`, encodeCertificates([cross])),
      put(`${name}.next.key`, encodePrivateKey(keys.next)),
    ]),
    put('plan.json', planText(planOf(made))),
  ]);
  return made;
}

async function exported(node: Node): Promise<Buffer> {
  const rotation = requireRotation(node);
  const sealed = await sealKeys(keysToSeal(rotation.authorities, newKeysHere(node, rotation)), passphrase);
  const path = writeNewFile(
    node.layout.root,
    '/rotation.tar',
    writeTransfer(exportHere(node, rotation, sealed)),
    0o600,
  );
  assert.equal(statSync(path).mode & 0o7777, 0o600);
  return readFileSync(path);
}

async function keysIn(transfer: Transfer): Promise<ReturnType<typeof openedKeys>> {
  assert.ok(transfer.sealedKeys);
  return openedKeys(transfer, await openSealedKeys(transfer.sealedKeys, passphrase));
}

describe('a rotation that another control plane has prepared', () => {
  test('comes over whole, with its keys, and once', async (t) => {
    const [first, second] = [nodeFor(t), nodeFor(t)];
    const made = prepared(first);
    writeFileSync(join(rootOf(second), 'given.tar'), await exported(first));
    const transfer = readTransfer(readGivenFile(second, '/given.tar'));
    const keys = await keysIn(transfer);
    commit(second, importHere(second, transfer, keys));
    const there = requireRotation(second);
    assert.deepEqual(there.plan, planOf(made));
    for (const { name, next } of made) {
      const key = readKeptKey(second, name, 'next').content;
      assert.ok(key.status === 'present' && isSameKey(publicKeyOf(key.value), next.publicKey));
    }
    assert.deepEqual(importHere(second, transfer, keys), []);
    // And from there on to a third, the same bytes but for the sealed keys.
    const again = writeTransfer({ ...exportHere(second, there), sealedKeys: transfer.sealedKeys });
    assert.ok(again.equals(writeTransfer(transfer)));
  });

  test('once the new CA signs, the key is in the cert dir, and what it trusts comes in the new order', (t) => {
    const node = nodeFor(t);
    const [ca] = prepared(node);
    assert.ok(ca);
    const { certDir } = node.layout;
    const strange = selfSigned('strange', newKey());
    writeFileSync(join(certDir, 'ca.crt'), encodeCertificates([ca.next, ca.old, strange]));
    writeFileSync(join(certDir, 'ca.key'), encodePrivateKey(ca.keys.next));
    rmSync(rotationTarget(node, 'ca.next.key').resolvedPath);
    const rotation = requireRotation(node);
    assert.equal(newKeysHere(node, rotation).size, 2);
    assert.deepEqual(
      exportHere(node, rotation).authorities.map(({ trusted }) => trusted),
      ['next-old', 'old'],
    );
  });

  test('gives no key to a node that lacks the CA’s, and nothing to another cluster', async (t) => {
    const [first, worker, other] = [nodeFor(t), nodeFor(t), nodeFor(t, 'stacked-etcd-ecdsa')];
    prepared(first);
    const transfer = readTransfer(await exported(first));
    const keys = await keysIn(transfer);
    rmSync(join(worker.layout.certDir, 'ca.key'));
    assert.throws(() => importHere(worker, transfer, keys), { code: 'bad-transfer', hint: /ca trust FILE/ });
    requireTrustworthy(transfer, readReceivingNode(worker));
    assert.throws(() => importHere(other, transfer, keys), {
      code: 'bad-transfer',
      message: /about another CA than .*\/pki\/ca\.crt holds/,
    });
    assert.equal(readRotation(other), undefined);
  });

  test('a key that cannot be read, or is another’s, is not exported', (t) => {
    const node = nodeFor(t);
    prepared(node);
    const path = rotationTarget(node, 'ca.next.key').resolvedPath;
    const rotation = requireRotation(node);
    writeFileSync(path, encodePrivateKey(newKey()), { mode: 0o600 });
    assert.throws(() => keysToSeal(rotation.authorities, newKeysHere(node, rotation)), { code: 'bad-key' });
    writeFileSync(path, 'x', { mode: 0o600 });
    assert.throws(() => newKeysHere(node, rotation), { code: 'bad-pem', file: /ca\.next\.key$/ });
  });
});

describe('the exported file', () => {
  test('replaces nothing, follows no link, and is made where only its owner can write', (t) => {
    const { layout } = nodeFor(t);
    const { root } = layout;
    const at = (name: string): string => join(root.directory, name);
    writeFileSync(at('there'), 'x');
    symlinkSync('nowhere', at('link'));
    mkdirSync(at('open'));
    chmodSync(at('open'), 0o777);
    for (const [given, code] of [
      ['/there', 'conflict'],
      ['/link', 'conflict'],
      ['/open/file', 'no-permission'],
      ['/nowhere/file', 'not-found'],
      ['/there/file', 'not-a-file'],
    ] as const) {
      assert.throws(() => writeNewFile(root, given, Buffer.from('x'), 0o600), { code });
    }
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    assert.equal(statSync(writeNewFile(root, '/public', Buffer.from('x'), 0o644)).mode & 0o7777, 0o644);
  });
});
