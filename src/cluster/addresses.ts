import { execFile } from 'node:child_process';
import { isIP } from 'node:net';
import { KubepkiError } from '../errors/error.ts';
import { systemProgram } from '../filesystem/system-program.ts';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses of a host, as every other program of the machine finds them (/etc/hosts, nsswitch.conf, search domains).
 *
 * Not by node's own look-up: it waits for a name server in a thread that nothing can call off, and the process cannot end
 * before it does; its resolver, which can be called off, reads neither /etc/hosts nor nsswitch.conf. A child can be killed.
 * @throws KubepkiError cluster, also when it was called off
 */
export async function addressesOf(host: string, signal: AbortSignal): Promise<readonly Address[]> {
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(literal) !== 0) return addressesIn(literal);
  const addresses = addressesIn(await getent(host, signal));
  if (addresses.length === 0) throw unknownHost(host);
  return addresses;
}

/** `getent ahosts` says each address as often as there are kinds of sockets. */
function addressesIn(text: string): Address[] {
  const found = text.split('\n').map((line) => line.split(/\s/, 1)[0] ?? '');
  return [...new Set(found)].flatMap((address) => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ address, family }] : [];
  });
}

async function getent(host: string, signal: AbortSignal): Promise<string> {
  const program = systemProgram('getent');
  if (program === undefined) {
    throw new KubepkiError('cluster', `cannot look up ${host}: there is no getent`, {
      hint: 'give the server an IP address in the kubeconfig, or install getent (libc-bin, glibc-common, musl-utils)',
    });
  }
  return new Promise((resolve, reject) => {
    // A host in a URL has been through the URL parser: it begins with no dash.
    execFile(program, ['ahosts', host], { signal, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(unknownHost(host, error));
    });
  });
}

function unknownHost(host: string, cause?: unknown): KubepkiError {
  return new KubepkiError('cluster', `the API server's name ${host} has no address`, { cause });
}
