// What an answer's model was shown: asked for when a user looks, and once for each answer.

/**
 * Over `fetchSources(message)`, which gives {data} or {problem}. An answer is known by its list of citations, which is another
 * one when it is written again. What failed is asked for again by the next who looks.
 */
export function createSources(fetchSources) {
  const asked = new WeakMap();
  return ({ citations, message }) => {
    if (!asked.has(citations)) {
      const asking = async () => {
        const answer = await fetchSources(message);
        if (answer.problem) asked.delete(citations);
        return answer;
      };
      asked.set(citations, asking());
    }
    return asked.get(citations);
  };
}
