import { renderDocument, type DocumentFormat } from './document.ts';

export interface VersionFacts {
  readonly version: string;
  /** undefined: the build did not know it. */
  readonly commit: string | undefined;
  readonly runtime: { readonly name: 'Node.js' | 'Bun'; readonly version: string };
  /** `linux/x64`, with node's names. */
  readonly platform: string;
}

export function versionText({ version, commit, runtime, platform }: VersionFacts): string {
  return `kubepki version: ${version}
commit: ${commit ?? 'unknown'}
runtime: ${runtime.name} ${runtime.version} on ${platform}
`;
}

export function versionDocument(
  { version, commit, runtime, platform }: VersionFacts,
  format: DocumentFormat,
): string {
  return renderDocument('Version', { version, commit: commit ?? null, runtime, platform }, format);
}
