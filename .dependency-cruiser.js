import { rooms } from './rooms.js';

const anyOf = (names) => `^src/(?:${names.join('|')})/`;
const exactly = (file) => `^${file.replaceAll('.', '\\.')}$`;

/**
 * The walls between the rooms of src/, and that no import goes in a circle. (dependency-cruiser 17: 18 wants a newer node.)
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  options: {
    // The types too.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
  forbidden: [
    { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'room without a row',
      severity: 'error',
      from: { path: '^src/', pathNot: anyOf(Object.keys(rooms)) },
      to: { dependencyTypes: ['local'] },
    },
    {
      name: 'command to command',
      severity: 'error',
      from: { path: '^src/commands/([^/]+)/' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1/' },
    },
    ...Object.entries(rooms).flatMap(([room, { rooms: whole = [], types = [], files = [] }]) => [
      {
        name: `walls of ${room}`,
        severity: 'error',
        from: { path: anyOf([room]) },
        to: {
          dependencyTypes: ['local'],
          pathNot: [anyOf([room, ...whole, ...types]), ...files.map(exactly)],
        },
      },
      ...types.map((other) => ({
        name: `only types of ${other} in ${room}`,
        severity: 'error',
        from: { path: anyOf([room]) },
        to: { path: anyOf([other]), pathNot: files.map(exactly), dependencyTypesNot: ['type-only'] },
      })),
    ]),
  ],
};
