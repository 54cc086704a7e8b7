import { isComponent } from '../catalog/catalog.ts';
import { addressesOf } from '../cluster/connection.ts';
import { servedTrouble, servedCertificates, type TlsIdentity } from '../controlplane/probe.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readProcesses } from '../inventory/processes.ts';
import { readTlsIdentity } from '../inventory/certificate-files.ts';
import type { GivenEndpoint } from '../flags/values.ts';
import { endpointsOf, givenEndpoint } from '../operations/verification/endpoints.ts';
import type { Answer, Endpoint, Live, Observed } from '../operations/verification/observed.ts';
import { parseCertificate, type Chain } from '../pki/certificate/certificate.ts';

/** A component on this machine answers in milliseconds, and an operator must not wait for one that does not. */
const boundMs = 3000;
/** So much of it is for a name: what a name server does not answer at once it does not answer within all of it either. */
const lookUpMs = 1000;

interface Asked {
  /** The components of this node; else only what was given. */
  readonly isLive: boolean;
  readonly given: readonly GivenEndpoint[];
}

/** Asks all of them at once what they serve. Never throws for one that does not answer. */
export async function observeLive(observed: Observed, { isLive, given }: Asked): Promise<Live> {
  const { root } = observed.subject.inventory.layout;
  const endpoints = [
    ...(isLive ? endpointsOf(observed) : []),
    ...given.map((one) => givenEndpoint(one, observed)),
  ];
  const answers = await askAll(endpoints, root);
  // Another root's processes are not this machine's.
  const found =
    isLive && root.directory === '/'
      ? readProcesses(new Set(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']))
      : undefined;
  const processes = found?.flatMap(({ name, words, startedAt }) =>
    isComponent(name) ? [{ component: name, words, startedAt }] : [],
  );
  return { answers, processes };
}

/** Never throws for one that does not answer. */
export function askAll(endpoints: readonly Endpoint[], root: FileSystemRoot): Promise<readonly Answer[]> {
  return Promise.all(endpoints.map((endpoint) => ask(endpoint, root)));
}

async function ask(endpoint: Endpoint, root: FileSystemRoot): Promise<Answer> {
  const { host, port, serverName, identity: files } = endpoint;
  const identity = files && identityIn(root, files);
  try {
    const addresses = await lookUp(host);
    const leftMs = addresses.includes(host) ? boundMs : boundMs - lookUpMs;
    const [leaf, ...others] = await Promise.any(
      addresses.map((address) => servedCertificates({ host: address, port, serverName, identity }, leftMs)),
    );
    const chain: Chain = [parseCertificate(leaf), ...others.map(parseCertificate)];
    return { endpoint, status: 'shown', chain };
  } catch (failed) {
    const error: unknown = failed instanceof AggregateError ? failed.errors[0] : failed;
    return { endpoint, status: 'silent', why: servedTrouble(error) };
  }
}

/** Not by node's own look-up, which cannot be called off: with a name server that is down the process would not end. */
async function lookUp(host: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(lookUpMs);
  try {
    return (await addressesOf(host, signal)).map(({ address }) => address);
  } catch (error) {
    if (signal.aborted) throw new Error('no answer from a name server', { cause: error });
    // Only a missing program has a hint.
    if (error instanceof KubepkiError && error.hint !== undefined)
      throw new Error(error.message, { cause: error });
    throw new Error('unknown host', { cause: error });
  }
}

/** Without one the server may still show its certificate first, as TLS 1.3 has it. */
function identityIn(root: FileSystemRoot, files: NonNullable<Endpoint['identity']>): TlsIdentity | undefined {
  try {
    return readTlsIdentity(root, files);
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}
