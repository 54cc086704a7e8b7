import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import {
  createConfiguration,
  ServerConfiguration,
  type Configuration,
  type HttpLibrary,
} from '@kubernetes/client-node';
import { KubepkiError } from '../errors/error.ts';
import type { ApiAccess } from './access.ts';
import { addressesOf, type Address } from './addresses.ts';
import { failureOf } from './failure.ts';
import { httpOver, type AnswerLimits } from './http.ts';

/** For the constructors of the client's APIs. */
export type ApiConfiguration = Configuration;

/**
 * One request, with bounds of its own: an API server that hangs must not take the time of those after it, nor one answer all
 * the memory.
 * @throws KubepkiError cluster: a ClusterFailure, which tells whether another try is worth it; or one of the request's own
 */
export type Ask = <T>(
  request: (configuration: ApiConfiguration) => Promise<T>,
  limits?: AnswerLimits,
) => Promise<T>;

const requestMs = 10_000;
/**
 * An object has 1.5 MiB at most on its way to etcd, and JSON writes a character of it in up to six: no single object that an
 * API server keeps is larger than this.
 */
const mostBytesOfAny = 16 * 1024 * 1024;

/**
 * Runs something that asks the API server. When it ends, or the signal calls it off, no connection and no look-up is left
 * that would keep the process alive.
 *
 * The client is given its connection from outside: its own `KubeConfig` would run credential plugins, read service
 * account tokens and go through proxies.
 * @param signal bounds all of it: the name, the connection, TLS, every answer
 * @throws KubepkiError cluster
 */
export async function withApi<T>(
  access: ApiAccess,
  signal: AbortSignal,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  let agent: Agent | undefined;
  try {
    signal.throwIfAborted();
    const identity = tlsIdentityOf(access);
    const addresses = await addressesOf(access.server.hostname, signal);
    agent = new Agent({
      keepAlive: true,
      ...identity,
      lookup: lookUpIn(addresses),
      // Also where the environment says otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
      rejectUnauthorized: true,
      ...(access.serverName === undefined ? {} : { servername: access.serverName }),
    });
    return await use(askOver(access, agent, signal));
  } catch (error) {
    throw failureOf(error, { server: access.server, signal });
  } finally {
    agent?.destroy();
  }
}

function askOver(access: ApiAccess, agent: Agent, signal: AbortSignal): Ask {
  return async (request, { mostBytes = mostBytesOfAny, received } = {}) => {
    const bound = new AbortController();
    const end = (): void => {
      bound.abort();
    };
    let endedAfterMs: number | undefined;
    const limit = setTimeout(() => {
      endedAfterMs = requestMs;
      end();
    }, requestMs);
    signal.addEventListener('abort', end, { once: true });
    try {
      signal.throwIfAborted();
      const http = httpOver(agent, bound.signal, { mostMs: requestMs, mostBytes, received });
      return await request(configurationFor(access, http));
    } catch (error) {
      throw failureOf(error, { server: access.server, signal, endedAfterMs });
    } finally {
      clearTimeout(limit);
      signal.removeEventListener('abort', end);
    }
  };
}

function configurationFor({ server, credentials }: ApiAccess, http: HttpLibrary): Configuration {
  return createConfiguration({
    baseServer: new ServerConfiguration(server.href.replace(/\/$/, ''), {}),
    httpApi: http,
    authMethods: {
      default: {
        getName: () => 'kubeconfig',
        applySecurityAuthentication: (request) => {
          if (credentials.kind === 'token') {
            request.setHeaderParam('Authorization', `Bearer ${credentials.token}`);
          }
        },
      },
    },
  });
}

/** Tried at once: an error of the connection's would not say whose fault it is. */
function tlsIdentityOf({ ca, credentials }: ApiAccess): SecureContextOptions {
  const identity = {
    ...(ca === undefined ? {} : { ca }),
    ...(credentials.kind === 'certificate' ? { cert: credentials.certificate, key: credentials.key } : {}),
  };
  try {
    createSecureContext(identity);
  } catch (cause) {
    // What OpenSSL says of a key that it cannot read helps nobody.
    throw new KubepkiError('cluster', 'the certificates or the key in the kubeconfig cannot be used', {
      cause,
    });
  }
  return identity;
}

/** For a connection whose addresses are known already. */
function lookUpIn(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
