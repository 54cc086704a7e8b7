import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';
import { rewriteKubeconfig, type KubeconfigChanges } from '../../src/kubeconfig/rewrite.ts';
import { judge } from '../support/judge.ts';
import fc from '../support/properties.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const old = base64('the old one, of some length');
const crt = base64('NEW CERTIFICATE\n');
const key = base64('NEW KEY\n');
const both = { clientCertificatePem: 'NEW CERTIFICATE\n', clientKeyPem: 'NEW KEY\n' };

const around = (user: string, before = ''): string =>
  `${before}apiVersion: v1
kind: Config
current-context: c # of two that share the user
contexts:
- {name: c, context: {cluster: k, user: u}}
- {name: d, context: {cluster: k, user: u, namespace: ns}}
clusters:
- name: k
  cluster: {server: "https://k"}
users:
- name: u
  user: ${user}
- name: other
  user: {token: "t"}   # stays
`;

/** What the user is, before and after both of its values are replaced (or the key is added). */
const styles: readonly (readonly [what: string, before: string, after: string, more?: string])[] = [
  [
    'plain, as kubeadm writes it',
    `\n    client-certificate-data: ${old}\n    client-key-data: ${old}`,
    `\n    client-certificate-data: ${crt}\n    client-key-data: ${key}`,
  ],
  [
    'quoted, with comments, blanks and a tab',
    `\n    # one\n    client-certificate-data:   "${old}" # two\n\n    client-key-data: '${old}'\t`,
    `\n    # one\n    client-certificate-data:   "${crt}" # two\n\n    client-key-data: '${key}'\t`,
  ],
  [
    'block scalars, with a comment, blank lines and comments behind',
    `\n    client-certificate-data: | # why\n      ${old.slice(0, 8)}\n      ${old.slice(8)}\n\n\n    # and\n    client-key-data: |2-\n      ${old}\n    username: x`,
    `\n    client-certificate-data: ${crt} # why\n\n\n    # and\n    client-key-data: ${key}\n    username: x`,
  ],
  [
    'double quotes over two lines',
    `\n    client-certificate-data: "${old.slice(0, 8)}\\\n      ${old.slice(8)}"\n    client-key-data: ${old}`,
    `\n    client-certificate-data: "${crt}"\n    client-key-data: ${key}`,
  ],
  [
    'a flow mapping over several lines',
    `{ client-certificate-data:\t${old} ,\n    # c\n    client-key-data: "${old}", }`,
    `{ client-certificate-data:\t${crt} ,\n    # c\n    client-key-data: "${key}", }`,
  ],
  [
    'explicit keys',
    `\n    ? client-certificate-data\n    : ${old}\n    ? client-key-data\n    : ${old}`,
    `\n    ? client-certificate-data\n    : ${crt}\n    ? client-key-data\n    : ${key}`,
  ],
  [
    'an anchor nobody refers to, and a tag',
    `\n    client-certificate-data: &mine ${old}\n    client-key-data: !!str ${old}`,
    `\n    client-certificate-data: &mine ${crt}\n    client-key-data: !!str ${key}`,
  ],
  [
    'aliases',
    `\n    client-certificate-data: *shared # gone\n    client-key-data: *shared`,
    `\n    client-certificate-data: ${crt} # gone\n    client-key-data: ${key}`,
    `x-shared: &shared ${old}\n`,
  ],
  [
    'a certificate alone: the key comes before it',
    `\n    as: x\n    client-certificate-data: ${old}`,
    `\n    as: x\n    client-key-data: ${key}\n    client-certificate-data: ${crt}`,
  ],
  [
    'a key that is nothing',
    `\n    client-certificate-data: ${old}\n    client-key-data: # to come`,
    `\n    client-certificate-data: ${crt}\n    client-key-data: ${key} # to come`,
  ],
  [
    'a key that is an empty text',
    `\n    client-certificate-data: ${old}\n    client-key-data: ""`,
    `\n    client-certificate-data: ${crt}\n    client-key-data: "${key}"`,
  ],
  [
    'a key that is null in JSON',
    `{"client-certificate-data":"${old}","client-key-data":null}`,
    `{"client-certificate-data":"${crt}","client-key-data":"${key}"}`,
  ],
  [
    'a key that is null in a flow mapping',
    `{client-certificate-data: ${old}, client-key-data: ~}`,
    `{client-certificate-data: ${crt}, client-key-data: ${key}}`,
  ],
  [
    'a key that is merged, and of its own',
    `\n    <<: *shared\n    client-certificate-data: ${old}\n    client-key-data: ${old}`,
    `\n    <<: *shared\n    client-certificate-data: ${crt}\n    client-key-data: ${key}`,
    `x-shared: &shared {client-key-data: ${base64('merged')}}\n`,
  ],
];

const text = (kubeconfig: { kind: string; bytes?: Buffer }): string | undefined =>
  kubeconfig.bytes?.toString('base64');

describe('rewriting every style', () => {
  for (const [what, before, after, more] of styles) {
    test(what, (t) => {
      const source = around(before, more);
      const expected = around(after, more);
      assert.equal(rewriteKubeconfig(readKubeconfig(source), both), expected);
      const crlf = (lf: string): string => `\uFEFF${lf.replaceAll('\n', '\r\n')}`;
      assert.equal(rewriteKubeconfig(readKubeconfig(crlf(source)), both), crlf(expected));

      const kubectl = judge(t, 'kubectl');
      if (kubectl === undefined) return;
      const path = join(temporaryDirectory(t), 'config');
      const view = (content: string): unknown => {
        writeFileSync(path, content, { mode: 0o600 });
        const args = ['config', 'view', '--raw', '-o', 'json', '--kubeconfig', path];
        return JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8' }));
      };
      const [read, rewritten] = [view(source), view(expected)] as [View, View];
      const kubeconfig = readKubeconfig(source);
      const user = userOf(read);
      assert.equal(user['client-certificate-data'], text(kubeconfig.clientCertificate));
      assert.equal(user['client-key-data'], text(kubeconfig.clientKey));
      // Everything but the two is as it was.
      Object.assign(user, { 'client-certificate-data': crt, 'client-key-data': key });
      assert.deepEqual(rewritten, read);
    });
  }

  test('JSON, however it is laid out: the values asked for, and nothing else', () => {
    const unknown = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    const others = fc.array(unknown, { maxLength: 2 });
    const value = fc.string({ minLength: 1, maxLength: 40 });
    const asked = fc.record(
      { clientCertificatePem: value, clientKeyPem: value, clusterCaPem: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        unknown,
        unknown,
        others,
        asked,
        fc.tuple(value, value, value),
        fc.constantFrom(0, 1, 2, 4),
        (user, cluster, more, changes, [certificate, keyText, ca], indent) => {
          const write = (values: Required<Omit<KubeconfigChanges, 'credentialsFile'>>): string =>
            JSON.stringify(
              {
                extensions: more,
                users: [
                  // Nothing of a generated user may stand for the one meant.
                  ...more.map((other) => ({ user: other, name: 'other' })),
                  {
                    user: {
                      ...user,
                      'client-certificate-data': base64(values.clientCertificatePem),
                      'client-key-data': base64(values.clientKeyPem),
                    },
                    name: 'u',
                  },
                ],
                clusters: [
                  {
                    name: 'k',
                    cluster: { ...cluster, 'certificate-authority-data': base64(values.clusterCaPem) },
                  },
                ],
                contexts: [{ name: 'c', context: { user: 'u', cluster: 'k' } }],
                'current-context': 'c',
              },
              null,
              indent,
            );
          const present = { clientCertificatePem: certificate, clientKeyPem: keyText, clusterCaPem: ca };
          assert.equal(
            rewriteKubeconfig(readKubeconfig(write(present)), changes),
            write({ ...present, ...changes }),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test("kubeadm's own admin.conf: three lines differ", () => {
    const source = readFileSync(fixturePath('stacked-etcd-rsa', 'etc/kubernetes/admin.conf'), 'utf8');
    const rewritten = rewriteKubeconfig(readKubeconfig(source), { ...both, clusterCaPem: 'NEW CA\n' });
    const expected = source
      .replace(/(client-certificate-data: ).*/, `$1${crt}`)
      .replace(/(client-key-data: ).*/, `$1${key}`)
      .replace(/(certificate-authority-data: ).*/, `$1${base64('NEW CA\n')}`);
    assert.notEqual(expected, source);
    assert.equal(rewritten, expected);
  });

  test('what is kept in a file cannot be asked for', () => {
    const files = readKubeconfig(around('{client-certificate: a.crt, client-key: a.key}'));
    for (const changes of [
      { clientCertificatePem: 'x' },
      { clientKeyPem: 'x' },
    ] satisfies KubeconfigChanges[]) {
      assert.throws(() => rewriteKubeconfig(files, changes), TypeError);
    }
    assert.equal(rewriteKubeconfig(files, {}), files.text);
  });

  test('a value that stands for another too is named', () => {
    const shared = around(`{client-certificate-data: &a ${old}, client-key-data: ${old}}`).replace(
      '"t"',
      '*a',
    );
    assert.throws(() => rewriteKubeconfig(readKubeconfig(shared), both), {
      code: 'bad-kubeconfig',
      message: 'client-certificate-data is shared with another field over a YAML anchor',
    });
    assert.equal(
      rewriteKubeconfig(readKubeconfig(shared), { clientKeyPem: 'NEW KEY\n' }),
      shared.replace(`client-key-data: ${old}`, `client-key-data: ${key}`),
    );
  });

  test('a refusal is a bad-kubeconfig with a next step, whatever the rewrite would have been', () => {
    const shared = `&whole {client-certificate-data: ${old}, client-key-data: ${old}}`;
    for (const source of [
      // An explicit key has no place for another before it.
      around(`\n    ? client-certificate-data\n    : ${old}`),
      around('*elsewhere', `x-elsewhere: &elsewhere {client-certificate-data: ${old}}\n`),
      around('{<<: [*a]}', `x-a: &a {client-certificate-data: ${old}, client-key-data: ${old}}\n`),
      around(shared).replace('{token: "t"}', '{exec: *whole}'),
    ]) {
      assert.throws(
        () => rewriteKubeconfig(readKubeconfig(source), both),
        (error: unknown) => {
          assert.ok(error instanceof Error && 'code' in error && 'hint' in error);
          assert.equal(error.code, 'bad-kubeconfig');
          assert.equal(typeof error.hint, 'string');
          assert.doesNotMatch(error.message, /not valid YAML/);
          return true;
        },
      );
    }
  });
});

interface View {
  readonly users: readonly { readonly name: string; readonly user: Record<string, unknown> }[];
}

function userOf({ users }: View): Record<string, unknown> {
  const found = users.find(({ name }) => name === 'u');
  assert.ok(found);
  return found.user;
}
