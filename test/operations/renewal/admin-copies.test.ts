import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readUsersSlot } from '../../../src/inventory/kubeconfig-files.ts';
import { readPrivateKeys } from '../../../src/inventory/private-keys.ts';
import { readUsers } from '../../../src/kubeconfig/read.ts';
import {
  changedCopy,
  credentialsInUse,
  planCopies,
  type CopyFile,
  type PlannedCopy,
} from '../../../src/operations/renewal/admin-copies.ts';
import { encodeCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import {
  inDays,
  issueFor,
  keyOf,
  leafOf,
  plannedNode,
  read,
  reissue,
  spareKey,
  specOf,
  stranger,
} from '../../support/planners/planned-node.ts';
import type { Tree } from '../../support/tree.ts';

const copy = 'home/ann/.kube/config';

interface Planning {
  readonly renewed?: boolean;
  readonly unsafe?: KubepkiError;
  readonly path?: string;
}

function plan(tree: Tree, { renewed = false, unsafe, path = copy }: Planning = {}): PlannedCopy {
  const inventory = read(tree);
  const file: CopyFile = {
    ...readUsersSlot(FileSystemRoot.open(tree.directory, '/'), join(tree.directory, path)),
    unsafe,
  };
  const originals = ['admin.conf', 'super-admin.conf'].map(specOf);
  const settings = { inventory, keys: readPrivateKeys(inventory), originals };
  const [planned] = planCopies([file], { ...settings, renewed: renewed ? originals : [] });
  assert.ok(planned);
  return planned;
}

function why(tree: Tree, planning: Planning = {}): string {
  const planned = plan(tree, planning);
  assert.equal(planned.status, 'left');
  return planned.error.oneLine.replaceAll(tree.directory, '');
}

function put(tree: Tree, text: string, mode = 0o600): void {
  const path = join(tree.directory, copy);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text, { mode });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A file with other things in it, and an admin with this certificate, who is not of the current context. */
function mixed(leaf: Certificate, key = encodePrivateKey(spareKey)): string {
  return `# Ann's own
current-context: other
contexts:
- {name: other, context: {cluster: x, user: x}}
- {name: ours, context: {cluster: k, user: boss}}   # ours
clusters:
- {name: x, cluster: {server: "https://x"}}
- {name: k, cluster: {server: "https://k"}}
users:
- {name: x, user: {token: t}}
- name: boss
  user:
    client-certificate-data: ${base64(encodeCertificates([leaf]))} # his
    client-key-data: "${base64(key)}"
`;
}

/** A certificate as admin.conf had it before it was renewed, for another key. */
const older = (tree: Tree): Certificate => issueFor(tree, 'admin.conf', { key: spareKey, until: inDays(5) });

describe('a copy of admin.conf', () => {
  test('as it is stays, and is brought up to date when admin.conf is renewed', (t) => {
    const tree = plannedNode(t);
    put(tree, readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'));
    assert.equal(plan(tree).status, 'current');
    const planned = plan(tree, { renewed: true });
    assert.equal(planned.status, 'stale');
    const next = { certificatePem: 'CERTIFICATE\n', keyPem: 'KEY\n' };
    const { after } = changedCopy(planned.copy, () => next);
    const [user] = readUsers(after?.content.toString() ?? '');
    assert.deepEqual(user?.clientCertificate, { kind: 'data', bytes: Buffer.from('CERTIFICATE\n') });
    assert.deepEqual(user.clientKey, { kind: 'data', bytes: Buffer.from('KEY\n') });
    assert.equal(after?.mode, 0o600);
  });

  test('of before a renewal gets what admin.conf holds now, and nothing else in it changes', (t) => {
    const tree = plannedNode(t);
    const leaf = older(tree);
    put(tree, mixed(leaf));
    const planned = plan(tree);
    assert.equal(planned.status, 'stale');
    const inventory = read(tree);
    const settings = { inventory, keys: readPrivateKeys(inventory) };
    const { after } = changedCopy(planned.copy, (spec) => credentialsInUse(spec, settings));
    const expected = mixed(leafOf(tree, 'admin.conf'), encodePrivateKey(keyOf(tree, 'admin.conf')));
    assert.equal(after?.content.toString(), expected);
  });

  test('of before a renewal that the CA has capped to its end as the one before', (t) => {
    const tree = plannedNode(t);
    const { notAfter } = leafOf(tree, 'admin.conf');
    put(tree, mixed(issueFor(tree, 'admin.conf', { key: spareKey, until: notAfter })));
    assert.equal(plan(tree).status, 'stale');
  });

  test('that has expired is one still: its owner has the key, and may have let it lie', (t) => {
    const tree = plannedNode(t);
    put(
      tree,
      mixed(issueFor(tree, 'admin.conf', { key: spareKey, from: inDays(-300), until: inDays(-100) })),
    );
    assert.equal(plan(tree).status, 'stale');
  });

  test('by another path is admin.conf itself', (t) => {
    assert.equal(
      plan(plannedNode(t), { path: 'etc/kubernetes/admin.conf', renewed: true }).status,
      'current',
    );
  });
});

describe('what is no copy of admin.conf, or must not be written', () => {
  const none = `/${copy}: is no copy of admin.conf or super-admin.conf, as it is or older: no user of it has such a certificate`;

  test('a file that is not there', (t) => {
    assert.equal(why(plannedNode(t)), `/${copy}: no such file`);
  });

  test('a file that is no kubeconfig', (t) => {
    const tree = plannedNode(t);
    put(tree, '[]\n');
    assert.match(why(tree), /is not a kubeconfig/);
  });

  test('a user of another subject', (t) => {
    const tree = plannedNode(t);
    const subject = distinguishedName(['system:masters'], 'ann');
    put(tree, mixed(issueFor(tree, 'admin.conf', { key: spareKey, until: inDays(5), profile: { subject } })));
    assert.equal(why(tree), none);
  });

  test('a user of the same name in fewer groups', (t) => {
    const tree = plannedNode(t);
    const subject = distinguishedName([], 'kubernetes-admin');
    put(tree, mixed(issueFor(tree, 'admin.conf', { key: spareKey, until: inDays(5), profile: { subject } })));
    assert.equal(why(tree), none);
  });

  test("another CA's user of the same subject", (t) => {
    const tree = plannedNode(t);
    const by = stranger('kubernetes');
    put(tree, mixed(issueFor(tree, 'admin.conf', { by, key: spareKey, until: inDays(5) })));
    assert.equal(why(tree), none);
  });

  test('a user whose certificate lasts longer than that of admin.conf', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(issueFor(tree, 'admin.conf', { key: spareKey, until: inDays(700) })));
    assert.equal(why(tree), none);
  });

  test('the same certificate, and a key that is not its own', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(leafOf(tree, 'admin.conf')));
    assert.equal(
      why(tree, { renewed: true }),
      `/${copy}: user boss has a certificate of admin.conf without its key, so that no other key is given to it`,
    );
  });

  test('the same certificate without a key, or with the name of a file', (t) => {
    const tree = plannedNode(t);
    const text = mixed(leafOf(tree, 'admin.conf'));
    for (const key of ['', '    client-key: /etc/kubernetes/admin.key\n']) {
      put(tree, text.replace(/ +client-key-data.*\n/, key));
      assert.match(why(tree, { renewed: true }), /without its key/);
    }
  });

  test('a file that others may read', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(older(tree)));
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(join(tree.directory, copy), mode);
      assert.match(why(tree), /may be read by others than its owner/);
    }
  });

  test('a place that is not safe to write to', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(older(tree)));
    const unsafe = new KubepkiError('no-permission', 'leads elsewhere');
    assert.match(why(tree, { unsafe }), /leads elsewhere/);
  });

  test('a copy of an admin.conf whose own key does not fit', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(older(tree)));
    reissue(tree, 'admin.conf', { key: spareKey });
    writeFileSync(
      join(tree.kubeconfigDir, 'admin.conf'),
      readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8').replace(
        /client-key-data: \S+/,
        `client-key-data: ${base64(encodePrivateKey(keyOf(tree, 'scheduler.conf')))}`,
      ),
    );
    assert.match(why(tree), /has no private key that fits its certificate/);
  });

  test('a copy of an admin.conf that another CA has signed: it would be worse than before', (t) => {
    const tree = plannedNode(t);
    put(tree, mixed(older(tree)));
    reissue(tree, 'admin.conf', { by: stranger('kubernetes') });
    assert.equal(why(tree), `/${copy}: stays as it is, as admin.conf is not signed by this CA`);
  });

  test('values that YAML shares with something else', (t) => {
    const tree = plannedNode(t);
    put(
      tree,
      mixed(older(tree))
        .replace('client-certificate-data: ', 'client-certificate-data: &c ')
        .replace('token: t', 'token: *c')
        .replace(/(- \{name: x, user[^\n]*\n)([^]*)/, '$2$1'),
    );
    assert.match(why(tree), /is shared with another field over a YAML anchor/);
  });
});
