/** Generated cases: the same ones each time, and told in the simplest form. */
import { expect, test, vi } from 'vitest';
import { CheckFailure, fail } from '../../shared/harness/check.ts';
import { Choices, generated, generatedLater } from '../../shared/kit/generate.ts';
import { withGiven } from '../../shared/kit/given.ts';
import { SEED } from '../../shared/kit/seed.ts';
import { Todo } from '../../shared/todo.ts';

/** What a check of generated cases throws. */
function thrownBy(cases: number, check: (choose: Choices) => void): unknown {
  try {
    generated(cases, check);
  } catch (error) {
    return error;
  }
  throw new Error('It is right.');
}

test('cases are the same each time, and all different', () => {
  const draw = () => {
    const cases: string[] = [];
    generated(50, (choose) => void cases.push(String(choose.bytes(8))));
    return cases;
  };
  expect(draw()).toEqual(draw());
  expect(new Set(draw()).size).toBe(50);
});

test('every outcome comes up', () => {
  const seen = { items: new Set<string>(), yes: new Set<boolean>(), lengths: new Set<number>() };
  generated(300, (choose) => {
    seen.items.add(choose.pick(['a', 'b', 'c']));
    seen.yes.add(choose.oneIn(10));
    seen.lengths.add(choose.list(3, () => choose.below(2)).length);
    for (const [i, at] of choose.cuts(20, 5).entries()) {
      expect(at).toBeGreaterThan(i);
      expect(at).toBeLessThan(20);
    }
  });
  expect([...seen.items].sort()).toEqual(['a', 'b', 'c']);
  expect(seen.yes.size).toBe(2);
  expect([...seen.lengths].sort()).toEqual([0, 1, 2, 3]);
});

test('what fails is told with the fewest and smallest numbers, and its seed', () => {
  const error = thrownBy(100, (choose) => {
    const sizes = choose.list(20, () => choose.below(1000));
    const large = sizes.filter((size) => size > 123);
    if (large.length >= 2) fail('Two of them are large.', [['sizes', sizes.join(' ')]]);
  });
  expect(error).toBeInstanceOf(CheckFailure);
  expect((error as CheckFailure).message).toBe('Two of them are large.');
  expect((error as CheckFailure).facts).toEqual([
    ['sizes', '124 124'],
    ['found with', expect.stringMatching(/^SEED=\d+$/)],
  ]);
});

test('a check that answers later is told in the same way', async () => {
  const seen: number[] = [];
  const error = await generatedLater(100, async (choose) => {
    const size = choose.below(1000);
    await Promise.resolve();
    seen.push(size);
    if (size > 123) fail('It is large.', [['size', `${size}`]]);
  }).catch((error: unknown) => error);
  expect((error as CheckFailure).facts[0]).toEqual(['size', '124']);
  await generatedLater(100, async (choose) => void choose.below(2));
  expect(seen.length).toBeGreaterThan(1);
});

test('a smaller case that fails at something else is not the one', () => {
  const error = thrownBy(100, (choose) => {
    const size = choose.below(1000);
    if (size < 10) fail('It is tiny.');
    if (size > 500) fail('It is large.', [['size', `${size}`]]);
  });
  const facts = { 'It is tiny.': [], 'It is large.': [['size', '501']] };
  const { message, facts: found } = error as CheckFailure;
  expect(found.slice(0, -1)).toEqual(facts[message as keyof typeof facts]);
});

test('the search for a simpler case comes to its end', () => {
  let cases = 0;
  thrownBy(1, (choose) => {
    cases++;
    fail(`There are ${choose.bytes(5000).length}.`);
  });
  expect(cases).toBeLessThan(1000);
});

test('what is not written yet stays that', () => {
  const todo = new Todo('01.1');
  expect(
    thrownBy(1, () => {
      throw todo;
    }),
  ).toBe(todo);
});

test('what a check was given is told first, and made only when it fails', () => {
  const facts = vi.fn(() => [['call', 'next()']] as const);
  expect(withGiven(facts, () => 7)).toBe(7);
  expect(facts).not.toHaveBeenCalled();
  const told = () => withGiven(facts, () => fail('It is right.', [['state is', 'OPEN']], 'Why.'));
  expect(told).toThrow(
    expect.objectContaining({
      message: 'It is right.',
      facts: [
        ['call', 'next()'],
        ['state is', 'OPEN'],
      ],
      cause: 'Why.',
    }),
  );
  const todo = new Todo('01.1');
  const begun = () =>
    withGiven(facts, () => {
      throw todo;
    });
  expect(begun).toThrow(todo);
});

test('choices made again are those', () => {
  const first = Choices.random(SEED);
  const drawn = [first.below(10), first.pick(['a', 'b']), first.oneIn(3)];
  const second = Choices.again(first.made);
  expect([second.below(10), second.pick(['a', 'b']), second.oneIn(3)]).toEqual(drawn);
  expect(second.below(10)).toBe(0);
});
