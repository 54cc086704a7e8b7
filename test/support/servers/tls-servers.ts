import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freePorts } from './free-ports.ts';

/** What a test's context offers for the end of a server. */
interface Ending {
  after(end: () => Promise<void>): void;
}

/** What a server shows. PEM files. */
export interface ServedFiles {
  readonly certificate: string;
  readonly key: string;
  /** Certificates that it shows behind the leaf, as they are in the file. */
  readonly chain?: string;
}

/**
 * openssl's TLS server on loopback, which answers HTTP with a page, until the test ends.
 * @param flags of s_server, besides
 * @returns its port
 */
export async function opensslServer(
  t: Ending,
  openssl: string,
  { certificate, key, chain }: ServedFiles,
  flags: readonly string[] = [],
): Promise<number> {
  const server = spawn(
    openssl,
    [
      ...['s_server', '-www', '-accept', '127.0.0.1:0', '-cert', certificate, '-key', key],
      ...(chain === undefined ? [] : ['-cert_chain', chain]),
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return Number(await said(t, server, /^ACCEPT 127\.0\.0\.1:(\d+)$/m));
}

/** GnuTLS' server on loopback, as {@link opensslServer}. The file of the certificate holds its chain. */
export async function gnutlsServer(
  t: Ending,
  gnutls: string,
  { certificate, key }: Omit<ServedFiles, 'chain'>,
  flags: readonly string[] = [],
): Promise<number> {
  const [port = 0] = await freePorts(1);
  const server = spawn(
    gnutls,
    [...['--http', '--port', String(port), '--x509certfile', certificate, '--x509keyfile', key], ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  await said(t, server, /listening on IPv4 [^ ]+ port (\d+)\.\.\.done/);
  return port;
}

/** What it says first on either stream, up to this; then it runs on until the test ends. */
async function said(t: Ending, server: ChildProcess, pattern: RegExp): Promise<string> {
  const exited = once(server, 'exit');
  t.after(async () => {
    server.kill('SIGKILL');
    await exited;
  });
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (part: string): void => {
      text += part;
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    server.stdout?.setEncoding('utf8').on('data', read);
    server.stderr?.setEncoding('utf8').on('data', read);
    server.on('error', reject);
    void exited.then(() => {
      reject(new Error(`the server has ended: ${text}`));
    });
  });
}
