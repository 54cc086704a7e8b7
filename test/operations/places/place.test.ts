import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { FileTarget } from '../../../src/changeset/change-set.ts';
import type { FoundPlace } from '../../../src/inventory/inventory.ts';
import { present } from '../../../src/inventory/look-ups.ts';
import { openNode } from '../../../src/node/node-options.ts';
import { readManaged, readToFill, type Snapshot } from '../../../src/node/snapshot.ts';
import { placeOf, type Place } from '../../../src/operations/places/place.ts';
import { parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { copyFixture, fixturePath, type Tree } from '../../support/tree.ts';

const credentials = { certificatePem: 'a certificate\n', keyPem: 'a key\n' };

const unconfigured = { config: undefined, configFrom: 'nobody' } as const;

function snapshotOf(tree: Tree, read: typeof readToFill = readToFill): Snapshot {
  return read(openNode({ rootfs: tree.directory }, unconfigured));
}

function foundIn({ places }: Snapshot, name: string): FoundPlace {
  return present(places.get(name));
}

function placeIn(snapshot: Snapshot, name: string, caFile: string): Place {
  const bundle = parseCertificates(readFileSync(caFile));
  return placeOf(foundIn(snapshot, name), { caFile, bundle });
}

/** What the files would hold after the change. */
function after(place: Place): (target: FileTarget) => Buffer {
  const changes = place.put(credentials);
  return (target) =>
    changes.find((change) => change.target === target)?.after?.content ?? readFileSync(target.resolvedPath);
}

const pathsOf = (targets: readonly FileTarget[]): string[] =>
  targets.map(({ path }) => path.slice(path.indexOf('etc/kubernetes/') + 'etc/kubernetes/'.length));

describe('a place', () => {
  const table: readonly (readonly [
    what: string,
    fixture: string,
    name: string,
    targets: readonly string[],
    changing: readonly string[],
  ])[] = [
    [
      'two files',
      'stacked-etcd-rsa',
      'etcd-server',
      ['pki/etcd/server.crt', 'pki/etcd/server.key'],
      ['pki/etcd/server.key', 'pki/etcd/server.crt'],
    ],
    [
      'a kubeconfig that holds both',
      'stacked-etcd-rsa',
      'scheduler.conf',
      ['scheduler.conf'],
      ['scheduler.conf'],
    ],
  ];
  for (const [what, fixture, name, targets, changing] of table) {
    test(`${what}: what may change, what does, and what is found there afterwards`, (t) => {
      const tree = copyFixture(t, fixture);
      const place = placeIn(snapshotOf(tree), name, join(tree.certDir, 'ca.crt'));
      assert.deepEqual(pathsOf(place.targets), targets);
      assert.deepEqual(pathsOf(place.changing), changing);
      assert.deepEqual(
        place.put(credentials).map(({ target }) => target),
        place.changing,
      );
      assert.deepEqual(place.readBack(after(place)), {
        certificate: Buffer.from(credentials.certificatePem),
        key: Buffer.from(credentials.keyPem),
        trusts: true,
      });
      place.requireRewritable();
    });
  }

  test('a kubeconfig that names its files stays, unless it gets a CA', (t) => {
    const tree = copyFixture(t, 'kubeconfig-files');
    const snapshot = snapshotOf(tree);
    const named = snapshot.inventory.certificates.flatMap((entry) =>
      entry.kind === 'kubeconfig' &&
      entry.state.status === 'present' &&
      entry.state.value.certificateFile !== undefined
        ? [entry.spec.name]
        : [],
    );
    const stays = new Set<boolean>();
    for (const name of named) {
      const place = placeIn(snapshot, name, join(tree.certDir, 'ca.crt'));
      assert.deepEqual(
        place.put(credentials).map(({ target }) => target),
        place.changing,
      );
      const [certificate] = place.targets;
      const kubeconfig = place.targets.at(-1);
      assert.deepEqual(place.changing, [place.key ?? certificate, place.key ? certificate : kubeconfig]);
      stays.add(place.key !== undefined);
      assert.equal(place.file, certificate);
      assert.equal(place.trusting?.file, kubeconfig?.path);
      assert.equal(place.readBack(after(place)).trusts, true);
    }
    // One of them holds its key.
    assert.equal(stays.size, 2);
  });

  test('a kubeconfig that gets another CA is found without it where it was not put', (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const another = fixturePath('stacked-etcd-ecdsa', 'etc/kubernetes/pki/ca.crt');
    const place = placeIn(snapshotOf(tree), 'admin.conf', another);
    assert.equal(place.trusting?.trusted.added.length, 1);
    assert.equal(place.readBack(after(place)).trusts, true);
    assert.equal(place.readBack(({ resolvedPath }) => readFileSync(resolvedPath)).trusts, false);
  });

  test('of a certificate that is gone, and of one that cannot be read, the files are known', (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    rmSync(join(tree.certDir, 'apiserver.crt'));
    writeFileSync(join(tree.certDir, 'front-proxy-client.crt'), 'nonsense');
    const snapshot = snapshotOf(tree);
    const [gone, broken] = ['apiserver', 'front-proxy-client'].map((name) => foundIn(snapshot, name));
    assert.equal(gone?.certificate?.before, undefined);
    assert.notEqual(gone?.key?.before, undefined);
    assert.notEqual(broken?.certificate?.before, undefined);
  });

  test('where there is no kubeconfig, none can be put into it', (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    rmSync(join(tree.kubeconfigDir, 'scheduler.conf'));
    const snapshot = snapshotOf(tree);
    assert.throws(() => foundIn(snapshot, 'scheduler.conf'), { code: 'not-found' });
  });
});

describe('a snapshot', () => {
  test('is read once, whatever becomes of the files', (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const snapshot = snapshotOf(tree, readManaged);
    const { keys, places } = snapshot;
    appendFileSync(join(tree.certDir, 'apiserver.key'), '\n');
    rmSync(join(tree.kubeconfigDir, 'admin.conf'));
    assert.equal(snapshot.keys, keys);
    assert.equal(snapshot.places, places);
    assert.equal(places.get('admin.conf')?.status, 'present');
  });

  test('opens no key before it is asked for one', (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const snapshot = snapshotOf(tree, readManaged);
    rmSync(join(tree.certDir, 'apiserver.key'));
    assert.equal(snapshot.keys.get('apiserver')?.content.status, 'missing');
  });

  test('shows no key', (t) => {
    const snapshot = snapshotOf(copyFixture(t, 'stacked-etcd-rsa'), readManaged);
    assert.ok(snapshot.keys.size > 0);
    assert.deepEqual(Object.keys(snapshot), ['inventory']);
    assert.doesNotMatch(inspect(snapshot, { depth: 4 }), /PrivateKeyObject/);
  });

  test('knows the keys in use and their files', (t) => {
    const { inventory, keys, keysInUse } = snapshotOf(copyFixture(t, 'stacked-etcd-rsa'), readManaged);
    for (const { spec, state } of inventory.certificates) {
      if (state.status === 'missing') continue;
      const [{ publicKey }] = present<{ chain: ReturnType<typeof parseCertificates> }>(state).chain;
      assert.ok(keysInUse.isLive(publicKey), spec.name);
      const key = keys.get(spec.name);
      assert.equal(key !== undefined && keysInUse.isFile(key.target), spec.kind === 'leaf', spec.name);
    }
    // A CA signs, and is no key of a certificate in use.
    const ca = keys.get('ca');
    assert.equal(ca !== undefined && keysInUse.isFile(ca.target), false);
  });
});
