import { X509Certificate } from 'node:crypto';

/** Every certificate of a PEM text, in its order. */
export function certificatesIn(pem: string | Buffer): X509Certificate[] {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * Whether a client's certificate leads to one of the roots, as Go's `Verify` decides for the authenticators of API server and
 * kubelet: over the intermediates that the client has shown, now, and for a client.
 */
export function isTrustedClient(
  [leaf, ...shown]: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now = Date.now(),
): boolean {
  if (leaf === undefined) return false;
  // Node calls the extended key usage so; a certificate without one has all.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  if (usages !== undefined && !usages.includes(clientAuth)) return false;
  return leads(leaf, shown, roots, now);
}

function leads(
  one: X509Certificate,
  shown: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): boolean {
  if (now < Date.parse(one.validFrom) || now > Date.parse(one.validTo)) return false;
  if (roots.some((root) => isIssuedBy(one, root) && now <= Date.parse(root.validTo))) return true;
  return shown.some(
    (next, index) =>
      isIssuedBy(one, next) &&
      leads(
        next,
        shown.filter((_, other) => other !== index),
        roots,
        now,
      ),
  );
}

function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && one.checkIssued(issuer) && one.verify(issuer.publicKey);
}
