/** What is in the executables, in CycloneDX: npm's own list of the packages, and the runtime, which npm does not know. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from './files.mts';
import { runTool } from './tool.mts';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly [field: string]: unknown;
}

interface Bom {
  readonly metadata: {
    readonly component: Component;
    readonly [field: string]: unknown;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly [field: string]: unknown;
}

interface Executable {
  readonly name: string;
  readonly sha256: string;
}

interface Runtimes {
  readonly version: string;
  readonly targets: Readonly<Record<string, { readonly package: string; readonly integrity: string }>>;
}

const standalone = new URL('../standalone/', import.meta.url);

/** @returns the document: the same for the same commit, npm and executables */
export function sbomText(
  release: Release,
  commit: string | undefined,
  executables: readonly Executable[],
): string {
  const { dist, epoch, version } = release;
  const listed = packagesOf(release);
  const notices = readFileSync(join(dist, 'THIRD-PARTY-NOTICES'), 'utf8');
  const runtimes = readRuntimes();
  const own = listed.metadata.component['bom-ref'];
  const bom = {
    ...listed,
    serialNumber: undefined,
    metadata: {
      ...listed.metadata,
      timestamp: new Date(epoch * 1000).toISOString(),
      lifecycles: [{ phase: 'build' }],
      component: {
        ...listed.metadata.component,
        // npm calls both by the directory of the checkout.
        type: 'application',
        name: 'kubepki',
        version,
        components: executables.map(({ name, sha256 }) => ({
          'bom-ref': name,
          type: 'file',
          name,
          hashes: [{ alg: 'SHA-256', content: sha256 }],
        })),
        ...(commit === undefined ? {} : { properties: [{ name: 'kubepki:commit', value: commit }] }),
      },
    },
    components: [
      ...listed.components.map((component) => inScope(component, notices)),
      ...runtimes.map(({ component }) => component),
    ],
    dependencies: [
      ...listed.dependencies.map(({ ref, dependsOn }) => ({
        ref,
        dependsOn: ref === own ? [...dependsOn, ...runtimes.map(({ ref: runtime }) => runtime)] : dependsOn,
      })),
      ...runtimes.map(({ ref }) => ({ ref, dependsOn: [] })),
    ],
  };
  return `${JSON.stringify({ ...bom, serialNumber: serialNumber(bom) }, undefined, 2)}\n`;
}

/**
 * Those that are not for development alone. Not `--omit dev`: with it npm 11 also leaves out what a tool for development has in common
 * with the program.
 */
function packagesOf({ root, epoch, scratch }: Release): Bom {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const all = JSON.parse(runTool('npm', args, { epoch, home: scratch, cwd: root }).toString()) as Bom;
  const components = all.components.filter(
    ({ properties = [] }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
  );
  const kept = new Set([all.metadata.component, ...components].map((component) => component['bom-ref']));
  const dependencies = all.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return { ...all, components, dependencies };
}

/** npm lists what a dependency asks for; the bundler leaves out what is never called. */
function inScope(component: Component, notices: string): Component {
  const isBundled = notices.includes(`\n${component.name} ${component.version} (`);
  return { ...component, scope: isBundled ? 'required' : 'excluded' };
}

/** One for each machine, as each has a digest of its own. */
function readRuntimes(): readonly { readonly ref: string; readonly component: Component }[] {
  const { version, targets } = readJson('runtimes.json') as Runtimes;
  const linked = readJson('linked.json') as readonly {
    readonly libraries: readonly string[];
    readonly licence: string;
  }[];
  return Object.values(targets).map(({ package: name, integrity }) => {
    const ref = `${name}@${version}`;
    const component = {
      'bom-ref': ref,
      type: 'platform',
      name,
      version,
      scope: 'required',
      description: 'Bun, the JavaScript runtime in the executable',
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      hashes: [
        {
          alg: 'SHA-512',
          content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
        },
      ],
      licenses: [{ license: { id: 'MIT' } }],
      // Their versions are those of this version of Bun, which does not say them.
      components: linked.flatMap(({ libraries, licence }) =>
        libraries.map((library) => ({
          'bom-ref': `${ref}/${library}`,
          type: 'library',
          name: library,
          licenses: [{ license: { name: licence } }],
        })),
      ),
    };
    return { ref, component };
  });
}

/** Of what the document says, in the form of a UUID of version 8 (RFC 9562). */
function serialNumber(document: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
  ];
  return `urn:uuid:${[...parts, digest.slice(20, 32)].join('-')}`;
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, standalone), 'utf8'));
}
