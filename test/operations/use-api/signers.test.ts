import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certificates, type CertificateSpec } from '../../../src/catalog/catalog.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { requestName } from '../../../src/operations/use-api/answers.ts';
import { isSignerName } from '../../../src/operations/use-api/signer-name.ts';
import {
  chooseSigner,
  type Candidate,
  expirationSecondsOf,
  requestedUsages,
} from '../../../src/operations/use-api/signers.ts';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

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

/** Of openssl's making. */
function leafFor(t: TestContext, openssl: string, usages: string | undefined): Certificate {
  const directory = temporaryDirectory(t);
  const [crt, key] = [join(directory, 'crt'), join(directory, 'key')];
  const extension = usages === undefined ? [] : ['-addext', `extendedKeyUsage=${usages}`];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    openssl,
    ['req', '-x509', ...ec, '-subj', '/CN=x', '-keyout', key, '-out', crt, ...extension],
    {
      stdio: 'pipe',
    },
  );
  return parseCertificates(readFileSync(crt))[0];
}

const client = { name: 'scheduler.conf', usages: ['clientAuth'] } as const;
const rsa = { type: 'rsa', bits: 2048 } as const;
const ec = { type: 'ec', curve: 'P-256' } as const;

describe('the usages that are asked for', () => {
  test('are those of the certificate; key encipherment with RSA only', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const both = leafFor(t, openssl, 'serverAuth,clientAuth');
    assert.deepEqual(requestedUsages(both, client, rsa), [
      'digital signature',
      'key encipherment',
      'server auth',
      'client auth',
    ]);
    assert.deepEqual(requestedUsages(leafFor(t, openssl, 'clientAuth'), client, ec), [
      'digital signature',
      'client auth',
    ]);
  });

  test('and those that its peers want, where it lacks them', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    for (const usages of [undefined, 'codeSigning']) {
      assert.equal(requestedUsages(leafFor(t, openssl, usages), client, ec).at(-1), 'client auth');
    }
  });

  const known = [
    ['codeSigning', 'code signing'],
    ['emailProtection', 'email protection'],
    ['timeStamping', 'timestamping'],
    ['OCSPSigning', 'ocsp signing'],
    ['ipsecEndSystem', 'ipsec end system'],
    ['ipsecTunnel', 'ipsec tunnel'],
    ['ipsecUser', 'ipsec user'],
    ['msSGC', 'microsoft sgc'],
    ['nsSGC', 'netscape sgc'],
    ['anyExtendedKeyUsage', 'any'],
  ] as const;
  for (const [inOpenssl, inApi] of known) {
    test(`${inOpenssl} is ${inApi}`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      assert.deepEqual(requestedUsages(leafFor(t, openssl, inOpenssl), client, ec), [
        'digital signature',
        inApi,
        'client auth',
      ]);
    });
  }

  test('none is lost: one that the API has no name for is refused', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const leaf = leafFor(t, openssl, 'clientAuth,1.2.3.4');
    assert.throws(() => requestedUsages(leaf, client, ec), { code: 'bad-certificate', hint: /--csr-only/ });
  });

  test('the validity in seconds, never less than the API takes, nor more than it holds', () => {
    assert.equal(expirationSecondsOf(8760 * 3600 * 1000), 31_536_000);
    assert.equal(expirationSecondsOf(600_999), 600);
    assert.equal(expirationSecondsOf(1), 600);
    assert.equal(expirationSecondsOf(200 * 365 * 86_400_000), 2_147_483_647);
  });
});

test('the name of a request tells node and certificate, and is a DNS subdomain', () => {
  assert.equal(requestName('cp1', 'scheduler.conf', '0a1b'), 'kubepki-cp1-scheduler-conf-0a1b');
  assert.equal(requestName('CP-1.Example.COM', 'apiserver', '0a'), 'kubepki-cp-1-example-com-apiserver-0a');
  assert.equal(requestName('', 'apiserver', '0a'), 'kubepki-apiserver-0a');
  for (const node of ['x'.repeat(400), `${'x'.repeat(220)}.${'y'.repeat(200)}`, '__', 'ö.', '-a-']) {
    const name = requestName(node, 'apiserver-kubelet-client', '0123456789');
    assert.match(name, /^kubepki(?:-[a-z0-9]+)+$/);
    assert.ok(name.length <= 253);
    assert.ok(name.endsWith('-apiserver-kubelet-client-0123456789'));
  }
});
