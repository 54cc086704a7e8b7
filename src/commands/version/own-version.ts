import packageJson from '../../../package.json' with { type: 'json' };

// Put in its place by what builds the program: bin/bundle/build.mjs, bin/standalone/build.mjs.
declare const __KUBEPKI_COMMIT__: string | undefined;

export const ownVersion = packageJson.version;

/** What it was built from; undefined when that is not known: run from source, or built without a checkout. */
export const ownCommit = typeof __KUBEPKI_COMMIT__ === 'string' ? __KUBEPKI_COMMIT__ || undefined : undefined;
