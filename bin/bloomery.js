#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// This file is JavaScript so that, once the cache has the rest, Node need not load its type stripper: 30 ms and 12 MB.
enableCompileCache();
await import('../src/main.ts');
