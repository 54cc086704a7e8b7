import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';

const data = Buffer.from('pem').toString('base64');
const good = `apiVersion: v1
kind: Config
current-context: me@here
clusters:
- name: here
  cluster: {server: https://here, certificate-authority-data: ${data}}
contexts:
- name: me@here
  context: {cluster: here, user: me}
users:
- name: me
  user: {client-certificate-data: ${data}, client-key-data: ${data}}
`;

describe('reading a kubeconfig', () => {
  test('follows the current context to its user and its cluster', () => {
    const { text, ...rest } = readKubeconfig(good);
    const pem = { kind: 'data', bytes: Buffer.from('pem') };
    assert.equal(text, good);
    assert.deepEqual(rest, {
      contextName: 'me@here',
      clusterName: 'here',
      userName: 'me',
      clientCertificate: pem,
      clientKey: pem,
      clusterCa: pem,
    });
  });

  test('data wins over a file, as with kubectl; each is found on its own', () => {
    const mixed = good
      .replace('client-key-data:', 'client-key: me.key, client-certificate: me.crt, x:')
      .replace('certificate-authority-data:', 'certificate-authority:');
    const { clientCertificate, clientKey, clusterCa } = readKubeconfig(mixed);
    assert.equal(clientCertificate.kind, 'data');
    assert.deepEqual(clientKey, { kind: 'file', path: 'me.key' });
    assert.deepEqual(clusterCa, { kind: 'file', path: data });
  });

  test('names that look like numbers or booleans are names', () => {
    const odd = good
      .replaceAll('me@here', '0x10')
      .replaceAll('name: me', 'name: yes')
      .replace('user: me}', 'user: yes}');
    assert.equal(readKubeconfig(odd).userName, 'yes');
    assert.equal(readKubeconfig(odd).contextName, '0x10');
  });

  test('merge keys and aliases are followed, as Go does', () => {
    const merged = good
      .replace('kind: Config\n', `kind: Config\nx-shared: &shared {client-certificate-data: ${data}}\n`)
      .replace(/user: \{client-certificate-data: [^,]*,/, 'user: {<<: *shared,');
    assert.equal(readKubeconfig(merged).clientCertificate.kind, 'data');
  });

  const broken: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'is empty'],
    ['comments alone', '# nothing\n', 'is empty'],
    ['a list', '- a\n', 'is not a kubeconfig: it is not a mapping'],
    ['several documents', `${good}---\n${good}`, 'holds several YAML documents'],
    [
      'another kind',
      good.replace('kind: Config', 'kind: Pod'),
      'is not a kubeconfig: its kind is not Config',
    ],
    ['no current context', good.replace(/current-context: .*/, ''), 'has no current-context'],
    [
      'an empty current context',
      good.replace(/current-context: .*/, 'current-context: ""'),
      'has no current-context',
    ],
    ['an unknown context', good.replace('- name: me@here', '- name: other'), 'missing context me@here'],
    ['an unknown cluster', good.replace('- name: here', '- name: other'), 'missing cluster here'],
    ['an unknown user', good.replace('- name: me\n', '- name: other\n'), 'missing authInfo me'],
    ['two users of the name', `${good}- name: me\n  user: {token: x}\n`, 'users has two entries named me'],
    ['users that are no list', good.replace(/users:[^]*/, 'users: {me: x}\n'), 'users is not a list'],
    [
      'a user that is no mapping',
      good.replace(/ {2}user: \{client.*/, '  user: me'),
      'users me: user is not a mapping',
    ],
    [
      'a token',
      good.replace(/ {2}user: \{client.*/, '  user: {token: abc}'),
      'does not have an embedded client certificate, nor does it name one',
    ],
    [
      'no base64',
      good.replace(`client-key-data: ${data}`, 'client-key-data: "*"'),
      'client-key-data is not valid base64',
    ],
    [
      'base64 cut off',
      good.replace(`client-key-data: ${data}`, 'client-key-data: YWJ'),
      'client-key-data is not valid base64',
    ],
    [
      'data that is a list',
      good.replace(`client-key-data: ${data}`, 'client-key-data: [a]'),
      'client-key-data is not a string',
    ],
  ];
  for (const [what, text, message] of broken) {
    test(`${what}: ${message}`, () => {
      assert.throws(() => readKubeconfig(text), { code: 'bad-kubeconfig', message });
    });
  }
});
