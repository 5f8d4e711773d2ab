/** Node has these as values everywhere. So that they can be written as types, too. */
type Utilities = typeof import('node:util');

interface TextDecoder extends InstanceType<Utilities['TextDecoder']> {}
interface TextEncoder extends InstanceType<Utilities['TextEncoder']> {}
