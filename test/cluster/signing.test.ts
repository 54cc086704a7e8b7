import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withSigningApi, type SigningWish } from '../../src/cluster/signing.ts';
import { csrPath } from '../support/cluster/csr-api.ts';
import type { Wrong } from '../support/cluster/signer.ts';
import { recorded } from '../support/cluster/transcript.ts';
import { until } from '../support/deadline.ts';
import { admin, failure, never, signingBed, type Bed } from './signing-bed.ts';
import type { Standing } from '../../src/cluster/signing.ts';

const by = { reason: 'KubepkiApprove', message: 'approved by kubepki' };

/** What was recorded, or undefined: there is no openssl, and the test is skipped. */
function specOf(note: string): { readonly request: string } {
  const { spec } = recorded(note).request.body as { readonly spec: { readonly request: string } };
  return spec;
}

describe('each recorded outcome', () => {
  test('pending, approved, issued: the certificate is of the key that asked, by the CA', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish({ labels: { 'kubepki/run': 'r1' }, expirationSeconds: 7200 });
    const standings = await bed.run(async (api) => {
      assert.deepEqual(await api.submit(wish), { kind: 'created' });
      const pending = await api.standing(wish.name);
      await api.approve(wish.name, by);
      return [pending, await api.standing(wish.name)];
    });
    assert.deepEqual(standings[0], { kind: 'pending' });
    const certificate = issuedIn(standings[1]);
    assert.ok(certificate.verify(new X509Certificate(bed.authority.ca).publicKey));
    assert.equal(certificate.subject, 'CN=system:kube-controller-manager');
    assert.equal(
      publicKey(bed, 'x509', certificate.toString()),
      publicKey(bed, 'req', wish.request.toString()),
    );
    assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 7200 * 1000);
    const [kept] = bed.csr.kept();
    assert.deepEqual(kept?.metadata.labels, { 'kubepki/run': 'r1' });
    assert.deepEqual(
      [kept.spec.usages, kept.spec.signerName, kept.spec.username, kept.spec.expirationSeconds],
      [wish.usages, wish.signerName, 'kubernetes-admin', 7200],
    );
    assert.deepEqual(
      kept.status.conditions?.map(({ type, reason, message }) => ({ type, reason, message })),
      [{ type: 'Approved', ...by }],
    );
    // What was read is sent back whole, with the recorded condition and no other.
    const put = bed.server.seen.find(({ method }) => method === 'PUT');
    const sent = put?.body as { readonly metadata: object; readonly status: object };
    const asRecorded = recorded('approve (PUT to the approval subresource)').request.body as typeof sent;
    assert.deepEqual(
      Object.keys(sent.metadata).sort(),
      [...Object.keys(asRecorded.metadata), 'labels'].sort(),
    );
    assert.deepEqual(sent.status, { conditions: [{ type: 'Approved', status: 'True', ...by }] });
    assert.deepEqual(Object.keys(sent).sort(), Object.keys(asRecorded).sort());
    // Read, then written with the version that was read.
    assert.deepEqual(
      bed.server.seen.map(({ method, path }) => `${method} ${path.slice(csrPath.length)}`),
      [
        'POST ',
        'GET /controller-manager-1',
        'GET /controller-manager-1',
        'PUT /controller-manager-1/approval',
        'GET /controller-manager-1',
      ],
    );
    await closed(bed);
  });

  test('nothing is sent of a wish but what belongs to a request', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = { ...bed.wish({ expirationSeconds: 7200 }), certificate: 'apiserver', key: 'secret' };
    await bed.run((api) => api.submit(wish));
    const [{ body } = assert.fail('it was not asked')] = bed.server.seen;
    const { name, signerName, usages, expirationSeconds } = wish;
    assert.deepEqual(body, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name, ...(wish.labels && { labels: wish.labels }) },
      spec: { request: wish.request.toString('base64'), signerName, usages, expirationSeconds },
    });
  });

  test('approved by the cluster itself', async (t) => {
    const bed = await signingBed(t, { approver: true });
    if (bed === undefined) return;
    const wish = bed.wish();
    const kinds = await bed.run(async (api) => {
      await api.submit(wish);
      return [await api.standing(wish.name), await api.standing(wish.name)].map(({ kind }) => kind);
    });
    assert.deepEqual(kinds, ['approved', 'issued']);
  });

  test('denied', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish();
    const standing = await bed.run(async (api) => {
      await api.submit(wish);
      bed.csr.decide(wish.name, {
        type: 'Denied',
        reason: 'AdminDeny',
        message: 'denied for the transcript',
      });
      return api.standing(wish.name);
    });
    assert.deepEqual(standing, {
      kind: 'denied',
      reason: 'AdminDeny',
      message: 'denied for the transcript',
    });
  });

  test('approved, and failed by the signer, as it was recorded', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish({ signerName: 'kubernetes.io/kubelet-serving' });
    const standing = await approved(bed, wish);
    assert.deepEqual(standing, {
      kind: 'failed',
      reason: 'SignerValidationFailure',
      message: 'usages did not match [digital signature key encipherment server auth]',
    });
  });

  test('a custom signer that does not run, and then does', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish({ signerName: 'issuers.example.com/control-plane', usages: ['server auth'] });
    assert.deepEqual(await approved(bed, wish), { kind: 'approved' });
    bed.csr.signer(wish.signerName, { kind: 'issues' });
    const { kind } = await bed.run((api) => api.standing(wish.name));
    assert.equal(kind, 'issued');
  });

  test('system:masters is refused, in the recorded words', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish({ name: 'kubernetes-admin-1' }, '/O=system:masters/CN=kubernetes-admin');
    assert.deepEqual(await failure(bed.run((api) => api.submit(wish))), {
      said:
        'the API server at https://HERE refused (403): certificatesigningrequests.certificates.k8s.io "kubernetes-admin-1" is forbidden: ' +
        'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
      retryable: false,
      afterMs: undefined,
      hint: undefined,
    });
    assert.deepEqual(bed.csr.kept(), []);
  });

  test('malformed: what the API server says of it', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const request = Buffer.from(specOf('malformed request').request, 'base64');
    const { said, retryable } = await failure(
      bed.run((api) => api.submit(bed.wish({ request, name: 'bad-1' }))),
    );
    const { message } = recorded('malformed request').response.body as { readonly message: string };
    assert.equal(said, `the API server at https://HERE finds the request invalid (422): ${message}`);
    assert.equal(retryable, false);
  });

  test('malformed and long: both ends of it', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const request = Buffer.alloc(5000, 'x');
    const { said } = await failure(bed.run((api) => api.submit(bed.wish({ request }))));
    assert.match(
      said,
      /invalid \(422\): CertificateSigningRequest\.certificates\.k8s\.io "controller-manager-1" is invalid/,
    );
    assert.match(said, /PEM block type must be CERTIFICATE REQUEST$/);
    assert.ok(said.length < 1000, String(said.length));
  });
});

describe('a name that is taken', () => {
  test('by the very same request', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish();
    const again = { ...wish, usages: [...wish.usages].reverse() };
    assert.deepEqual(await bed.run(async (api) => [await api.submit(wish), await api.submit(again)]), [
      { kind: 'created' },
      { kind: 'already-there', same: true },
    ]);
  });

  const others: readonly (readonly [string, (wish: SigningWish, bed: Bed) => SigningWish])[] = [
    ['request', (wish, bed) => ({ ...wish, request: bed.wish().request })],
    ['signer', (wish) => ({ ...wish, signerName: 'issuers.example.com/other' })],
    ['usage', (wish) => ({ ...wish, usages: ['client auth'] })],
    [
      'list of usages, which reads alike',
      (wish) => ({ ...wish, usages: [[...wish.usages].sort().join('\n')] }),
    ],
    ['validity', (wish) => ({ ...wish, expirationSeconds: 7200 })],
  ];
  for (const [what, other] of others) {
    test(`by one with another ${what}: it is told, and neither changed nor approved`, async (t) => {
      const bed = await signingBed(t);
      if (bed === undefined) return;
      const wish = bed.wish({ expirationSeconds: 3600 });
      await bed.run((api) => api.submit(wish));
      const before = bed.csr.kept();
      const { said } = await failure(
        bed.run(async (api) => {
          assert.deepEqual(await api.submit(other(wish, bed)), { kind: 'already-there', same: false });
          await api.approve(wish.name, by);
        }),
      );
      assert.equal(
        said,
        'the CertificateSigningRequest controller-manager-1 is not the one that was made here any more',
      );
      assert.deepEqual(bed.csr.kept(), before);
    });
  }

  test('by one that is deleted before it can be read', async (t) => {
    const intruder: { act?: () => void } = {};
    const bed = await signingBed(t, {
      faults: ({ method }) => {
        if (method === 'GET') intruder.act?.();
        return undefined;
      },
    });
    if (bed === undefined) return;
    const wish = bed.wish();
    await bed.run((api) => api.submit(wish));
    intruder.act = () => {
      bed.csr.remove(wish.name);
    };
    assert.deepEqual(await bed.run((api) => api.submit(wish)), { kind: 'created' });
  });
});

describe('approval', () => {
  test('of what is approved already changes nothing', async (t) => {
    const bed = await signingBed(t, {
      signers: { 'kubernetes.io/kube-apiserver-client': { kind: 'absent' } },
    });
    if (bed === undefined) return;
    const wish = bed.wish();
    await bed.run(async (api) => {
      await api.submit(wish);
      await api.approve(wish.name, by);
      const before = bed.csr.kept();
      await api.approve(wish.name, by);
      assert.deepEqual(bed.csr.kept(), before);
    });
  });

  // Somebody acts between the reading and the writing.
  const meanwhile: readonly (readonly [string, (bed: Bed) => void, string | undefined])[] = [
    [
      'approved',
      (bed) => {
        bed.csr.decide('controller-manager-1', { type: 'Approved', reason: 'Other', message: 'first' });
      },
      undefined,
    ],
    [
      'denied',
      (bed) => {
        bed.csr.decide('controller-manager-1', { type: 'Denied', reason: 'Other', message: 'not this one' });
      },
      'the CertificateSigningRequest controller-manager-1 has been denied: Other: not this one',
    ],
    [
      'failed',
      (bed) => {
        bed.csr.decide('controller-manager-1', { type: 'Failed', reason: 'Other', message: '' });
      },
      'the CertificateSigningRequest controller-manager-1 has been given up by its signer: Other',
    ],
    [
      'deleted',
      (bed) => {
        bed.csr.remove('controller-manager-1');
      },
      'the API server at https://HERE has no such thing (404): certificatesigningrequests.certificates.k8s.io "controller-manager-1" not found',
    ],
    [
      'replaced by another',
      (bed) => {
        const [kept] = bed.csr.kept();
        if (kept === undefined) throw new Error('nothing is kept');
        bed.csr.remove('controller-manager-1');
        const request = bed.wish().request.toString('base64');
        bed.csr.put('controller-manager-1', { ...kept.spec, request });
      },
      'the CertificateSigningRequest controller-manager-1 is not the one that was made here any more',
    ],
  ];
  for (const [what, act, expected] of meanwhile) {
    test(`of what is ${what} meanwhile`, async (t) => {
      let intrude: (() => void) | undefined;
      const bed = await signingBed(t, {
        faults: ({ method }) => {
          if (method !== 'PUT') return undefined;
          intrude?.();
          intrude = undefined;
          return undefined;
        },
      });
      if (bed === undefined) return;
      intrude = () => {
        act(bed);
      };
      const wish = bed.wish();
      const run = bed.run(async (api) => {
        await api.submit(wish);
        await api.approve(wish.name, by);
      });
      if (expected === undefined) await run;
      else assert.equal((await failure(run)).said, expected);
      const approvals = bed.csr.kept().flatMap(({ status }) => status.conditions ?? []);
      assert.equal(
        approvals.some(({ reason }) => reason === by.reason),
        false,
      );
      assert.equal(intrude, undefined);
    });
  }

  test('of what changes all the time is given up', async (t) => {
    const bed = await signingBed(t, {
      faults: ({ method }) =>
        method === 'PUT'
          ? {
              status: 409,
              body: { kind: 'Status', reason: 'Conflict', message: 'the object has been modified' },
            }
          : undefined,
    });
    if (bed === undefined) return;
    const wish = bed.wish();
    const { said, retryable } = await failure(approved(bed, wish));
    assert.match(said, /changed meanwhile \(409\): the object has been modified$/);
    assert.equal(retryable, false);
    assert.equal(bed.server.seen.filter(({ method }) => method === 'PUT').length, 5);
  });

  test('that is said to be taken, and is not', async (t) => {
    const bed = await signingBed(t, {
      faults: ({ method }) => (method === 'PUT' ? { status: 200, body: object({}) } : undefined),
    });
    if (bed === undefined) return;
    const { said } = await failure(approved(bed, bed.wish()));
    assert.match(said, /took the decision about controller-manager-1, and it is not approved$/);
  });
});

describe('who may not', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    [
      'a user without rights',
      '/CN=somebody',
      /refused \(403\): certificatesigningrequests\.certificates\.k8s\.io is forbidden: User "somebody" cannot create resource "certificatesigningrequests" in API group "certificates\.k8s\.io" at the cluster scope$/,
    ],
    [
      'a kubelet that approves',
      '/O=system:nodes/CN=system:node:node-1',
      /refused \(403\): .*"controller-manager-1" is forbidden: User "system:node:node-1" cannot update resource "certificatesigningrequests\/approval"/,
    ],
  ];
  for (const [who, subject, expected] of refused) {
    test(`${who}: 403`, async (t) => {
      const bed = await signingBed(t);
      if (bed === undefined) return;
      const wish = bed.wish();
      const attempt = withSigningApi(bed.access({ subject }), never, async (api) => {
        await api.submit(wish);
        await api.approve(wish.name, by);
      });
      const { said, retryable } = await failure(attempt);
      assert.match(said, expected);
      assert.equal(retryable, false);
      assert.ok(bed.csr.kept().every(({ status }) => status.conditions === undefined));
      await closed(bed);
    });
  }

  test("a kubelet reads its own, and nobody else's", async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    await bed.run((api) => api.submit(bed.wish({ name: 'of-the-admin' })));
    const kubelet = bed.access({ subject: '/O=system:nodes/CN=system:node:node-1' });
    const attempt = withSigningApi(kubelet, never, async (api) => {
      await api.submit(bed.wish({ name: 'its-own' }));
      assert.deepEqual(await api.standing('its-own'), { kind: 'pending' });
      return api.standing('of-the-admin');
    });
    assert.match(
      (await failure(attempt)).said,
      /"of-the-admin" is forbidden: User "system:node:node-1" cannot get/,
    );
  });

  test('a certificate that has expired: 401', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const attempt = withSigningApi(bed.access({ subject: '/CN=x', expired: true }), never, (api) =>
      api.standing('x'),
    );
    assert.deepEqual(await failure(attempt), {
      said: 'the API server at https://HERE does not know the user of the kubeconfig (401)',
      retryable: false,
      afterMs: undefined,
      hint: "the certificate in it may have expired, or be another CA's",
    });
  });
});

describe('removal', () => {
  test('of what is there, and of what is not', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const wish = bed.wish();
    await bed.run(async (api) => {
      await api.submit(wish);
      await api.remove(wish.name);
      assert.deepEqual(bed.csr.kept(), []);
      await api.remove(wish.name);
      assert.deepEqual(await api.standing(wish.name), { kind: 'gone' });
    });
  });

  test('a page that something else does not know is no request that is gone', async (t) => {
    const bed = await signingBed(t, {
      faults: () => ({
        status: 404,
        headers: { 'content-type': 'text/plain' },
        body: '404 page not found\n',
      }),
    });
    if (bed === undefined) return;
    for (const act of ['standing', 'remove'] as const) {
      const { said, retryable } = await failure(bed.run<unknown>((api) => api[act]('x')));
      assert.equal(said, 'the API server at https://HERE has no such thing (404)');
      assert.equal(retryable, false);
    }
  });
});

describe('what a signer gives is handed on as it is', () => {
  const wrongs: readonly Wrong[] = ['other key', 'other subject', 'no names', 'other CA', 'expired'];
  for (const wrong of wrongs) {
    test(wrong, async (t) => {
      const bed = await signingBed(t, { signers: { 'example.com/s': { kind: 'issues', wrong } } });
      if (bed === undefined) return;
      const wish = bed.wish({ signerName: 'example.com/s' });
      const certificate = issuedIn(await approved(bed, wish));
      const same = {
        key:
          publicKey(bed, 'x509', certificate.toString()) === publicKey(bed, 'req', wish.request.toString()),
        subject: certificate.subject === 'CN=system:kube-controller-manager',
        ca: certificate.verify(new X509Certificate(bed.authority.ca).publicKey),
        valid: Date.parse(certificate.validTo) > Date.parse(certificate.validFrom) + 24 * 3600 * 1000,
      };
      assert.deepEqual(same, {
        key: wrong !== 'other key',
        subject: wrong !== 'other subject',
        ca: wrong !== 'other CA',
        valid: wrong !== 'expired',
      });
    });
  }

  test('a chain', async (t) => {
    const bed = await signingBed(t, { signers: { 'example.com/s': { kind: 'issues', chain: true } } });
    if (bed === undefined) return;
    const standing = await approved(bed, bed.wish({ signerName: 'example.com/s' }));
    assert.ok(standing.kind === 'issued');
    assert.equal(standing.certificate.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  test('a reason of its own', async (t) => {
    const conduct = { kind: 'fails', reason: 'Quota', message: 'none\nleft \u001b[31m' } as const;
    const bed = await signingBed(t, { signers: { 'example.com/s': conduct } });
    if (bed === undefined) return;
    const standing = await approved(bed, bed.wish({ signerName: 'example.com/s' }));
    assert.deepEqual(standing, { kind: 'failed', reason: 'Quota', message: 'none\nleft \u001b[31m' });
  });

  test('no base64', async (t) => {
    for (const certificate of ['-----BEGIN CERTIFICATE-----', 'QUJD\n', 'QUJ', '####']) {
      const bed = await signingBed(t, { signers: { 'example.com/s': { kind: 'answers', certificate } } });
      if (bed === undefined) return;
      const { said, retryable } = await failure(approved(bed, bed.wish({ signerName: 'example.com/s' })));
      assert.match(
        said,
        /is not the CertificateSigningRequest controller-manager-1: status\.certificate is not base64$/,
      );
      assert.equal(retryable, false);
    }
  });
});

/** What the answer says where several are said. */
describe('which of several counts', () => {
  const conditions = (...types: readonly string[]): object[] =>
    types.map((type) => ({ type, status: 'True', reason: type, message: '' }));
  const pem = Buffer.from('PEM').toString('base64');
  const cases: readonly (readonly [string, object, string])[] = [
    ['nothing', {}, 'pending'],
    ['a condition nobody knows', { conditions: conditions('Other') }, 'pending'],
    ['issued, and never approved', { certificate: pem }, 'pending'],
    ['approved', { conditions: conditions('Approved') }, 'approved'],
    ['approved, an empty certificate', { conditions: conditions('Approved'), certificate: '' }, 'approved'],
    ['approved, issued', { conditions: conditions('Approved'), certificate: pem }, 'issued'],
    [
      'approved, issued, failed',
      { conditions: conditions('Approved', 'Failed'), certificate: pem },
      'failed',
    ],
    ['all of it', { conditions: conditions('Approved', 'Failed', 'Denied'), certificate: pem }, 'denied'],
  ];
  for (const [name, status, expected] of cases) {
    test(name, async (t) => {
      const bed = await signingBed(t, { faults: () => ({ status: 200, body: object({ status }) }) });
      if (bed === undefined) return;
      const { kind } = await bed.run((api) => api.standing('controller-manager-1'));
      assert.equal(kind, expected);
    });
  }
});

describe('answers that are garbage', () => {
  const no = 'is not the CertificateSigningRequest controller-manager-1';
  const spec = { request: 'QUJD', signerName: 's', usages: ['u'] };
  const bodies: readonly (readonly [string, unknown, string])[] = [
    ['null', null, no],
    ['a list', [], no],
    ['a text', '"ok"', no],
    ['half a document', '{"kind":', 'did not answer as an API server does'],
    ['a Status', { kind: 'Status', status: 'Success' }, `${no}: kind is not CertificateSigningRequest`],
    [
      'another name',
      object({ metadata: { name: 'x', uid: 'u-1', resourceVersion: '1' } }),
      `${no}: metadata.name is another`,
    ],
    ['no metadata', object({ metadata: null }), `${no}: metadata is not an object`],
    [
      'no version',
      object({ metadata: { name: 'controller-manager-1', uid: 'u-1' } }),
      `${no}: metadata.resourceVersion is missing`,
    ],
    [
      'an empty version',
      object({ metadata: { name: 'controller-manager-1', uid: 'u-1', resourceVersion: '' } }),
      `${no}: metadata.resourceVersion is empty`,
    ],
    [
      'no uid',
      object({ metadata: { name: 'controller-manager-1', resourceVersion: '1' } }),
      `${no}: metadata.uid is missing`,
    ],
    ['no spec', object({ spec: undefined }), `${no}: spec is missing`],
    ['no request', object({ spec: { ...spec, request: 7 } }), `${no}: spec.request is not base64`],
    [
      'a signer that is none',
      object({ spec: { ...spec, signerName: 1 } }),
      `${no}: spec.signerName is not a text`,
    ],
    ['usages of numbers', object({ spec: { ...spec, usages: [1] } }), `${no}: spec.usages.0 is not a text`],
    [
      'a validity in words',
      object({ spec: { ...spec, expirationSeconds: 'long' } }),
      `${no}: spec.expirationSeconds is not a number`,
    ],
    [
      'conditions that are none',
      object({ status: { conditions: {} } }),
      `${no}: status.conditions is not a list`,
    ],
    [
      'a condition of null',
      object({ status: { conditions: [null] } }),
      `${no}: status.conditions.0 is not an object`,
    ],
    [
      'approved, perhaps',
      object({ status: { conditions: [{ type: 'Approved', status: 'Unknown' }] } }),
      `${no}: status.conditions.0.status is not True`,
    ],
    [
      'a reason that is no text',
      object({ status: { conditions: [{ type: 'Denied', status: 'True', reason: {} }] } }),
      `${no}: status.conditions.0.reason is not a text`,
    ],
    [
      'a certificate that is no text',
      object({ status: { certificate: { a: 1 } } }),
      `${no}: status.certificate is not base64`,
    ],
  ];
  for (const [name, body, expected] of bodies) {
    test(name, async (t) => {
      const bed = await signingBed(t, { faults: () => ({ status: 200, body }) });
      if (bed === undefined) return;
      const wish = bed.wish();
      const calls = [
        bed.run((api) => api.standing(wish.name)),
        bed.run((api) => api.submit(wish)),
        bed.run((api) => api.approve(wish.name, by)),
      ];
      for (const call of calls) {
        const { said, retryable } = await failure(call);
        assert.ok(said.includes(expected), said);
        assert.equal(retryable, false);
      }
      // Nothing was approved on the strength of such an answer.
      assert.equal(
        bed.server.seen.some(({ method }) => method === 'PUT'),
        false,
      );
      await closed(bed);
    });
  }

  test('a removal that is answered with something else', async (t) => {
    const bed = await signingBed(t, { faults: () => ({ status: 200, body: { kind: 'Pod' } }) });
    if (bed === undefined) return;
    assert.match(
      (await failure(bed.run((api) => api.remove('x')))).said,
      /is not the Status that was asked for: kind is not Status or CertificateSigningRequest$/,
    );
  });
});

describe('a server that fails', () => {
  const said = (message: string): object => ({ kind: 'Status', message });
  const faults = [
    ['reset', 'reset', true, undefined, /broke the connection off$/],
    [
      '429',
      { status: 429, body: 'slow down', headers: { 'retry-after': '7' } },
      true,
      7000,
      /too much to do/,
    ],
    ['429 without a time', { status: 429, body: '' }, true, undefined, /too much to do \(429\)$/],
    [
      '429 until a date',
      { status: 429, body: '', headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } },
      true,
      undefined,
      /too much to do \(429\)$/,
    ],
    [
      '500',
      { status: 500, body: said('etcdserver: no leader') },
      true,
      undefined,
      /500: etcdserver: no leader$/,
    ],
    ['502', { status: 502, body: '<html>' }, true, undefined, /answered 502$/],
    ['503', { status: 503, body: '', headers: { 'retry-after': '1' } }, true, 1000, /answered 503$/],
    ['504', { status: 504, body: '' }, true, undefined, /answered 504$/],
    ['400', { status: 400, body: said('no') }, false, undefined, /answered 400: no$/],
    ['405', { status: 405, body: '' }, false, undefined, /answered 405$/],
  ] as const;
  for (const [name, fault, retryable, afterMs, expected] of faults) {
    test(`${name}, once: it is told, and the next try gets through`, async (t) => {
      const bed = await signingBed(t, { faults: (_asked, count) => (count === 2 ? fault : undefined) });
      if (bed === undefined) return;
      const wish = bed.wish();
      await bed.run(async (api) => {
        await api.submit(wish);
        const failed = await failure(api.standing(wish.name));
        assert.match(failed.said, expected);
        assert.deepEqual([failed.retryable, failed.afterMs], [retryable, afterMs]);
        assert.deepEqual(await api.standing(wish.name), { kind: 'pending' });
      });
      await closed(bed);
    });
  }

  test('an answer that is lost: each call can be made again', async (t) => {
    let before = '';
    const bed = await signingBed(t, {
      // Each that changes something, once.
      faults: ({ method }) => {
        const fault = method !== 'GET' && method !== before ? 'lost' : undefined;
        if (method !== 'GET') before = method;
        return fault;
      },
    });
    if (bed === undefined) return;
    const wish = bed.wish();
    const outcomes = await bed.run(async (api) => {
      const lost = [(await failure(api.submit(wish))).retryable];
      const submitted = await api.submit(wish);
      lost.push((await failure(api.approve(wish.name, by))).retryable);
      await api.approve(wish.name, by);
      const { kind } = await api.standing(wish.name);
      lost.push((await failure(api.remove(wish.name))).retryable);
      await api.remove(wish.name);
      return { lost, submitted, kind };
    });
    assert.deepEqual(outcomes, {
      lost: [true, true, true],
      submitted: { kind: 'already-there', same: true },
      kind: 'issued',
    });
    assert.deepEqual(bed.csr.kept(), []);
  });

  describe('a request that is never answered', { concurrency: 2 }, () => {
    for (const fault of ['hang', 'half'] as const) {
      test(`(${fault}) ends by itself, and the next gets through`, async (t) => {
        const bed = await signingBed(t, { faults: (_asked, count) => (count === 1 ? fault : undefined) });
        if (bed === undefined) return;
        await bed.run(async (api) => {
          assert.deepEqual(await failure(api.standing('x')), {
            said: 'the API server at https://HERE did not answer within 10 s',
            retryable: true,
            afterMs: undefined,
            hint: undefined,
          });
          assert.deepEqual(await api.standing('x'), { kind: 'gone' });
        });
        await closed(bed);
      });
    }
  });

  test('called off while it hangs', async (t) => {
    const bed = await signingBed(t, { faults: () => 'hang' });
    if (bed === undefined) return;
    const off = new AbortController();
    const ended = failure(bed.run((api) => api.standing('x'), off.signal));
    await until(() => bed.server.seen.length || undefined, {
      deadlineMs: 20_000,
      otherwise: () => 'nobody came',
    });
    off.abort();
    assert.deepEqual(await ended, {
      said: 'the API server at https://HERE did not answer in time',
      retryable: false,
      afterMs: undefined,
      hint: undefined,
    });
    await closed(bed);
  });

  test('gone half-way, and back', async (t) => {
    const bed = await signingBed(t, { faults: (_asked, count) => (count === 2 ? 'gone' : undefined) });
    if (bed === undefined) return;
    const wish = bed.wish();
    await bed.run(async (api) => {
      await api.submit(wish);
      const [cut, refused] = [await failure(api.standing(wish.name)), await failure(api.standing(wish.name))];
      assert.deepEqual([cut.retryable, refused.retryable], [true, true]);
      assert.match(cut.said, /broke the connection off$/);
      assert.match(refused.said, /is not there: the connection was refused$/);
      await bed.server.back();
      assert.deepEqual(await api.standing(wish.name), { kind: 'pending' });
    });
  });

  test('its certificate has expired: final, and it is told nothing', async (t) => {
    const bed = await signingBed(t, { serving: { expired: true } });
    if (bed === undefined) return;
    const wish = bed.wish();
    const { said: sentence, retryable } = await failure(bed.run((api) => api.submit(wish)));
    assert.equal(sentence, 'the API server at https://HERE has a certificate that has expired');
    assert.equal(retryable, false);
    assert.deepEqual(bed.server.seen, []);
  });
});

describe('what is done with the connection', () => {
  test('leaves nothing that would keep the process alive', async (t) => {
    const bed = await signingBed(t, {
      faults: ({ path }) =>
        path.endsWith('/hanging') ? 'hang' : path.endsWith('/reset') ? 'reset' : undefined,
    });
    if (bed === undefined) return;
    const { certificate, key } = bed.authority.issue({ subject: admin });
    const input = JSON.stringify({
      port: bed.server.port,
      ca: bed.authority.ca.toString(),
      certificate: certificate.toString(),
      key: key.toString(),
    });
    const program = fileURLToPath(new URL('signing-alone.ts', import.meta.url));
    // It ends by itself, or the runner ends this test.
    const child = spawn(process.execPath, ['--import', 'tsx', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(input);
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.equal(said, 'gone\nbroke off\ncalled off\ntimers: 0\n');
    assert.equal(child.exitCode, 0);
    await closed(bed);
  });

  test('throws its own errors', async (t) => {
    const bed = await signingBed(t);
    if (bed === undefined) return;
    const own = new RangeError('its own');
    const off = new AbortController();
    await assert.rejects(
      bed.run(() => {
        off.abort();
        return Promise.reject(own);
      }, off.signal),
      own,
    );
  });
});

function object(changes: object): object {
  return {
    kind: 'CertificateSigningRequest',
    apiVersion: 'certificates.k8s.io/v1',
    metadata: { name: 'controller-manager-1', uid: 'u-1', resourceVersion: '7' },
    spec: { request: 'QUJD', signerName: 's', usages: ['u'] },
    status: {},
    ...changes,
  };
}

/** Submitted and approved; where it stands then. */
async function approved(bed: Bed, wish: SigningWish): Promise<Standing> {
  return bed.run(async (api) => {
    await api.submit(wish);
    await api.approve(wish.name, by);
    return api.standing(wish.name);
  });
}

function issuedIn(standing: Standing | undefined): X509Certificate {
  assert.ok(standing?.kind === 'issued', JSON.stringify(standing));
  return new X509Certificate(standing.certificate);
}

function publicKey({ openssl }: Bed, of: 'x509' | 'req', input: string): string {
  return execFileSync(openssl, [of, '-noout', '-pubkey'], { input, encoding: 'utf8' });
}

async function closed({ server }: Pick<Bed, 'server'>): Promise<void> {
  await until(() => (server.open() === 0 ? true : undefined), {
    deadlineMs: 20_000,
    otherwise: () => 'a connection was left open',
  });
}
