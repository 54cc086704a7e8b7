import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../src/kubeconfig/rewrite.ts';
import { judge } from '../support/judge.ts';
import fc from '../support/properties.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const changes = {
  clientCertificatePem: 'NEW CERTIFICATE\n',
  clientKeyPem: 'NEW KEY\n',
  clusterCaPem: 'NEW CA\n',
};

function rewrite(text: string, what: Parameters<typeof rewriteKubeconfig>[1] = changes): string {
  return rewriteKubeconfig(readKubeconfig(text), what);
}

/** How a value may be written; `value` is base64 on one line. */
const styles: readonly ((value: string, indent: string) => string)[] = [
  (value) => value,
  (value) => `"${value}"`,
  (value) => `'${value}'`,
  (value) => `${value}   # a comment`,
  (value, indent) => `|\n${wrap(value, `${indent}  `)}`,
  (value, indent) => `|-\n${wrap(value, `${indent}    `)}`,
  (value) => `!!str ${value}`,
  (value) => `&anchor ${value}`,
];
const wrap = (value: string, indent: string): string =>
  (value.match(/.{1,20}/g) ?? []).map((part) => indent + part).join('\n');

describe('rewriting a kubeconfig', () => {
  const value = fc.string({ minLength: 1, maxLength: 60 }).map(base64);
  const style = fc.nat(styles.length - 2);
  const order = fc.shuffledSubarray(['apiVersion', 'clusters', 'contexts', 'users', 'preferences'], {
    minLength: 5,
  });

  test('changes the intended values and not one other byte', () => {
    fc.assert(
      fc.property(
        value,
        value,
        value,
        fc.tuple(style, style, style),
        order,
        fc.boolean(),
        (crt, key, ca, chosen, keys, crlf) => {
          const write = (which: 0 | 1 | 2, text: string, indent: string): string =>
            styles[chosen[which]]?.(text, indent) ?? text;
          // The same text around old and new values: what differs is what may differ.
          const compose = (c: string, k: string, a: string): string => {
            const sections: Record<string, string> = {
              apiVersion: 'apiVersion: v1  # first\nkind: Config\ncurrent-context: me@here\n',
              clusters: `clusters:\n- name: other\n  cluster: {server: "x"}\n- cluster:\n    certificate-authority-data: ${a}\n    server: 'https://here'\n  name: here\n`,
              contexts: 'contexts:\n  - {name: me@here, context: {user: me, cluster: here}} # flow\n',
              users: `users:\n# others\n- name: other\n  user:\n    client-key-data: ${base64('other')}\n- name: me\n  user:\n    client-certificate-data: ${c}\n\n    x-unknown: {a: [1, 2]}\n    client-key-data: ${k}\n`,
              preferences: 'preferences:   {colors: true}\n',
            };
            const text = keys.map((name) => sections[name] ?? '').join('# ---\n');
            return crlf ? text.replaceAll('\n', '\r\n') : text;
          };
          const old = compose(write(0, crt, '    '), write(1, key, '    '), write(2, ca, '    '));
          const kubeconfig = readKubeconfig(old);
          assert.equal(
            kubeconfig.clientCertificate.kind === 'data' &&
              kubeconfig.clientCertificate.bytes.toString('base64'),
            crt,
          );
          const rewritten = rewrite(old);
          const plain = (which: 0 | 1 | 2, text: string): string => {
            const shape = chosen[which];
            // A block scalar becomes plain, everything else keeps its quotes, its tag, its comment.
            return shape === 4 || shape === 5 ? text : write(which, text, '');
          };
          assert.equal(
            rewritten,
            compose(
              plain(0, base64(changes.clientCertificatePem)),
              plain(1, base64(changes.clientKeyPem)),
              plain(2, base64(changes.clusterCaPem)),
            ),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  const minimal = (user: string, more = ''): string =>
    `current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: s}}]\n${more}users:\n- name: u\n  user: ${user}\n`;
  const key = { clientKeyPem: 'NEW KEY\n' };
  const crt = base64('old');

  test('a key that is not there is put beside the certificate, in the style of the file', () => {
    assert.equal(
      rewrite(minimal(`\n    # kept\n    client-certificate-data: ${crt} # kept too`), key),
      minimal(
        `\n    # kept\n    client-key-data: ${base64('NEW KEY\n')}\n    client-certificate-data: ${crt} # kept too`,
      ),
    );
    assert.equal(
      rewrite(minimal(`{client-certificate-data: ${crt}}`), key),
      minimal(`{client-key-data: ${base64('NEW KEY\n')}, client-certificate-data: ${crt}}`),
    );
    const json = (user: string): string =>
      `{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}], "clusters": [{"name": "k", "cluster": {}}], "users": [{"name": "u", "user": ${user}}]}`;
    const rewritten = rewrite(json(`{"client-certificate-data": "${crt}"}`), key);
    assert.equal(
      rewritten,
      json(`{"client-key-data": "${base64('NEW KEY\n')}", "client-certificate-data": "${crt}"}`),
    );
    assert.doesNotThrow(() => JSON.parse(rewritten) as unknown);
  });

  test('an alias is replaced where it stands, and what it stood for stays', () => {
    const text = minimal(
      `{client-certificate-data: *shared, client-key-data: ${crt}}`,
      `x: &shared ${crt}\n`,
    );
    assert.equal(rewrite(text, { clientCertificatePem: 'NEW\n' }), text.replace('*shared', base64('NEW\n')));
  });

  /** What stands behind the users, in which `CRT` and `KEY` are their values; the current one is `u`. */
  const sharing: readonly (readonly [what: string, users: string])[] = [
    [
      'over an alias, as PyYAML writes one object in two places',
      '&id001\n    client-certificate-data: CRT\n    client-key-data: KEY\n- name: v\n  user: *id001',
    ],
    [
      'over a merge key, with something of its own beside it',
      '&u {client-certificate-data: CRT, client-key-data: KEY}\n- name: v\n  user: {<<: *u, as: somebody}',
    ],
    [
      'over two anchors',
      '{client-certificate-data: &c CRT, client-key-data: &k KEY}\n- name: v\n  user: {client-key-data: *k, client-certificate-data: *c}',
    ],
  ];
  for (const [what, users] of sharing) {
    test(`a user that shares the credentials gets the new ones too: ${what}`, (t) => {
      const old = minimal(users).replaceAll('CRT', crt).replaceAll('KEY', base64('OLD KEY\n'));
      const expected = minimal(users)
        .replaceAll('CRT', base64(changes.clientCertificatePem))
        .replaceAll('KEY', base64(changes.clientKeyPem));
      const rewritten = rewrite(old, {
        clientCertificatePem: 'NEW CERTIFICATE\n',
        clientKeyPem: 'NEW KEY\n',
      });
      assert.equal(rewritten, expected);
      const kubectl = judge(t, 'kubectl');
      if (kubectl === undefined) return;
      const path = join(temporaryDirectory(t), 'config');
      writeFileSync(path, rewritten, { mode: 0o600 });
      const args = ['config', 'view', '--raw', '-o', 'json', '--kubeconfig', path];
      const view = JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8' })) as {
        users: { name: string; user: Record<string, unknown> }[];
      };
      for (const { user } of view.users) {
        assert.equal(user['client-certificate-data'], base64(changes.clientCertificatePem));
        assert.equal(user['client-key-data'], base64(changes.clientKeyPem));
      }
    });
  }

  test('the current user may have them over a merge key from another, and both get the new ones', () => {
    const write = (certificate: string, key: string): string =>
      `current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: s}}]
users:
- name: v
  user: &v {client-certificate-data: ${certificate}, client-key-data: ${key}}
- name: u
  user: {<<: *v, as: somebody}
`;
    assert.equal(
      rewrite(write(crt, crt), { clientCertificatePem: 'NEW CERTIFICATE\n', clientKeyPem: 'NEW KEY\n' }),
      write(base64('NEW CERTIFICATE\n'), base64('NEW KEY\n')),
    );
  });

  test('a cluster that shares the CAs gets the new ones too', () => {
    const write = (ca: string): string =>
      `current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters:
- name: k
  cluster: {server: s, certificate-authority-data: &ca ${ca}}
- name: local
  cluster: {server: t, certificate-authority-data: *ca}
users: [{name: u, user: {client-certificate-data: ${crt}, client-key-data: ${crt}}}]
`;
    assert.equal(rewrite(write(crt), { clusterCaPem: 'NEW CA\n' }), write(base64('NEW CA\n')));
  });

  test('what would change something else too is refused', () => {
    const shared = [
      minimal(
        `{client-certificate-data: &shared ${crt}, client-key-data: ${crt}}\n- name: v\n  user: {client-certificate-data: *shared}`,
      ),
      minimal(
        `&whole {client-certificate-data: ${crt}, client-key-data: ${crt}}\n- name: v\n  user: {exec: *whole}`,
      ),
      // A key of its own, to which the new certificate would not belong.
      minimal(
        `&u {client-certificate-data: ${crt}, client-key-data: ${crt}}\n- name: v\n  user: {<<: *u, client-key-data: ${base64('own')}}`,
      ),
      minimal('{<<: *base}', `x: &base {client-certificate-data: ${crt}, client-key-data: ${crt}}\n`),
    ];
    for (const text of shared) {
      assert.throws(() => rewrite(text, { clientCertificatePem: 'NEW\n' }), { code: 'bad-kubeconfig' }, text);
    }
  });

  test('nothing new, nothing changed', () => {
    const text = readFileSync(fixturePath('kubeconfig-rich', 'etc/kubernetes/admin.conf'), 'utf8');
    const { clusterCa } = readKubeconfig(text);
    assert.equal(clusterCa.kind, 'data');
    assert.equal(rewrite(text, { clusterCaPem: clusterCa.bytes.toString() }), text);
  });

  for (const name of ['admin.conf', 'scheduler.conf', 'controller-manager.conf']) {
    test(`kubectl reads the same from ${name} of kubeconfig-rich, before and after`, (t) => {
      const kubectl = judge(t, 'kubectl');
      if (kubectl === undefined) return;
      const text = readFileSync(fixturePath('kubeconfig-rich', `etc/kubernetes/${name}`), 'utf8');
      const directory = temporaryDirectory(t);
      const view = (content: string): Record<string, unknown> => {
        const path = join(directory, 'config');
        writeFileSync(path, content, { mode: 0o600 });
        const args = ['config', 'view', '--raw', '--minify', '-o', 'json', '--kubeconfig', path];
        return JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8' })) as Record<string, unknown>;
      };
      const user = (document: Record<string, unknown>): Record<string, unknown> =>
        (document['users'] as [{ user: Record<string, unknown> }])[0].user;
      const cluster = (document: Record<string, unknown>): Record<string, unknown> =>
        (document['clusters'] as [{ cluster: Record<string, unknown> }])[0].cluster;

      const { clientCertificate, clientKey, clusterCa } = readKubeconfig(text);
      const before = view(text);
      const data = (embedded: typeof clusterCa): string | undefined =>
        embedded.kind === 'data' ? embedded.bytes.toString('base64') : undefined;
      assert.equal(user(before)['client-certificate-data'], data(clientCertificate));
      assert.equal(user(before)['client-key-data'], data(clientKey));
      assert.equal(cluster(before)['certificate-authority-data'], data(clusterCa));

      const after = view(rewrite(text));
      const expected = structuredClone(before);
      user(expected)['client-certificate-data'] = base64(changes.clientCertificatePem);
      user(expected)['client-key-data'] = base64(changes.clientKeyPem);
      cluster(expected)['certificate-authority-data'] = base64(changes.clusterCaPem);
      assert.deepEqual(after, expected);
    });
  }
});
