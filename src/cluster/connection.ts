import { execFile } from 'node:child_process';
import { Agent } from 'node:https';
import { type LookupFunction, isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { KubepkiError } from '../errors/error.ts';
import { systemProgram } from '../filesystem/system-program.ts';
import { failureOf } from './failure.ts';

/** The way to an API server, and the identity to show there. Everything is in memory: no file is read on the way. */
export interface ApiAccess {
  readonly server: URL;
  /** The name to expect in the server's certificate; undefined: that of the URL. */
  readonly serverName: string | undefined;
  /** PEM; undefined: the CAs that node knows. */
  readonly ca: Buffer | undefined;
  readonly credentials: ApiCredentials;
}

export type ApiCredentials =
  | { readonly kind: 'certificate'; readonly certificate: Buffer; readonly key: Buffer }
  | { readonly kind: 'token'; readonly token: string };

/**
 * Prepares connections to the API server, and asks it nothing yet.
 * @throws KubepkiError cluster
 */
export async function agentFor(access: ApiAccess, signal: AbortSignal): Promise<Agent> {
  const { server, serverName } = access;
  try {
    signal.throwIfAborted();
    const identity = tlsIdentityOf(access);
    const addresses = await addressesOf(server.hostname, signal);
    return new Agent({
      keepAlive: true,
      ...identity,
      lookup: lookUpIn(addresses),
      // NODE_TLS_REJECT_UNAUTHORIZED in the environment has no say.
      rejectUnauthorized: true,
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
  } catch (error) {
    throw failureOf(error, { server, signal });
  }
}

/** Tries the key and the certificates at once: the error of a connection would not say that they are at fault. */
function tlsIdentityOf({ ca, credentials }: ApiAccess): SecureContextOptions {
  const identity = {
    ...(ca === undefined ? {} : { ca }),
    ...(credentials.kind === 'certificate' ? { cert: credentials.certificate, key: credentials.key } : {}),
  };
  try {
    createSecureContext(identity);
  } catch (cause) {
    // OpenSSL's message about a key that it cannot read does not help.
    throw new KubepkiError('cluster', 'the certificates or the key in the kubeconfig cannot be used', {
      cause,
    });
  }
  return identity;
}

/** A look-up that finds the known addresses. */
function lookUpIn(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses of a host, as every other program of the machine finds them (/etc/hosts, nsswitch.conf, search domains).
 *
 * A child looks the name up, because it can be killed. Node's own look-up waits for a name server in a thread that cannot be
 * called off, and the process cannot end before. Node's resolver can be called off, and reads neither /etc/hosts nor nsswitch.conf.
 * @throws KubepkiError cluster, also when the signal called it off
 */
export async function addressesOf(host: string, signal: AbortSignal): Promise<readonly Address[]> {
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(literal) !== 0) return addressesIn(literal);
  const addresses = addressesIn(await getent(host, signal));
  if (addresses.length === 0) throw unknownHost(host);
  return addresses;
}

/** `getent ahosts` prints each address once for each kind of socket. */
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
    // The URL parser lets no host begin with a dash.
    execFile(program, ['ahosts', host], { signal, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(unknownHost(host, error));
    });
  });
}

function unknownHost(host: string, cause?: unknown): KubepkiError {
  return new KubepkiError('cluster', `the API server's name ${host} has no address`, { cause });
}
