import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { measureSigner } from '../../../src/node/rotation/measure-signer.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { signingBed, type Bed, type BedWishes } from '../../cluster/signing-bed.ts';
import { makeAuthority, type Authority } from '../../support/cluster/authority.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const signerName = 'kubernetes.io/kube-apiserver-client';
const impatient = { looks: 3, pauseMs: 10 };

function certificateOf({ ca }: Authority): Certificate {
  return parseCertificates(ca)[0];
}

interface Two {
  readonly bed: Bed;
  readonly other: Authority;
}

async function bedWith(t: TestContext, wishes: BedWishes = {}): Promise<Two | undefined> {
  const bed = await signingBed(t, wishes);
  if (bed === undefined) return undefined;
  return { bed, other: makeAuthority(bed.openssl, bed.scratch, 'kubernetes-2026') };
}

async function refused(asking: Promise<unknown>): Promise<string> {
  const error = await asking.then(
    () => undefined,
    (one: unknown) => one,
  );
  assert.ok(error instanceof KubepkiError);
  return error.oneLine.replace(/kubepki-probe-[0-9a-f]{16}/, 'PROBE');
}

test('the CA that signs is told, and the request is taken away again', async (t) => {
  const found = await bedWith(t);
  if (found === undefined) return;
  const { bed, other } = found;
  const [signing, idle] = [certificateOf(bed.authority), certificateOf(other)];
  assert.equal(await measureSigner(bed.access(), { old: signing, next: idle }), 'old');
  assert.equal(await measureSigner(bed.access(), { old: idle, next: signing }), 'next');
  assert.equal(await measureSigner(bed.access(), { old: idle, next: idle }), 'other');
  // A name proves nothing.
  const namesake = certificateOf(makeAuthority(bed.openssl, temporaryDirectory(t), 'kubernetes'));
  assert.ok(namesake.subject.equals(signing.subject));
  assert.equal(await measureSigner(bed.access(), { old: signing, next: namesake }), 'old');
  assert.deepEqual(bed.csr.kept(), []);

  const [sent] = bed.server.seen.filter(({ method }) => method === 'POST');
  const { metadata, spec } = sent?.body as {
    readonly metadata: { readonly name: string };
    readonly spec: Readonly<Record<string, unknown>>;
  };
  assert.match(metadata.name, /^kubepki-probe-[0-9a-f]{16}$/);
  assert.deepEqual(
    { ...spec, request: undefined },
    { request: undefined, signerName, usages: ['client auth', 'digital signature'], expirationSeconds: 600 },
  );
});

test('openssl: the request is for a name alone, without organization and other names', async (t) => {
  const found = await bedWith(t);
  const openssl = judge(t, 'openssl');
  if (found === undefined || openssl === undefined) return;
  const { bed, other } = found;
  await measureSigner(bed.access(), { old: certificateOf(bed.authority), next: certificateOf(other) });
  const sent = bed.server.seen.find(({ method }) => method === 'POST');
  const { metadata, spec } = sent?.body as {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly request: string };
  };
  const text = execFileSync(openssl, ['req', '-noout', '-text', '-verify'], {
    input: Buffer.from(spec.request, 'base64'),
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
  assert.match(text, new RegExp(`Subject: CN ?= ?${metadata.name}\\n`));
  assert.doesNotMatch(text, /Alternative Name/);
});

for (const [what, wishes, expected] of [
  [
    'no controller signs',
    { signers: { [signerName]: { kind: 'absent' } } },
    /^no one has signed the request PROBE within 0\.03 s$/,
  ],
  [
    'the signer gives up',
    { signers: { [signerName]: { kind: 'fails', reason: 'SignerValidationFailure', message: 'no' } } },
    /^the request PROBE was refused: SignerValidationFailure: no$/,
  ],
  [
    'the certificate is of another key',
    { signers: { [signerName]: { kind: 'issues', wrong: 'other key' } } },
    /^the certificate that came for the request PROBE is of another key$/,
  ],
  [
    'what comes is no certificate',
    { signers: { [signerName]: { kind: 'answers', certificate: 'bm9uZQ==' } } },
    /certificate/,
  ],
  [
    'the answer to the request is lost',
    { faults: ({ method }) => (method === 'POST' ? 'lost' : undefined) },
    /the API server at https:/,
  ],
] as const satisfies readonly (readonly [string, BedWishes, RegExp])[]) {
  test(`${what}: that is said, and no request is left`, async (t) => {
    const found = await bedWith(t, wishes);
    if (found === undefined) return;
    const { bed, other } = found;
    const authorities = { old: certificateOf(bed.authority), next: certificateOf(other) };
    assert.match(await refused(measureSigner(bed.access(), authorities, impatient)), expected);
    assert.deepEqual(bed.csr.kept(), []);
    assert.ok(bed.server.seen.some(({ method }) => method === 'DELETE'));
  });
}

test('a client that may not ask: that is said', async (t) => {
  const found = await bedWith(t);
  if (found === undefined) return;
  const { bed, other } = found;
  const authorities = { old: certificateOf(bed.authority), next: certificateOf(other) };
  const access = bed.access({ subject: '/CN=somebody' });
  assert.match(await refused(measureSigner(access, authorities)), /refused \(403\)/);
  assert.deepEqual(bed.csr.kept(), []);
});
