import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import {
  catalogIdentity,
  catalogText,
  identityText,
  isOfCatalog,
} from '../../../src/operations/owners/identity.ts';
import { distinguishedName, identityIn, type Identity } from '../../../src/pki/der/name.ts';

const specOf = (name: string): (typeof certificates)[number] => {
  const spec = certificates.find((one) => one.name === name);
  assert.ok(spec);
  return spec;
};
const someone = (commonName: string, ...organizations: string[]): Identity => ({
  commonNames: [commonName],
  organizations,
});
const [masters, admins] = ['system:masters', 'kubeadm:cluster-admins'];

describe('the identities that kubeadm has given', () => {
  // kubeadm 1.20 and 1.35 made the first of each; the rest is in its changelogs.
  const known: readonly (readonly [string, Identity])[] = [
    ['admin.conf', someone('kubernetes-admin', masters)],
    ['admin.conf', someone('kubernetes-admin', admins)],
    ['super-admin.conf', someone('kubernetes-super-admin', masters)],
    ['controller-manager.conf', someone('system:kube-controller-manager')],
    ['scheduler.conf', someone('system:kube-scheduler')],
    ['apiserver', someone('kube-apiserver')],
    ['apiserver-kubelet-client', someone('kube-apiserver-kubelet-client', masters)],
    ['apiserver-kubelet-client', someone('kube-apiserver-kubelet-client', admins)],
    ['apiserver-kubelet-client', someone('kube-apiserver-kubelet-client')],
    ['apiserver-etcd-client', someone('kube-apiserver-etcd-client', masters)],
    ['apiserver-etcd-client', someone('kube-apiserver-etcd-client')],
    ['etcd-healthcheck-client', someone('kube-etcd-healthcheck-client', masters)],
    ['etcd-healthcheck-client', someone('kube-etcd-healthcheck-client')],
    ['etcd-server', someone('node-1.example.com')],
    ['etcd-peer', someone('node-1')],
    ['front-proxy-client', someone('front-proxy-client')],
  ];
  for (const [name, identity] of known) {
    test(`${name}: ${identityText(identity)}`, () => {
      assert.ok(isOfCatalog(specOf(name), identity));
    });
  }

  const strange: readonly (readonly [string, Identity])[] = [
    ['scheduler.conf', someone('system:kube-scheduler', masters)],
    ['scheduler.conf', someone('mallory')],
    ['scheduler.conf', { commonNames: [], organizations: [] }],
    ['scheduler.conf', { commonNames: ['system:kube-scheduler', 'mallory'], organizations: [] }],
    ['admin.conf', someone('kubernetes-admin')],
    ['admin.conf', someone('kubernetes-admin', masters, admins)],
    ['admin.conf', someone('kubernetes-admin', masters, masters)],
    ['admin.conf', someone('mallory', masters)],
    ['apiserver', someone('kube-apiserver', masters)],
    ['etcd-server', someone('node-1', masters)],
    ['etcd-server', someone('Node_1')],
    ['etcd-server', someone('')],
    ['etcd-server', someone('root@example.com')],
  ];
  for (const [name, identity] of strange) {
    test(`${name}: not ${identityText(identity)}`, () => {
      assert.ok(!isOfCatalog(specOf(name), identity));
    });
  }

  test('whom the next one is made out to: the newest, a node by the name it has', () => {
    assert.deepEqual(
      catalogIdentity(specOf('admin.conf'), someone('mallory', masters)),
      someone('kubernetes-admin', admins),
    );
    assert.deepEqual(catalogIdentity(specOf('etcd-peer'), someone('node-1', masters)), someone('node-1'));
    assert.equal(catalogIdentity(specOf('etcd-peer'), someone('No Node')), undefined);
    assert.equal(catalogText(specOf('etcd-peer')), 'CN=NODE');
  });
});

describe('what Kubernetes reads of a subject', () => {
  test('text, of each kind that Go reads', () => {
    assert.deepEqual(identityIn(distinguishedName(['b', 'a'], 'ü')), {
      commonNames: ['ü'],
      organizations: ['b', 'a'],
    });
  });

  test('a value that is no text is no name', () => {
    // SEQUENCE { SET { SEQUENCE { OID 2.5.4.3, OCTET STRING "abc" } } }
    const octets = Buffer.from('300e310c300a060355040304036162 63'.replace(' ', ''), 'hex');
    assert.deepEqual(identityIn(octets), { commonNames: [], organizations: [] });
    // The same as a UTF8String.
    octets[11] = 0x0c;
    assert.deepEqual(identityIn(octets), { commonNames: ['abc'], organizations: [] });
  });
});
