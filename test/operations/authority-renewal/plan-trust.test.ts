import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { planTrust, type TrustPlan } from '../../../src/operations/authority-renewal/plan-trust.ts';
import { verifyReplaced } from '../../../src/operations/authority-renewal/replace-authority.ts';
import {
  encodeCertificates,
  parseCertificate,
  parseCertificates,
  type Certificate,
  type Chain,
} from '../../../src/pki/certificate/certificate.ts';
import {
  issueAuthority,
  issueCrossCertificate,
  randomSerialNumber,
  reissueAuthority,
} from '../../../src/pki/issue/issue.ts';
import { generatePrivateKey, parsePrivateKey } from '../../../src/pki/key/private-key.ts';
import { copiesOf } from '../../support/planners/authority-node.ts';
import {
  editKubeconfig,
  inDays,
  now,
  pki,
  plannedNode,
  read,
  remakeAuthority,
  spareKey,
  stranger,
} from '../../support/planners/planned-node.ts';
import type { Tree } from '../../support/tree.ts';

const file = '/root/renewed.pem';
const later = new Date('2070-01-01T00:00:00Z');

/** A certificate of the CA on disk, as another node has renewed it. */
function renewed(tree: Tree, { from = inDays(-1), until = later } = {}): Certificate {
  const [old] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
  const key = parsePrivateKey(readFileSync(pki(tree, 'ca.key')));
  return reissueAuthority(old, key, { serialNumber: randomSerialNumber(), notBefore: from, notAfter: until });
}

function trust(tree: Tree, ...given: Chain): TrustPlan {
  return planTrust(given, copiesOf(read(tree)), { file, now });
}

function paths({ changes }: TrustPlan): readonly string[] {
  return changes.map(({ target }) => target.path.replace(/^.*\/etc\/kubernetes\//, ''));
}

function refused(plan: TrustPlan, message: RegExp): void {
  assert.deepEqual([plan.errors.length, plan.changes, plan.records], [1, [], []]);
  const [error] = plan.errors;
  assert.match(error?.oneLine ?? '', message);
  assert.equal(error?.file, file);
}

describe('a renewed certificate of another node', () => {
  test('takes the place of the old one wherever this node has it', (t) => {
    const tree = plannedNode(t);
    const next = renewed(tree);
    const plan = trust(tree, next);
    assert.deepEqual(plan.errors, []);
    assert.deepEqual(paths(plan), ['pki/ca.crt', 'admin.conf', 'controller-manager.conf', 'scheduler.conf']);
    assert.deepEqual(
      plan.records.map(({ name, new: facts }) => [name, facts?.notAfter]),
      [['ca', '2070-01-01T00:00:00Z']],
    );
    const contents = new Map(plan.changes.map(({ target, after }) => [target.path, after?.content]));
    verifyReplaced(plan.changed, plan.replacements, ({ path }) => contents.get(path) ?? Buffer.alloc(0));
  });

  test('reaches the copies that were missed, and leaves those that have it', (t) => {
    const tree = plannedNode(t);
    const next = renewed(tree);
    writeFileSync(pki(tree, 'ca.crt'), encodeCertificates([next]));
    editKubeconfig(tree, 'admin.conf', { 'certificate-authority-data': encodeCertificates([next]) });
    assert.deepEqual(paths(trust(tree, next)), ['controller-manager.conf', 'scheduler.conf']);
  });

  test('changes nothing where all have it', (t) => {
    const tree = plannedNode(t);
    const [own] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    const plan = trust(tree, own);
    assert.deepEqual([plan.errors, plan.changes, plan.records], [[], [], []]);
    assert.equal(plan.trusted[0]?.old, undefined);
  });

  test('counts once beside an earlier one of the same CA, and stands for its own CA alone', (t) => {
    const tree = plannedNode(t);
    const [own] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    const [etcd] = parseCertificates(readFileSync(pki(tree, 'etcd/ca.crt')));
    const next = renewed(tree);
    const plan = trust(tree, own, next, etcd);
    assert.deepEqual(
      plan.trusted.map(({ spec, old }) => [spec.name, old !== undefined]),
      [
        ['ca', true],
        ['etcd-ca', false],
      ],
    );
    assert.ok(!paths(plan).includes('pki/etcd/ca.crt'));
  });

  test('is taken though the same file holds another CA that has ended, as the files here do', (t) => {
    const tree = plannedNode(t);
    const [own] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    const ended = issueAuthority({
      commonName: 'earlier',
      privateKey: spareKey,
      serialNumber: Buffer.of(3),
      notBefore: inDays(-700),
      notAfter: inDays(-300),
    });
    writeFileSync(pki(tree, 'ca.crt'), encodeCertificates([own, ended]));
    const plan = trust(tree, renewed(tree), ended);
    assert.deepEqual(plan.errors, []);
    assert.deepEqual(
      plan.trusted.map(({ spec, old }) => [spec.name, old !== undefined]),
      [['ca', true]],
    );
    const again = trust(tree, own, ended);
    assert.deepEqual(
      again.trusted.map(({ old, next }) => [old, next]),
      [[undefined, own]],
    );
  });

  test('is taken by a worker, which has a ca.crt and a kubelet.conf', (t) => {
    const tree = plannedNode(t);
    const next = renewed(tree);
    const conf = readFileSync(join(tree.kubeconfigDir, 'scheduler.conf'), 'utf8');
    for (const name of ['admin.conf', 'controller-manager.conf', 'scheduler.conf']) {
      rmSync(join(tree.kubeconfigDir, name));
    }
    writeFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), conf);
    assert.deepEqual(paths(trust(tree, next)), ['pki/ca.crt', 'kubelet.conf']);
    rmSync(pki(tree, 'ca.crt'));
    assert.deepEqual(paths(trust(tree, next)), ['kubelet.conf']);
  });
});

describe('a certificate that is not taken', () => {
  test('is of a CA that the node does not have, whatever else is in the file', async (t) => {
    const tree = plannedNode(t);
    const none =
      /^\/root\/renewed\.pem: holds "CN=kubernetes" \(serial number \w+\), and this node has no CA of that name, key and subject key identifier$/;
    refused(trust(tree, stranger('kubernetes').certificate), none);
    refused(trust(tree, renewed(tree), stranger('kubernetes').certificate), none);
    // The same key under another name, and the same name and key with another identifier.
    const key = parsePrivateKey(readFileSync(pki(tree, 'ca.key')));
    const dates = { notBefore: inDays(-1), notAfter: later };
    const named = issueAuthority({
      commonName: 'kubernetes-2',
      privateKey: key,
      serialNumber: Buffer.of(5),
      ...dates,
    });
    refused(trust(tree, named), /holds "CN=kubernetes-2"/);
    const other = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
    const [old] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    const elsewhere = issueAuthority({
      commonName: 'kubernetes',
      privateKey: other,
      serialNumber: Buffer.of(6),
      ...dates,
    });
    const mixed = { ...old, extensions: elsewhere.extensions };
    refused(trust(tree, reissueAuthority(mixed, key, { serialNumber: Buffer.of(7), ...dates })), none);
    refused(trust(tree, reissueAuthority(old, other, { serialNumber: Buffer.of(8), ...dates })), none);
  });

  test('ends no later than what is there', (t) => {
    const tree = plannedNode(t);
    const [own] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    refused(
      trust(tree, renewed(tree, { until: inDays(300) })),
      /which ends on 2027-10-28T00:00:00Z, no later than the one in \S+ca\.crt/,
    );
    refused(trust(tree, renewed(tree, { until: own.notAfter })), /no later than/);
    // One copy that is ahead is enough.
    const next = renewed(tree, { until: new Date('2080-01-01T00:00:00Z') });
    editKubeconfig(tree, 'scheduler.conf', { 'certificate-authority-data': encodeCertificates([next]) });
    refused(trust(tree, renewed(tree)), /no later than the one in \S+scheduler\.conf/);
  });

  test('is not valid, or not its own', (t) => {
    const tree = plannedNode(t);
    const old = remakeAuthority(tree, 'ca', { until: inDays(-300) });
    for (const name of ['admin.conf', 'controller-manager.conf', 'scheduler.conf']) {
      editKubeconfig(tree, name, { 'certificate-authority-data': encodeCertificates([old]) });
    }
    refused(trust(tree, renewed(tree, { until: inDays(-1) })), /, which expired on /);
    refused(trust(tree, renewed(tree, { from: inDays(1) })), /, which is not valid before /);
    const next = renewed(tree);
    // The last byte is of the signature.
    const forged = Buffer.from(next.der);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    refused(trust(tree, parseCertificate(forged)), /claims to have signed itself and has not$/);
    assert.deepEqual(trust(tree, next).errors, []);
  });

  test('says that another CA has signed it, which anybody can say', (t) => {
    const tree = plannedNode(t);
    const [own] = parseCertificates(readFileSync(pki(tree, 'ca.crt')));
    const claimed = issueCrossCertificate(stranger('root'), own, {
      serialNumber: Buffer.of(9),
      notBefore: inDays(-1),
      notAfter: later,
    });
    refused(trust(tree, claimed), /which another CA has signed, and the one in its place has signed itself$/);
  });
});
