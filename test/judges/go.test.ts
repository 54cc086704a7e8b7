import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { freePorts } from '../support/servers/free-ports.ts';
import { judge } from '../support/judge.ts';
import { runProgram } from '../support/program.ts';
import { makeCa, resign } from '../support/certificates/resigned.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../support/tree.ts';
import { certsInProcess as certs } from '../support/in-process.ts';

const dates = { start: '20260101000000Z', end: '20560101000000Z' };

interface Case {
  readonly what: string;
  readonly breakIt: (openssl: string, pki: (name: string) => string, stranger: string) => void;
  /** What Go says of it; undefined: it takes it. */
  readonly refused: RegExp | undefined;
}

const cases: readonly Case[] = [
  {
    what: 'a certificate of the CA',
    breakIt: (openssl, pki) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), ...dates });
    },
    refused: undefined,
  },
  {
    what: 'the CA behind the leaf',
    breakIt: (openssl, pki) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), ...dates });
      execFileSync('/bin/sh', ['-c', 'cat "$1" >>"$2"', 'sh', pki('ca.crt'), pki('apiserver.crt')]);
    },
    refused: undefined,
  },
  {
    what: 'another CA of the same name',
    breakIt: (openssl, pki, stranger) => {
      resign(openssl, pki('apiserver'), { by: stranger, ...dates });
    },
    refused: /signed by unknown authority/,
  },
  {
    what: "the CA's name in another string type",
    breakIt: (openssl, pki) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), ...dates });
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
      execFileSync(openssl, [
        ...[
          'req',
          '-x509',
          '-new',
          '-utf8',
          '-key',
          pki('ca.key'),
          '-subj',
          '/CN=kubernetes',
          '-days',
          '3650',
        ],
        ...[...extensions.flatMap((one) => ['-addext', one]), '-out', pki('ca.crt')],
      ]);
    },
    refused: /signed by unknown authority/,
  },
  {
    what: 'SHA-1',
    breakIt: (openssl, pki) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), digest: 'sha1', ...dates });
    },
    refused: /insecure algorithm|SHA1/,
  },
  {
    what: 'not yet valid',
    breakIt: (openssl, pki) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), start: '20400101000000Z', end: '20410101000000Z' });
    },
    refused: /expired or is not yet valid/,
  },
  {
    what: 'no SAN',
    breakIt: (openssl, pki) => {
      const extensions = 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth';
      resign(openssl, pki('apiserver'), { by: pki('ca'), ...dates, extensions });
    },
    refused: /(?:relies on legacy Common Name|doesn't contain any|is not valid for any names)/,
  },
];

/** Serves a certificate until the test is over. */
async function serve(t: TestContext, openssl: string, tree: Tree): Promise<number> {
  const [port = 0] = await freePorts(1);
  const file = (suffix: string): string => join(tree.certDir, `apiserver.${suffix}`);
  const server = spawn(
    openssl,
    // Without -quiet it says when it accepts connections.
    [
      's_server',
      '-accept',
      `127.0.0.1:${String(port)}`,
      '-key',
      file('key'),
      '-cert',
      file('crt'),
      '-cert_chain',
      file('crt'),
      '-www',
      // It would not show a SHA-1 signature else.
      ...['-cipher', 'DEFAULT:@SECLEVEL=0'],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  t.after(() => server.kill('SIGKILL'));
  let said = '';
  for await (const chunk of server.stdout) {
    said += String(chunk);
    if (said.includes('ACCEPT')) return port;
  }
  throw new Error('openssl s_server serves nothing');
}

describe('what Go, and so Kubernetes, accepts, and what check-expiration says of it', () => {
  for (const { what, breakIt, refused } of cases) {
    test(what, async (t) => {
      const [kubectl, openssl] = [judge(t, 'kubectl'), judge(t, 'openssl')];
      if (kubectl === undefined || openssl === undefined) return;
      const tree = copyFixture(t, 'ipv6');
      const stranger = join(temporaryDirectory(t), 'ca');
      makeCa(openssl, stranger, 'kubernetes');
      breakIt(openssl, (name) => join(tree.certDir, name), stranger);
      const port = await serve(t, openssl, tree);
      const { stderr } = await runProgram(
        kubectl,
        [
          ...['--kubeconfig=/dev/null', `--server=https://127.0.0.1:${String(port)}`],
          ...[`--certificate-authority=${join(tree.certDir, 'ca.crt')}`, '--tls-server-name=kubernetes'],
          ...['--token=x', '--request-timeout=20s', 'get', '--raw', '/version'],
        ],
        { HOME: temporaryDirectory(t) },
      );
      const checked = await certs(tree, 'check-expiration', '--at', '2027-01-01T00:00:00Z');
      const isFound = /^warning: \S+\/apiserver\.crt: /m.test(checked.stderr);
      assert.equal(isFound, refused !== undefined, checked.stderr);
      if (refused === undefined) assert.doesNotMatch(stderr, /x509|tls/i);
      else assert.match(stderr, refused);
    });
  }
});
