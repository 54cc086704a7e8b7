/** How to reach an API server, and how to be known there. Everything is in memory: nothing is read on the way. */
export interface ApiAccess {
  readonly server: URL;
  /** The name to expect in the server's certificate; undefined: that of the URL. */
  readonly serverName: string | undefined;
  /** PEM; undefined: the CAs that node knows. */
  readonly ca: Buffer | undefined;
  readonly credentials: ApiCredentials;
}

type ApiCredentials =
  | { readonly kind: 'certificate'; readonly certificate: Buffer; readonly key: Buffer }
  | { readonly kind: 'token'; readonly token: string };
