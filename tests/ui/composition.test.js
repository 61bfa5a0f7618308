// Keys of an input method, without a browser. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { guardComposition, isComposing } from "../../rxchat/ui/client/composition.js";

/** A page whose field, form and shortcuts listen at `root`, as React and the document do. */
function page() {
  const root = new EventTarget();
  const heard = [];
  const release = guardComposition(root);
  for (const kind of ["keydown", "keypress"]) root.addEventListener(kind, (event) => heard.push(event.key));
  const press = (key, more = {}) => {
    const event = Object.assign(new Event(more.kind ?? "keydown", { cancelable: true }), { key, keyCode: 0, isComposing: false }, more);
    root.dispatchEvent(event);
    return event;
  };
  return { heard, press, release };
}

describe("keys of an input method", () => {
  test("are known by the event, by React's event, and in Safari by the key code", () => {
    expect(isComposing({ isComposing: true })).toBe(true);
    expect(isComposing({ nativeEvent: { isComposing: true } })).toBe(true);
    expect(isComposing({ isComposing: false, keyCode: 229 })).toBe(true);
    expect(!!isComposing({ isComposing: false, keyCode: 13, nativeEvent: { isComposing: false } })).toBe(false);
  });

  test("Enter that ends a conversion reaches nobody and submits nothing", () => {
    const { heard, press } = page();
    expect(press("Enter", { isComposing: true }).defaultPrevented).toBe(true);
    expect(press("Enter", { keyCode: 229 }).defaultPrevented).toBe(true);
    expect(press("Enter", { kind: "keypress", isComposing: true }).defaultPrevented).toBe(true);
    press("Escape", { isComposing: true });
    press("ArrowDown", { keyCode: 229 });
    expect(heard).toEqual([]);
  });

  test("what the input method does itself is not prevented", () => {
    const { press } = page();
    for (const key of ["a", "Process", "Escape", "Backspace"]) expect(press(key, { isComposing: true }).defaultPrevented).toBe(false);
  });

  test("the next Enter is an Enter again", () => {
    const { heard, press, release } = page();
    press("Enter", { isComposing: true });
    expect(press("Enter", { keyCode: 13 }).defaultPrevented).toBe(false);
    release();
    press("Enter", { keyCode: 229 });
    expect(heard).toEqual(["Enter", "Enter"]);
  });
});
