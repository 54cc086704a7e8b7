import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../program.ts';
import type { Credentials } from './components/api-client.ts';

/** Programs with TLS libraries of their own: Go's, OpenSSL's, GnuTLS'. */
export interface Stacks {
  readonly kubectl: string;
  readonly openssl: string;
  readonly 'gnutls-cli': string;
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
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-stacks-'));
  const file = (name: string, content: Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  try {
    const ca = file('ca.crt', credentials.ca);
    const certificate = file('client.crt', credentials.certificate);
    const key = file('client.key', credentials.key);
    const at = `${address}:6443`;
    return await Promise.all([
      run('kubectl', programs, [
        ...['--server', `https://${at}`, '--certificate-authority', ca],
        ...['--client-certificate', certificate, '--client-key', key],
        ...['--kubeconfig', '/dev/null', '--request-timeout', '5s'],
        ...['get', '--raw', '/api/v1/namespaces/kube-system'],
      ]),
      run('openssl', programs, [
        ...['s_client', '-connect', at, '-CAfile', ca, '-verify_return_error', '-verify_ip', address],
        ...['-cert', certificate, '-cert_chain', certificate, '-key', key, '-brief'],
      ]),
      run('gnutls-cli', programs, [
        ...['--x509cafile', ca, '--x509certfile', certificate, '--x509keyfile', key],
        ...['--port', '6443', '--no-ocsp', '--verify-hostname', address, address],
      ]),
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function run(stack: keyof Stacks, programs: Stacks, args: readonly string[]): Promise<Sample> {
  const { code, stdout, stderr } = await runProgram(programs[stack], args, { HOME: '/nonexistent' });
  return { stack, isWell: code === 0, said: `${stderr}${stdout}`.trim().slice(-400) };
}
