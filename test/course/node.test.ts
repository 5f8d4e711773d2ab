import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { sayUnfit } from '../../shared/commands/node.mjs';

test.each(['16.20.2', '18.20.4', '20.18.3', '21.7.3', '22.11.0', '23.11.0'])(
  'Node %s is refused',
  (version) => {
    expect(sayUnfit(version)).toBe(
      `This is Node ${version}, and the course needs ^20.19.0 || ^22.12.0 || >=24.0.0. Get one: https://nodejs.org/`,
    );
  },
);

test.each([process.versions.node, '20.19.0', '22.12.0', '22.20.1', '24.0.0', '25.1.0', '26.0.0'])(
  'Node %s is not',
  (version) => {
    expect(sayUnfit(version)).toBeUndefined();
  },
);

test('packages that are not there are missed', () => {
  const remedy = 'The packages of the course are not installed. Install them: npm ci';
  expect(sayUnfit('24.0.0', pathToFileURL('/nowhere/'))).toBe(remedy);
  expect(sayUnfit('18.0.0', pathToFileURL('/nowhere/'))).toContain('This is Node 18.0.0');
});
