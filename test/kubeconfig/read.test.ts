import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';
import fc from '../support/properties.ts';

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
      server: 'https://here',
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

  test('what is merged: from a list of maps, and a later key over an earlier one', () => {
    const other = Buffer.from('other').toString('base64');
    const merged = (user: string): string =>
      good
        .replace(
          'kind: Config\n',
          `kind: Config\nx-a: &a {token: t}\nx-b: &b {client-certificate-data: ${other}}\n`,
        )
        .replace(/user: \{client-cert.*/, `user: ${user}`);
    const certificate = (user: string): unknown => {
      const { clientCertificate } = readKubeconfig(merged(user));
      return clientCertificate.kind === 'data' && clientCertificate.bytes.toString();
    };
    assert.equal(certificate('{<<: [*a, *b]}'), 'other');
    assert.equal(certificate(`{<<: *b, client-certificate-data: ${data}}`), 'pem');
    assert.equal(certificate(`{client-certificate-data: ${data}, <<: *b}`), 'other');
  });

  test('null, empty and absent are the same', () => {
    for (const nothing of ['', 'null', 'Null', 'NULL', '~', '""', '"\\n"']) {
      const text = good.replace(`client-key-data: ${data}`, `client-key-data: ${nothing}`);
      assert.deepEqual(readKubeconfig(text).clientKey, { kind: 'absent' }, nothing);
    }
    assert.equal(readKubeconfig(good.replace('users:', 'users:\n-\n- null')).userName, 'me');
    assert.equal(
      readKubeconfig(good.replaceAll('user: me}', 'user: "null"}').replace('name: me\n', 'name: "null"\n'))
        .userName,
      'null',
    );
  });

  test('base64 over several lines is read as Go reads it: line ends are nothing, a space is an error', () => {
    const long = Buffer.from('a longer pem than before').toString('base64');
    const wrapped = (indicator: string, between: string): string =>
      good.replace(
        /user: \{client-cert.*/,
        `user:\n    client-certificate-data: ${indicator}\n      ${long.slice(0, 8)}${between}      ${long.slice(8)}`,
      );
    for (const text of [wrapped('|', '\n'), wrapped('|+', '\n'), wrapped('>-', '\n\n')]) {
      assert.deepEqual(readKubeconfig(text).clientCertificate, {
        kind: 'data',
        bytes: Buffer.from(long, 'base64'),
      });
    }
    for (const text of [wrapped('>-', '\n'), wrapped('', '\n')]) {
      assert.throws(() => readKubeconfig(text), { message: 'client-certificate-data is not valid base64' });
    }
  });

  test('a byte order mark, CRLF, a closing document mark and keys of old change nothing', () => {
    const expected = readKubeconfig(good);
    for (const same of [
      `\uFEFF${good}`,
      good.replaceAll('\n', '\r\n'),
      `---\n${good}...\n`,
      `${good}---\n`,
      `${good}__proto__: {users: []}\nconstructor: x\n`,
      good.replace('apiVersion: v1\nkind: Config\n', ''),
    ]) {
      assert.deepEqual(readKubeconfig(same), { ...expected, text: same });
    }
  });

  test('whatever the text, there is an answer or a bad-kubeconfig of one line without a file', () => {
    const names = [
      'users',
      'contexts',
      'clusters',
      'name',
      'user',
      'context',
      'cluster',
      'current-context',
      '<<',
    ];
    const piece = fc.oneof(
      fc.constantFrom(
        ...names.map((name) => `${name}: `),
        '\n',
        '\n  ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        ', ',
        '&a ',
      ),
      fc.constantFrom(
        '*a',
        '|',
        '>-\n',
        '"',
        "'",
        '#',
        '\t',
        '\0',
        '\uFEFF',
        '---\n',
        '!!str ',
        '? ',
        ': ',
        'c',
        '\r\n',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const position = fc.nat(good.length);
    const text = fc
      .tuple(fc.array(piece, { maxLength: 30 }), position, position, fc.boolean())
      .map(([pieces, from, length, alone]) =>
        alone ? pieces.join('') : good.slice(0, from) + pieces.join('') + good.slice(from + (length % 20)),
      );
    fc.assert(
      fc.property(text, (given) => {
        try {
          readKubeconfig(given);
        } catch (error) {
          assert.ok(error instanceof KubepkiError, String(error));
          assert.equal(error.code, 'bad-kubeconfig');
          assert.equal(error.file, undefined);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('what is invalid is said with its place; the key beside it is not', () => {
    for (const text of [
      `${good}  client-key-data: "SECRET\n`,
      `${good}\tSECRET: SECRET: [\n`,
      good.replace(`client-key-data: ${data}`, 'client-key-data: @SECRET'),
      good.replace(`client-key-data: ${data}`, 'client-key-data: *SECRET'),
      good.replace(`client-key-data: ${data}`, 'client-key-data: SECRET!'),
      good.replace(/user: \{client-cert.*/, 'user: SECRET'),
    ]) {
      assert.throws(
        () => readKubeconfig(text),
        (error: unknown) => {
          assert.ok(error instanceof KubepkiError);
          assert.ok(
            !`${error.message}${error.hint ?? ''}${String(error.cause)}`.includes('SECRET'),
            error.message,
          );
          return true;
        },
      );
    }
    assert.throws(() => readKubeconfig(`${good}users: []\n`), {
      message: 'is not valid YAML at line 13, column 1 (duplicate key)',
    });
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
    [
      'another version',
      good.replace('apiVersion: v1', 'apiVersion: v2'),
      'is not a kubeconfig: its apiVersion is not v1',
    ],
    ['a text', 'hello\n', 'is not a kubeconfig: it is not a mapping'],
    [
      'contexts that are null',
      good.replace(/contexts:\n.*\n.*/, 'contexts: null'),
      'missing context me@here',
    ],
    ['a context without a user', good.replace(', user: me}', '}'), 'missing authInfo '],
    [
      'two contexts of the name',
      good.replace('contexts:\n', 'contexts:\n- name: me@here\n'),
      'contexts has two entries named me@here',
    ],
    [
      'two clusters of the name',
      good.replace('clusters:\n', 'clusters:\n- name: here\n'),
      'clusters has two entries named here',
    ],
    [
      'an entry that is a number',
      good.replace('users:\n', 'users:\n- 3\n'),
      'users has an entry that is not a mapping',
    ],
    ['a name that is a list', good.replace('name: me\n', 'name: [me]\n'), 'name is not a string'],
    [
      'a current context that is a map',
      good.replace('current-context: me@here', 'current-context: {me: here}'),
      'current-context is not a string',
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
