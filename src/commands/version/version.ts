import type { DocumentFormat } from '../../render/document.ts';
import { versionDocument, versionText, type VersionFacts } from '../../render/version.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { ownCommit, ownVersion } from './own-version.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export type VersionFormat = 'text' | 'short' | DocumentFormat;

export function printVersion(format: VersionFormat, terminal: Terminal): ExitCode {
  const facts = factsOf(process);
  if (format === 'short') terminal.result(`${facts.version}\n`);
  else terminal.result(format === 'text' ? versionText(facts) : versionDocument(facts, format));
  return exitCodes.done;
}

function factsOf({
  versions,
  platform,
  arch,
}: Pick<NodeJS.Process, 'versions' | 'platform' | 'arch'>): VersionFacts {
  // Bun says of itself that it is node as well, for programs that ask for a version of it.
  const bun = versions['bun'];
  return {
    version: ownVersion,
    commit: ownCommit,
    runtime: bun === undefined ? { name: 'Node.js', version: versions.node } : { name: 'Bun', version: bun },
    platform: `${platform}/${arch}`,
  };
}
