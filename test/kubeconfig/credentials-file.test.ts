import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readKubeconfig, readUsers } from '../../src/kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../src/kubeconfig/rewrite.ts';

const pem = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const old = Buffer.from('the old one, of some length').toString('base64');

const around = (user: string): string => `# kubeadm's
apiVersion: v1
kind: Config
current-context: c
contexts:
- {name: c, context: {cluster: k, user: u}}
clusters:
- name: k
  cluster: {server: "https://k"}
users:
- name: other
  user: {token: "t"}   # stays
- name: u
  user: ${user}
`;

const styles: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    'data, as kubeadm writes it',
    `\n    client-certificate-data: ${old}\n    client-key-data: ${old}`,
    `\n    client-certificate: ${pem}\n    client-key: ${pem}`,
  ],
  [
    'data in quotes, with comments, and in block scalars',
    `\n    client-certificate-data: "${old}" # one\n    "client-key-data": |\n      ${old}\n    as: x`,
    `\n    client-certificate: "${pem}" # one\n    "client-key": ${pem}\n    as: x`,
  ],
  [
    'JSON',
    `{"client-certificate-data":"${old}","client-key-data":"${old}"}`,
    `{"client-certificate":"${pem}","client-key":"${pem}"}`,
  ],
  [
    'two files',
    '\n    client-certificate: a.crt\n    client-key: a.key',
    `\n    client-certificate: ${pem}\n    client-key: ${pem}`,
  ],
  [
    'data and a file',
    `\n    client-certificate: a.crt\n    client-key-data: ${old}`,
    `\n    client-certificate: ${pem}\n    client-key: ${pem}`,
  ],
  [
    'that file',
    `{client-certificate: ${pem}, client-key: ${pem}}`,
    `{client-certificate: ${pem}, client-key: ${pem}}`,
  ],
];

describe('a kubeconfig that is to name a file for certificate and key', () => {
  for (const [what, before, after] of styles) {
    test(what, () => {
      const rewritten = rewriteKubeconfig(readKubeconfig(around(before)), { credentialsFile: pem });
      assert.equal(rewritten, around(after));
      const { clientCertificate, clientKey } = readKubeconfig(rewritten);
      assert.deepEqual([clientCertificate, clientKey], Array(2).fill({ kind: 'file', path: pem }));
    });
  }

  test('data that hides the name of a file is not made two names', () => {
    const both = around(
      `{client-certificate: a.crt, client-certificate-data: ${old}, client-key-data: ${old}}`,
    );
    assert.throws(
      () => rewriteKubeconfig(readKubeconfig(both), { credentialsFile: pem }),
      /cannot be rewritten/,
    );
  });

  test('data that is merged from elsewhere stays', () => {
    const merged = `x: &x {client-certificate-data: ${old}}\n${around(`\n    <<: *x\n    client-key-data: ${old}`)}`;
    assert.throws(() => rewriteKubeconfig(readKubeconfig(merged), { credentialsFile: pem }), /merge key/);
  });
});

describe('the users of a kubeconfig', () => {
  const text = `kind: Config
contexts:
- {name: a, context: {cluster: k, user: u}}
- {name: b, context: {cluster: k, user: v}}
- {name: a-again, context: {cluster: l, user: u}}
- {name: nowhere, context: {cluster: m, user: w}}
- {name: nobody, context: {cluster: k, user: x}}
clusters:
- {name: k, cluster: {server: "https://k"}}
- {name: l, cluster: {server: "https://l"}}
users:
- {name: u, user: {client-certificate-data: "${old}", client-key-data: "${old}"}}
- {name: v, user: {token: t}}
- {name: w, user: {token: t}}
- {name: alone, user: {token: t}}
`;

  test('each that a context leads to, once; there need be no current context', () => {
    const users = readUsers(text).map(({ userName, clusterName }) => [userName, clusterName]);
    assert.deepEqual(users, [
      ['u', 'k'],
      ['v', 'k'],
    ]);
  });

  test('one that is not of the current context gets its credentials', () => {
    const [user] = readUsers(`current-context: b\n${text}`);
    assert.ok(user);
    const rewritten = rewriteKubeconfig(user, { clientCertificatePem: 'NEW' });
    assert.equal(rewritten, user.text.replace(old, Buffer.from('NEW').toString('base64')));
  });

  test('what is no kubeconfig has none, and says so', () => {
    assert.throws(() => readUsers('- a\n'), /is not a kubeconfig/);
    assert.deepEqual(readUsers('kind: Config\n'), []);
  });
});
