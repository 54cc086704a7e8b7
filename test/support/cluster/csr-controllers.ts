import type { CaFiles } from './authority.ts';
import { conditionOf, type CsrObject, type CsrSpec, type CsrStatus } from './csr-object.ts';
import { withCondition } from './csr-store.ts';
import { OpensslSigner, type SigningConduct } from './signer.ts';

export const apiserverClient = 'kubernetes.io/kube-apiserver-client';
const kubeletServing = 'kubernetes.io/kubelet-serving';

/**
 * What a signer does with a request that is approved.
 *
 * - `issues`: a certificate, as it was asked for or wrong
 * - `absent`: nothing, ever
 * - `fails`: says why it does not
 * - `answers`: `status.certificate` becomes this text, whatever it is
 */
export type SignerConduct =
  | ({ readonly kind: 'issues'; /** Instead of the cluster's. */ readonly ca?: CaFiles } & SigningConduct)
  | { readonly kind: 'absent' }
  | { readonly kind: 'fails'; readonly reason: string; readonly message: string }
  | { readonly kind: 'answers'; readonly certificate: string };

/** What the controllers are made of. */
export interface ControllersWishes {
  readonly openssl: string;
  /** The cluster's: with it the two built-in signers issue. */
  readonly ca: CaFiles;
  /** A directory for what openssl needs. */
  readonly scratch: string;
  /** Approves whatever is pending. */
  readonly approver?: boolean;
  /** By signer name; the built-in ones issue unless told otherwise, all others are absent. */
  readonly signers?: Readonly<Record<string, SignerConduct>>;
}

/** The usages that the built-in signers insist on. */
const required: Readonly<Record<string, readonly string[]>> = {
  [apiserverClient]: ['client auth'],
  [kubeletServing]: ['server auth', 'digital signature'],
};

/** The approver and the signers of a cluster. */
export class Controllers {
  readonly #wishes: ControllersWishes;
  readonly #signers: Map<string, SignerConduct>;
  readonly #made = new Map<CaFiles, OpensslSigner>();

  constructor(wishes: ControllersWishes) {
    this.#wishes = wishes;
    this.#signers = new Map<string, SignerConduct>([
      [apiserverClient, { kind: 'issues' }],
      [kubeletServing, { kind: 'issues' }],
      ...Object.entries(wishes.signers ?? {}),
    ]);
  }

  /** The signer of that name behaves so from now on. */
  conduct(signerName: string, conduct: SignerConduct): void {
    this.#signers.set(signerName, conduct);
  }

  /** @returns undefined: nobody has anything to do with it */
  step(object: CsrObject): CsrStatus | undefined {
    const { spec, status } = object;
    if (status.certificate !== undefined) return undefined;
    if (conditionOf(object, 'Denied') !== undefined || conditionOf(object, 'Failed') !== undefined) {
      return undefined;
    }
    if (conditionOf(object, 'Approved') === undefined) {
      if (this.#wishes.approver !== true) return undefined;
      return withCondition(status, {
        type: 'Approved',
        status: 'True',
        reason: 'AutoApproved',
        message: 'approved by the cluster',
      });
    }
    const conduct = this.#signers.get(spec.signerName) ?? { kind: 'absent' };
    switch (conduct.kind) {
      case 'absent':
        return undefined;
      case 'fails':
        return withCondition(status, { type: 'Failed', status: 'True', ...only(conduct) });
      case 'answers':
        return { ...status, certificate: conduct.certificate };
      case 'issues':
        return this.#issue(object, conduct);
    }
  }

  #issue({ spec, status }: CsrObject, conduct: Extract<SignerConduct, { kind: 'issues' }>): CsrStatus {
    const problem = usagesProblem(spec);
    if (problem !== undefined) {
      return withCondition(status, {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: problem,
      });
    }
    const { request, usages, expirationSeconds } = spec;
    const wish = { request: Buffer.from(request, 'base64'), usages, expirationSeconds };
    const pem = this.#signerOf(conduct.ca ?? this.#wishes.ca).sign(wish, conduct);
    return { ...status, certificate: Buffer.from(pem, 'latin1').toString('base64') };
  }

  #signerOf(ca: CaFiles): OpensslSigner {
    const made = this.#made.get(ca) ?? new OpensslSigner(this.#wishes.openssl, ca, this.#wishes.scratch);
    this.#made.set(ca, made);
    return made;
  }
}

function only({ reason, message }: { readonly reason: string; readonly message: string }): {
  readonly reason: string;
  readonly message: string;
} {
  return { reason, message };
}

/** As was recorded of kubelet-serving; that the other signer says it alike is not. */
function usagesProblem({ signerName, usages }: CsrSpec): string | undefined {
  const wanted = required[signerName];
  if (wanted === undefined) return undefined;
  const allowed = [...new Set(['digital signature', 'key encipherment', ...wanted])];
  const right = wanted.every((one) => usages.includes(one)) && usages.every((one) => allowed.includes(one));
  return right ? undefined : `usages did not match [${[...allowed].sort().join(' ')}]`;
}
