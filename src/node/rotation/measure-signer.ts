import type { ApiAccess } from '../../cluster/connection.ts';
import { ClusterFailure } from '../../cluster/failure.ts';
import { withSigningApi, type SigningApi, type SigningWish } from '../../cluster/signing.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import type { ClusterStatus } from '../../operations/rotation/status.ts';
import { parseCertificates } from '../../pki/certificate/certificate.ts';
import { distinguishedName } from '../../pki/der/name.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { generatePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { randomProbeName } from '../../pki/key/random.ts';
import { encodeRequest, requestCertificate } from '../../pki/request/certification-request.ts';

type Signer = Extract<ClusterStatus['signer'], { readonly status: 'measured' }>['value'];

/** For the request, its approval and the certificate. A controller signs within a second. */
const boundMs = 10_000;
/** For taking the request away: it has a time of its own, as the first may have run out. */
const removalMs = 5000;

export interface Patience {
  /** How often it is looked whether the request was signed. */
  readonly looks: number;
  readonly pauseMs: number;
}

/** Less than the bound of all, so that what is said is that no one has signed. */
const usual: Patience = { looks: 16, pauseMs: 500 };

/**
 * Has the cluster sign a request, and tells by which CA. That is the only way to see it: kube-controller-manager reads its signing file anew
 * each time, and the one that leads may be on another node. The certificate is for a name without rights and for ten minutes, the shortest
 * that there is; its key never leaves this process. The request is taken away again, whatever comes of it.
 * @throws KubepkiError cluster, or bad-certificate
 */
export async function measureSigner(
  access: ApiAccess,
  { old, next }: Pick<RotatedAuthority, 'old' | 'next'>,
  patience = usual,
): Promise<Signer> {
  const privateKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
  const name = `kubepki-probe-${randomProbeName()}`;
  const request = requestCertificate(
    { subject: distinguishedName([], name), subjectAltName: undefined },
    privateKey,
  );
  const wish: SigningWish = {
    name,
    signerName: 'kubernetes.io/kube-apiserver-client',
    request: Buffer.from(encodeRequest(request)),
    usages: ['client auth', 'digital signature'],
    expirationSeconds: 600,
  };
  const [certificate] = parseCertificates(Buffer.from(await signedIn(access, wish, patience)));
  if (!isSameKey(certificate.publicKey, publicKeyOf(privateKey))) {
    throw failed(`the certificate that came for the request ${name} is of another key`);
  }
  if (isIssuedBy(certificate, next)) return 'next';
  return isIssuedBy(certificate, old) ? 'old' : 'other';
}

async function signedIn(access: ApiAccess, wish: SigningWish, patience: Patience): Promise<string> {
  try {
    return await withSigningApi(access, AbortSignal.timeout(boundMs), (api) => signed(api, wish, patience));
  } finally {
    // It may be there even where no answer came. Where it cannot be removed, the controllers do it within an hour.
    await withSigningApi(access, AbortSignal.timeout(removalMs), (api) => api.remove(wish.name)).catch(
      (error: unknown) => {
        if (!(error instanceof KubepkiError)) throw error;
      },
    );
  }
}

async function signed(api: SigningApi, wish: SigningWish, { looks, pauseMs }: Patience): Promise<string> {
  const { name } = wish;
  await api.submit(wish);
  await api.approve(name, {
    reason: 'KubepkiProbe',
    message: 'approved by kubepki to see which CA signs',
  });
  for (let left = looks; left > 0; left -= 1) {
    const standing = await api.standing(name);
    switch (standing.kind) {
      case 'issued':
        return standing.certificate;
      case 'denied':
      case 'failed':
        throw failed([`the request ${name} was refused`, standing.reason, standing.message].join(': '));
      case 'gone':
        throw failed(`the request ${name} was deleted before it was signed`);
      case 'pending':
      case 'approved':
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  throw failed(`no one has signed the request ${name} within ${String((looks * pauseMs) / 1000)} s`);
}

function failed(sentence: string): ClusterFailure {
  return new ClusterFailure(sentence, { retryable: false });
}
