#!/usr/bin/env node
'use strict';

// Until a command has said how it ended, it has failed (src/cli/main.ts).
process.exitCode = 1;
// Unheard, this signal opens node's debugger to every user of the machine. src/terminal/signals.ts hears it too, and later. Only
// before this line, while node itself starts, could it be opened; node's own flag against that is younger than our oldest node.
process.on('SIGUSR1', () => undefined);

// CommonJS, as loading an ES module takes longer. No module of ours, as finding one takes longer than these lines.
const { closeSync, fstatSync, openSync, readSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

// Two scripts, one behind the other (bin/bundle/one-file.mjs): what every start needs, and the rest, which is read when
// something of it is wanted. Both are of one build: the file stays open, should another take its place meanwhile, and its
// header is read again, should another be written over it.
const filename = join(__dirname, '../dist/kubepki.cjs');
const bundle = openSync(filename);
// `/*DIGEST LENGTH*/`, of 64 and 11 digits.
const header = read(bundle, 0, 80);
const length = Number(header.toString('latin1', 67, 78));
const start = run('start', 0, length);
start(require, readRest);

function readRest() {
  if (!read(bundle, 0, 80).equals(header)) throw new Error(`${filename} was changed meanwhile`);
  useAllCores();
  return run('rest', length, fstatSync(bundle).size);
}

/**
 * Keys are generated in libuv's thread pool, which has four threads unless this is set before its first use. Whatever makes
 * keys, or does anything else there, is in the second script.
 */
function useAllCores() {
  const { availableParallelism } = require('node:os');
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));
}

/** @throws where the file ends before that */
function read(file, start, end, into = Buffer.allocUnsafeSlow(end - start)) {
  for (let at = start; at < end;) {
    const count = readSync(file, into, at - start, end - at, at);
    if (count === 0) throw new Error('the file is cut off');
    at += count;
  }
  return into.subarray(0, end - start);
}

function run(name, start, end) {
  // ASCII, as it is built: one byte a character, and nothing to decode.
  const source = read(bundle, start, end).toString('latin1');
  return new Script(source, { filename, cachedData: codeCache(name) }).runInThisContext();
}

/**
 * What V8 has compiled of a script before (bin/bundle/code-cache.js). V8 takes none of another version of its own, but
 * believes what is in it: so it begins with the header of the bundle, in which its digest is, and is there twice. To compare
 * takes a fraction of the time of a digest, for which node's crypto would have to be loaded, and that is a tenth of a start.
 * Piece by piece, as memory that is used for the first time takes longer than to read the file.
 */
function codeCache(name) {
  let file;
  try {
    file = openSync(`${filename}.${name}.cache`);
    const half = fstatSync(file).size / 2;
    if (!read(file, 0, header.length).equals(header)) return undefined;
    const data = read(file, header.length, half);
    const piece = Buffer.allocUnsafeSlow(32 * 1024);
    for (let at = 0; at < data.length; at += piece.length) {
      const one = data.subarray(at, at + piece.length);
      const start = half + header.length + at;
      if (!read(file, start, start + one.length, piece).equals(one)) return undefined;
    }
    return data;
  } catch {
    // Then it compiles now.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
