import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { judge } from '../judge.ts';
import { runProgram } from '../program.ts';
import type { Ask } from './clients.ts';
import type { Credentials } from './components/api-client.ts';

/** Programs with TLS libraries of their own: Go's, OpenSSL's, GnuTLS'. */
export interface Stacks {
  readonly kubectl: string;
  readonly openssl: string;
  readonly 'gnutls-cli': string;
}

export const stackNames = ['kubectl', 'openssl', 'gnutls-cli'] as const;

/** @returns undefined: one is missing, and the test is skipped */
export function stacksOf(t: TestContext): Stacks | undefined {
  const kubectl = judge(t, 'kubectl');
  const openssl = judge(t, 'openssl');
  const gnutls = judge(t, 'gnutls-cli');
  if (kubectl === undefined || openssl === undefined || gnutls === undefined) return undefined;
  return { kubectl, openssl, 'gnutls-cli': gnutls };
}

/** What one program has to say of a server that it was sent to. */
export interface Sample {
  readonly stack: keyof Stacks;
  readonly isWell: boolean;
  readonly said: string;
}

/** Sends each of the programs to the API server at an address once. */
export async function sampleStacks(
  programs: Stacks,
  credentials: Credentials,
  address: string,
): Promise<readonly Sample[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-stacks-'));
  try {
    return await Promise.all(
      stackNames.map(async (stack): Promise<Sample> => {
        try {
          const { text } = await stackAsk(stack, programs, credentials, { address, scratch })();
          return { stack, isWell: true, said: text };
        } catch (error) {
          return { stack, isWell: false, said: String(error) };
        }
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const path = '/api/v1/namespaces/kube-system';

/** Over a connection that they make they would go on waiting for more to send. */
const request = `GET ${path} HTTP/1.0\r\n\r\n`;

/** What the programs say of a server that is being restarted, and of nothing that has to do with certificates. */
const down =
  /refused|reset by peer|\bEOF\b|errno=(?:32|104|111)|timeout|timed out|deadline exceeded|HTTP\/1\.1 503|ServiceUnavailable|could not connect|non-properly terminated|in the (?:pull|push) function/i;

/**
 * As the in-process clients ask, by one of the programs: it verifies the server and its name, shows its certificate, and reads an object.
 * @param place.scratch for its files, removed by the caller
 */
export function stackAsk(
  stack: keyof Stacks,
  programs: Stacks,
  credentials: Credentials,
  { address, scratch }: { readonly address: string; readonly scratch: string },
): Ask {
  const directory = mkdtempSync(join(scratch, `${stack}-`));
  const [ca, certificate, key] = (['ca', 'certificate', 'key'] as const).map((name) => {
    const file = join(directory, name);
    writeFileSync(file, credentials[name], { mode: 0o600 });
    return file;
  }) as [string, string, string];
  const words: Readonly<Record<keyof Stacks, readonly string[]>> = {
    kubectl: [
      ...['--server', `https://${address}:6443`, '--certificate-authority', ca],
      ...['--client-certificate', certificate, '--client-key', key],
      ...['--kubeconfig', '/dev/null', '--request-timeout', '5s', 'get', '--raw', path],
    ],
    openssl: [
      ...['s_client', '-connect', `${address}:6443`, '-CAfile', ca, '-verify_return_error'],
      ...['-verify_ip', address, '-cert', certificate, '-cert_chain', certificate, '-key', key],
      ...['-quiet', '-ign_eof'],
    ],
    'gnutls-cli': [
      ...['--x509cafile', ca, '--x509certfile', certificate, '--x509keyfile', key],
      ...['--port', '6443', '--no-ocsp', '--verify-hostname', address, address],
    ],
  };
  const isBare = stack !== 'kubectl';
  return async () => {
    const home = { HOME: '/nonexistent' };
    const run = await runProgram(programs[stack], words[stack], home, isBare ? request : undefined);
    const isWell = isBare ? /^HTTP\/1\.1 200 /m.test(run.stdout) : run.code === 0;
    const said = `${run.stdout}${run.stderr}`
      .trim()
      .slice(-600)
      .replace(/\s*\n\s*/g, '; ');
    if (isWell) return { status: 200, text: said };
    // It was killed, as the in-process clients give up.
    if (run.code === undefined) throw new Error('no answer in time');
    throw Object.assign(new Error(`${stack}: ${said}`), down.test(said) ? { code: 'ECONNRESET' } : {});
  };
}
