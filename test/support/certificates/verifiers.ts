import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { encodeCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey, type PrivateKey } from '../../../src/pki/key/private-key.ts';
import { judge, type Skippable } from '../judge.ts';
import { runProgram } from '../program.ts';

/** What one end of a connection shows, and what the other end trusts. The leaf is for `node.test`. */
export interface Shown {
  readonly leaf: Certificate;
  readonly key: PrivateKey;
  readonly behind: readonly Certificate[];
  readonly roots: readonly Certificate[];
}

const hostName = 'node.test';

/**
 * What each program says that is not us: the ends of a connection in their stacks. Nothing where one is not installed, and then the test
 * is skipped.
 */
export async function verdicts(
  t: Skippable,
  shown: Shown,
  { strict = true }: { readonly strict?: boolean } = {},
): Promise<readonly (readonly [verifier: string, verdict: string])[]> {
  const [openssl, certtool] = [judge(t, 'openssl'), judge(t, 'certtool')];
  const [kubectl, cfssl] = [judge(t, 'kubectl'), judge(t, 'cfssl')];
  if (!openssl || !certtool || !kubectl || !cfssl) return [];
  const verifiers: Readonly<Record<string, Promise<string>>> = {
    'openssl as a client': byOpenssl(openssl, shown, { purpose: 'sslserver', strict }),
    'openssl as a server': byOpenssl(openssl, shown, { purpose: 'sslclient', strict }),
    gnutls: byGnutls(certtool, shown),
    'Go (cfssl)': byCfssl(cfssl, shown),
    'Go (kubectl)': byKubectl(kubectl, shown),
    'node as a client': byNode(shown, 'client'),
    'node as a server': byNode(shown, 'server'),
  };
  return Promise.all(
    Object.entries(verifiers).map(async ([name, verdict]) => [name, await verdict] as const),
  );
}

async function byOpenssl(
  openssl: string,
  shown: Shown,
  { purpose, strict }: { readonly purpose: 'sslserver' | 'sslclient'; readonly strict: boolean },
): Promise<string> {
  return withFiles(shown, async ({ leaf, behind, roots }) => {
    const { code, stdout, stderr } = await runProgram(openssl, [
      ...[
        'verify',
        ...(strict ? ['-x509_strict'] : []),
        '-no-CApath',
        '-no-CAstore',
        '-purpose',
        purpose,
        '-CAfile',
        roots,
      ],
      ...(purpose === 'sslserver' ? ['-verify_hostname', hostName] : []),
      ...(shown.behind.length === 0 ? [] : ['-untrusted', behind]),
      leaf,
    ]);
    return code === 0 ? 'trusted' : (/^error .*$/m.exec(stdout + stderr)?.[0] ?? stderr);
  });
}

async function byGnutls(certtool: string, shown: Shown): Promise<string> {
  return withFiles(shown, async ({ chain, roots }) => {
    const { code, stdout, stderr } = await runProgram(certtool, [
      ...['--verify', '--load-ca-certificate', roots, '--infile', chain],
      ...['--verify-hostname', hostName, '--verify-purpose', '1.3.6.1.5.5.7.3.1'],
    ]);
    return code === 0 ? 'trusted' : (/^\s*Chain verification output: .*$/m.exec(stdout)?.[0] ?? stderr);
  });
}

async function byCfssl(cfssl: string, shown: Shown): Promise<string> {
  return withFiles(shown, async ({ leaf, behind, roots }) => {
    const { stdout, stderr } = await runProgram(cfssl, [
      ...['bundle', '-flavor', 'optimal', '-ca-bundle', roots, '-cert', leaf],
      ...(shown.behind.length === 0 ? [] : ['-int-bundle', behind]),
    ]);
    return stdout.includes('"bundle"') ? 'trusted' : stderr + stdout;
  });
}

async function byKubectl(kubectl: string, shown: Shown): Promise<string> {
  const server = createHttpsServer(
    { cert: chainPem(shown), key: encodePrivateKey(shown.key) },
    (_, response) => response.end('{}'),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await withFiles(shown, async ({ directory, roots }) => {
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await runProgram(
        kubectl,
        [
          ...['--kubeconfig=/dev/null', `--server=https://127.0.0.1:${String(port)}`, '--token=x'],
          ...[`--certificate-authority=${roots}`, `--tls-server-name=${hostName}`, 'get', '--raw', '/'],
        ],
        { HOME: directory },
      );
      return code === 0 ? 'trusted' : stderr;
    });
  } finally {
    server.close();
  }
}

async function byNode(shown: Shown, side: 'server' | 'client'): Promise<string> {
  const shows = { cert: chainPem(shown), key: encodePrivateKey(shown.key) };
  const ca = encodeCertificates(shown.roots);
  let ofClient = 'no connection';
  const server = createServer(
    // The client need not trust the server where the server is to judge: it shows the same.
    { ...shows, ...(side === 'server' ? { ca, requestCert: true, rejectUnauthorized: false } : {}) },
    (socket) => {
      ofClient = socket.authorized ? 'trusted' : String(socket.authorizationError);
      socket.end('x');
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const socket = connect({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      servername: hostName,
      rejectUnauthorized: false,
      ...(side === 'server' ? shows : { ca }),
    });
    socket.on('error', () => undefined).resume();
    await once(socket, 'secureConnect');
    const ofServer = socket.authorized ? 'trusted' : String(socket.authorizationError);
    await once(socket, 'close');
    return side === 'server' ? ofClient : ofServer;
  } finally {
    server.close();
  }
}

function chainPem({ leaf, behind }: Shown): string {
  return encodeCertificates([leaf, ...behind]);
}

interface Files {
  readonly directory: string;
  readonly leaf: string;
  readonly behind: string;
  readonly chain: string;
  readonly roots: string;
}

async function withFiles(shown: Shown, use: (files: Files) => Promise<string>): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-verify-'));
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  try {
    return await use({
      directory,
      leaf: write('leaf.crt', encodeCertificates([shown.leaf])),
      behind: write('behind.crt', encodeCertificates(shown.behind)),
      chain: write('chain.crt', chainPem(shown)),
      roots: write('roots.crt', encodeCertificates(shown.roots)),
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
