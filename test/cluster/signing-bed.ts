import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { ApiAccess } from '../../src/cluster/connection.ts';
import { ClusterFailure } from '../../src/cluster/failure.ts';
import { withSigningApi, type SigningApi, type SigningWish } from '../../src/cluster/signing.ts';
import { makeAuthority, type Authority, type LeafWishes } from '../support/cluster/authority.ts';
import { csrApi, type CsrApi } from '../support/cluster/csr-api.ts';
import type { ControllersWishes } from '../support/cluster/csr-controllers.ts';
import { startClusterServer, type Api, type ClusterServer, type Faults } from '../support/cluster/server.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

export const never = new AbortController().signal;
export const admin = '/O=system:masters/CN=kubernetes-admin';

export interface Bed {
  readonly openssl: string;
  readonly scratch: string;
  readonly authority: Authority;
  readonly server: ClusterServer;
  readonly csr: CsrApi;
  /** A request of openssl's making. */
  wish(changes?: Partial<SigningWish>, subject?: string): SigningWish;
  access(by?: LeafWishes, changes?: Partial<ApiAccess>): ApiAccess;
  /** As the admin. */
  run<T>(use: (api: SigningApi) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface BedWishes extends Partial<Pick<ControllersWishes, 'approver' | 'signers'>> {
  readonly faults?: Faults;
  /** Asked before the certificates API. */
  readonly before?: Api;
  readonly serving?: Partial<LeafWishes>;
}

/** @returns undefined: there is no openssl, and the test is skipped */
export async function signingBed(t: TestContext, wishes: BedWishes = {}): Promise<Bed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const { faults, before, serving, ...controllers } = wishes;
  const scratch = temporaryDirectory(t);
  const authority = makeAuthority(openssl, scratch, 'kubernetes');
  const csr = csrApi({ openssl, ca: authority.files, scratch, ...controllers });
  const server = await startClusterServer({
    ca: authority.ca,
    serving: authority.issue({ subject: '/CN=kube-apiserver', names: 'IP:127.0.0.1', ...serving }),
    apis: [...(before === undefined ? [] : [before]), csr.api],
    ...(faults === undefined ? {} : { faults }),
  });
  t.after(() => server.stop());
  const access: Bed['access'] = (by = { subject: admin }, changes = {}) => ({
    server: new URL(`https://127.0.0.1:${String(server.port)}`),
    serverName: undefined,
    ca: authority.ca,
    credentials: { kind: 'certificate', ...authority.issue(by) },
    ...changes,
  });
  return {
    openssl,
    scratch,
    authority,
    server,
    csr,
    access,
    wish: (changes = {}, subject = '/CN=system:kube-controller-manager') => ({
      name: 'controller-manager-1',
      signerName: 'kubernetes.io/kube-apiserver-client',
      request: changes.request ?? makeRequest(openssl, scratch, subject),
      usages: ['client auth', 'digital signature', 'key encipherment'],
      expirationSeconds: undefined,
      ...changes,
    }),
    run: (use, signal = never) => withSigningApi(access(), signal, use),
  };
}

function makeRequest(openssl: string, scratch: string, subject: string): Buffer {
  const path = join(scratch, 'wish.csr');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${path}.key`];
  execFileSync(openssl, ['req', '-new', ...key, '-subj', subject, '-out', path], { stdio: 'pipe' });
  return readFileSync(path);
}

export interface Failed {
  /** Without the port. */
  readonly said: string;
  readonly retryable: boolean;
  readonly afterMs: number | undefined;
  readonly hint: string | undefined;
}

/** The failure that something ends with; nothing else may come of it. */
export async function failure(of: Promise<unknown>): Promise<Failed> {
  const ended = await of.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (ended === undefined) throw new Error('it did not fail');
  if (!(ended.error instanceof ClusterFailure)) throw ended.error;
  const { oneLine, code, retryable, retryAfterMs, hint } = ended.error;
  if (code !== 'cluster') throw new Error(code);
  return { said: oneLine.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE'), retryable, afterMs: retryAfterMs, hint };
}
