import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { readConnection } from '../../src/kubeconfig/connection.ts';

const data = Buffer.from('pem').toString('base64');

function kubeconfig({
  cluster = `server: https://192.0.2.10:6443, certificate-authority-data: ${data}`,
  user = `client-certificate-data: ${data}, client-key-data: ${data}`,
}: { cluster?: string; user?: string } = {}): string {
  return `current-context: here
clusters: [{name: c, cluster: {${cluster}}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
users: [{name: u, user: {${user}}}]
`;
}

describe('how a kubeconfig reaches its API server', () => {
  test('with a client certificate', () => {
    const pem = { kind: 'data', bytes: Buffer.from('pem') };
    assert.deepEqual(readConnection(kubeconfig()), {
      server: new URL('https://192.0.2.10:6443'),
      serverName: undefined,
      ca: pem,
      credentials: { kind: 'certificate', certificate: pem, key: pem },
    });
  });

  test('with a token, another name, files', () => {
    const text = kubeconfig({
      cluster:
        'server: https://api.example/k8s, tls-server-name: kubernetes, certificate-authority: pki/ca.crt',
      user: 'token: abc, exec: null, auth-provider: ~, as: ""',
    });
    assert.deepEqual(readConnection(text), {
      server: new URL('https://api.example/k8s'),
      serverName: 'kubernetes',
      ca: { kind: 'file', path: 'pki/ca.crt' },
      credentials: { kind: 'token', token: 'abc' },
    });
  });

  const good = `client-certificate-data: ${data}, client-key-data: ${data}`;
  const server = 'server: https://192.0.2.10';
  const refused: readonly (readonly [string, Parameters<typeof kubeconfig>[0], RegExp])[] = [
    [
      'a program',
      { user: `${good}, exec: {command: /bin/sh}` },
      /^user u runs a program for its credentials \(exec\)/,
    ],
    ['an empty program', { user: `${good}, exec: {}` }, /exec/],
    ['a provider', { user: `${good}, auth-provider: {name: gcp}` }, /auth-provider/],
    ['another user', { user: `${good}, as: root` }, /^user u acts as another user/],
    ['other groups', { user: `${good}, as-groups: [system:masters]` }, /^user u acts as another user/],
    [
      'a password',
      { user: 'username: me, password: secret' },
      /^user u has neither a client certificate nor a token$/,
    ],
    [
      'a file with a token',
      { user: 'tokenFile: /token' },
      /^user u has neither a client certificate nor a token$/,
    ],
    [
      'a certificate alone',
      { user: `client-certificate-data: ${data}` },
      /^user u has a certificate without a key$/,
    ],
    ['a proxy', { cluster: `${server}, proxy-url: http://proxy` }, /^cluster c is reached through a proxy/],
    ['no check', { cluster: `${server}, insecure-skip-tls-verify: true` }, /^cluster c is not verified/],
    ['plain HTTP', { cluster: 'server: http://192.0.2.10:8080' }, /is not an https URL$/],
    ['no URL', { cluster: 'server: nonsense' }, /^server "nonsense" is not an https URL$/],
    ['no server', { cluster: 'x: y' }, /^names no API server$/],
  ];
  for (const [name, parts, expected] of refused) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => readConnection(kubeconfig(parts)),
        (error) =>
          error instanceof KubepkiError && error.code === 'bad-kubeconfig' && expected.test(error.message),
      );
    });
  }

  test('a check that is not switched off is no reason', () => {
    readConnection(kubeconfig({ cluster: `${server}, insecure-skip-tls-verify: false` }));
  });
});
