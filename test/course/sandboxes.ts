/** Makes a folder for the sandboxes of a whole run, and removes it when all tests have ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

export default function setUp(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-101-'));
  project.provide('sandboxes', folder);
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
