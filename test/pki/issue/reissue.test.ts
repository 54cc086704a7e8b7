/** A CA that is made anew for its key: all that it has signed stays valid, by the judgement of what takes part in a cluster. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Certificate } from '../../../src/pki/certificate/certificate.ts';
import { namesBySerial } from '../../../src/pki/extension/authority-key-identifier.ts';
import { randomSerialNumber, reissueAuthority } from '../../../src/pki/issue/issue.ts';
import { oldAuthority, oldLeaf, type Pair } from '../../support/certificates/old-authority.ts';
import { verdicts, type Shown } from '../../support/certificates/verifiers.ts';
import { judge } from '../../support/judge.ts';

const seconds = Math.floor(Date.now() / 1000);
const validity = {
  notBefore: new Date((seconds - 300) * 1000),
  notAfter: new Date((seconds + 3650 * 24 * 3600) * 1000),
};

function again({ certificate, key }: Pair, serialNumber = randomSerialNumber()): Certificate {
  return reissueAuthority(certificate, key, { ...validity, serialNumber });
}

async function refusals(t: TestContext, { leaf, roots }: Seen, strict = true): Promise<readonly string[]> {
  const { certificate, key } = leaf;
  const said = await verdicts(t, { leaf: certificate, key, behind: [], roots }, { strict });
  return said.flatMap(([name, verdict]) => (verdict === 'trusted' ? [] : [`${name}: ${verdict}`]));
}

interface Seen {
  readonly leaf: Pair;
  readonly roots: Shown['roots'];
}

/** Ended, so that no verdict can come from it. */
const ended = '20250101000000Z';

for (const key of ['rsa:2048', 'rsa:3072', 'P-256', 'P-384'] as const) {
  test(`leaves stay valid, ${key}`, async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    for (const end of ['20400101000000Z', ended]) {
      const old = oldAuthority(openssl, { key, end });
      const anew = again(old);
      const hasEnded = end === ended;
      for (const identifier of ['keyid:always', 'none']) {
        const leaf = oldLeaf(openssl, old, [`authorityKeyIdentifier=${identifier}`]);
        // OpenSSL calls no leaf without an identifier strict.
        const strict = identifier !== 'none';
        const refusedBy = (...roots: Shown['roots']): Promise<readonly string[]> =>
          refusals(t, { leaf, roots }, strict);
        assert.deepEqual(await refusedBy(anew), []);
        assert.deepEqual(await refusedBy(old.certificate, anew), []);
        assert.deepEqual(await refusedBy(anew, old.certificate), []);
        const alone = await refusedBy(old.certificate);
        assert.equal(alone.length, hasEnded ? 7 : 0, alone.join('\n'));
      }
    }
  });
}

describe('whatever form the CA has', () => {
  const forms = {
    'with an authority key identifier': ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid:always'],
    "with Go's newer subject key identifier": [
      'subjectKeyIdentifier=8f1c3a5be27d90466b1f0e2d3c4b5a6978877665',
    ],
  };
  for (const [what, extensions] of Object.entries(forms)) {
    test(what, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const old = oldAuthority(openssl, { extensions, end: ended });
      const leaf = oldLeaf(openssl, old, ['authorityKeyIdentifier=keyid:always']);
      assert.deepEqual(await refusals(t, { leaf, roots: [again(old)] }), []);
      assert.deepEqual(await refusals(t, { leaf, roots: [old.certificate, again(old)] }), []);
    });
  }

  test('without a subject key identifier, which OpenSSL calls not strict, as before', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const old = oldAuthority(openssl, { extensions: ['subjectKeyIdentifier=none'], end: ended });
    const leaf = oldLeaf(openssl, old, ['authorityKeyIdentifier=none']);
    for (const roots of [[again(old)], [old.certificate, again(old)]]) {
      assert.deepEqual(await refusals(t, { leaf, roots }, false), []);
    }
  });
});

describe('where the serial number of the CA is named', () => {
  async function refusedByOpensslAndNode(t: TestContext, seen: Seen): Promise<void> {
    const refused = (await refusals(t, seen)).map((said) => said.replace(/:.*/s, ''));
    const those = ['openssl as a client', 'openssl as a server', 'node as a client', 'node as a server'];
    assert.deepEqual(refused, judge(t, 'kubectl') === undefined ? [] : those);
  }

  test('by a leaf, it must be kept: OpenSSL and node insist', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const old = oldAuthority(openssl, { end: ended });
    const leaf = oldLeaf(openssl, old, ['authorityKeyIdentifier=keyid:always,issuer:always']);
    assert.ok(namesBySerial(leaf.certificate, old.certificate));
    const kept = again(old, old.certificate.serialNumber);
    assert.ok(kept.serialNumber.equals(old.certificate.serialNumber));
    assert.deepEqual(await refusals(t, { leaf, roots: [kept] }), []);
    assert.deepEqual(await refusals(t, { leaf, roots: [old.certificate, kept] }), []);
    assert.deepEqual(await refusals(t, { leaf, roots: [kept, old.certificate] }), []);
    await refusedByOpensslAndNode(t, { leaf, roots: [again(old)] });
  });

  test('by the CA itself, too', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const old = oldAuthority(openssl, {
      extensions: ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid:always,issuer:always'],
      end: ended,
    });
    const leaf = oldLeaf(openssl, old, ['authorityKeyIdentifier=keyid:always']);
    assert.ok(namesBySerial(old.certificate, old.certificate));
    assert.ok(!namesBySerial(leaf.certificate, old.certificate));
    const kept = again(old, old.certificate.serialNumber);
    assert.deepEqual(await refusals(t, { leaf, roots: [kept] }), []);
    assert.deepEqual(await refusals(t, { leaf, roots: [old.certificate, kept] }), []);
    await refusedByOpensslAndNode(t, { leaf, roots: [again(old)] });
  });
});

test('name, key and extensions are the same, byte for byte', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  for (const key of ['rsa:2048', 'P-384'] as const) {
    const old = oldAuthority(openssl, { key });
    const { certificate } = old;
    const anew = again(old);
    assert.ok(anew.subject.equals(certificate.subject) && anew.issuer.equals(certificate.issuer));
    const spki = ({ x509 }: Certificate): Buffer => x509.publicKey.export({ type: 'spki', format: 'der' });
    // Discovery hashes are made of these bytes, as they stand in the file.
    assert.ok(certificate.der.includes(spki(anew)) && anew.der.includes(spki(certificate)));
    assert.deepEqual(
      anew.extensions.map(({ der }) => der.toString('hex')),
      certificate.extensions.map(({ der }) => der.toString('hex')),
    );
    assert.ok(!anew.serialNumber.equals(certificate.serialNumber));
    assert.deepEqual([anew.notBefore, anew.notAfter], [validity.notBefore, validity.notAfter]);
  }
});
