import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import { meantCertificate, meantComponent } from '../../../src/flags/names/meant-names.ts';
import { similarWords } from '../../../src/flags/names/similar-words.ts';

const allowed = ['all', ...certificates.map(({ name }) => name)];
const ofApiServer = ['apiserver', 'apiserver-etcd-client', 'apiserver-kubelet-client', 'front-proxy-client'];
const ofEtcd = ['etcd-healthcheck-client', 'etcd-peer', 'etcd-server'];

describe('what was meant by a name of a certificate', () => {
  for (const [word, name] of [
    ['api-server', 'apiserver'],
    ['API_Server', 'apiserver'],
    ['apiservr', 'apiserver'],
    ['apiservers', 'apiserver'],
    ['apiserver.crt', 'apiserver'],
    ['apiserver.crt.new', 'apiserver'],
    ['/etc/kubernetes/pki/apiserver.key', 'apiserver'],
    ['apiserver-etc', 'apiserver-etcd-client'],
    ['etcd/server', 'etcd-server'],
    ['etcd_server', 'etcd-server'],
    ['/etc/kubernetes/pki/etcd/server.crt', 'etcd-server'],
    ['peer.crt', 'etcd-peer'],
    ['healthcheck-client', 'etcd-healthcheck-client'],
    ['admin', 'admin.conf'],
    ['/etc/kubernetes/admin.conf', 'admin.conf'],
    ['admin.conf.csr', 'admin.conf'],
    ['controller_manager', 'controller-manager.conf'],
    ['scheduler', 'scheduler.conf'],
    ['superadmin', 'super-admin.conf'],
    ['front-proxy', 'front-proxy-client'],
    ['ALL', 'all'],
  ] as const) {
    test(`${word}: ${name}`, () => {
      assert.deepEqual(meantCertificate(word, allowed), { kind: 'names', names: [name] });
    });
  }

  for (const [word, component, names] of [
    ['kube-apiserver', 'kube-apiserver', ofApiServer],
    ['etcd', 'etcd', ofEtcd],
    ['/etc/kubernetes/manifests/etcd.yaml', 'etcd', ofEtcd],
    ['kube-controller-manager', 'kube-controller-manager', ['controller-manager.conf']],
    ['kube-scheduler', 'kube-scheduler', ['scheduler.conf']],
  ] as const) {
    test(`${word} is a component`, () => {
      assert.deepEqual(meantCertificate(word, allowed), { kind: 'component', component, names });
    });
  }

  for (const [word, kind, name] of [
    ['ca', 'authority', 'ca'],
    ['ca.crt', 'authority', 'ca'],
    ['etcd/ca', 'authority', 'etcd-ca'],
    ['/etc/kubernetes/pki/etcd/ca.crt', 'authority', 'etcd-ca'],
    ['front-proxy-ca', 'authority', 'front-proxy-ca'],
    ['sa.pub', 'key-pair', 'sa'],
    ['kubelet', 'kubelet', 'kubelet.conf'],
    ['/etc/kubernetes/kubelet.conf', 'kubelet', 'kubelet.conf'],
    ['/var/lib/kubelet/pki/kubelet-client-current.pem', 'kubelet', 'kubelet.conf'],
  ] as const) {
    test(`${word} is none for renew`, () => {
      assert.deepEqual(meantCertificate(word, allowed), { kind, name });
    });
  }

  test('kubelet.conf where the command takes it', () => {
    const names = [...allowed, 'kubelet.conf'];
    assert.deepEqual(meantCertificate('kubelet', names), { kind: 'names', names: ['kubelet.conf'] });
  });

  test('where it cannot be told, nothing is guessed', () => {
    assert.deepEqual(meantCertificate('etcd-', allowed), {
      kind: 'component',
      component: 'etcd',
      names: ofEtcd,
    });
    assert.deepEqual(
      meantCertificate('apiserver-cl', ['apiserver-etcd-client', 'apiserver-kubelet-client']),
      {
        kind: 'one-of',
        names: ['apiserver-etcd-client', 'apiserver-kubelet-client'],
      },
    );
    for (const word of ['nonsense', '', '-', '/', 'tls', 'x'.repeat(100_000)]) {
      assert.equal(meantCertificate(word, allowed), undefined, word.slice(0, 10));
    }
  });
});

describe('what was meant by a name of a component', () => {
  for (const [word, ...names] of [
    ['apiserver', 'kube-apiserver'],
    ['api-server', 'kube-apiserver'],
    ['kube-api-server', 'kube-apiserver'],
    ['kube-apisever', 'kube-apiserver'],
    ['kube-scheduler.yaml', 'kube-scheduler'],
    ['controller-manager', 'kube-controller-manager'],
    ['scheduler.conf', 'kube-scheduler'],
    ['etcd/peer', 'etcd'],
    ['front-proxy-client', 'kube-apiserver'],
    ['all'],
  ] as const) {
    test(`${word}: ${names.join() || 'every one'}`, () => {
      assert.deepEqual(meantComponent(word), { kind: 'names', names });
    });
  }

  test('what is none', () => {
    assert.equal(meantComponent('kubelet')?.kind, 'kubelet');
    for (const word of ['kube-proxy', 'admin.conf', 'ca', 'nonsense']) {
      assert.equal(meantComponent(word), undefined, word);
    }
  });
});

test('similar words: begun alike, a slip of the pen, a part', () => {
  const commands = ['check-expiration', 'renew', 'recover', 'rollback', 'generate', 'generate-csr'];
  assert.deepEqual(similarWords('check-expiry', commands), ['check-expiration']);
  assert.deepEqual(similarWords('renw', commands), ['renew']);
  assert.deepEqual(similarWords('rollbakc', commands), ['rollback']);
  assert.deepEqual(similarWords('expiration', commands), ['check-expiration']);
  assert.deepEqual(similarWords('gen', commands), ['generate', 'generate-csr']);
  assert.deepEqual(similarWords('delete', commands), []);
});
