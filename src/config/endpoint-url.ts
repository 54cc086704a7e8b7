// `//user@host:port` as Go's net/url takes it: an IPv6 address in brackets, digits alone behind the colon.
const authority = /^\/\/(?:[^@/?#]*@)?(?:\[[^\][\s]+\]|[^\s:[\]<>"/?#]*)(?::\d*)?(?:[/?#]|$)/;

/**
 * What kubeadm (ValidateURLs) holds against a URL of an external etcd; undefined: nothing.
 * @param withTls files for TLS are named
 */
export function endpointProblem(url: string, withTls: boolean): string | undefined {
  const [, scheme, rest = ''] = /^(?:([a-z][-a-z0-9+.]*):)?(.*)$/is.exec(url) ?? [];
  const isUrl =
    !/\p{Cc}/u.test(url) &&
    // "first path segment in URL cannot contain colon", as in `192.0.2.20:2379`
    (scheme !== undefined || !/^[^/?#]*:/.test(rest)) &&
    (!rest.startsWith('//') || authority.test(rest));
  if (!isUrl) return ' is not a URL such as "https://192.0.2.20:2379"';
  // kubeadm's sentences.
  if (withTls && scheme?.toLowerCase() !== 'https') return ': the URL must be using the HTTPS scheme';
  if (scheme === undefined) return ': the URL without scheme is not allowed';
  return undefined;
}
