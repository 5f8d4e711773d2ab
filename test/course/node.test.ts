import { expect, test } from 'vitest';
import { requireNode } from '../../shared/commands/node.ts';
import { UsageError } from '../../shared/course/lessons.ts';

test.each(['18.20.4', '20.18.3', '21.7.3', '22.11.0', '23.11.0'])(
  'Node %s is refused',
  (version) => {
    const message = `This is Node ${version}, and the course needs ^20.19.0 || ^22.12.0 || >=24.0.0.`;
    expect(() => requireNode(version)).toThrow(new UsageError(message));
  },
);

test.each([process.versions.node, '20.19.0', '22.12.0', '22.20.1', '24.0.0', '25.1.0', '26.0.0'])(
  'Node %s is not',
  (version) => {
    requireNode(version);
  },
);
