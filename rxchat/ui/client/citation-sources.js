// What the models of answers were shown: asked for when somebody looks, and once for each answer.

const UNKNOWN = Object.freeze({ list: null, problem: "" });

/** Over `fetchSources(message)`, which gives {data} or {problem}. An answer is known by its list of citations, which is another one when it is written again. */
export function createSources(fetchSources) {
  const known = new WeakMap();
  const listeners = new Set();
  const tell = (citations, next) => {
    known.set(citations, next);
    for (const listener of [...listeners]) listener();
  };
  async function fetchFor(citations, message) {
    const { data, problem } = await fetchSources(message);
    // What failed is asked for again by the next who looks.
    const next = problem ? { list: null, problem } : { list: data, problem: "" };
    tell(citations, next);
    return next;
  }
  return {
    of: (citations) => known.get(citations) ?? UNKNOWN,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Have them, sooner or later. */
    want(citations, message) {
      const found = known.get(citations);
      if (found?.list) return Promise.resolve(found);
      if (found?.asked) return found.asked;
      const asked = fetchFor(citations, message);
      tell(citations, { ...UNKNOWN, asked });
      return asked;
    },
  };
}
