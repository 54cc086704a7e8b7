/**
 * Cross-certificates, judged by what takes part in a cluster: a leaf of the new CA with the cross-certificate behind it is trusted by
 * those that trust the old CA, the new one, or both.
 */
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { crossValidity } from '../../../src/operations/issuing/validity.ts';
import type { Certificate } from '../../../src/pki/certificate/certificate.ts';
import { extensionIds } from '../../../src/pki/extension/extension.ts';
import { isIssuedBy } from '../../../src/pki/issue/issuer.ts';
import { crossProblem } from '../../../src/pki/path/cross-problem.ts';
import { chainBehind } from '../../../src/pki/path/path.ts';
import {
  crossOf,
  fiveMinutesAgo,
  leafOf as newLeaf,
  newAuthority,
  newKey,
  now,
} from '../../support/certificates/new-authority.ts';
import { oldAuthority, type KeyWord, type Pair } from '../../support/certificates/old-authority.ts';
import { verdicts, type Shown } from '../../support/certificates/verifiers.ts';
import { judge } from '../../support/judge.ts';

const leafKey = newKey();

function leafOf(authority: Pair): Certificate {
  return newLeaf(authority, leafKey).certificate;
}

/** The leaf before those that trust one of the two or both, in either order. */
function pictures(
  old: Pair,
  next: Pair,
  leaf: Certificate,
  behind: readonly Certificate[],
): Readonly<Record<'old' | 'next' | 'both' | 'bothTurned', Shown>> {
  const [o, n] = [old.certificate, next.certificate];
  const trusting = (...roots: readonly Certificate[]): Shown => ({ leaf, key: leafKey, behind, roots });
  return { old: trusting(o), next: trusting(n), both: trusting(o, n), bothTurned: trusting(n, o) };
}

async function allTrust(t: TestContext, shown: Shown, strict = true): Promise<void> {
  const said = await verdicts(t, shown, { strict });
  assert.deepEqual(
    said,
    said.map(([name]) => [name, 'trusted']),
  );
}

async function noneTrusts(t: TestContext, shown: Shown): Promise<void> {
  const said = await verdicts(t, shown);
  assert.deepEqual(
    said.filter(([, verdict]) => verdict === 'trusted'),
    [],
  );
}

describe('a leaf of the new CA with the cross-certificate', () => {
  const words = ['rsa:2048', 'rsa:3072', 'P-256', 'P-384'] as const;
  const olds = new Map<KeyWord, Pair>();
  const nexts = new Map<KeyWord, Pair>();
  before(() => {
    const openssl = judge({ skip: () => undefined }, 'openssl');
    if (openssl === undefined) return;
    for (const word of words) {
      olds.set(word, oldAuthority(openssl, { key: word }));
      nexts.set(word, newAuthority('kubernetes-20261129', { key: newKey(word) }));
    }
  });
  for (const ofOld of words) {
    for (const ofNext of words) {
      test(`old ${ofOld}, new ${ofNext}`, async (t) => {
        if (judge(t, 'openssl') === undefined) return;
        const [old, next] = [olds.get(ofOld), nexts.get(ofNext)];
        assert.ok(old && next);
        assert.equal(crossProblem(old.certificate, next.certificate), undefined);
        const cross = crossOf(old, next);
        const leaf = leafOf(next);
        const crossed = pictures(old, next, leaf, [cross]);
        await allTrust(t, crossed.old);
        await allTrust(t, crossed.next);
        await allTrust(t, crossed.both);
        const bare = pictures(old, next, leaf, []);
        await noneTrusts(t, bare.old);
      });
    }
  }
});

describe('whatever form the old CA has', () => {
  const forms = {
    'as kubeadm makes it': ['subjectKeyIdentifier=hash'],
    'without a subject key identifier, as kubeadm did before 1.15': ['subjectKeyIdentifier=none'],
    'with an authority key identifier': ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid:always'],
    "with Go's newer subject key identifier": [
      'subjectKeyIdentifier=8f1c3a5be27d90466b1f0e2d3c4b5a6978877665',
    ],
    'that names itself by issuer and serial number': [
      'subjectKeyIdentifier=hash',
      'authorityKeyIdentifier=keyid:always,issuer:always',
    ],
    'that is constrained in DNS names': [
      'subjectKeyIdentifier=hash',
      'nameConstraints=critical,permitted;DNS:node.test,permitted;DNS:kubernetes',
    ],
    'that allows one CA below it': ['subjectKeyIdentifier=hash'],
  };
  for (const [what, extensions] of Object.entries(forms)) {
    for (const name of ['kubernetes-20261129', 'kubernetes']) {
      const hasIdentifier = !extensions.includes('subjectKeyIdentifier=none');
      // Said below to be impossible.
      if (name === 'kubernetes' && !hasIdentifier) continue;
      test(`${what}; the new one is called ${name}`, async (t) => {
        const openssl = judge(t, 'openssl');
        if (openssl === undefined) return;
        const basicConstraints = what.includes('allows one') ? 'CA:TRUE,pathlen:1' : 'CA:TRUE';
        const old = oldAuthority(openssl, { extensions, basicConstraints });
        const next = newAuthority(name);
        assert.equal(crossProblem(old.certificate, next.certificate), undefined);
        const crossed = pictures(old, next, leafOf(next), [crossOf(old, next)]);
        // OpenSSL calls no certificate of a CA without an identifier strict, the old leaves neither.
        await allTrust(t, crossed.old, hasIdentifier);
        await allTrust(t, crossed.both, hasIdentifier);
        await allTrust(t, crossed.bothTurned, hasIdentifier);
        const former = pictures(old, next, leafOf(old), []);
        await allTrust(t, former.old, hasIdentifier);
        await allTrust(t, former.bothTurned, hasIdentifier);
        await noneTrusts(t, former.next);
      });
    }
  }
});

describe('where a cross-certificate would not do, that is said before, and judges are of the same opinion', () => {
  interface Case {
    readonly old?: Parameters<typeof oldAuthority>[1];
    readonly name?: string;
    readonly problem: RegExp;
    /** Which picture it is that some judges refuse. */
    readonly trusting?: keyof ReturnType<typeof pictures>;
    readonly refusedBy: readonly string[];
  }
  const openssl = ['openssl as a client', 'openssl as a server'];
  const node = ['node as a client', 'node as a server'];
  const go = ['Go (cfssl)', 'Go (kubectl)'];
  const cases: Readonly<Record<string, Case>> = {
    'the old CA allows no CA below it': {
      old: { basicConstraints: 'CA:TRUE,pathlen:0' },
      problem: /^the old CA allows no CA below it \(pathlen:0/,
      refusedBy: [...openssl, 'gnutls', ...go, ...node],
    },
    'the same, by those that trust the new CA, too': {
      old: { basicConstraints: 'CA:TRUE,pathlen:0' },
      problem: /pathlen:0/,
      trusting: 'both',
      refusedBy: ['gnutls'],
    },
    'the same, of one name': {
      old: { basicConstraints: 'CA:TRUE,pathlen:0' },
      name: 'kubernetes',
      problem: /pathlen:0/,
      refusedBy: ['gnutls', ...go],
    },
    'the old CA is constrained in subjects': {
      old: {
        extensions: [
          'subjectKeyIdentifier=hash',
          'nameConstraints=excluded;dirName:kinds',
          '[kinds]',
          'CN=kubernetes-20261129',
        ],
      },
      problem: /^the old CA is constrained in the subjects/,
      refusedBy: [...openssl, 'gnutls', ...node],
    },
    'the old CA has no identifier, and the name of the new one': {
      old: { extensions: ['subjectKeyIdentifier=none'] },
      name: 'kubernetes',
      problem: /^the new CA has the name of the old one/,
      refusedBy: [...openssl, ...node],
    },
    'the same, by those that trust the new CA first': {
      old: { extensions: ['subjectKeyIdentifier=none'] },
      name: 'kubernetes',
      problem: /^the new CA has the name of the old one/,
      trusting: 'bothTurned',
      refusedBy: ['gnutls'],
    },
  };
  for (const [what, { old: form, name, problem, trusting = 'old', refusedBy }] of Object.entries(cases)) {
    test(what, async (t) => {
      const program = judge(t, 'openssl');
      if (program === undefined) return;
      const old = oldAuthority(program, form);
      const next = newAuthority(name ?? 'kubernetes-20261129');
      assert.match(crossProblem(old.certificate, next.certificate) ?? '', problem);
      const shown = pictures(old, next, leafOf(next), [crossOf(old, next)])[trusting];
      const said = await verdicts(t, shown, { strict: false });
      const refused = said.filter(([, verdict]) => verdict !== 'trusted').map(([name]) => name);
      assert.deepEqual(refused, said.length === 0 ? [] : refusedBy);
    });
  }

  test('the old CA does not sign itself', async (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const root = oldAuthority(program, { basicConstraints: 'CA:TRUE,pathlen:1' });
    const old = oldAuthority(program, { by: root });
    const next = newAuthority('kubernetes-20261129');
    assert.match(crossProblem(old.certificate, next.certificate) ?? '', /^the old CA does not sign itself/);
    const crossed = pictures(old, next, leafOf(next), [crossOf(old, next)]);
    const alone = await verdicts(t, crossed.old, { strict: false });
    assert.deepEqual(
      alone.filter(([, verdict]) => verdict !== 'trusted').map(([name]) => name),
      alone.length === 0 ? [] : [...openssl, ...node],
    );
  });

  test('what cannot sign, or is the same', (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const next = newAuthority('kubernetes-20261129');
    const good = newAuthority('kubernetes');
    assert.match(
      crossProblem(oldAuthority(program, { basicConstraints: 'CA:FALSE' }).certificate, next.certificate) ??
        '',
      /^the old CA is one which is no CA/,
    );
    const { certificate: mute } = oldAuthority(program, { keyUsage: 'digitalSignature' });
    assert.match(crossProblem(mute, next.certificate) ?? '', /^the old CA is one which must not sign/);
    assert.match(crossProblem(good.certificate, mute) ?? '', /^the new CA is one which must not sign/);
    const again = newAuthority('kubernetes-20261129', { key: good.key });
    assert.equal(crossProblem(good.certificate, again.certificate), 'the new CA has the key of the old one');
  });
});

describe('a cross-certificate', () => {
  test('has name, key and extensions of the new CA, but for its SAN, and is signed by the old one', () => {
    const [old, next] = [newAuthority('kubernetes'), newAuthority('kubernetes-20261129')];
    const cross = crossOf(old, next);
    assert.ok(isIssuedBy(cross, old.certificate));
    assert.ok(cross.subject.equals(next.certificate.subject));
    assert.ok(cross.x509.checkPrivateKey(next.key));
    const { subjectAltName, authorityKeyIdentifier } = extensionIds;
    const kept = (certificate: Certificate): readonly string[] =>
      certificate.extensions
        .filter(({ id }) => id !== subjectAltName && id !== authorityKeyIdentifier)
        .map(({ der }) => der.toString('hex'));
    assert.deepEqual(kept(cross), kept(next.certificate));
    assert.ok(!cross.extensions.some(({ id }) => id === subjectAltName));
  });

  test('does not outlive one of the two, and begins with the one that signs it at the earliest', () => {
    const soon = new Date(now.getTime() + 1000);
    const [brief, long] = [newAuthority('brief', { notAfter: soon }), newAuthority('long')];
    const of = (old: Pair, next: Pair) => crossValidity(old.certificate, next.certificate, now);
    assert.deepEqual(of(brief, long), { notBefore: fiveMinutesAgo, notAfter: soon });
    assert.deepEqual(of(long, brief), { notBefore: fiveMinutesAgo, notAfter: soon });
    const early = new Date(fiveMinutesAgo.getTime() + 60_000);
    assert.deepEqual(crossValidity(long.certificate, long.certificate, early).notBefore, fiveMinutesAgo);
  });

  test('stays behind a leaf that is renewed by the new CA, and goes where another CA has signed', () => {
    const [old, next] = [newAuthority('kubernetes'), newAuthority('kubernetes-20261129')];
    const cross = crossOf(old, next);
    const chain = [leafOf(next), cross] as const;
    assert.deepEqual(chainBehind(leafOf(next), chain), [cross]);
    assert.deepEqual(chainBehind(leafOf(old), chain), []);
    // Another CA with the name of the new one.
    assert.deepEqual(chainBehind(leafOf(newAuthority('kubernetes-20261129')), chain), []);
  });
});
