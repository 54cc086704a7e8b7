import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates, type CertificateSpec } from '../../../src/catalog/catalog.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { isSignerName } from '../../../src/operations/use-api/signer-name.ts';
import { chooseSigner, type Candidate } from '../../../src/operations/use-api/signers.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';

const inApi = { serverAuth: 'server auth', clientAuth: 'client auth' } as const;

function candidate(spec: CertificateSpec, { older = false, more = [] as readonly string[] } = {}): Candidate {
  const { organizations, olderOrganizations = organizations } = spec.subject;
  return {
    spec,
    subject: distinguishedName(older ? olderOrganizations : organizations, 'someone'),
    usages: ['digital signature', ...spec.usages.map((usage) => inApi[usage]), ...more],
  };
}

function named(name: string, wishes: Parameters<typeof candidate>[1] = {}): Candidate {
  const spec = certificates.find((one) => one.name === name);
  assert.ok(spec);
  return candidate(spec, wishes);
}

const command = (names: readonly string[]): string => `RENEW ${names.join(' ')}`;

function refusal(candidates: readonly Candidate[], wanted?: string): KubepkiError {
  try {
    chooseSigner(candidates, wanted, command);
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    return error;
  }
  return assert.fail('nothing was refused');
}

const clients = ['admin.conf', 'apiserver-kubelet-client', 'controller-manager.conf', 'scheduler.conf'];

describe('the signer', () => {
  for (const spec of certificates) {
    const can = clients.includes(spec.name);
    test(`${spec.name} ${can ? 'is' : 'is not'} for the built-in one`, () => {
      if (can) {
        const chosen = chooseSigner([candidate(spec)], undefined, command);
        assert.equal(chosen, 'kubernetes.io/kube-apiserver-client');
      } else {
        const error = refusal([candidate(spec)]);
        assert.equal(error.code, 'usage');
        assert.equal(error.message.includes(spec.name), true);
        assert.match(error.hint ?? '', /^an external signer can.*clusterissuers\.cert-manager\.io\/NAME/);
      }
      const external = 'clusterissuers.cert-manager.io/ca';
      assert.equal(chooseSigner([candidate(spec)], external, command), external);
      const again = 'kubernetes.io/kube-apiserver-client';
      if (can) assert.equal(chooseSigner([candidate(spec)], again, command), again);
      else assert.equal(refusal([candidate(spec)], again).code, 'usage');
    });
  }

  test('one error for all that cannot be issued, each with its reason, and a command for the rest', () => {
    const error = refusal(certificates.map((spec) => candidate(spec)));
    assert.equal(
      error.message,
      "the built-in signers cannot issue apiserver (a server certificate: only kubelet-serving issues such, to kubelets); apiserver-etcd-client, etcd-healthcheck-client, etcd-peer, etcd-server (of the etcd CA: they sign with the cluster's CA only); front-proxy-client (of the front-proxy CA: they sign with the cluster's CA only); super-admin.conf (in the group system:masters, which the API server's admission plugin CertificateSubjectRestriction refuses)",
    );
    assert.match(error.hint ?? '', new RegExp(`^what they can issue: RENEW ${clients.join(' ')}; `));
  });

  test('before 1.29 admin.conf was in system:masters', () => {
    assert.match(refusal([named('admin.conf', { older: true })]).message, /system:masters/);
  });

  test('a client certificate that is for more than that', () => {
    assert.match(
      refusal([named('scheduler.conf', { more: ['code signing'] })]).message,
      /also for code signing/,
    );
    assert.match(refusal([named('scheduler.conf', { more: ['server auth'] })]).message, /server certificate/);
  });

  const builtIn = [
    ['kubernetes.io/kubelet-serving', /to kubelets only/],
    ['kubernetes.io/kube-apiserver-client-kubelet', /to kubelets only/],
    ['kubernetes.io/legacy-unknown', /certificates\.k8s\.io\/v1/],
    ['kubernetes.io/kube-apiserver-clients', /none of the built-in signers/],
  ] as const;
  for (const [signer, why] of builtIn) {
    test(`${signer} issues none of them`, () => {
      assert.match(refusal([named('scheduler.conf')], signer).message, why);
    });
  }

  test('its name is a domain and a path', () => {
    const good = ['kubernetes.io/x', 'clusterissuers.cert-manager.io/a', 'issuers.cert-manager.io/ns.a-1'];
    for (const name of good) assert.equal(isSignerName(name), true, name);
    const bad = [
      '',
      'x',
      '/',
      'a/b',
      'example.com/',
      '/b',
      'example.com/b/c',
      'Example.com/b',
      'example.com/B',
    ];
    for (const name of [
      ...bad,
      'example.com/a b',
      '-a.com/b',
      'example.com/.b',
      `example.com/${'x'.repeat(600)}`,
    ])
      assert.equal(isSignerName(name), false, name);
  });
});
