/** What a DNS subdomain may have at most (RFC 1123), which the name of an object of the API must be. */
const longest = 253;

/**
 * The name of a CertificateSigningRequest: it tells the approver which node and which certificate it is for.
 * @param suffix makes it one that no other run gives; of lower-case letters and digits
 */
export function requestName(node: string, certificate: string, suffix: string): string {
  const tail = `${label(certificate)}-${suffix}`;
  const room = longest - 'kubepki-'.length - tail.length - 1;
  const head = label(node).slice(0, room).replace(/-+$/, '');
  return ['kubepki', ...(head === '' ? [] : [head]), tail].join('-');
}

/** Dots too: what is between two of them would have to begin and end with a letter or a digit. */
function label(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
