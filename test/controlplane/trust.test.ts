import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createPlainServer, type AddressInfo, type Server } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { trustOf, type Probes, type TrustingServer } from '../../src/controlplane/trust.ts';
import { issueProbe, type ProbeCertificate } from '../../src/operations/rotation/probe-certificate.ts';
import { encodeCertificates } from '../../src/pki/certificate/certificate.ts';
import { randomSerialNumber } from '../../src/pki/issue/issue.ts';
import { encodePrivateKey } from '../../src/pki/key/private-key.ts';
import { issuerOf, leafOf, newAuthority, newKey, now } from '../support/certificates/new-authority.ts';
import type { Pair } from '../support/certificates/old-authority.ts';
import { judge } from '../support/judge.ts';
import { startEtcdCluster } from '../support/servers/etcd-cluster.ts';
import { serverFiles } from '../support/servers/server-files.ts';
import { gnutlsServer, opensslServer } from '../support/servers/tls-servers.ts';

const [old, next] = [newAuthority('kubernetes'), newAuthority('kubernetes-20261129')];
const authorities = Buffer.from(encodeCertificates([old.certificate, next.certificate]));
const node = leafOf(old);
let count = 0;

function probeOf(authority: Pair): ProbeCertificate {
  count += 1;
  const name = count.toString(16).padStart(16, '0');
  return issueProbe(
    issuerOf(authority),
    { name, privateKey: newKey(), serialNumber: randomSerialNumber() },
    now,
  );
}

const probes = { old: probeOf(old), next: probeOf(next) };

/** The two answers in a word each, of a server on this machine. */
async function trust(
  server: Partial<TrustingServer> & Pick<TrustingServer, 'kind' | 'port'>,
  shown: Probes = probes,
  mostMs = 5000,
): Promise<readonly [old: string, next: string]> {
  const of = await trustOf({ host: '127.0.0.1', authorities, ...server }, shown, mostMs);
  return [of.old.trust, of.next.trust];
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const open = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => open.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('etcd', () => {
  /** What a member has for its trusted CAs when it starts. */
  const states = {
    'the old CA': [[old], ['trusted', 'refused']],
    'both CAs': [
      [old, next],
      ['trusted', 'trusted'],
    ],
    'the new CA': [[next], ['refused', 'trusted']],
  } as const;
  for (const [what, [trusted, expected]] of Object.entries(states)) {
    test(`that has started with ${what}, at both ports, fifty times`, async (t) => {
      const etcd = judge(t, 'etcd');
      if (etcd === undefined) return;
      // With one CA only, its members show each other a certificate of that.
      const leaf = leafOf(trusted[0]);
      const files = serverFiles(
        t,
        leaf,
        trusted.map(({ certificate }) => certificate),
      );
      const cluster = await startEtcdCluster(
        etcd,
        ['etcd-server', 'etcd-peer'].map((name) => ({ name, ...files })),
        1,
      );
      t.after(() => cluster.stop());
      const [client, peer] = [cluster.endpoints[0], cluster.peers[0]].map((url) =>
        Number(new URL(url ?? '').port),
      );
      assert.ok(client !== undefined && peer !== undefined);
      for (const port of [client, peer]) {
        for (let round = 0; round < 25; round += 1)
          assert.deepEqual(await trust({ kind: 'etcd', port }), expected);
      }
      // What is on disk counts only when it has started again.
      writeFileSync(files.ca, encodeCertificates([old, next].map(({ certificate }) => certificate)));
      assert.deepEqual(await trust({ kind: 'etcd', port: client }), expected);
    });
  }
});

describe('other servers that verify in the handshake', () => {
  const states = [
    [[old], ['trusted', 'refused']],
    [
      [next, old],
      ['trusted', 'trusted'],
    ],
    [[next], ['refused', 'trusted']],
  ] as const;
  test('openssl and GnuTLS', async (t) => {
    const [openssl, gnutls] = [judge(t, 'openssl'), judge(t, 'gnutls-serv')];
    if (openssl === undefined || gnutls === undefined) return;
    for (const [trusted, expected] of states) {
      const roots = trusted.map(({ certificate }) => certificate);
      const files = serverFiles(t, node, roots);
      const ports: Readonly<Record<string, number>> = {
        openssl: await opensslServer(t, openssl, files, [
          '-CAfile',
          files.ca,
          '-Verify',
          '1',
          '-verify_return_error',
        ]),
        gnutls: await gnutlsServer(t, gnutls, files, [
          '--x509cafile',
          files.ca,
          '--require-client-cert',
          '--verify-client-cert',
        ]),
      };
      for (const [program, port] of Object.entries(ports)) {
        assert.deepEqual([program, await trust({ kind: 'etcd', port })], [program, expected]);
      }
    }
  });

  test('one that speaks TLS 1.3 only, or takes anyone, is not known', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const files = serverFiles(t, node, [old.certificate]);
    const verifying = ['-CAfile', files.ca, '-Verify', '1', '-verify_return_error'];
    for (const [flags, says] of [
      [[...verifying, '-tls1_3'], /^TLS is refused \(ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION\)$/],
      [['-CAfile', files.ca, '-verify', '1'], /^it takes a client without a certificate$/],
      [[], /^it takes a client without a certificate$/],
    ] as const) {
      const port = await opensslServer(t, openssl, files, flags);
      const said = await trustOf({ kind: 'etcd', host: '127.0.0.1', port, authorities }, probes);
      for (const { trust, why } of [said.old, said.next]) {
        assert.equal(trust, 'unknown');
        assert.match(why, says);
      }
    }
  });
});

function shownBy({ certificate, key }: Pair): { readonly cert: string; readonly key: string } {
  return { cert: encodeCertificates([certificate]), key: encodePrivateKey(key) };
}

/** What a server of Kubernetes is configured with, as far as it counts here. */
interface Component {
  /** undefined: there is no `--client-ca-file`. */
  readonly trusted: readonly Pair[] | undefined;
  readonly anonymous: boolean;
  /** What becomes of a request of this user that was authenticated. */
  readonly authorized: (user: string, response: ServerResponse) => void;
  readonly shows?: Pair;
}

/**
 * Authenticates as k8s.io/apiserver does (pkg/authentication/request/x509, union and anonymous): a certificate is asked for and not
 * verified in the handshake. One that does not verify is an error, and an error is 401, also where anonymous requests are allowed.
 */
async function component(
  t: TestContext,
  { trusted, anonymous, authorized, shows = node }: Component,
): Promise<{ readonly port: number; readonly seen: readonly (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const ca = encodeCertificates((trusted ?? []).map(({ certificate }) => certificate));
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    assert.ok(request.socket instanceof TLSSocket);
    const subject = request.socket.getPeerCertificate().subject as { readonly CN: string } | undefined;
    seen.push(subject?.CN);
    const certified = trusted === undefined ? undefined : subject;
    if (certified !== undefined && request.socket.authorized) authorized(certified.CN, response);
    else if (certified === undefined && anonymous) authorized('system:anonymous', response);
    else response.writeHead(401).end('Unauthorized');
  };
  const server = createHttpsServer(
    { ...shownBy(shows), ...(ca === '' ? {} : { ca }), requestCert: true, rejectUnauthorized: false },
    answer,
  );
  return { port: await listen(t, server), seen };
}

const answers = {
  /** kube-apiserver from 1.28 on. */
  review: (user, response) => {
    if (user === 'system:anonymous') answers.forbidden(user, response);
    else response.writeHead(201).end(JSON.stringify({ status: { userInfo: { username: user } } }));
  },
  /** An older one: RBAC comes before the look-up of what is asked for. */
  forbidden: (user, response) => {
    const message = `selfsubjectreviews.authentication.k8s.io is forbidden: User "${user}" cannot create resource "selfsubjectreviews"`;
    response.writeHead(403).end(JSON.stringify({ kind: 'Status', message, code: 403 }));
  },
  /** An older one that allows everything. */
  notFound: (_, response) => response.writeHead(404).end('404 page not found'),
  kubelet: (user, response) =>
    response.writeHead(403).end(`Forbidden (user=${user}, verb=get, resource=nodes, subresource=proxy)`),
  /** A kubelet whose API server is away. */
  kubeletAlone: (user, response) =>
    response
      .writeHead(500)
      .end(`Authorization error (user=${user}, verb=get, resource=nodes, subresource=proxy)`),
  ok: (_, response) => response.end('ok'),
  busy: (_, response) => response.writeHead(429).end('Too many requests'),
  endless: (_, response) => response.end(Buffer.alloc(100_000)),
} satisfies Record<string, Component['authorized']>;

describe('a server of Kubernetes', () => {
  const [onlyOld, both, onlyNext] = [[old], [old, next], [next]];
  const unknown = ['unknown', 'unknown'];
  const cases: readonly (readonly [
    kind: 'kube-apiserver' | 'kubelet' | 'kube-scheduler' | 'kube-controller-manager',
    answer: keyof typeof answers,
    trusted: readonly Pair[] | undefined,
    anonymous: boolean,
    expected: readonly string[],
  ])[] = [
    ...(['review', 'forbidden'] as const).flatMap((answer) =>
      [true, false].flatMap((anonymous) => [
        ['kube-apiserver', answer, onlyOld, anonymous, ['trusted', 'refused']] as const,
        ['kube-apiserver', answer, both, anonymous, ['trusted', 'trusted']] as const,
        ['kube-apiserver', answer, onlyNext, anonymous, ['refused', 'trusted']] as const,
        ['kube-apiserver', answer, [newAuthority('stranger')], anonymous, unknown] as const,
      ]),
    ),
    // Without a CA it passes over certificates, and answers anyone.
    ['kube-apiserver', 'review', undefined, true, unknown],
    ['kube-apiserver', 'review', undefined, false, unknown],
    ['kube-apiserver', 'notFound', undefined, true, unknown],
    ['kube-apiserver', 'notFound', onlyOld, false, ['trusted', 'refused']],
    ['kube-apiserver', 'notFound', onlyOld, true, unknown],
    ['kube-apiserver', 'busy', onlyOld, false, unknown],
    ['kube-apiserver', 'endless', onlyOld, false, unknown],
    ['kubelet', 'kubelet', both, false, ['trusted', 'trusted']],
    ['kubelet', 'kubelet', onlyNext, true, ['refused', 'trusted']],
    ['kubelet', 'kubeletAlone', onlyOld, false, ['trusted', 'refused']],
    ['kubelet', 'ok', onlyNext, false, ['refused', 'trusted']],
    ['kubelet', 'ok', both, true, unknown],
    ['kube-scheduler', 'forbidden', both, true, ['trusted', 'trusted']],
    ['kube-controller-manager', 'forbidden', onlyNext, false, ['refused', 'trusted']],
  ];
  for (const [kind, answer, trusted, anonymous, expected] of cases) {
    const whom = trusted?.map(({ certificate }) => certificate.x509.subject).join(' and ') ?? 'no CA';
    test(`${kind}, ${answer}, ${anonymous ? 'anonymous' : 'no anonymous'}, ${whom}: ${expected.join(', ')}`, async (t) => {
      const { port } = await component(t, { trusted, anonymous, authorized: answers[answer] });
      assert.deepEqual(await trust({ kind, port }), expected);
    });
  }

  test('that shows a certificate of another CA is sent no request', async (t) => {
    const stranger = leafOf(newAuthority('kubernetes'));
    const { port, seen } = await component(t, {
      trusted: both,
      anonymous: true,
      authorized: answers.review,
      shows: stranger,
    });
    assert.deepEqual(await trust({ kind: 'kube-apiserver', port }), unknown);
    assert.deepEqual(seen, []);
    // A kubelet shows what it has signed itself.
    assert.deepEqual(await trust({ kind: 'kubelet', port, authorities: undefined }), ['trusted', 'trusted']);
    assert.deepEqual(
      seen.toSorted(),
      [probes.next, probes.old].map(({ commonName }) => commonName).toSorted(),
    );
  });

  test('whose certificate has other names', async (t) => {
    const { port, seen } = await component(t, { trusted: both, anonymous: true, authorized: answers.review });
    const server = { kind: 'kube-apiserver', port } as const;
    assert.deepEqual(await trust({ ...server, serverName: 'other.test' }), unknown);
    assert.deepEqual(seen, []);
    assert.deepEqual(await trust({ ...server, serverName: 'node.test' }), ['trusted', 'trusted']);
  });

  test('of which there is no probe for one CA', async (t) => {
    const { port } = await component(t, { trusted: onlyNext, anonymous: true, authorized: answers.review });
    const server = { kind: 'kube-apiserver', port } as const;
    assert.deepEqual(await trust(server, { ...probes, old: undefined }), ['unknown', 'trusted']);
    // Nothing shows that it is not the server's clock.
    assert.deepEqual(await trust(server, { ...probes, next: undefined }), unknown);
  });
});

describe('what is no answer is not known, and not waited for', () => {
  const silent = createPlainServer((socket) => socket.on('error', () => undefined).resume());
  const rude = createPlainServer((socket) => socket.destroy());
  const plain = createPlainServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'));
  });
  for (const kind of ['etcd', 'kube-apiserver'] as const) {
    for (const [what, server, says] of [
      ['silence', silent, 'no answer'],
      ['a connection that is cut', rude, 'connection reset'],
      ['no TLS', plain, /^no TLS/],
    ] as const) {
      test(`${kind}: ${what}`, async (t) => {
        const port = await listen(t, server);
        const begun = performance.now();
        const said = await trustOf({ kind, host: '127.0.0.1', port, authorities }, probes, 200);
        assert.ok(performance.now() - begun < 3000);
        for (const { trust, why } of [said.old, said.next]) {
          assert.equal(trust, 'unknown');
          assert.match(why, new RegExp(says));
        }
      });
    }
    test(`${kind}: nobody listens`, async () => {
      const said = await trustOf({ kind, host: '127.0.0.1', port: 1, authorities }, probes);
      assert.deepEqual(said.next, { trust: 'unknown', why: 'connection refused' });
    });
  }
});
