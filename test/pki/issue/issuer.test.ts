import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  encodeCertificates,
  parseCertificates,
  type Certificate,
  type Chain,
} from '../../../src/pki/certificate/certificate.ts';
import { chainBehind, chainsTo, validatePath } from '../../../src/pki/path/path.ts';
import {
  issueAuthority,
  issueCertificate,
  randomSerialNumber,
  reissueAuthority,
} from '../../../src/pki/issue/issue.ts';
import { localIssuer } from '../../../src/pki/issue/issuer.ts';
import { reissueObstacle } from '../../../src/pki/issue/reissue.ts';
import { parsePrivateKey, publicKeyOf, type PrivateKey } from '../../../src/pki/key/private-key.ts';
import { profileOf } from '../../../src/pki/issue/profile.ts';
import { fixturePath } from '../../support/tree.ts';

const pki = 'etc/kubernetes/pki';
const files = { certificate: '/pki/ca.crt', key: '/pki/ca.key' };
const now = new Date('2026-12-01T00:00:00Z');

function chain(role: string, name: string): Chain {
  return parseCertificates(readFileSync(fixturePath(role, name)));
}
function key(role: string, name: string): PrivateKey {
  return parsePrivateKey(readFileSync(fixturePath(role, name)));
}

describe('a local issuer', () => {
  const ca = chain('stacked-etcd-rsa', `${pki}/ca.crt`);
  const etcdCa = chain('stacked-etcd-rsa', `${pki}/etcd/ca.crt`);
  const caKey = key('stacked-etcd-rsa', `${pki}/ca.key`);

  test('signs with the certificate of the bundle that its key belongs to', () => {
    const bundle: [Certificate, Certificate] = [etcdCa[0], ca[0]];
    const issuer = localIssuer(bundle, caKey, now, files);
    assert.equal(issuer.certificate, ca[0]);
    assert.equal(issuer.bundle, bundle);
  });

  test('a key that belongs to none of them signs nothing; the key file is named', () => {
    assert.throws(() => localIssuer(etcdCa, caKey, now, files), {
      code: 'bad-issuer',
      file: files.key,
      message: `does not belong to the CA certificate ${files.certificate}`,
    });
  });

  test('a CA that has expired or is not valid yet signs nothing, to the second', () => {
    const [{ notBefore, notAfter }] = ca;
    const at = (date: Date, ms: number) => () => localIssuer(ca, caKey, new Date(date.getTime() + ms), files);
    assert.throws(at(notAfter, 1000), {
      code: 'bad-issuer',
      message: `the CA expired on 2036-11-20T21:41:27Z`,
    });
    assert.throws(at(notBefore, -1000), { message: 'the CA is not valid before 2026-11-23T21:41:27Z' });
    // RFC 5280, 4.1.2.5: the validity period includes both ends.
    assert.ok(at(notAfter, 0)());
    assert.ok(at(notBefore, 0)());
  });

  test('a certificate that is no CA signs nothing', () => {
    const leaf = chain('stacked-etcd-rsa', `${pki}/apiserver.crt`);
    const leafKey = key('stacked-etcd-rsa', `${pki}/apiserver.key`);
    assert.throws(() => localIssuer(leaf, leafKey, now, files), {
      code: 'bad-issuer',
      file: files.certificate,
    });
  });
});

describe('the serial number of a CA', () => {
  const caKey = key('stacked-etcd-rsa', `${pki}/ca.key`);
  const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
  const numbered = (byte: number, end = days(300)): Certificate =>
    issueAuthority({
      commonName: 'kubernetes',
      privateKey: caKey,
      serialNumber: Buffer.from([byte]),
      notBefore: days(-1),
      notAfter: end,
    });

  test('must not be negative, or it signs nothing', () => {
    assert.throws(() => localIssuer([numbered(0xfb)], caKey, now, files), {
      code: 'bad-issuer',
      file: files.certificate,
      message: 'the CA has a negative serial number (-05), and Kubernetes no longer reads such a CA',
    });
  });

  test('may be zero, as those that kubeadm 1.20 made', () => {
    const zero = numbered(0);
    assert.equal(localIssuer([zero], caKey, now, files).certificate, zero);
  });

  test('decides between two for the same key', () => {
    const positive = numbered(5, days(100));
    assert.equal(localIssuer([numbered(0xfb), positive], caKey, now, files).certificate, positive);
  });

  test('is made positive by a certificate for the same key, and the leaves keep verifying', () => {
    const old = numbered(0xfb);
    const leaf = issueCertificate(
      { kind: 'local', certificate: old, privateKey: caKey, bundle: [old] },
      {
        profile: profileOf(chain('stacked-etcd-rsa', `${pki}/apiserver.crt`)[0]),
        publicKey: publicKeyOf(caKey),
        serialNumber: randomSerialNumber(),
        notBefore: days(-1),
        notAfter: days(100),
      },
    );
    assert.throws(() => localIssuer([old], caKey, now, { ...files, remedy: () => 'renew it' }), {
      hint: 'renew it',
    });
    assert.equal(reissueObstacle(old), undefined);
    const again = reissueAuthority(old, caKey, {
      serialNumber: randomSerialNumber(),
      notBefore: days(-1),
      notAfter: days(3650),
    });
    assert.equal(localIssuer([again], caKey, now, files).certificate, again);
    assert.deepEqual(validatePath(leaf, [], [again], now), { status: 'trusted', intermediates: [] });
    assert.deepEqual(validatePath(leaf, [], [old], now), {
      status: 'untrusted',
      reason: 'is signed by "CN=kubernetes", which has a negative serial number',
    });
  });
});

describe('chains', () => {
  const ca = chain('stacked-etcd-rsa', `${pki}/ca.crt`);
  const other = chain('stacked-etcd-ecdsa', `${pki}/ca.crt`);
  const leaf = chain('stacked-etcd-rsa', `${pki}/apiserver.crt`);

  test('a leaf leads to its own CA, also within a bundle, and to no other of the same name', () => {
    assert.ok(chainsTo(leaf, ca));
    assert.ok(chainsTo(leaf, [other[0], ca[0]]));
    assert.ok(!chainsTo(leaf, other));
  });

  test('certificates behind a leaf stay only where they lead on from it', () => {
    assert.deepEqual(chainBehind(leaf[0], [leaf[0], ca[0]]), [ca[0]]);
    assert.deepEqual(chainBehind(leaf[0], [leaf[0], other[0]]), []);
    assert.deepEqual(chainBehind(leaf[0], leaf), []);
  });

  test('a file of hundreds of look-alike certificates is judged at once', () => {
    const many = parseCertificates(
      Buffer.from(encodeCertificates(Array.from({ length: 900 }, () => other[0]))),
    );
    assert.ok(!chainsTo([leaf[0], ...many], other));
  });
});
