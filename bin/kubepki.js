#!/usr/bin/env node
'use strict';

// Keys are generated in libuv's thread pool, which has four threads unless this is set before its first use; loading an
// ES module uses it. Hence CommonJS here, and only here: every core makes keys.
const { availableParallelism } = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

import('../dist/main.js');
