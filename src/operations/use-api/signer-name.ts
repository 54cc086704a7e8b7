/** Whether kube-controller-manager is the signer. */
export function isBuiltIn(signerName: string): boolean {
  return signerName.startsWith('kubernetes.io/');
}

/** Whether the API takes this name: `domain/path`. */
export function isSignerName(text: string): boolean {
  const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
  const [domain = '', path = '', ...more] = text.split('/');
  return (
    more.length === 0 &&
    text.length <= 571 &&
    new RegExp(`^${label}(?:\\.${label})+$`).test(domain) &&
    new RegExp(`^${label}(?:\\.${label})*$`).test(path)
  );
}
