import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readInventory, type Inventory } from '../../../src/inventory/inventory.ts';
import { withKubelet } from '../../../src/inventory/kubelet/kubelet-entry.ts';
import { locateLayout } from '../../../src/inventory/layout.ts';
import { renew } from '../../../src/operations/renewal/renew.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { encodeCertificates, parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import type { LocalIssuer } from '../../../src/pki/issue/issuer.ts';
import { randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { isSameKey } from '../../../src/pki/key/public-key.ts';
import {
  authority,
  issueFor,
  ofAnotherUser,
  spareKey,
  stranger,
} from '../../support/planners/planned-node.ts';
import { planRenewal } from '../../support/planners/planner-settings.ts';
import { edit, put, verifiedNode } from '../../support/planners/verified-node.ts';
import type { Tree } from '../../support/tree.ts';

const store = 'var/lib/kubelet/pki';
const current = `${store}/kubelet-client-current.pem`;
const dated = `${store}/kubelet-client-2026-11-28-20-50-00.pem`;
const conf = 'etc/kubernetes/kubelet.conf';

interface Directories {
  readonly certDir?: string;
  readonly kubeconfigDir?: string;
}

function read({ directory }: Tree, { certDir, kubeconfigDir }: Directories = {}): Inventory {
  const root = FileSystemRoot.open(directory, '/');
  return withKubelet(readInventory(locateLayout(root, { certDir, kubeconfigDir, manifestsDir: undefined })));
}

/** What is planned, and what would be written where, by path below the root. */
function planned(
  tree: Tree,
  inventory: Inventory = read(tree),
): { readonly files: ReadonlyMap<string, string>; readonly unlinked: boolean } {
  const plan = planRenewal(inventory, 'kubelet.conf');
  assert.equal(plan.status, 'renewable', plan.status === 'refused' ? plan.error.oneLine : '');
  const { changes } = renew(plan.renewable, { privateKey: spareKey, serialNumber: randomSerialNumber() });
  assert.deepEqual(
    changes.map(({ target }) => target),
    plan.renewable.place.changing,
  );
  return {
    files: new Map(
      changes.map(({ target, after }) => [
        target.resolvedPath.slice(tree.directory.length + 1),
        after?.content.toString() ?? '',
      ]),
    ),
    unlinked: plan.renewable.place.unlinked !== undefined,
  };
}

function refused(tree: Tree, inventory: Inventory = read(tree)): string {
  const plan = planRenewal(inventory, 'kubelet.conf');
  assert.equal(plan.status, 'refused');
  return plan.error.oneLine.replaceAll(tree.directory, '');
}

/** Holds a certificate of the node, by its name, and the new key. */
function requirePair(text: string | undefined): void {
  const bytes = Buffer.from(text ?? '');
  const [leaf] = parseCertificates(bytes);
  assert.match(leaf.x509.subject, /^O=system:nodes\nCN=system:node:[\w-]+$/);
  assert.ok(isSameKey(leaf.publicKey, publicKeyOf(parsePrivateKey(bytes))));
  assert.ok(isSameKey(leaf.publicKey, publicKeyOf(spareKey)));
}

function held(tree: Tree, path: string): string {
  return readFileSync(join(tree.directory, path), 'utf8');
}

/** As `kubeadm init` leaves it: the certificate is in kubelet.conf. */
function embed(tree: Tree): void {
  const pem = held(tree, dated);
  const [certificate = '', key = ''] = pem.split(/(?=-----BEGIN [A-Z ]*PRIVATE KEY)/);
  const data = (text: string): string => Buffer.from(text).toString('base64');
  edit(tree, conf, (text) =>
    text
      .replace(/client-certificate: \S+/, `client-certificate-data: ${data(certificate)}`)
      .replace(/client-key: \S+/, `client-key-data: ${data(key)}`),
  );
}

const names =
  /client-certificate: \/var\/lib\/kubelet\/pki\/kubelet-client-current\.pem\n +client-key: \/var\/lib\/kubelet\/pki\/kubelet-client-current\.pem\n/;

describe('where the new certificate of the kubelet goes', () => {
  test('the file that the link leads to; kubelet.conf and the link stay', (t) => {
    const tree = verifiedNode(t);
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [dated]);
    requirePair(files.get(dated));
    assert.equal(unlinked, false);
  });

  test('a link that leads nowhere is filled; the last file with a date says whose it is', (t) => {
    const tree = verifiedNode(t);
    renameSync(join(tree.directory, dated), join(tree.directory, dated.replace('2026', '2025')));
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [dated]);
    requirePair(files.get(dated));
    assert.equal(unlinked, false);
  });

  test('where the link is gone, its path, which is to become a link', (t) => {
    const tree = verifiedNode(t);
    unlinkSync(join(tree.directory, current));
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [current]);
    requirePair(files.get(current));
    assert.equal(unlinked, true);
  });

  test('where it is a file, that file, which is to become a link', (t) => {
    const tree = verifiedNode(t);
    renameSync(join(tree.directory, dated), join(tree.directory, current));
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [current]);
    assert.equal(unlinked, true);
  });

  for (const [what, damage] of [
    ['holds no key', (text: string) => text.replace(/-----BEGIN [A-Z ]*PRIVATE KEY[^]*/, '')],
    ['is cut off', (text: string) => text.slice(0, 100)],
  ] as const) {
    test(`a file that ${what} is replaced`, (t) => {
      const tree = verifiedNode(t);
      put(tree, dated.replace('2026', '2025'), held(tree, dated));
      edit(tree, dated, damage);
      const { files } = planned(tree);
      assert.deepEqual([...files.keys()], [dated]);
      requirePair(files.get(dated));
    });
  }

  test('kubelet.conf that holds its certificate names the file from then on', (t) => {
    const tree = verifiedNode(t);
    embed(tree);
    const { files } = planned(tree);
    assert.deepEqual([...files.keys()], [dated, conf]);
    assert.match(files.get(conf) ?? '', names);
    assert.doesNotMatch(files.get(conf) ?? '', /client-\w+-data/);
  });

  test('likewise where the kubelet has rotated nothing yet', (t) => {
    const tree = verifiedNode(t);
    embed(tree);
    for (const path of [current, dated]) rmSync(join(tree.directory, path));
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [current, conf]);
    requirePair(files.get(current));
    assert.equal(unlinked, true);
  });

  test('kubelet.conf itself, where no kubelet has run', (t) => {
    const tree = verifiedNode(t);
    embed(tree);
    rmSync(join(tree.directory, store), { recursive: true });
    const { files, unlinked } = planned(tree);
    assert.deepEqual([...files.keys()], [conf]);
    assert.match(files.get(conf) ?? '', /client-certificate-data/);
    assert.equal(unlinked, false);
  });

  test('kubelet.conf itself, where it is a copy beside the files of a live node', (t) => {
    const tree = verifiedNode(t);
    embed(tree);
    const copy = join(tree.directory, 'backup');
    cpSync(join(tree.directory, 'etc/kubernetes'), copy, { recursive: true });
    const inventory = read(tree, { kubeconfigDir: copy, certDir: join(copy, 'pki') });
    assert.deepEqual([...planned(tree, inventory).files.keys()], ['backup/kubelet.conf']);
  });

  test('two files that kubelet.conf names, where the kubelet has no store', (t) => {
    const tree = verifiedNode(t);
    const [certificate = '', key = ''] = held(tree, dated).split(/(?=-----BEGIN [A-Z ]*PRIVATE KEY)/);
    put(tree, `${store}/own.crt`, certificate);
    put(tree, `${store}/own.key`, key);
    for (const path of [current, dated]) rmSync(join(tree.directory, path));
    edit(tree, conf, (text) =>
      text
        .replace(/client-certificate: \S+/, `client-certificate: /${store}/own.crt`)
        .replace(/client-key: \S+/, `client-key: /${store}/own.key`),
    );
    assert.deepEqual([...planned(tree).files.keys()], [`${store}/own.key`, `${store}/own.crt`]);
  });
});

describe('the kubelet of which nothing is renewed', () => {
  test('no other certificate of the node is asked for by all', (t) => {
    const { certificates } = readInventory(read(verifiedNode(t)).layout);
    assert.ok(certificates.every(({ spec }) => spec.name !== 'kubelet.conf'));
  });

  test('there is no kubelet.conf', (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.directory, conf));
    assert.equal(planRenewal(read(tree), 'kubelet.conf').status, 'missing');
  });

  test('no file says which node it is', (t) => {
    const tree = verifiedNode(t);
    for (const path of [current, dated]) rmSync(join(tree.directory, path));
    assert.equal(
      refused(tree),
      `/${current}: holds no certificate, and no other file says which node it is of`,
    );
  });

  test('the CA is elsewhere', (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.certDir, 'ca.key'));
    assert.equal(planRenewal(read(tree), 'kubelet.conf').status, 'external-ca');
  });

  test('another CA has signed it', (t) => {
    const tree = verifiedNode(t);
    reissue(tree, { by: stranger('other') });
    assert.match(refused(tree), /kubelet-client-current\.pem: is not signed by the CA of .*ca\.crt$/);
  });

  test('another CA has signed it, and it is named with --force: it is renewed for the same node', (t) => {
    const tree = verifiedNode(t);
    reissue(tree, { by: stranger('other') });
    const plan = planRenewal(read(tree), 'kubelet.conf', { insisted: true });
    assert.equal(plan.status, 'renewable');
    assert.match(plan.renewable.warnings.join(), /is not signed by the CA/);
  });

  test('it is made out to someone else, in a file of another user', (t) => {
    const tree = verifiedNode(t);
    reissue(tree, { subject: distinguishedName(['system:masters'], 'system:node:a') });
    const inventory = read(tree);
    const foreign = {
      ...inventory,
      certificates: inventory.certificates.map((entry) =>
        entry.kind === 'kubeconfig' && entry.spec.name === 'kubelet.conf' && entry.state.status === 'present'
          ? {
              ...entry,
              state: {
                status: 'present' as const,
                value: { ...entry.state.value, file: ofAnotherUser(entry.state.value.file) },
              },
            }
          : entry,
      ),
    };
    assert.match(refused(tree, foreign), /is made out to CN=system:node:a, O=system:masters/);
  });

  test('it is made out to someone else, in a file of root', (t) => {
    const tree = verifiedNode(t);
    reissue(tree, { subject: distinguishedName(['system:masters'], 'admin') });
    assert.match(
      refused(tree),
      /kubelet-client-current\.pem: is made out to CN=admin, O=system:masters, and so is no kubelet's/,
    );
  });

  test('another file than a key is where another kubelet.conf has its certificate', (t) => {
    const tree = verifiedNode(t);
    put(tree, 'srv/notes.pem', held(tree, dated).replace(/-----BEGIN [A-Z ]*PRIVATE KEY[^]*/, ''));
    edit(tree, conf, (text) => text.replaceAll(`/${current}`, '/srv/notes.pem'));
    assert.match(refused(tree), /^\/srv\/notes\.pem: holds no private key/);
  });
});

/** Puts another certificate where the kubelet has its own: of another CA, or made out to another. */
function reissue(
  tree: Tree,
  { by, subject }: { readonly by?: LocalIssuer; readonly subject?: Buffer },
): void {
  const own = parseCertificates(readFileSync(join(tree.directory, dated)))[0].subject;
  const certificate = issueFor(tree, 'admin.conf', {
    by: by ?? authority(tree, 'ca'),
    profile: { subject: subject ?? own },
    key: spareKey,
  });
  writeFileSync(join(tree.directory, dated), encodeCertificates([certificate]) + encodePrivateKey(spareKey));
}
