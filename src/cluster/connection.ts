import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { KubepkiError } from '../errors/error.ts';
import type { ApiAccess } from './access.ts';
import { addressesOf, type Address } from './addresses.ts';
import { failureOf } from './failure.ts';

/**
 * What connections to the API server are made by. Nothing is asked yet.
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
      // Also where the environment says otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
      rejectUnauthorized: true,
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
  } catch (error) {
    throw failureOf(error, { server, signal });
  }
}

/** The key and the certificates are tried at once: the error of a connection would not say that they are at fault. */
function tlsIdentityOf({ ca, credentials }: ApiAccess): SecureContextOptions {
  const identity = {
    ...(ca === undefined ? {} : { ca }),
    ...(credentials.kind === 'certificate' ? { cert: credentials.certificate, key: credentials.key } : {}),
  };
  try {
    createSecureContext(identity);
  } catch (cause) {
    // What OpenSSL says of a key that it cannot read does not help.
    throw new KubepkiError('cluster', 'the certificates or the key in the kubeconfig cannot be used', {
      cause,
    });
  }
  return identity;
}

/** A look-up that finds the addresses that are known already. */
function lookUpIn(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
