import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { isExecutable, kubepki } from '../../support/kubepki.ts';

const { version } = packageJson;

/** What runs the program under test: this node, or what the executable has in it. */
const runtimeName = isExecutable ? 'Bun' : 'Node.js';

async function printed(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await kubepki(args);
  assert.deepEqual([stderr, code], ['', 0]);
  return stdout;
}

test('a person reads version, commit and runtime', async () => {
  const [first, second, third, ...rest] = (await printed('version')).split('\n');
  assert.equal(first, `kubepki version: ${version}`);
  assert.match(second ?? '', /^commit: (?:[0-9a-f]{40}(?:-modified)?|unknown)$/);
  const runtime = /^runtime: (\S+) (\d+\.\d+\.\d+) on (\S+)$/.exec(third ?? '');
  assert.deepEqual(runtime?.[1], runtimeName);
  if (runtimeName === 'Node.js') assert.equal(runtime[2], process.versions.node);
  assert.equal(runtime[3], `${process.platform}/${process.arch}`);
  assert.deepEqual(rest, ['']);
});

test('a program reads the same in json and yaml', async () => {
  const text = await printed('version');
  const json = JSON.parse(await printed('version', '-o', 'json')) as Record<string, unknown>;
  assert.deepEqual(parse(await printed('version', '--output=yaml')), json);
  assert.deepEqual(Object.keys(json), ['kind', 'apiVersion', 'version', 'commit', 'runtime', 'platform']);
  assert.deepEqual([json['kind'], json['apiVersion'], json['version']], ['Version', 'kubepki/v1', version]);
  const { name, version: runtimeVersion } = json['runtime'] as Record<string, string>;
  assert.ok(
    text.endsWith(`runtime: ${String(name)} ${String(runtimeVersion)} on ${String(json['platform'])}\n`),
  );
  const commit = json['commit'];
  assert.ok(text.includes(`commit: ${typeof commit === 'string' ? commit : 'unknown'}\n`));
});

test('short is the version alone, as --version is', async () => {
  assert.equal(await printed('version', '-o', 'short'), `${version}\n`);
  assert.equal(await printed('version', '-o=short'), `${version}\n`);
  assert.equal(await printed('--version'), `${version}\n`);
});

test('what it does not know is an error', async () => {
  const format = await kubepki(['version', '-o', 'xml']);
  assert.match(format.stderr, /^error: .*'xml' is invalid\. use text, short, json or yaml\nhint: /);
  const word = await kubepki(['version', 'now']);
  assert.match(word.stderr, /^error: too many arguments/);
  for (const { stdout, code } of [format, word]) assert.deepEqual([stdout, code], ['', 1]);
});
