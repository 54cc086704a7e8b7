/** The digests, and the list of what is inside. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import runtimes from '../../bin/standalone/runtimes.json' with { type: 'json' };
import { commitSeconds, dist, version } from './built.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly scope?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license: { readonly id?: string; readonly name?: string } }[];
  readonly components?: readonly Component[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const sums = readFileSync(join(dist, 'SHA256SUMS'), 'utf8');
const bom = JSON.parse(readFileSync(join(dist, `kubepki-${version}.cdx.json`), 'utf8')) as Bom;

test('sha256sum finds all of it in SHA256SUMS: executables, packages, SBOM', () => {
  const said = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
    cwd: dist,
    encoding: 'utf8',
  });
  const published = readdirSync(dist).filter((name) =>
    /^kubepki(?:-linux-|.*\.(?:deb|rpm|cdx\.json)$)/.test(name),
  );
  assert.deepEqual(said.trim().split('\n').sort(), published.map((name) => `${name}: OK`).sort());
  assert.equal(published.length, 2 + 4 + 1);
});

test('the SBOM is CycloneDX of this commit, with the digest of each executable', () => {
  assert.equal(`${bom.bomFormat} ${bom.specVersion}`, 'CycloneDX 1.5');
  assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  const { timestamp, component } = bom.metadata;
  assert.equal(Date.parse(timestamp), commitSeconds() * 1000);
  assert.equal(
    `${component.type} ${component.name} ${String(component.version)}`,
    `application kubepki ${version}`,
  );
  const files = component.components ?? [];
  assert.deepEqual(
    files.map(({ name }) => name),
    ['kubepki-linux-x64', 'kubepki-linux-arm64'],
  );
  for (const { name, hashes } of files)
    assert.ok(sums.includes(`${hashes?.[0]?.content ?? '?'}  ${name}\n`), name);
});

test('it names what is bundled, as the notice of licences does, and the runtime by its digest', () => {
  const notice = readFileSync(join(dist, 'THIRD-PARTY-NOTICES'), 'utf8');
  const bundled = [...notice.matchAll(/^={72}\n(.+) \(.+\)\n={72}$/gm)].map(([, name]) => name);
  const inside = bom.components.filter(({ scope, type }) => scope === 'required' && type === 'library');
  const names = inside.map((one) => `${one.name} ${String(one.version)}`);
  assert.deepEqual(names.sort(), bundled.filter((name) => name !== `Bun ${runtimes.version}`).sort());
  for (const name of Object.keys(packageJson.dependencies))
    assert.ok(
      bom.components.some((component) => component.name === name),
      name,
    );
  for (const { package: name, integrity } of Object.values(runtimes.targets)) {
    const runtime = bom.components.find((component) => component.name === name);
    const digest = Buffer.from(runtime?.hashes?.[0]?.content ?? '', 'hex').toString('base64');
    assert.equal(`sha512-${digest}`, integrity);
    assert.ok(runtime?.components?.some(({ name: library }) => library === 'TinyCC'));
  }
});

test('every component has a reference of its own, a licence, and a place in the graph', () => {
  const references = bom.components.map((component) => component['bom-ref']);
  const own = bom.metadata.component['bom-ref'];
  assert.equal(new Set(references).size, references.length);
  for (const { name, licenses } of bom.components) assert.ok(licenses.length > 0, name);
  assert.deepEqual(bom.dependencies.map(({ ref }) => ref).sort(), [own, ...references].sort());
  for (const { ref, dependsOn } of bom.dependencies)
    for (const other of dependsOn) assert.ok(references.includes(other), `${ref} on ${other}`);
});
