import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { heldIn, type Sought } from '../../../src/operations/references/held.ts';
import { encodeCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { crossOf, leafOf, newAuthority } from '../../support/certificates/new-authority.ts';

const [old, next, other] = [newAuthority('kubernetes'), newAuthority('kubernetes-2'), newAuthority('x')];
const cross = crossOf(old, next);
const sought: readonly Sought[] = [
  { name: 'ca', old: [old.certificate], next: next.certificate, file: '/etc/kubernetes/pki/ca.crt' },
];

function pem(...certificates: readonly Certificate[]): string {
  return encodeCertificates(certificates);
}

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64');
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '      ');
}

function held(text: string): (readonly [string, boolean])[] {
  return heldIn(text, sought).map(({ what, isReplaceable }) => [what, isReplaceable] as const);
}

describe('the old CA is found', () => {
  const whole = pem(old.certificate);
  const kubeconfig = `clusters:\n- cluster:\n    certificate-authority-data: ${base64(whole)}\n    server: https://192.0.2.1\n`;
  const forms: Readonly<Record<string, string>> = {
    'as PEM in a text': `# of the cluster\n${whole}`,
    'as PEM in YAML': `data:\n  ca.crt: |\n${indented(whole)}\nkind: ConfigMap\n`,
    'as PEM in JSON': JSON.stringify({ ca: whole }),
    'with line ends of Windows': `#\r\n${whole.replaceAll('\n', '\r\n')}`,
    'as base64 of PEM, in a kubeconfig': kubeconfig,
    'as base64 of PEM, folded': `ca: >-\n${indented(base64(whole).replaceAll(/.{76}/g, '$&\n'))}`,
    'as base64 of DER': `ca: ${base64(old.certificate.der)}\n`,
    'in a kubeconfig that is base64 itself': JSON.stringify({ config: base64(kubeconfig) }),
  };
  for (const [form, text] of Object.entries(forms)) {
    test(form, () => {
      assert.deepEqual(held(text), [['old', false]]);
    });
  }

  test('alone, or with the new one', () => {
    assert.deepEqual(held(whole), [['old', true]]);
    assert.deepEqual(held(pem(old.certificate, next.certificate)), [['both', true]]);
    // Another CA must not be lost.
    assert.deepEqual(held(pem(old.certificate, other.certificate)), [['old', false]]);
  });
});

test('a certificate that the old CA has signed is found, and tells of no trust', () => {
  const leaf = leafOf(old).certificate;
  assert.deepEqual(held(pem(leaf)), [['issued', false]]);
  assert.deepEqual(held(pem(leaf, old.certificate)), [
    ['old', false],
    ['issued', false],
  ]);
});

test('what is no concern of the old CA is passed over', () => {
  // The same name as the old CA, and another key.
  const namesake = newAuthority('kubernetes');
  for (const text of [
    '',
    'A'.repeat(5000),
    pem(next.certificate),
    pem(other.certificate, leafOf(other).certificate),
    pem(namesake.certificate, leafOf(namesake).certificate),
    pem(leafOf(next).certificate, cross),
    pem(old.certificate).replace(/[A-Za-z0-9+/]{64}\n/, ''),
    base64(Buffer.alloc(4000, 0x30)),
    base64(Buffer.concat([Buffer.from([0x30, 0x82, 0xff, 0xff]), Buffer.alloc(400)])),
  ]) {
    assert.deepEqual(held(text), []);
  }
});

test('a large text takes no long time', () => {
  const texts = ['A', '-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE-----\nMIIC', ' \\n', 'MIIC '];
  const started = performance.now();
  for (const text of texts) held(text.repeat(Math.ceil(1_500_000 / text.length)));
  assert.ok(performance.now() - started < 10_000);
});
