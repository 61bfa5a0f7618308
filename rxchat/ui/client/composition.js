// Key presses that belong to an input method (Japanese, Chinese, Korean, ...): they choose characters, and are no commands.

/** Whether the input method has this key. Safari ends the composition first; only its key code shows it. */
export const isComposing = (event) => event.isComposing || event.nativeEvent?.isComposing || event.keyCode === 229;

/**
 * Keep these key presses from every field, form and shortcut below `root`: Enter that ends a conversion neither sends nor
 * submits, Escape that takes it back closes nothing.
 */
export function guardComposition(root) {
  const keep = (event) => {
    if (!isComposing(event)) return;
    event.stopImmediatePropagation();
    // A form with one field would submit itself. The input method has had the key before the page.
    if (event.key === "Enter") event.preventDefault();
  };
  // Before all others, which listen on the document or below.
  root.addEventListener("keydown", keep, true);
  root.addEventListener("keypress", keep, true);
  return () => {
    root.removeEventListener("keydown", keep, true);
    root.removeEventListener("keypress", keep, true);
  };
}

if (typeof window !== "undefined" && typeof document !== "undefined") guardComposition(window);
