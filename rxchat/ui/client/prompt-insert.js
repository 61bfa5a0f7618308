// Puts the texts of prompts into the composer: where they go, the caret and the draft are the browser's. The server makes the texts.
import { useEffect, useRef } from "react";
import { fittingPrompts, slashAt, withPrompt } from "./pick-words.js";
import { usePicker } from "./picker.js";

/** The number of the text that was inserted last in this tab: the state, which outlives a reload, still has it afterwards. */
const KEY = "rxchat:inserted-prompt";

/** The list that `/` opens: a prompt's text comes into its place, at once or after its variables are filled in. */
export function usePrompts({ text, field, conversation, place }, props) {
  const { prompts, promptsSearched, inserted, onFindPrompts, onChoosePrompt, onAskPrompt, onCreatePrompt } = props;
  const chosen = useRef(/** @type {{at: number, words: string, conversation: string} | null} */ (null));
  const picker = usePicker({
    name: "prompt",
    text,
    look: slashAt,
    fit: (words) => fittingPrompts(prompts, promptsSearched, words),
    searched: promptsSearched,
    onFind: onFindPrompts,
    onPick: (choice, sign) => {
      chosen.current = { ...sign, conversation };
      if (choice.id) return choice.has_variables ? onAskPrompt(choice) : onChoosePrompt(choice.id);
      const rest = withPrompt(text, sign, 0, "");
      place(rest.text, rest.caret);
      onCreatePrompt();
    },
  });
  useEffect(() => {
    if (!inserted.number || inserted.number <= Number(sessionStorage.getItem(KEY))) return;
    sessionStorage.setItem(KEY, String(inserted.number));
    const at = chosen.current?.conversation === conversation ? chosen.current : null;
    const made = withPrompt(text, at, field.current?.selectionStart ?? text.length, inserted.text);
    chosen.current = null;
    place(made.text, made.caret);
  }, [inserted.number]);
  return picker;
}
