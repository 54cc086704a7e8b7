import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { PartialKubeconfig } from '../../../src/kubeconfig/kubeconfig.ts';
import {
  authorityRemarks,
  trustedAuthorities,
  type TrustingKubeconfig,
} from '../../../src/operations/places/kubeconfig-authority.ts';
import { parseCertificates, type Chain } from '../../../src/pki/certificate/certificate.ts';
import { judge } from '../../support/judge.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

const pemOf = (role: string, name: string): string =>
  readFileSync(fixturePath(role, `etc/kubernetes/pki/${name}.crt`), 'utf8');
const [a, b, c, d] = [
  pemOf('stacked-etcd-rsa', 'ca'),
  pemOf('stacked-etcd-ecdsa', 'ca'),
  pemOf('stacked-etcd-rsa', 'etcd/ca'),
  pemOf('stacked-etcd-rsa', 'front-proxy-ca'),
];

function bundle(...pems: readonly string[]): Chain {
  return parseCertificates(Buffer.from(pems.join('')));
}

function holding(text: string, more: Partial<PartialKubeconfig> = {}): PartialKubeconfig {
  const data = { kind: 'data', bytes: Buffer.from(text) } as const;
  return {
    text: '',
    contextName: 'c',
    clusterName: 'k',
    server: undefined,
    userName: 'u',
    clientCertificate: data,
    clientKey: data,
    clusterCa: data,
    ...more,
  };
}

const pemsOf = (certificates: readonly { readonly der: Buffer }[]): string[] =>
  certificates.map(({ der }) => der.toString('base64'));

describe('what a kubeconfig trusts after a renewal', () => {
  /** Its data, what ca.crt holds, and its new data; undefined: it stays. */
  const table: readonly (readonly [
    what: string,
    held: readonly string[],
    file: readonly string[],
    next: readonly string[] | undefined,
  ])[] = [
    ['the CA of ca.crt: stays', [a], [a], undefined],
    ['one more than ca.crt, whatever the order: stays', [b, a], [a], undefined],
    ['a whole bundle in another order: stays', [b, a], [a, b], undefined],
    ['the old CA alone: gets the new one before it', [a], [b], [b, a]],
    ['the old one and a load balancer’s: keeps both, in their order', [c, a], [b], [b, c, a]],
    ['one of a bundle: gets the bundle, and keeps the rest', [d, a, c], [b, a], [b, a, d, c]],
    ['each once, however often it stands there', [c, c, a], [b, b], [b, c, a]],
  ];
  for (const [what, held, file, next] of table) {
    test(what, () => {
      const { pem, added, kept } = trustedAuthorities(holding(held.join('')), bundle(...file));
      assert.equal(pem, next?.join(''));
      const lacking = file.filter((one) => !held.includes(one));
      assert.deepEqual(pemsOf(added), pemsOf(lacking.length === 0 ? [] : bundle(...new Set(lacking))));
      const besides = held.filter((one) => !file.includes(one));
      const wanted = besides.length === 0 ? [] : pemsOf(bundle(...new Set(besides)));
      assert.deepEqual(
        kept.map((der) => der.toString('base64')),
        wanted,
      );
    });
  }

  test('a CA that was renewed with its key has two certificates, and loses none', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const key = fixturePath('stacked-etcd-ecdsa', 'etc/kubernetes/pki/ca.key');
    const again = join(temporaryDirectory(t), 'ca.crt');
    const args = ['req', '-x509', '-key', key, '-subj', '/CN=kubernetes', '-days', '9000', '-out', again];
    execFileSync(openssl, args, { stdio: 'pipe' });
    const renewed = readFileSync(again, 'utf8');
    assert.equal(trustedAuthorities(holding(b), bundle(renewed)).pem, renewed + b);
  });

  test('a certificate that cannot be read is kept all the same; text around it is not', () => {
    const broken = `-----BEGIN CERTIFICATE-----\n${Buffer.from('no DER').toString('base64')}\n-----END CERTIFICATE-----\n`;
    const { pem, wasUnusable } = trustedAuthorities(holding(`# ours\n${broken}${a}`), bundle(b));
    assert.equal(pem, b + broken + a);
    assert.equal(wasUnusable, false);
    assert.deepEqual(trustedAuthorities(holding('nonsense'), bundle(b)), {
      pem: b,
      added: [...bundle(b)],
      kept: [],
      wasUnusable: true,
    });
  });

  test('where it names a file, or trusts the system’s CAs, nothing is embedded', () => {
    const file = { kind: 'file', path: '/x' } as const;
    const absent = { kind: 'absent' } as const;
    assert.equal(trustedAuthorities(holding('', { clusterCa: file }), bundle(a)).pem, undefined);
    assert.equal(trustedAuthorities(holding('', { clusterCa: absent }), bundle(a)).pem, undefined);
    // As generate-csr leaves it.
    const partial = { clusterCa: absent, clientCertificate: absent };
    assert.equal(trustedAuthorities(holding('', partial), bundle(a, b)).pem, a + b);
  });
});

describe('what is said of it', () => {
  const saying = (held: string, file: Chain, more: Partial<TrustingKubeconfig> = {}): string[] =>
    authorityRemarks({
      file: '/k/admin.conf',
      clusterName: 'my cluster',
      trusted: trustedAuthorities(holding(held), file),
      authorityFile: undefined,
      caFile: '/k/pki/ca.crt',
      bundle: file,
      ...more,
    }).flatMap(({ kind, text, hint }) => [
      `${kind}: ${text.replaceAll(/\d{4}-[^)]*Z/g, 'END')}`,
      ...(hint === undefined ? [] : [hint]),
    ]);

  test('nothing, where it trusts what ca.crt holds', () => {
    assert.deepEqual(saying(a, bundle(a)), []);
  });

  test('what comes, what is kept, and how to be rid of it after a change of the CA', () => {
    assert.deepEqual(saying(c + a, bundle(b)), [
      'note: /k/admin.conf: gets the CA CN=kubernetes (until END) of /k/pki/ca.crt',
      'note: /k/admin.conf: keeps the CA CN=etcd-ca (until END), which is not in /k/pki/ca.crt',
      'note: /k/admin.conf: keeps the CA CN=kubernetes (until END), which is not in /k/pki/ca.crt',
      "to trust nothing but /k/pki/ca.crt, once no API server shows another CA's certificate: kubectl config set-cluster 'my cluster' --kubeconfig /k/admin.conf --certificate-authority /k/pki/ca.crt --embed-certs",
    ]);
    assert.deepEqual(saying(a + c, bundle(a)), [
      'note: /k/admin.conf: keeps the CA CN=etcd-ca (until END), which is not in /k/pki/ca.crt',
    ]);
  });

  test('data without any certificate', () => {
    assert.deepEqual(saying('nonsense', bundle(a)), [
      'warning: /k/admin.conf: its certificate-authority-data holds no certificate, and is replaced',
      'note: /k/admin.conf: gets the CA CN=kubernetes (until END) of /k/pki/ca.crt',
    ]);
  });

  test('a file that is not ca.crt: what it lacks, or that it is not there', () => {
    const target = { path: '/k/other.crt', resolvedPath: '/k/other.crt', before: undefined };
    const trusted = trustedAuthorities(holding('', { clusterCa: { kind: 'file', path: 'x' } }), bundle(b));
    const naming = (value: Chain | undefined): string[] =>
      saying('', bundle(b), {
        trusted,
        authorityFile: {
          target,
          content: value === undefined ? { status: 'missing' } : { status: 'present', value },
        },
      });
    assert.deepEqual(naming(bundle(a, b)), []);
    assert.deepEqual(naming(bundle(a)), [
      'note: /k/admin.conf: names /k/other.crt for the CAs it trusts, which lacks the CA CN=kubernetes (until END) of /k/pki/ca.crt and stays as it is',
    ]);
    assert.deepEqual(naming(undefined), [
      'warning: /k/admin.conf: names /k/other.crt for the CAs it trusts, and there is no such file',
    ]);
  });
});
